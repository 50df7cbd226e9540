package train

import (
	"fmt"

	"instruct/data"
)

const (
	fewHeldOut  = 20 // fewer rows than these say little
	nearExample = "%d of %d held-out rows say almost what a row of training says (%s and %s): " +
		"their loss shows what was learned by heart"
)

// heldOutNotes say where a held-out loss will mean less than it seems to. With wanted some rows should have been held
// out of those of training.
func heldOutNotes(train, heldOut *data.Set, wanted bool) (notes []string) {
	n := 0
	if heldOut.Audit != nil {
		n = heldOut.Audit.Rows
	}
	switch {
	case n == 0 && wanted && train.Audit.Rows > 1:
		return []string{"no rows are held out: all rows say the same"}
	case n == 0:
		return nil
	case n < fewHeldOut:
		notes = append(notes, fmt.Sprintf("only %d held-out rows: their loss says little; hold out %d or more "+
			"(eval_fraction, eval_dataset)", n, fewHeldOut))
	}
	if near := data.Near(train, heldOut); len(near) > 0 {
		notes = append(notes, fmt.Sprintf(nearExample, len(near), n, near[0].HeldOut, near[0].Train))
	}
	return notes
}
