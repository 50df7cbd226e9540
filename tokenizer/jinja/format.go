package jinja

import (
	"cmp"
	"strconv"
	"strings"
)

// percent is Python's "format % values" for the conversions s, r, d, i, f, e, g, x, X, o, c and %.
func percent(t Text, v Value, line int) Value {
	values := []Value{v}
	if l, ok := v.(*List); ok && l.tuple {
		values = l.Items
	}
	mapping, _ := v.(*Dict)
	var b builder
	next := 0
	for i := 0; i < len(t.S); {
		j := strings.IndexByte(t.S[i:], '%')
		if j < 0 {
			b.add(t.slice(i, len(t.S)))
			break
		}
		b.add(t.slice(i, i+j))
		i += j + 1
		var key string
		hasKey := false
		if i < len(t.S) && t.S[i] == '(' {
			end := strings.IndexByte(t.S[i:], ')')
			if end < 0 {
				panic(fail(line, "incomplete format key in %q", t.S))
			}
			key, hasKey = t.S[i+1:i+end], true
			i += end + 1
		}
		start := i
		for i < len(t.S) && strings.IndexByte("-+ #0123456789.", t.S[i]) >= 0 {
			i++
		}
		if i == len(t.S) {
			panic(fail(line, "incomplete format %q", t.S))
		}
		flags, verb := t.S[start:i], t.S[i]
		i++
		if verb == '%' {
			b.add(plain("%"))
			continue
		}
		var arg Value
		switch {
		case hasKey && mapping != nil:
			arg, _ = mapping.Get(key)
		case !hasKey && next < len(values):
			arg = values[next]
			next++
		default:
			panic(fail(line, "not enough arguments for format string %q", t.S))
		}
		b.add(convert(verb, flags, arg, line))
	}
	if next < len(values) && mapping == nil {
		panic(fail(line, "not all arguments converted during string formatting"))
	}
	return b.text()
}

// conversion is how one value is formatted: C-like flags and a letter.
type conversion struct {
	verb                  byte
	line                  int
	sign                  string // before a number that is not negative
	left, zero, alternate bool
	width, precision      int
	precise               bool // the precision is given
}

// conversionOf reads flags.
func conversionOf(verb byte, flags string, line int) conversion {
	c := conversion{verb: verb, line: line}
	for flags != "" && strings.IndexByte("-+ #0", flags[0]) >= 0 {
		switch flags[0] {
		case '-':
			c.left = true
		case '0':
			c.zero = true
		case '#':
			c.alternate = true
		case '+':
			c.sign = "+"
		default:
			c.sign = cmp.Or(c.sign, " ")
		}
		flags = flags[1:]
	}
	width, precision, precise := strings.Cut(flags, ".")
	c.precise = precise
	c.width, _ = strconv.Atoi("0" + width)
	c.precision, _ = strconv.Atoi("0" + precision)
	if c.width > 10_000 || c.precision > 10_000 {
		panic(fail(line, "the width or precision of a format is too large"))
	}
	return c
}

// convert formats one value with C-like flags.
func convert(verb byte, flags string, v Value, line int) Text {
	c := conversionOf(verb, flags, line)
	switch verb {
	case 's', 'r':
		c.zero, c.sign = false, ""
		return c.pad(c.text(v))
	case 'd', 'i', 'u', 'x', 'X', 'o':
		return c.pad(plain(c.integer(v)))
	case 'f', 'F', 'e', 'E', 'g', 'G':
		return c.pad(plain(c.float(v)))
	}
	panic(fail(line, "unsupported format character %q", verb))
}

func (c *conversion) text(v Value) Text {
	body := str(v)
	if c.verb == 'r' {
		var b builder
		repr(&b, v, 0)
		body = b.text()
	}
	if c.precise {
		cut, _ := runeOffset(body.S, int64(c.precision))
		body = body.slice(0, cut)
	}
	return body
}

func (c *conversion) integer(v Value) string {
	i, f, isInt, isNumber := number(v)
	switch {
	case !isNumber:
		panic(fail(c.line, "%%%c format: a real number is required, not %s", c.verb, typeName(v)))
	case !isInt && (f < -9e18 || f > 9e18):
		panic(fail(c.line, "%%%c format: the number is too large", c.verb))
	case !isInt:
		i = int64(f)
	}
	base := map[byte]int{'x': 16, 'X': 16, 'o': 8}[c.verb]
	digits := strconv.FormatInt(i, cmp.Or(base, 10))
	if c.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	if c.alternate && base > 0 {
		prefix := "0" + string(c.verb)
		digits = strings.Replace(prefix+digits, prefix+"-", "-"+prefix, 1)
	}
	return digits
}

func (c *conversion) float(v Value) string {
	_, f, _, isNumber := number(v)
	if !isNumber {
		panic(fail(c.line, "must be real number, not %s", typeName(v)))
	}
	precision, format := c.precision, c.verb
	if !c.precise {
		precision = 6
	}
	switch {
	case (format == 'g' || format == 'G') && precision == 0:
		precision = 1
	case format == 'F':
		format = 'f'
	}
	return strconv.FormatFloat(f, format, precision, 64)
}

// pad gives a converted value its sign and its width.
func (c *conversion) pad(body Text) Text {
	if c.sign != "" && !strings.HasPrefix(body.S, "-") {
		body = concat(plain(c.sign), body)
	}
	n := c.width - int(runeCount(body.S))
	switch {
	case n <= 0:
		return body
	case c.left:
		return concat(body, plain(strings.Repeat(" ", n)))
	case c.zero:
		at := 0
		if body.S[0] == '-' || body.S[0] == '+' || body.S[0] == ' ' {
			at = 1
		}
		return concat(body.slice(0, at), plain(strings.Repeat("0", n)), body.slice(at, len(body.S)))
	}
	return concat(plain(strings.Repeat(" ", n)), body)
}

// formatMethod is str.format with {}, {0} and {name}; conversions and format specifications are an error.
func formatMethod(c *call, t Text) Value {
	var b builder
	next := 0
	for i := 0; i < len(t.S); {
		j := strings.IndexAny(t.S[i:], "{}")
		if j < 0 {
			b.add(t.slice(i, len(t.S)))
			break
		}
		b.add(t.slice(i, i+j))
		i += j
		if i+1 < len(t.S) && t.S[i+1] == t.S[i] {
			b.add(t.slice(i, i+1))
			i += 2
			continue
		}
		end := strings.IndexByte(t.S[i:], '}')
		if t.S[i] == '}' || end < 0 {
			panic(c.errorf("a single brace in the format string %q", t.S))
		}
		field := t.S[i+1 : i+end]
		i += end + 1
		var v Value
		ok := false
		if n, err := strconv.Atoi(field); err == nil {
			v, ok = c.get(n, "")
		} else if field == "" {
			v, ok = c.get(next, "")
			next++
		} else {
			v, ok = c.get(len(c.args), field)
		}
		if !ok {
			panic(c.errorf("no argument for the field {%s}, or a form that is not supported", field))
		}
		b.add(str(v))
	}
	return b.text()
}
