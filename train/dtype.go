package train

import (
	"fmt"

	"instruct/model/kernel"
	"instruct/train/recipe"
)

// chooseDType replaces dtype auto by what it is on this CPU or, for a run that goes on, by what it was.
func (s *Setup) chooseDType() error {
	r, why := s.Recipe, ""
	switch {
	case r.DType != recipe.AutoDType:
		return nil
	case s.resumed != "":
		st, err := readState(s.resumed)
		if err != nil {
			return err
		}
		r.DType, why = st.Recipe.DType, "with which the run began"
	case s.Model.AdapterConfig() != nil || r.LoRAR > 0:
		r.DType, why = kernel.F32.String(), "as an adapter is trained"
	case kernel.Pairs():
		r.DType, why = kernel.BF16.String(), "for which this CPU has a faster instruction"
	default:
		r.DType, why = kernel.F32.String(), "as bf16 is not faster on this CPU"
	}
	s.rows.notes = append(s.rows.notes, fmt.Sprintf("dtype auto is %s here, %s", r.DType, why))
	return nil
}
