package jinja

import (
	"fmt"
	"slices"
)

// state is one rendering.
type state struct {
	options    Options
	filters    map[string]filter // the table, here for the filters that look into it themselves
	out        *builder
	scope      *scope
	steps      int
	depth      int
	generation int // blocks executed; block i carries the id -1-i
	jump       jump
}

// jump says that a break or continue leaves the statements up to its loop.
type jump int

const (
	noJump jump = iota
	breakLoop
	continueLoop
)

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
func (t *Template) Render(vars *Dict, options Options) (result *Result, err error) {
	defer catch(&err)
	top := &scope{vals: slices.Clip(vars.values)}
	for _, key := range vars.keys {
		top.names = append(top.names, str(key).S)
	}
	st := &state{options: options, filters: filters, out: &builder{}, scope: &scope{outer: top}}
	st.run(t.body)
	text := st.out.text()
	result = &Result{Text: text.S}
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

// fail makes an error that the caller panics with. As in text/template, errors inside this package travel as panics
// up to Parse or Render, so that the hundred small steps between need no error results.
func fail(line int, format string, args ...any) *Error {
	return &Error{Line: line, Message: fmt.Sprintf(format, args...)}
}

// catch, deferred, gives err the error that a panic carries. Any other panic goes on.
func catch(err *error) {
	r := recover()
	if e, ok := r.(*Error); ok {
		*err = e
	} else if r != nil {
		panic(r)
	}
}

// stmt is a statement: it writes to st.out.
type stmt interface{ exec(st *state) }

// run executes a body in the current scope.
func (st *state) run(body []stmt) {
	for _, s := range body {
		s.exec(st)
		if st.jump != noJump {
			return
		}
	}
}

// tick counts a step of a loop or call against the limit.
func (st *state) tick(line int) {
	st.steps++
	if st.steps > maxSteps {
		panic(fail(line, "the template takes more than %d steps", maxSteps))
	}
}

// write puts a text out.
func (st *state) write(t Text, line int) {
	if st.out.buf.Len()+len(t.S) > maxText {
		panic(fail(line, "the text grows beyond %d bytes", maxText))
	}
	st.out.add(t)
}

// inScope runs f in a new scope inside outer.
func (st *state) inScope(outer *scope, f func()) {
	old := st.scope
	st.scope = &scope{outer: outer}
	f()
	st.scope = old
}

// runInside executes a body in a scope of its own.
func (st *state) runInside(body []stmt) {
	st.inScope(st.scope, func() { st.run(body) })
}

// capture runs f and gives what it wrote.
func (st *state) capture(f func()) Text {
	old := st.out
	st.out = &builder{}
	f()
	text := st.out.text()
	st.out = old
	return text
}

type textStmt struct{ text Text }

func (s *textStmt) exec(st *state) { st.write(s.text, 0) }

type outputStmt struct {
	value expr
	line  int
}

func (s *outputStmt) exec(st *state) {
	v := s.value.eval(st)
	if st.jump == noJump {
		st.write(str(v), s.line)
	}
}

type ifStmt struct {
	cond        expr
	then, other []stmt
}

func (s *ifStmt) exec(st *state) {
	if truth(s.cond.eval(st)) {
		st.run(s.then)
	} else {
		st.run(s.other)
	}
}

// assign gives a value to a name, or its items to several names.
func (st *state) assign(names []string, v Value, line int) {
	if len(names) == 1 {
		st.scope.set(names[0], v)
		return
	}
	items := iterate(v, line)
	if len(items) != len(names) {
		panic(fail(line, "cannot unpack %d values into %d names", len(items), len(names)))
	}
	for i, name := range names {
		st.scope.set(name, items[i])
	}
}

type setStmt struct {
	names []string
	attr  string // of a namespace
	value expr
	line  int
}

func (s *setStmt) exec(st *state) {
	v := s.value.eval(st)
	if st.jump != noJump {
		return
	}
	if s.attr == "" {
		st.assign(s.names, v, s.line)
		return
	}
	target, _ := st.scope.get(s.names[0])
	ns, ok := target.(*namespace)
	if !ok {
		panic(fail(s.line, "cannot assign attribute on non-namespace object %q", s.names[0]))
	}
	ns.dict.Set(s.attr, v)
}

// blockExpr is what the body of a set or filter block writes, to which filters may apply. A jump inside leaves
// them and the statement too.
type blockExpr struct{ body []stmt }

func (e *blockExpr) eval(st *state) Value {
	return st.capture(func() { st.runInside(e.body) })
}

type withStmt struct {
	sets []binding
	body []stmt
}

func (s *withStmt) exec(st *state) {
	values := make([]Value, len(s.sets))
	for i, set := range s.sets {
		values[i] = set.value.eval(st)
	}
	st.inScope(st.scope, func() {
		for i, set := range s.sets {
			st.scope.set(set.name, values[i])
		}
		st.run(s.body)
	})
}

// generationStmt marks what the model says.
type generationStmt struct{ body []stmt }

func (s *generationStmt) exec(st *state) {
	st.generation++
	id := -st.generation
	start := st.out.buf.Len()
	st.runInside(s.body)
	st.out.mark(start, st.out.buf.Len(), id)
}

type jumpStmt struct{ jump jump }

func (s *jumpStmt) exec(st *state) { st.jump = s.jump }
