package jinja

import (
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

func runeCount(s string) int64 { return int64(utf8.RuneCountInString(s)) }

// runeOffset is the byte offset of rune n; ok is false when the string has fewer.
func runeOffset(s string, n int64) (offset int, ok bool) {
	for i := range s {
		if n == 0 {
			return i, true
		}
		n--
	}
	return len(s), n == 0
}

// iterate gives what a for statement sees of a value.
func iterate(v Value, line int) []Value {
	switch v := v.(type) {
	case Undefined:
		return nil
	case *List:
		return v.Items
	case *Dict:
		return v.keys
	case Text:
		items := make([]Value, 0, len(v.S))
		for i := range v.S {
			_, n := utf8.DecodeRuneInString(v.S[i:])
			items = append(items, v.slice(i, i+n))
		}
		return items
	}
	panic(fail(line, "'%s' object is not iterable", typeName(v)))
}

// contains is Python's "item in container".
func contains(container, item Value, line int) bool {
	switch c := container.(type) {
	case Undefined:
		return false
	case Text:
		t, ok := item.(Text)
		if !ok {
			panic(fail(line, "'in <string>' requires string as left operand, not %s", typeName(item)))
		}
		return strings.Contains(c.S, t.S)
	case *Dict:
		_, ok := c.get(item)
		return ok
	case *List:
		return slices.ContainsFunc(c.Items, func(v Value) bool { return equal(v, item, 0) })
	}
	panic(fail(line, "argument of type '%s' is not iterable", typeName(container)))
}

// of cuts a list or string.
func (b *bounds) of(v Value, line int) Value {
	var n int64
	switch v := v.(type) {
	case *List:
		n = int64(len(v.Items))
	case Text:
		n = runeCount(v.S)
	default:
		panic(fail(line, "'%s' object cannot be sliced", typeName(v)))
	}
	step := int64(1)
	if b[2] != nil {
		step = *b[2]
	}
	// Python's rules: negative bounds count from the end, and all are clamped.
	first, last := int64(0), n
	if step < 0 {
		first, last = n-1, -1
	}
	clamp := func(p *int64, fallback int64) int64 {
		if p == nil {
			return fallback
		}
		i := *p
		if i < 0 {
			i += n
		}
		if step < 0 {
			return min(max(i, -1), n-1)
		}
		return min(max(i, 0), n)
	}
	lo, hi := clamp(b[0], first), clamp(b[1], last)
	var indices []int64
	for i := lo; step > 0 && i < hi || step < 0 && i > hi; i += step {
		indices = append(indices, i)
		if step > n || step < -n {
			break
		}
	}
	if l, ok := v.(*List); ok {
		out := &List{tuple: l.tuple}
		for _, i := range indices {
			out.Items = append(out.Items, l.Items[i])
		}
		return out
	}
	t := v.(Text)
	offsets := make([]int, 0, n+1)
	for i := range t.S {
		offsets = append(offsets, i)
	}
	offsets = append(offsets, len(t.S))
	if step == 1 {
		return t.slice(offsets[lo], offsets[max(lo, hi)])
	}
	var out builder
	for _, i := range indices {
		out.add(t.slice(offsets[i], offsets[i+1]))
	}
	return out.text()
}

// arithmetic is a binary operator.
func arithmetic(op string, a, b Value, line int) Value {
	if op == "~" {
		return joined(str(a), str(b), line)
	}
	defined(line, a, b)
	x, isText := a.(Text)
	y, otherText := b.(Text)
	n, otherInt := b.(int64)
	switch {
	case isText && op == "+" && otherText:
		return joined(x, y, line)
	case isText && op == "*" && otherInt:
		return repeated(x, n, line)
	case isText && op == "%":
		return percent(x, b, line)
	case otherText && op == "*" && is[int64](nil, a):
		return repeated(y, a.(int64), line)
	}
	if x, ok := a.(*List); ok && op == "+" {
		if y, ok := b.(*List); ok && x.tuple == y.tuple {
			if len(x.Items)+len(y.Items) > maxItems {
				panic(fail(line, "the list grows beyond %d items", maxItems))
			}
			items := make([]Value, 0, len(x.Items)+len(y.Items))
			return &List{append(append(items, x.Items...), y.Items...), x.tuple}
		}
	}
	ai, af, aInt, aOK := number(a)
	bi, bf, bInt, bOK := number(b)
	switch {
	case !aOK || !bOK:
		panic(fail(line, "unsupported operand type(s) for %s: '%s' and '%s'", op, typeName(a), typeName(b)))
	case aInt && bInt && op != "/" && !(op == "**" && bi < 0):
		return integers(op, ai, bi, line)
	}
	return floats(op, af, bf, line)
}

func joined(a, b Text, line int) Value {
	if len(a.S)+len(b.S) > maxText {
		panic(fail(line, "the text grows beyond %d bytes", maxText))
	}
	return concat(a, b)
}

func repeated(t Text, n int64, line int) Value {
	if n <= 0 || t.S == "" {
		return Text{}
	}
	if n > maxItems || int64(len(t.S))*n > maxText {
		panic(fail(line, "the text grows beyond %d bytes", maxText))
	}
	var b builder
	for range n {
		b.add(t)
	}
	return b.text()
}

// integers computes on ints; Python's are unbounded, ours end in an error.
func integers(op string, a, b int64, line int) Value {
	switch op {
	case "+":
		if c := a + b; (c > a) == (b > 0) {
			return c
		}
	case "-":
		if c := a - b; (c < a) == (b > 0) {
			return c
		}
	case "*":
		if c, ok := multiply(a, b); ok {
			return c
		}
	case "//", "%":
		if b == 0 {
			panic(fail(line, "division by zero"))
		}
		quotient, rest := a/b, a%b
		if rest != 0 && (rest < 0) != (b < 0) {
			quotient, rest = quotient-1, rest+b
		}
		if op == "%" {
			return rest
		}
		return quotient
	case "**":
		if a >= -1 && a <= 1 {
			if b > 1 { // 0, 1 and -1: only the parity counts
				b = 2 - b%2
			}
		}
		result, ok := int64(1), true
		for i := int64(0); i < b && ok; i++ {
			result, ok = multiply(result, a)
		}
		if ok {
			return result
		}
	}
	panic(fail(line, "the result of %d %s %d is too large", a, op, b))
}

func multiply(a, b int64) (int64, bool) {
	magnitude := func(x int64) uint64 {
		if x < 0 {
			return uint64(-x)
		}
		return uint64(x)
	}
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	return a * b, hi == 0 && lo <= math.MaxInt64
}

func floats(op string, a, b float64, line int) Value {
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return float64(a * b)
	case "**":
		return math.Pow(a, b)
	}
	if b == 0 {
		panic(fail(line, "division by zero"))
	}
	switch op {
	case "/":
		return a / b
	case "//":
		return math.Floor(a / b)
	}
	return a - float64(b*math.Floor(a/b))
}
