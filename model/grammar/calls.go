package grammar

import "fmt"

// Call is a function that may be called.
type Call struct {
	Name       string
	Parameters []byte // the schema of its arguments; empty: it has none
}

// CallForm is how calls are written.
type CallForm struct {
	Open, Close string // what stands around a call, or around a list of calls
	List        bool
	Split       string // between a name and its arguments, which are then no members of an object
	Arguments   string // the name of the member that holds the arguments
}

// FromCalls is calls of functions: one, or where many is true at least one. Open says whether the first Open is a part
// of it.
func FromCalls(form CallForm, functions []Call, open, many bool) (*Grammar, error) {
	f := newForms(keptBytes)
	var list []*expression
	for i, c := range functions {
		arguments := f.literal("{}")
		if len(c.Parameters) > 0 {
			e, err := f.schema(c.Parameters)
			if err != nil {
				return nil, fmt.Errorf("tools[%d].function.parameters: %w", i, err)
			}
			arguments = e
		}
		list = append(list, f.call(form, c.Name, arguments))
	}
	call := f.either(list...)
	begin, end := f.literal(form.Open), f.literal(form.Close)
	around := func(inside *expression) *expression { return f.seq(f.space, inside, f.space, end) }
	if form.Close == "" {
		around = func(inside *expression) *expression { return f.seq(f.space, inside) }
	}
	most := 1
	if many {
		most = unbounded
	}
	first := around(call)
	switch {
	case form.List:
		first = around(f.array(call, 1, most))
	case many:
		first = f.seq(first, f.repeat(f.seq(f.space, begin, around(call)), 0, most))
	}
	if open {
		first = f.seq(f.optional(f.literal(" ")), begin, first)
	}
	return &Grammar{forge: f.forge, root: first}, nil
}

// call is one call.
func (f *forms) call(form CallForm, name string, arguments *expression) *expression {
	if form.Split != "" {
		return f.seq(f.literal(name), f.literal(form.Split), arguments)
	}
	return f.object(f.members([]member{{"name", f.literal(quote(name)), true}, {form.Arguments, arguments, true}}, nil))
}
