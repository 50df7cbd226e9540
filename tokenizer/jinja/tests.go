package jinja

import "strings"

// tests are what stands behind "is".
var tests = map[string]func(c *call, v Value) bool{
	"defined":     func(_ *call, v Value) bool { return !is[Undefined](nil, v) },
	"undefined":   is[Undefined],
	"none":        func(_ *call, v Value) bool { return v == nil },
	"true":        func(_ *call, v Value) bool { return v == Value(true) },
	"false":       func(_ *call, v Value) bool { return v == Value(false) },
	"boolean":     is[bool],
	"string":      is[Text],
	"mapping":     is[*Dict],
	"integer":     is[int64],
	"float":       is[float64],
	"number":      func(_ *call, v Value) bool { return is[bool](nil, v) || is[int64](nil, v) || is[float64](nil, v) },
	"callable":    is[*function],
	"iterable":    isSequence,
	"sequence":    isSequence,
	"filter":      isFilter,
	"lower":       func(_ *call, v Value) bool { return str(v).S == strings.ToLower(str(v).S) },
	"upper":       func(_ *call, v Value) bool { return str(v).S == strings.ToUpper(str(v).S) },
	"escaped":     func(*call, Value) bool { return false },
	"even":        func(c *call, v Value) bool { return c.divides(2, v) },
	"odd":         func(c *call, v Value) bool { return !c.divides(2, v) },
	"divisibleby": func(c *call, v Value) bool { return c.divides(c.int(0, "", 0), v) },
	"sameas":      sameAs,
	"eq":          related("=="),
	"equalto":     related("=="),
	"==":          related("=="),
	"ne":          related("!="),
	"!=":          related("!="),
	"lt":          related("<"),
	"lessthan":    related("<"),
	"le":          related("<="),
	"gt":          related(">"),
	"greaterthan": related(">"),
	"ge":          related(">="),
	"in":          related("in"),
}

// test is "v is name".
func (c *call) test(name string, v Value) bool {
	if test := tests[name]; test != nil {
		return test(c, v)
	}
	panic(fail(c.line, "no test named '%s'", name))
}

func is[T any](_ *call, v Value) bool {
	_, ok := v.(T)
	return ok
}

// related is the test that compares by an operator.
func related(op string) func(c *call, v Value) bool {
	return func(c *call, v Value) bool { return relation(op, v, c.arg(0, ""), c.line) }
}

// isSequence is true of all that iterate takes.
func isSequence(_ *call, v Value) bool {
	switch v.(type) {
	case Text, *List, *Dict, Undefined:
		return true
	}
	return false
}

func isFilter(c *call, v Value) bool {
	t, _ := v.(Text)
	return c.st.filters[t.S] != nil
}

// divides says whether v is a multiple of an integer.
func (c *call) divides(by int64, v Value) bool {
	i, _, isInt, _ := number(v)
	if !isInt || by == 0 {
		panic(c.errorf("needs integers, and no division by zero"))
	}
	return i%by == 0
}

func sameAs(c *call, v Value) bool {
	arg := c.arg(0, "")
	if typeName(v) != typeName(arg) {
		return false
	}
	if i, f, _, ok := number(v); ok {
		j, g, _, _ := number(arg)
		return i == j && f == g
	}
	return equal(v, arg, 0)
}
