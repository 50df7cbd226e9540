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
	st := &state{options: options, out: &builder{}, scope: &scope{}}
	for i, key := range vars.keys {
		st.scope.set(key.(Text).S, vars.values[i])
	}
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

type forStmt struct {
	target      []string
	iter, cond  expr
	body, other []stmt
	line        int
}

// loop is the special variable of a for statement.
type loop struct {
	items   []Value
	index   int
	depth   int
	changed Value
}

func (s *forStmt) exec(st *state) error {
	v, err := s.iter.eval(st)
	if err != nil {
		return err
	}
	items, err := iterate(v, s.line)
	if err != nil {
		return err
	}
	if s.cond != nil {
		var kept []Value
		for _, item := range items {
			err := st.inScope(st.scope, func() error {
				if err := st.assign(s.target, item, s.line); err != nil {
					return err
				}
				v, err := s.cond.eval(st)
				if err == nil && truth(v) {
					kept = append(kept, item)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		items = kept
	}
	if len(items) == 0 {
		return st.inScope(st.scope, func() error { return st.run(s.other) })
	}
	l := &loop{items: items, changed: Undefined{}}
	if outer, ok := st.scope.get("loop"); ok {
		if o, ok := outer.(*loop); ok {
			l.depth = o.depth + 1
		}
	}
	for i, item := range items {
		if err := st.tick(s.line); err != nil {
			return err
		}
		l.index = i
		err := st.inScope(st.scope, func() error {
			st.scope.set("loop", l)
			if err := st.assign(s.target, item, s.line); err != nil {
				return err
			}
			return st.run(s.body)
		})
		if err == errBreak {
			break
		}
		if err != nil && err != errContinue {
			return err
		}
	}
	return nil
}

// attr is an attribute of the loop variable.
func (l *loop) attr(name string) (Value, bool) {
	n := len(l.items)
	switch name {
	case "index":
		return int64(l.index + 1), true
	case "index0":
		return int64(l.index), true
	case "revindex":
		return int64(n - l.index), true
	case "revindex0":
		return int64(n - l.index - 1), true
	case "first":
		return l.index == 0, true
	case "last":
		return l.index == n-1, true
	case "length":
		return int64(n), true
	case "depth":
		return int64(l.depth + 1), true
	case "depth0":
		return int64(l.depth), true
	case "previtem":
		if l.index > 0 {
			return l.items[l.index-1], true
		}
		return Undefined{"there is no previous item"}, true
	case "nextitem":
		if l.index < n-1 {
			return l.items[l.index+1], true
		}
		return Undefined{"there is no next item"}, true
	case "cycle":
		return &function{"cycle", func(c *call) (Value, error) {
			if len(c.args) == 0 {
				return nil, c.errorf("no items for cycling given")
			}
			return c.args[l.index%len(c.args)], nil
		}}, true
	case "changed":
		return &function{"changed", func(c *call) (Value, error) {
			now := &List{Items: c.args}
			changed := !equal(l.changed, now, 0)
			l.changed = now
			return changed, nil
		}}, true
	}
	return nil, false
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

// parameter is a name with an optional default.
type parameter struct {
	name  string
	value expr
}

type macroStmt struct {
	name   string
	params []parameter
	body   []stmt
	line   int
}

func (s *macroStmt) exec(st *state) error {
	st.scope.set(s.name, st.macro(s.name, s.params, s.body, s.line))
	return nil
}

// macro makes a callable that sees the scope in which it was defined.
func (st *state) macro(name string, params []parameter, body []stmt, line int) *function {
	defined := st.scope
	return &function{name, func(c *call) (Value, error) {
		if st.depth++; st.depth > maxDepth {
			return nil, c.errorf("calls are nested more than %d deep", maxDepth)
		}
		defer func() { st.depth-- }()
		return st.capture(func() error {
			return st.inScope(defined, func() error {
				if len(c.args) > len(params) {
					return c.errorf("takes not more than %d arguments", len(params))
				}
				for i, param := range params {
					v, given := c.get(i, param.name)
					switch {
					case given:
					case param.value != nil:
						var err error
						if v, err = param.value.eval(st); err != nil {
							return err
						}
					default:
						v = Undefined{fmt.Sprintf("parameter %q was not provided", param.name)}
					}
					st.scope.set(param.name, v)
				}
				for _, a := range c.named {
					if a.name == "caller" {
						st.scope.set("caller", a.value)
					} else if !slices.ContainsFunc(params, func(p parameter) bool { return p.name == a.name }) {
						return c.errorf("takes no keyword argument %q", a.name)
					}
				}
				return st.run(body)
			})
		})
	}}
}

type callStmt struct {
	params []parameter
	callee *callExpr
	body   []stmt
	line   int
}

func (s *callStmt) exec(st *state) error {
	caller := st.macro("caller", s.params, s.body, s.line)
	v, err := s.callee.invoke(st, namedValue{"caller", caller})
	if err != nil {
		return err
	}
	return st.write(str(v), s.line)
}
