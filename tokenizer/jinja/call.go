package jinja

import "fmt"

type argument struct {
	name  string // empty for a positional one
	value expr
}

type namedValue struct {
	name  string
	value Value
}

// call is what a function, filter, test or method gets.
type call struct {
	st    *state
	name  string
	line  int
	args  []Value
	named []namedValue
}

func (c *call) errorf(format string, args ...any) error {
	return fail(c.line, "%s: %s", c.name, fmt.Sprintf(format, args...))
}

// get is the argument at a position or of a name.
func (c *call) get(i int, name string) (Value, bool) {
	if i < len(c.args) {
		return c.args[i], true
	}
	for _, a := range c.named {
		if a.name == name {
			return a.value, true
		}
	}
	return nil, false
}

func (st *state) newCall(name string, args []argument, line int) (*call, error) {
	c := &call{st: st, name: name, line: line}
	for _, a := range args {
		v, err := a.value.eval(st)
		if err != nil {
			return nil, err
		}
		if a.name == "" {
			c.args = append(c.args, v)
		} else {
			c.named = append(c.named, namedValue{a.name, v})
		}
	}
	return c, st.tick(line)
}

type callExpr struct {
	callee expr
	args   []argument
	line   int
}

func (e *callExpr) eval(st *state) (Value, error) { return e.invoke(st) }

func (e *callExpr) invoke(st *state, extra ...namedValue) (Value, error) {
	v, err := e.callee.eval(st)
	if err != nil {
		return nil, err
	}
	if err := defined(e.line, v); err != nil {
		return nil, err
	}
	f, ok := v.(*function)
	if !ok {
		return nil, fail(e.line, "'%s' object is not callable", typeName(v))
	}
	c, err := st.newCall(f.name, e.args, e.line)
	if err != nil {
		return nil, err
	}
	c.named = append(c.named, extra...)
	return f.call(c)
}
