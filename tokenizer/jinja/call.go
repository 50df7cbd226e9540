package jinja

import "fmt"

// binding is an argument of a call, which has no name if it is positional, a parameter with its default, which may be
// nil, or what a with block sets.
type binding struct {
	name  string
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

func (c *call) errorf(format string, args ...any) *Error {
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

// or is an argument, or the fallback if it is not given.
func (c *call) or(i int, name string, fallback Value) Value {
	if v, ok := c.get(i, name); ok {
		return v
	}
	return fallback
}

// arg is an argument, or None if it is not given.
func (c *call) arg(i int, name string) Value { return c.or(i, name, nil) }

// flag is an argument as a bool, false if it is not given.
func (c *call) flag(i int, name string) bool { return truth(c.arg(i, name)) }

// int is an argument as an int, 0 if it is something else.
func (c *call) int(i int, name string, fallback int64) int64 {
	n, _ := c.or(i, name, fallback).(int64)
	return n
}

// text is a positional argument that must be a string.
func (c *call) text(i int) Text {
	v := c.arg(i, "")
	t, ok := v.(Text)
	if !ok {
		panic(c.errorf("argument %d must be str, not %s", i+1, typeName(v)))
	}
	return t
}

func (st *state) newCall(name string, args []binding, line int) *call {
	c := &call{st: st, name: name, line: line}
	for _, a := range args {
		v := a.value.eval(st)
		if a.name == "" {
			c.args = append(c.args, v)
		} else {
			c.named = append(c.named, namedValue{a.name, v})
		}
	}
	st.tick(line)
	return c
}

type callExpr struct {
	callee expr
	args   []binding
	line   int
}

func (e *callExpr) eval(st *state) Value { return e.invoke(st) }

func (e *callExpr) invoke(st *state, extra ...namedValue) Value {
	v := e.callee.eval(st)
	defined(e.line, v)
	f, ok := v.(*function)
	if !ok {
		panic(fail(e.line, "'%s' object is not callable", typeName(v)))
	}
	c := st.newCall(f.name, e.args, e.line)
	c.named = append(c.named, extra...)
	return f.call(c)
}
