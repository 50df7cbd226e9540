package jinja

import (
	"strings"
)

// globals are the names that every template sees.
var globals = map[string]func(c *call) (Value, error){
	"range": func(c *call) (Value, error) {
		var bounds []int64
		for _, v := range c.args {
			n, ok := v.(int64)
			if !ok {
				return nil, c.errorf("'%s' object cannot be interpreted as an integer", typeName(v))
			}
			bounds = append(bounds, n)
		}
		lo, hi, step := int64(0), int64(0), int64(1)
		switch len(bounds) {
		case 1:
			hi = bounds[0]
		case 2:
			lo, hi = bounds[0], bounds[1]
		case 3:
			lo, hi, step = bounds[0], bounds[1], bounds[2]
		default:
			return nil, c.errorf("expected 1 to 3 arguments, got %d", len(bounds))
		}
		if step == 0 {
			return nil, c.errorf("step must not be zero")
		}
		l := &List{}
		for i := lo; step > 0 && i < hi || step < 0 && i > hi; i += step {
			if len(l.Items) >= 100_000 { // MAX_RANGE of Jinja's sandbox
				return nil, c.errorf("range too big")
			}
			l.Items = append(l.Items, i)
		}
		return l, nil
	},
	"dict": func(c *call) (Value, error) { return c.dict() },
	"namespace": func(c *call) (Value, error) {
		d, err := c.dict()
		return &namespace{d}, err
	},
	"raise_exception": func(c *call) (Value, error) {
		message := "the template raised an exception"
		if v, ok := c.get(0, "message"); ok {
			message = str(v).S
		}
		return nil, &Error{Line: c.line, Message: message, Raised: true}
	},
	"strftime_now": func(c *call) (Value, error) {
		v, _ := c.get(0, "format")
		layout, ok := v.(Text)
		if !ok {
			return nil, c.errorf("needs a format string")
		}
		s, err := strftime(c.st.options.Now, layout.S)
		if err != nil {
			return nil, c.errorf("%v", err)
		}
		return plain(s), nil
	},
	"joiner": func(c *call) (Value, error) {
		sep, ok := c.get(0, "sep")
		if !ok {
			sep = plain(", ")
		}
		used := false
		return &function{"joiner", func(*call) (Value, error) {
			if !used {
				used = true
				return Text{}, nil
			}
			return sep, nil
		}}, nil
	},
	"lipsum": func(c *call) (Value, error) { return nil, c.errorf("is not supported") },
	"cycler": func(c *call) (Value, error) { return nil, c.errorf("is not supported") },
}

// dict makes a dict of the call's arguments.
func (c *call) dict() (*Dict, error) {
	d := NewDict()
	if len(c.args) > 0 {
		from, ok := c.args[0].(*Dict)
		if !ok {
			return d, c.errorf("'%s' object is no mapping", typeName(c.args[0]))
		}
		for i, key := range from.keys {
			d.put(key, from.values[i])
		}
	}
	for _, a := range c.named {
		d.Set(a.name, a.value)
	}
	return d, nil
}

// test is "v is name".
func (c *call) test(name string, v Value) (bool, error) {
	if is, ok := c.kindTest(name, v); ok {
		return is, nil
	}
	arg, _ := c.get(0, "")
	i, f, isInt, isNumber := number(v)
	switch name {
	case "even", "odd", "divisibleby":
		by := int64(2)
		if name == "divisibleby" {
			by, _ = arg.(int64)
		}
		if !isNumber || !isInt || by == 0 {
			return false, c.errorf("needs integers, and no division by zero")
		}
		return (i%by == 0) != (name == "odd"), nil
	case "eq", "equalto", "==":
		return equal(v, arg, 0), nil
	case "ne", "!=":
		return !equal(v, arg, 0), nil
	case "lt", "lessthan", "le", "gt", "greaterthan", "ge":
		op := map[string]string{"lt": "<", "lessthan": "<", "le": "<=", "gt": ">", "greaterthan": ">", "ge": ">="}[name]
		return relation(op, v, arg, c.line)
	case "in":
		return contains(arg, v, c.line)
	case "sameas":
		if isNumber {
			j, g, otherInt, ok := number(arg)
			return ok && typeName(v) == typeName(arg) && isInt == otherInt && i == j && f == g, nil
		}
		return equal(v, arg, 0) && typeName(v) == typeName(arg), nil
	}
	return false, fail(c.line, "no test named '%s'", name)
}

// kindTest is test for what kind of value v is; known is false if the name is that of no such test.
func (c *call) kindTest(name string, v Value) (is, known bool) {
	switch name {
	case "defined":
		_, undefined := v.(Undefined)
		is = !undefined
	case "undefined":
		_, is = v.(Undefined)
	case "none":
		is = v == nil
	case "true":
		is = v == Value(true)
	case "false":
		is = v == Value(false)
	case "boolean":
		_, is = v.(bool)
	case "string":
		_, is = v.(Text)
	case "mapping":
		_, is = v.(*Dict)
	case "number":
		_, _, _, is = number(v)
	case "integer":
		_, is = v.(int64)
	case "float":
		_, is = v.(float64)
	case "iterable":
		_, err := iterate(v, c.line)
		is = err == nil
	case "sequence":
		switch v.(type) {
		case Text, *List, *Dict, Undefined:
			is = true
		}
	case "callable":
		_, is = v.(*function)
	case "filter":
		t, _ := v.(Text)
		is = filterNamed(t.S) != nil
	case "lower":
		is = str(v).S == strings.ToLower(str(v).S)
	case "upper":
		is = str(v).S == strings.ToUpper(str(v).S)
	case "escaped":
	default:
		return false, false
	}
	return is, true
}
