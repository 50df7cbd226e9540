package jinja

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// filter is "v | name(args)".
type filter func(c *call, v Value) Value

func text(f textMethod) filter {
	return func(c *call, v Value) Value { return f(c, str(v)) }
}

func items(f func(c *call, items []Value) Value) filter {
	return func(c *call, v Value) Value { return f(c, iterate(v, c.line)) }
}

// filters are those of jinja2/filters.py that chat templates may use.
var filters = map[string]filter{
	// Of texts.
	"upper":       text(pure(upper)),
	"lower":       text(pure(lower)),
	"capitalize":  text(pure(capitalize)),
	"string":      func(_ *call, v Value) Value { return str(v) },
	"safe":        func(_ *call, v Value) Value { return str(v) },
	"title":       text(func(_ *call, t Text) Value { return title(t, false) }),
	"wordcount":   text(func(_ *call, t Text) Value { return int64(len(t.fields(-1))) }),
	"escape":      text(pure(escape)),
	"e":           text(pure(escape)),
	"forceescape": text(pure(escape)),
	"indent":      text(indent),
	"truncate":    text(truncate),
	"format":      text(func(c *call, t Text) Value { return percent(t, &List{c.args, true}, c.line) }),
	"trim":        text(func(c *call, t Text) Value { return t.strip(true, true, c.cutset(0, "chars")) }),
	"replace":     text(replaceFilter),
	// Of what can be iterated over.
	"first":      items(func(_ *call, l []Value) Value { return edge(l, 0) }),
	"last":       items(func(_ *call, l []Value) Value { return edge(l, len(l)-1) }),
	"list":       items(func(_ *call, l []Value) Value { return &List{Items: slices.Clone(l)} }),
	"join":       items(joinFilter),
	"sum":        items(sum),
	"min":        items(extreme(false)),
	"max":        items(extreme(true)),
	"sort":       items(sorted),
	"unique":     items(unique),
	"batch":      items(batch),
	"groupby":    items(groupBy),
	"map":        items(mapFilter),
	"select":     items(choose(false, true)),
	"reject":     items(choose(false, false)),
	"selectattr": items(choose(true, true)),
	"rejectattr": items(choose(true, false)),
	// Of any value.
	"tojson":   toJSON,
	"default":  defaulted,
	"d":        defaulted,
	"length":   length,
	"count":    length,
	"reverse":  reverse,
	"dictsort": dictSort,
	"items":    pairsOf,
	"attr":     func(c *call, v Value) Value { return attribute(v, str(c.arg(0, "name")).S) },
	"abs":      absolute,
	"int":      toInt,
	"float":    toFloat,
	"round":    round,
}

func replaceFilter(c *call, t Text) Value {
	limit := int64(-1)
	if c.arg(2, "count") != nil {
		limit = c.int(2, "count", -1)
	}
	return replaced(c, t, str(c.arg(0, "old")).S, str(c.arg(1, "new")), int(limit))
}

// defaulted is the filter default.
func defaulted(c *call, v Value) Value {
	_, undefined := v.(Undefined)
	if undefined || c.flag(1, "boolean") && !truth(v) {
		return c.or(0, "default_value", Text{})
	}
	return v
}

// pairsOf is the filter items.
func pairsOf(c *call, v Value) Value {
	switch v := v.(type) {
	case Undefined:
		return &List{}
	case *Dict:
		return v.pairs()
	}
	panic(c.errorf("can only get item pairs from a mapping"))
}

// absolute is the filter abs.
func absolute(c *call, v Value) Value {
	i, f, isInt, ok := number(v)
	switch {
	case !ok:
		panic(c.errorf("bad operand type: '%s'", typeName(v)))
	case isInt:
		return max(i, -i)
	}
	return max(f, -f)
}

// cutset is the function that says which runes a strip removes.
func (c *call) cutset(i int, name string) func(rune) bool {
	switch chars := c.arg(i, name).(type) {
	case nil:
		return isSpace
	case Text:
		return func(r rune) bool { return strings.ContainsRune(chars.S, r) }
	default:
		panic(c.errorf("characters must be a string, not '%s'", typeName(chars)))
	}
}

func replaced(c *call, t Text, old string, with Text, limit int) Value {
	n := strings.Count(t.S, old)
	if limit >= 0 {
		n = min(n, limit)
	}
	if len(t.S)+n*len(with.S) > maxText {
		panic(c.errorf("the text grows beyond %d bytes", maxText))
	}
	return t.replace(old, with, limit)
}

func upper(t Text) Text {
	return t.mapRunes(func(_ int, r rune) string {
		if r == 'ß' {
			return "SS" // the one letter of everyday text that grows
		}
		return strings.ToUpper(string(r))
	})
}

func lower(t Text) Text {
	return t.mapRunes(func(_ int, r rune) string { return strings.ToLower(string(r)) })
}

func capitalize(t Text) Text {
	return t.mapRunes(func(i int, r rune) string {
		if i == 0 {
			return string(unicode.ToTitle(r))
		}
		return strings.ToLower(string(r))
	})
}

// title sets the first letter of every word in title case. Python's str.title starts a word after anything that is
// no letter; Jinja's filter only after white space and -({[<.
func title(t Text, python bool) Text {
	start := true
	return t.mapRunes(func(_ int, r rune) string {
		s := strings.ToLower(string(r))
		if start {
			s = string(unicode.ToTitle(r))
		}
		if python {
			start = !unicode.IsLetter(r)
		} else {
			start = isSpace(r) || strings.ContainsRune("-({[<", r)
		}
		return s
	})
}

var htmlEscapes = map[rune]string{'&': "&amp;", '<': "&lt;", '>': "&gt;", '"': "&#34;", '\'': "&#39;"}

func escape(t Text) Text {
	return t.mapRunes(func(_ int, r rune) string { return cmp.Or(htmlEscapes[r], string(r)) })
}

// indent is the filter indent(width=4, first=False, blank=False).
func indent(c *call, t Text) Value {
	pad := "    "
	switch w := c.arg(0, "width").(type) {
	case int64:
		pad = strings.Repeat(" ", int(min(max(w, 0), 1000)))
	case Text:
		pad = w.S
	}
	blank := c.flag(2, "blank")
	var b builder
	if c.flag(1, "first") {
		b.add(plain(pad))
	}
	// The filter adds a line end to the text first, so that a last empty line survives.
	for i, line := range concat(t, plain("\n")).lines(false) {
		if i > 0 {
			b.add(plain("\n"))
			if line.S != "" || blank {
				b.add(plain(pad))
			}
		}
		b.add(line)
	}
	return b.text()
}

// truncate is the filter truncate(length=255, killwords=False, end='...', leeway=5).
func truncate(c *call, t Text) Value {
	length, leeway := c.int(0, "length", 255), int64(5)
	end := str(c.or(2, "end", plain("...")))
	if c.arg(3, "leeway") != nil {
		leeway = c.int(3, "leeway", 5)
	}
	if runeCount(t.S) <= length+leeway {
		return t
	}
	keep, _ := runeOffset(t.S, max(length-runeCount(end.S), 0))
	cut := t.slice(0, keep)
	if i := strings.LastIndexByte(cut.S, ' '); !c.flag(1, "killwords") && i >= 0 {
		cut = cut.slice(0, i)
	}
	return concat(cut, end)
}

func length(c *call, v Value) Value {
	switch v := v.(type) {
	case Undefined:
		return int64(0)
	case Text:
		return runeCount(v.S)
	case *List:
		return int64(len(v.Items))
	case *Dict:
		return int64(len(v.keys))
	}
	panic(c.errorf("object of type '%s' has no length", typeName(v)))
}

func toInt(c *call, v Value) Value {
	switch v := v.(type) {
	case int64:
		return v
	case bool:
		i, _, _, _ := number(v)
		return i
	case float64:
		if v > -9e18 && v < 9e18 {
			return int64(v)
		}
	case Text:
		s := strings.TrimFunc(v.S, isSpace)
		if base := c.int(1, "base", 10); base >= 2 && base <= 36 {
			if i, err := strconv.ParseInt(s, int(base), 64); err == nil {
				return i
			}
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && f > -9e18 && f < 9e18 {
			return int64(f)
		}
	}
	return c.or(0, "default", int64(0))
}

func toFloat(c *call, v Value) Value {
	if _, f, _, ok := number(v); ok {
		return f
	}
	if t, ok := v.(Text); ok {
		if f, err := strconv.ParseFloat(strings.TrimFunc(t.S, isSpace), 64); err == nil {
			return f
		}
	}
	return c.or(0, "default", 0.0)
}

// round is the filter round(precision=0, method='common'); halves go to the even digit, as in Python.
func round(c *call, v Value) Value {
	_, f, _, ok := number(v)
	if !ok {
		panic(c.errorf("'%s' is no number", typeName(v)))
	}
	if str(c.or(1, "method", plain("common"))).S != "common" {
		panic(c.errorf("only the method 'common' is supported"))
	}
	digits := c.int(0, "precision", 0)
	if digits < 0 || digits > 300 {
		panic(c.errorf("precision must lie between 0 and 300"))
	}
	// The decimal expansion is exact, and its rounding is to nearest even.
	r, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(digits), 64), 64)
	return r
}

func dictSort(c *call, v Value) Value {
	d, ok := v.(*Dict)
	if !ok {
		panic(c.errorf("needs a mapping, not '%s'", typeName(v)))
	}
	at := 0
	if str(c.arg(1, "by")).S == "value" {
		at = 1
	}
	key := func(pair Value) Value { return pair.(*List).Items[at] }
	return &List{Items: c.sort(d.pairs().Items, key, c.flag(0, "case_sensitive"), c.flag(2, "reverse"))}
}

// sort orders items by a key, stably; strings without regard to case unless sensitive.
func (c *call) sort(list []Value, key func(Value) Value, sensitive, backwards bool) []Value {
	fold := func(v Value) Value {
		v = key(v)
		if t, ok := v.(Text); ok && !sensitive {
			return plain(strings.ToLower(t.S))
		}
		return v
	}
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b Value) int {
		order, ok := compare(fold(a), fold(b))
		if !ok {
			panic(c.errorf("cannot order '%s' and '%s'", typeName(fold(a)), typeName(fold(b))))
		}
		if backwards {
			order = -order
		}
		return order
	})
	return out
}
