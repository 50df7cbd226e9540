package train

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/ops"
	"instruct/train/recipe"
)

// unfreeze keeps all from being trained but the layers and parameters that the recipe names, where it names some.
func (s *Setup) unfreeze() error {
	r, m := s.Recipe, s.Model.Model
	if !r.Freezes() {
		return nil
	}
	if m.Adapter() != nil {
		return mistake("%s is an adapter, beside which all is frozen: unfreeze_layers and unfrozen_parameters have no "+
			"meaning with it; merge it first: `instruct model merge %[1]s --out DIR`", r.ModelNameOrPath)
	}
	trained, err := unfrozen(r, m)
	if err != nil {
		return err
	}
	return m.Freeze(kernel.F32, func(p *ops.Param) bool { return !trained[p] })
}

// unfrozen are the parameters that are trained: those of the last layers, and those whose tensors have a name at whose
// beginning a pattern matches, as of Python's re.match.
func unfrozen(r *recipe.Recipe, m *model.Model) (map[*ops.Param]bool, error) {
	layers := m.Config.Layers
	if r.UnfreezeLayers > layers {
		return nil, mistake("unfreeze_layers is %d; the model has %d layers", r.UnfreezeLayers, layers)
	}
	trained := map[*ops.Param]bool{}
	for _, p := range m.Params {
		var l int
		_, err := fmt.Sscanf(p.Name, "layers.%d.", &l)
		trained[p] = err == nil && l >= layers-r.UnfreezeLayers
	}
	named := map[*ops.Param][]string{} // names of its tensors that a pattern matches
	for _, pattern := range r.Unfrozen {
		expression, err := regexp.Compile("^(?:" + pattern + ")")
		if err != nil {
			return nil, mistake("unfrozen_parameters: %q is no regular expression: %s", pattern,
				strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		found := false
		for _, t := range m.Tensors() {
			if expression.MatchString(t.Name) {
				found = true
				named[t.Param()] = append(named[t.Param()], t.Name)
			}
		}
		if !found {
			return nil, mistake("unfrozen_parameters: no parameter's name begins with what %q matches; names are such as %s",
				pattern, someNames(m))
		}
	}
	for _, t := range m.Tensors() {
		p := t.Param()
		if names := named[p]; len(names) > 0 && !trained[p] && !slices.Contains(names, t.Name) {
			return nil, mistake("unfrozen_parameters: %s is trained and %s is not, while both are one matrix here; "+
				"name all of it, or none", names[0], t.Name)
		}
	}
	for p := range named {
		trained[p] = true
	}
	return trained, nil
}

// someNames are the names of the first tensors, of one in the middle, and of the last.
func someNames(m *model.Model) string {
	all := m.Tensors()
	var names []string
	for _, i := range []int{0, 1, len(all) / 2, len(all) - 1} {
		names = append(names, all[min(i, len(all)-1)].Name)
	}
	return strings.Join(slices.Compact(names), ", ")
}
