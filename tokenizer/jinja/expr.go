package jinja

import "fmt"

// expr is an expression.
type expr interface{ eval(st *state) Value }

type constExpr struct{ value Value }

func (e *constExpr) eval(*state) Value { return e.value }

type nameExpr string

func (e nameExpr) eval(st *state) Value {
	if v, ok := st.scope.get(string(e)); ok {
		return v
	}
	if f, ok := globals[string(e)]; ok {
		return &function{string(e), f}
	}
	return Undefined{fmt.Sprintf("%q is undefined", string(e))}
}

type condExpr struct{ then, cond, other expr } // other may be nil

func (e *condExpr) eval(st *state) Value {
	switch {
	case truth(e.cond.eval(st)):
		return e.then.eval(st)
	case e.other != nil:
		return e.other.eval(st)
	}
	return Undefined{"the conditional expression has no else"}
}

type logicExpr struct {
	left, right expr
	and         bool
}

func (e *logicExpr) eval(st *state) Value {
	if v := e.left.eval(st); truth(v) != e.and {
		return v
	}
	return e.right.eval(st)
}

type notExpr struct{ value expr }

func (e *notExpr) eval(st *state) Value { return !truth(e.value.eval(st)) }

type compareOp struct {
	op    string
	value expr
	line  int
}

// compareExpr is a chain: a < b < c means a < b and b < c.
type compareExpr struct {
	first expr
	ops   []compareOp
}

func (e *compareExpr) eval(st *state) Value {
	left := e.first.eval(st)
	for _, op := range e.ops {
		right := op.value.eval(st)
		if !relation(op.op, left, right, op.line) {
			return false
		}
		left = right
	}
	return true
}

// relation is one comparison.
func relation(op string, a, b Value, line int) bool {
	switch op {
	case "==":
		return equal(a, b, 0)
	case "!=":
		return !equal(a, b, 0)
	case "in":
		return contains(b, a, line)
	case "not in":
		return !contains(b, a, line)
	}
	c, ok := compare(a, b)
	if !ok {
		defined(line, a, b)
		panic(fail(line, "'%s' not supported between instances of '%s' and '%s'", op, typeName(a), typeName(b)))
	}
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// defined fails when one of the values is undefined.
func defined(line int, values ...Value) {
	for _, v := range values {
		if u, ok := v.(Undefined); ok {
			panic(fail(line, "%s", u.What))
		}
	}
}

type binaryExpr struct {
	op          string
	left, right expr
	line        int
}

func (e *binaryExpr) eval(st *state) Value {
	a, b := e.left.eval(st), e.right.eval(st)
	st.tick(e.line)
	return arithmetic(e.op, a, b, e.line)
}

type signExpr struct {
	value    expr
	negative bool
	line     int
}

func (e *signExpr) eval(st *state) Value {
	v := e.value.eval(st)
	defined(e.line, v)
	i, f, isInt, ok := number(v)
	switch {
	case !ok:
		panic(fail(e.line, "bad operand type for a sign: '%s'", typeName(v)))
	case isInt && e.negative:
		return -i
	case isInt:
		return i
	case e.negative:
		return -f
	}
	return f
}

type listExpr struct {
	items []expr
	tuple bool
}

func (e *listExpr) eval(st *state) Value {
	l := &List{tuple: e.tuple}
	for _, item := range e.items {
		l.Items = append(l.Items, item.eval(st))
	}
	return l
}

type dictExpr struct {
	keys, values []expr
	line         int
}

func (e *dictExpr) eval(st *state) Value {
	d := NewDict()
	for i := range e.keys {
		key, value := e.keys[i].eval(st), e.values[i].eval(st)
		if !d.put(key, value) {
			panic(fail(e.line, "unhashable type: '%s'", typeName(key)))
		}
	}
	return d
}

type attrExpr struct {
	target expr
	name   string
	line   int
}

func (e *attrExpr) eval(st *state) Value {
	v := e.target.eval(st)
	defined(e.line, v)
	return attribute(v, e.name)
}

// attribute is v.name: a method, or else an entry.
func attribute(v Value, name string) Value {
	if f := method(v, name); f != nil {
		return f
	}
	switch v := v.(type) {
	case *Dict:
		if entry, ok := v.Get(name); ok {
			return entry
		}
	case *namespace:
		if entry, ok := v.dict.Get(name); ok {
			return entry
		}
	case *loop:
		if a, ok := v.attr(name); ok {
			return a
		}
	case *function:
		if name == "name" {
			return plain(v.name)
		}
	}
	return Undefined{fmt.Sprintf("'%s object' has no attribute '%s'", typeName(v), name)}
}

type indexExpr struct {
	target, index expr
	line          int
}

func (e *indexExpr) eval(st *state) Value {
	v, index := e.target.eval(st), e.index.eval(st)
	defined(e.line, v)
	if b, ok := index.(*bounds); ok {
		return b.of(v, e.line)
	}
	return subscript(v, index)
}

// subscript is v[index]: an entry, or else an attribute.
func subscript(v, index Value) Value {
	if d, ok := v.(*Dict); ok {
		if entry, ok := d.get(index); ok {
			return entry
		}
	}
	if i, _, isInt, ok := number(index); ok && isInt {
		switch v := v.(type) {
		case *List:
			if i < 0 {
				i += int64(len(v.Items))
			}
			if i >= 0 && i < int64(len(v.Items)) {
				return v.Items[i]
			}
		case Text:
			if i < 0 {
				i += runeCount(v.S)
			}
			if i >= 0 {
				if lo, ok := runeOffset(v.S, i); ok && lo < len(v.S) {
					hi, _ := runeOffset(v.S[lo:], 1)
					return v.slice(lo, lo+hi)
				}
			}
		}
		return Undefined{fmt.Sprintf("'%s object' has no element %d", typeName(v), i)}
	}
	if name, ok := index.(Text); ok {
		return attribute(v, name.S)
	}
	return Undefined{fmt.Sprintf("'%s object' has no such element", typeName(v))}
}

// sliceExpr is lo:hi:step inside brackets.
type sliceExpr struct {
	parts [3]expr
	line  int
}

// bounds is the value of a slice inside brackets: lo, hi and step, nil where they are not given.
type bounds [3]*int64

func (e *sliceExpr) eval(st *state) Value {
	b := &bounds{}
	for i, part := range e.parts {
		if part == nil {
			continue
		}
		v := part.eval(st)
		if v == nil {
			continue
		}
		n, _, isInt, ok := number(v)
		if !ok || !isInt {
			panic(fail(e.line, "slice indices must be integers or None, not '%s'", typeName(v)))
		}
		b[i] = &n
	}
	if b[2] != nil && *b[2] == 0 {
		panic(fail(e.line, "slice step cannot be zero"))
	}
	return b
}

type filterExpr struct {
	target expr
	name   string
	args   []binding
	line   int
}

func (e *filterExpr) eval(st *state) Value {
	v := e.target.eval(st)
	if st.jump != noJump {
		return nil
	}
	f := st.filters[e.name]
	if f == nil {
		panic(fail(e.line, "no filter named '%s'", e.name))
	}
	return f(st.newCall(e.name, e.args, e.line), v)
}

type testExpr struct {
	target expr
	name   string
	args   []binding
	negate bool
	line   int
}

func (e *testExpr) eval(st *state) Value {
	v := e.target.eval(st)
	return st.newCall(e.name, e.args, e.line).test(e.name, v) != e.negate
}
