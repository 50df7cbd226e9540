package jinja

// globals are the names that every template sees.
var globals = map[string]func(c *call) Value{
	"range": func(c *call) Value {
		var bounds []int64
		for _, v := range c.args {
			n, ok := v.(int64)
			if !ok {
				panic(c.errorf("'%s' object cannot be interpreted as an integer", typeName(v)))
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
			panic(c.errorf("expected 1 to 3 arguments, got %d", len(bounds)))
		}
		if step == 0 {
			panic(c.errorf("step must not be zero"))
		}
		l := &List{}
		for i := lo; step > 0 && i < hi || step < 0 && i > hi; i += step {
			if len(l.Items) >= 100_000 { // MAX_RANGE of Jinja's sandbox
				panic(c.errorf("range too big"))
			}
			l.Items = append(l.Items, i)
		}
		return l
	},
	"dict":      func(c *call) Value { return c.dict() },
	"namespace": func(c *call) Value { return &namespace{c.dict()} },
	"raise_exception": func(c *call) Value {
		message := c.or(0, "message", plain("the template raised an exception"))
		panic(&Error{Line: c.line, Message: str(message).S, Raised: true})
	},
	"strftime_now": func(c *call) Value {
		layout, ok := c.arg(0, "format").(Text)
		if !ok {
			panic(c.errorf("needs a format string"))
		}
		return plain(c.strftime(c.st.options.Now, layout.S))
	},
	"joiner": func(c *call) Value {
		sep := c.or(0, "sep", plain(", "))
		used := false
		return &function{"joiner", func(*call) Value {
			if !used {
				used = true
				return Text{}
			}
			return sep
		}}
	},
	"lipsum": func(c *call) Value { panic(c.errorf("is not supported")) },
	"cycler": func(c *call) Value { panic(c.errorf("is not supported")) },
}

// dict makes a dict of the call's arguments.
func (c *call) dict() *Dict {
	d := NewDict()
	if len(c.args) > 0 {
		from, ok := c.args[0].(*Dict)
		if !ok {
			panic(c.errorf("'%s' object is no mapping", typeName(c.args[0])))
		}
		d.SetAll(from)
	}
	for _, a := range c.named {
		d.Set(a.name, a.value)
	}
	return d
}
