package jinja

import (
	"errors"
	"fmt"
	"slices"
)

// state is one rendering.
type state struct {
	options    Options
	out        *builder
	scope      *scope
	steps      int
	depth      int
	generation int // blocks executed; block i carries the id -1-i
}

// scope holds the variables of a template, a loop's turn, a macro or a with block.
type scope struct {
	outer *scope
	names []string
	vals  []Value
}

func (s *scope) get(name string) (Value, bool) {
	for ; s != nil; s = s.outer {
		if i := slices.Index(s.names, name); i >= 0 {
			return s.vals[i], true
		}
	}
	return nil, false
}

func (s *scope) set(name string, v Value) {
	if i := slices.Index(s.names, name); i >= 0 {
		s.vals[i] = v
		return
	}
	s.names, s.vals = append(s.names, name), append(s.vals, v)
}

// Render runs the template over its variables. Errors are of type *Error.
func (t *Template) Render(vars *Dict, options Options) (*Result, error) {
	names := make([]string, len(vars.keys))
	for i, key := range vars.keys {
		names[i] = str(key).S
	}
	top := &scope{names: names, vals: slices.Clip(vars.values)}
	st := &state{options: options, out: &builder{}, scope: top}
	st.scope = &scope{outer: st.scope}
	if err := st.run(t.body); err != nil {
		return nil, err
	}
	text := st.out.text()
	result := &Result{Text: text.S}
	for _, s := range text.spans {
		if s.ID < 0 {
			s.ID = -1 - s.ID
			result.Generation = append(result.Generation, s)
		} else {
			result.Marks = append(result.Marks, s)
		}
	}
	slices.SortStableFunc(result.Marks, func(a, b Span) int { return a.Start - b.Start })
	slices.SortStableFunc(result.Generation, func(a, b Span) int { return a.ID - b.ID })
	return result, nil
}

func fail(line int, format string, args ...any) error {
	return &Error{Line: line, Message: fmt.Sprintf(format, args...)}
}

var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

// stmt is a statement: it writes to st.out.
type stmt interface{ exec(st *state) error }

// run executes a body in the current scope.
func (st *state) run(body []stmt) error {
	for _, s := range body {
		if err := s.exec(st); err != nil {
			return err
		}
	}
	return nil
}

// tick counts a step of a loop or call against the limit.
func (st *state) tick(line int) error {
	st.steps++
	if st.steps > maxSteps {
		return fail(line, "the template takes more than %d steps", maxSteps)
	}
	return nil
}

// write puts a text out.
func (st *state) write(t Text, line int) error {
	if st.out.buf.Len()+len(t.S) > maxText {
		return fail(line, "the text grows beyond %d bytes", maxText)
	}
	st.out.add(t)
	return nil
}

// inScope runs f in a new scope inside outer.
func (st *state) inScope(outer *scope, f func() error) error {
	old := st.scope
	st.scope = &scope{outer: outer}
	err := f()
	st.scope = old
	return err
}

// capture runs f and gives what it wrote.
func (st *state) capture(f func() error) (Text, error) {
	old := st.out
	st.out = &builder{}
	err := f()
	text := st.out.text()
	st.out = old
	return text, err
}

type textStmt struct{ text Text }

func (s *textStmt) exec(st *state) error { return st.write(s.text, 0) }

type outputStmt struct {
	value expr
	line  int
}

func (s *outputStmt) exec(st *state) error {
	v, err := s.value.eval(st)
	if err != nil {
		return err
	}
	return st.write(str(v), s.line)
}

type ifStmt struct {
	cond        expr
	then, other []stmt
	line        int
}

func (s *ifStmt) exec(st *state) error {
	v, err := s.cond.eval(st)
	if err != nil {
		return err
	}
	if truth(v) {
		return st.run(s.then)
	}
	return st.run(s.other)
}

// assign gives a value to a name, or its items to several names.
func (st *state) assign(names []string, v Value, line int) error {
	if len(names) == 1 {
		st.scope.set(names[0], v)
		return nil
	}
	items, err := iterate(v, line)
	if err != nil {
		return err
	}
	if len(items) != len(names) {
		return fail(line, "cannot unpack %d values into %d names", len(items), len(names))
	}
	for i, name := range names {
		st.scope.set(name, items[i])
	}
	return nil
}

type setStmt struct {
	names    []string
	attr     string // of a namespace
	value    expr   // nil for a block
	body     []stmt
	filtered expr
	line     int
}

func (s *setStmt) exec(st *state) error {
	var v Value
	var err error
	if s.value != nil {
		v, err = s.value.eval(st)
	} else {
		v, err = captureFiltered(st, s.body, s.filtered)
	}
	if err != nil {
		return err
	}
	if s.attr == "" {
		return st.assign(s.names, v, s.line)
	}
	target, _ := st.scope.get(s.names[0])
	ns, ok := target.(*namespace)
	if !ok {
		return fail(s.line, "cannot assign attribute on non-namespace object %q", s.names[0])
	}
	ns.dict.Set(s.attr, v)
	return nil
}

// captureFiltered runs a body in a scope of its own and puts what it wrote through filters.
func captureFiltered(st *state, body []stmt, filtered expr) (Value, error) {
	text, err := st.capture(func() error {
		return st.inScope(st.scope, func() error { return st.run(body) })
	})
	if err != nil || filtered == nil {
		return text, err
	}
	return filtered.(*filterExpr).apply(st, text)
}

type filterStmt struct {
	filtered expr
	body     []stmt
	line     int
}

func (s *filterStmt) exec(st *state) error {
	v, err := captureFiltered(st, s.body, s.filtered)
	if err != nil {
		return err
	}
	return st.write(str(v), s.line)
}

type withStmt struct {
	sets []parameter
	body []stmt
	line int
}

func (s *withStmt) exec(st *state) error {
	values := make([]Value, len(s.sets))
	for i, set := range s.sets {
		var err error
		if values[i], err = set.value.eval(st); err != nil {
			return err
		}
	}
	return st.inScope(st.scope, func() error {
		for i, set := range s.sets {
			st.scope.set(set.name, values[i])
		}
		return st.run(s.body)
	})
}

// generationStmt marks what the model says.
type generationStmt struct{ body []stmt }

func (s *generationStmt) exec(st *state) error {
	st.generation++
	id := -st.generation
	start := st.out.buf.Len()
	err := st.inScope(st.scope, func() error { return st.run(s.body) })
	st.out.mark(start, st.out.buf.Len(), id)
	return err
}

type jumpStmt struct{ err error }

func (s *jumpStmt) exec(*state) error { return s.err }
