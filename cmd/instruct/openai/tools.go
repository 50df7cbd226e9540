package openai

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"instruct/model/grammar"
)

// toolUse is what a request says of functions that may be called.
type toolUse struct {
	list      json.RawMessage // as the template sees them
	functions []grammar.Call
	choice    string // auto, none, required, or named
	name      string // of the named one
	serial    bool   // one call at most
}

// active says that the model is told of functions.
func (u *toolUse) active() bool { return len(u.functions) > 0 && u.choice != "none" }

// forced says that the answer has to be calls.
func (u *toolUse) forced() bool { return u.active() && (u.choice == "required" || u.choice == "named") }

// readTools reads the functions that may be called.
func readTools(q *request, v value) error {
	const expected = `a list of {"type": "function", "function": {"name", "description", "parameters"}}`
	var list []struct {
		Type     string
		Function struct {
			Name       string
			Parameters json.RawMessage
		}
	}
	if err := v.into(&list, expected); err != nil {
		return err
	}
	q.tools.functions = nil
	for i, t := range list {
		name := t.Function.Name
		if t.Type != "function" || name == "" {
			return invalid(v.name, "tools[%d] is no function with a name; expected %s", i, expected)
		}
		if q.tools.has(name) {
			return invalid(v.name, "tools[%d]: there are two functions %q", i, name)
		}
		parameters := t.Function.Parameters
		if isNull(parameters) {
			parameters = nil
		}
		q.tools.functions = append(q.tools.functions, grammar.Call{Name: name, Parameters: parameters})
	}
	q.tools.list = v.json
	return nil
}

func (u *toolUse) has(name string) bool {
	return slices.ContainsFunc(u.functions, func(c grammar.Call) bool { return c.Name == name })
}

// readToolChoice reads whether functions are to be called, and which one.
func readToolChoice(q *request, v value) error {
	const expected = `"auto", "none", "required" or {"type": "function", "function": {"name": "..."}}`
	if json.Unmarshal(v.json, &q.tools.choice) == nil {
		if !slices.Contains([]string{"auto", "none", "required"}, q.tools.choice) {
			return v.wrong(expected)
		}
		return nil
	}
	var one struct {
		Type     string
		Function struct{ Name string }
	}
	if err := v.into(&one, expected); err != nil {
		return err
	}
	if one.Type != "function" || one.Function.Name == "" {
		return v.wrong(expected)
	}
	q.tools.choice, q.tools.name = "named", one.Function.Name
	return nil
}

func readParallel(q *request, v value) error {
	many := true
	err := v.into(&many, "true or false")
	q.tools.serial = !many
	return err
}

// check says what does not fit together.
func (u *toolUse) check(f format) error {
	switch {
	case u.choice == "named" && !u.has(u.name):
		return invalid("tool_choice", "tool_choice names %q, which is none of the tools", u.name)
	case u.choice == "required" && len(u.functions) == 0:
		return invalid("tool_choice", "tool_choice is \"required\" without tools")
	case u.active() && f.kind != "":
		return invalid("response_format", "response_format beside tools is not supported; give tool_choice \"none\", or "+
			"leave one of them out")
	}
	return nil
}

// caller lets the choices of a request call functions.
type caller struct {
	form   *callForm
	serial bool
	forced *grammar.Grammar // of the whole answer; nil where it may be text
	inside *grammar.Grammar // of what follows on the beginning of a call; nil where it is not held to one
}

// newCaller makes it; nil where there is nothing to call.
func (s *Server) newCaller(u *toolUse) (*caller, error) {
	if !u.active() {
		return nil, nil
	}
	form, _ := s.callForm()
	if form == nil {
		var known []string
		for _, f := range callForms() {
			known = append(known, f.name)
		}
		return nil, invalid("tools", "the chat template of this model has no tools, or writes calls in a form that is not "+
			"known here (known are those of %s); leave tools out", strings.Join(known, ", "))
	}
	c := &caller{form: form, serial: u.serial || u.choice == "named"}
	functions := u.functions
	if u.choice == "named" {
		functions = slices.DeleteFunc(slices.Clone(functions), func(f grammar.Call) bool { return f.Name != u.name })
	}
	build := func(open, many bool) (*grammar.Grammar, error) {
		key := fmt.Sprintf("calls %v %v %q %s", open, many, u.name, u.list)
		return s.grammars.of(key, func() (*grammar.Grammar, error) {
			return grammar.FromCalls(form.CallForm, functions, open, many)
		})
	}
	var err error
	switch {
	case u.forced():
		if c.forced, err = build(true, !c.serial && (form.Open != "" || form.List)); err != nil {
			e := invalid("tools", "%v", err)
			e.code = "unsupported_schema"
			return nil, e
		}
	case form.Open != "":
		c.inside, _ = build(false, !c.serial && form.List) // a schema that cannot be held does no harm here
	}
	return c, nil
}

// equip lets a choice call functions.
func (s *Server) equip(x *choice, c *caller, stop []int32) {
	x.calls, x.serial = &callReader{form: c.form}, c.serial
	x.stream = s.model.Tokenizer.NewStream(false)
	x.hidden = func(id int32) bool { return s.model.Tokenizer.IsSpecial(id) && !s.isMark(id) }
	bytes := func(id int32) []byte {
		if s.isMark(id) {
			return s.model.Tokenizer.MarkBytes(id)
		}
		return s.model.Tokenizer.TokenBytes(id)
	}
	held := func(g *grammar.Grammar) *formed {
		return &formed{Matcher: g.Matcher(s.grammars.calls()), bytes: bytes, stop: stop}
	}
	x.request.Allowed = x.allowed
	switch {
	case c.forced != nil:
		x.form = held(c.forced)
	case c.inside != nil:
		x.inside = func() *formed {
			f := held(c.inside)
			f.passing = true
			return f
		}
	}
}

// isMark tells that a token is a part of the form of calls.
func (s *Server) isMark(id int32) bool {
	f, _ := s.callForm()
	return f != nil && slices.Contains(f.marks(), s.model.Tokenizer.TokenText(id))
}

// newCallForm finds the template's form once it is asked for.
func (s *Server) newCallForm() func() (*callForm, string) {
	return sync.OnceValues(func() (*callForm, string) { return formOfTemplate(s.model.Template) })
}
