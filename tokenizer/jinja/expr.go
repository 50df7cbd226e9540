package jinja

import "fmt"

// expr is an expression.
type expr interface {
	eval(st *state) (Value, error)
}

type constExpr struct{ value Value }

func (e *constExpr) eval(*state) (Value, error) { return e.value, nil }

type nameExpr struct {
	name string
	line int
}

func (e *nameExpr) eval(st *state) (Value, error) {
	if v, ok := st.scope.get(e.name); ok {
		return v, nil
	}
	if f, ok := globals[e.name]; ok {
		return &function{e.name, f}, nil
	}
	return Undefined{fmt.Sprintf("%q is undefined", e.name)}, nil
}

type condExpr struct {
	then, cond, other expr // other may be nil
	line              int
}

func (e *condExpr) eval(st *state) (Value, error) {
	c, err := e.cond.eval(st)
	switch {
	case err != nil:
		return nil, err
	case truth(c):
		return e.then.eval(st)
	case e.other != nil:
		return e.other.eval(st)
	}
	return Undefined{"the conditional expression has no else"}, nil
}

type logicExpr struct {
	left, right expr
	and         bool
}

func (e *logicExpr) eval(st *state) (Value, error) {
	v, err := e.left.eval(st)
	if err != nil || truth(v) != e.and {
		return v, err
	}
	return e.right.eval(st)
}

type notExpr struct{ value expr }

func (e *notExpr) eval(st *state) (Value, error) {
	v, err := e.value.eval(st)
	return !truth(v), err
}

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

func (e *compareExpr) eval(st *state) (Value, error) {
	left, err := e.first.eval(st)
	if err != nil {
		return nil, err
	}
	for _, op := range e.ops {
		right, err := op.value.eval(st)
		if err != nil {
			return nil, err
		}
		holds, err := relation(op.op, left, right, op.line)
		if err != nil || !holds {
			return false, err
		}
		left = right
	}
	return true, nil
}

// relation is one comparison.
func relation(op string, a, b Value, line int) (bool, error) {
	switch op {
	case "==":
		return equal(a, b, 0), nil
	case "!=":
		return !equal(a, b, 0), nil
	case "in":
		return contains(b, a, line)
	case "not in":
		in, err := contains(b, a, line)
		return !in, err
	}
	c, ok := compare(a, b)
	if !ok {
		if err := defined(line, a, b); err != nil {
			return false, err
		}
		return false, fail(line, "'%s' not supported between instances of '%s' and '%s'", op, typeName(a), typeName(b))
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}

// defined is an error when one of the values is undefined.
func defined(line int, values ...Value) error {
	for _, v := range values {
		if u, ok := v.(Undefined); ok {
			return fail(line, "%s", u.What)
		}
	}
	return nil
}

type binaryExpr struct {
	op          string
	left, right expr
	line        int
}

func (e *binaryExpr) eval(st *state) (Value, error) {
	a, err := e.left.eval(st)
	if err != nil {
		return nil, err
	}
	b, err := e.right.eval(st)
	if err != nil {
		return nil, err
	}
	if err := st.tick(e.line); err != nil {
		return nil, err
	}
	return arithmetic(e.op, a, b, e.line)
}

type signExpr struct {
	value    expr
	negative bool
	line     int
}

func (e *signExpr) eval(st *state) (Value, error) {
	v, err := e.value.eval(st)
	if err != nil {
		return nil, err
	}
	if err := defined(e.line, v); err != nil {
		return nil, err
	}
	i, f, isInt, ok := number(v)
	switch {
	case !ok:
		return nil, fail(e.line, "bad operand type for a sign: '%s'", typeName(v))
	case isInt && e.negative:
		return -i, nil
	case isInt:
		return i, nil
	case e.negative:
		return -f, nil
	}
	return f, nil
}

type listExpr struct {
	items []expr
	tuple bool
	line  int
}

func (e *listExpr) eval(st *state) (Value, error) {
	l := &List{tuple: e.tuple}
	for _, item := range e.items {
		v, err := item.eval(st)
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, v)
	}
	return l, nil
}

type dictExpr struct {
	keys, values []expr
	line         int
}

func (e *dictExpr) eval(st *state) (Value, error) {
	d := NewDict()
	for i := range e.keys {
		key, err := e.keys[i].eval(st)
		if err != nil {
			return nil, err
		}
		value, err := e.values[i].eval(st)
		if err != nil {
			return nil, err
		}
		if !d.put(key, value) {
			return nil, fail(e.line, "unhashable type: '%s'", typeName(key))
		}
	}
	return d, nil
}

type attrExpr struct {
	target expr
	name   string
	line   int
}

func (e *attrExpr) eval(st *state) (Value, error) {
	v, err := e.target.eval(st)
	if err != nil {
		return nil, err
	}
	if err := defined(e.line, v); err != nil {
		return nil, err
	}
	return attribute(v, e.name), nil
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

func (e *indexExpr) eval(st *state) (Value, error) {
	v, err := e.target.eval(st)
	if err != nil {
		return nil, err
	}
	index, err := e.index.eval(st)
	if err != nil {
		return nil, err
	}
	if err := defined(e.line, v); err != nil {
		return nil, err
	}
	if b, ok := index.(*bounds); ok {
		return b.of(v, e.line)
	}
	return subscript(v, index), nil
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
	lo, hi, step expr
	line         int
}

// bounds is the value of a slice inside brackets; nil means that the bound is not given.
type bounds struct{ lo, hi, step *int64 }

func (e *sliceExpr) eval(st *state) (Value, error) {
	b := &bounds{}
	for _, part := range []struct {
		e    expr
		into **int64
	}{{e.lo, &b.lo}, {e.hi, &b.hi}, {e.step, &b.step}} {
		if part.e == nil {
			continue
		}
		v, err := part.e.eval(st)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		n, _, isInt, ok := number(v)
		if !ok || !isInt {
			return nil, fail(e.line, "slice indices must be integers or None, not '%s'", typeName(v))
		}
		*part.into = &n
	}
	if b.step != nil && *b.step == 0 {
		return nil, fail(e.line, "slice step cannot be zero")
	}
	return b, nil
}

type filterExpr struct {
	target expr // nil at the head of a filter block
	name   string
	args   []argument
	line   int
}

func (e *filterExpr) eval(st *state) (Value, error) {
	v, err := e.target.eval(st)
	if err != nil {
		return nil, err
	}
	return e.call(st, v)
}

// apply runs a chain of filters over the text of a block.
func (e *filterExpr) apply(st *state, v Value) (Value, error) {
	if inner, ok := e.target.(*filterExpr); ok {
		var err error
		if v, err = inner.apply(st, v); err != nil {
			return nil, err
		}
	}
	return e.call(st, v)
}

func (e *filterExpr) call(st *state, v Value) (Value, error) {
	f := filterNamed(e.name)
	if f == nil {
		return nil, fail(e.line, "no filter named '%s'", e.name)
	}
	c, err := st.newCall(e.name, e.args, e.line)
	if err != nil {
		return nil, err
	}
	return f(c, v)
}

type testExpr struct {
	target expr
	name   string
	args   []argument
	negate bool
	line   int
}

func (e *testExpr) eval(st *state) (Value, error) {
	v, err := e.target.eval(st)
	if err != nil {
		return nil, err
	}
	c, err := st.newCall(e.name, e.args, e.line)
	if err != nil {
		return nil, err
	}
	ok, err := c.test(e.name, v)
	return ok != e.negate, err
}
