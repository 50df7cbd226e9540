package jinja

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// filter is "v | name(args)".
type filter func(c *call, v Value) (Value, error)

func text(f func(c *call, t Text) (Value, error)) filter {
	return func(c *call, v Value) (Value, error) { return f(c, str(v)) }
}

func items(f func(c *call, items []Value) (Value, error)) filter {
	return func(c *call, v Value) (Value, error) {
		list, err := iterate(v, c.line)
		if err != nil {
			return nil, err
		}
		return f(c, list)
	}
}

// filterNamed gives one of the filters of jinja2/filters.py that chat templates may use, or nil.
func filterNamed(name string) filter {
	if f := textFilter(name); f != nil {
		return text(f)
	}
	if f := listFilter(name); f != nil {
		return items(f)
	}
	switch name {
	case "tojson":
		return toJSON
	case "default", "d":
		return defaulted
	case "length", "count":
		return length
	case "reverse":
		return reverse
	case "dictsort":
		return dictSort
	case "items":
		return pairsOf
	case "attr":
		return func(c *call, v Value) (Value, error) {
			name, _ := c.get(0, "name")
			return attribute(v, str(name).S), nil
		}
	case "abs":
		return absolute
	case "int":
		return toInt
	case "float":
		return toFloat
	case "round":
		return round
	}
	return nil
}

// textFilter gives a filter of texts, or nil.
func textFilter(name string) textMethod {
	switch name {
	case "upper", "lower", "capitalize":
		return textMethodNamed(name)
	case "string", "safe":
		return func(c *call, t Text) (Value, error) { return t, nil }
	case "title":
		return func(c *call, t Text) (Value, error) { return title(t, false), nil }
	case "wordcount":
		return func(c *call, t Text) (Value, error) { return int64(len(t.fields(-1))), nil }
	case "escape", "e", "forceescape":
		return func(c *call, t Text) (Value, error) { return escape(t), nil }
	case "indent":
		return indent
	case "truncate":
		return truncate
	case "format":
		return func(c *call, t Text) (Value, error) { return percent(t, &List{c.args, true}, c.line) }
	case "trim":
		return func(c *call, t Text) (Value, error) {
			cut, err := c.cutset(0, "chars")
			return t.strip(true, true, cut), err
		}
	case "replace":
		return func(c *call, t Text) (Value, error) {
			old, _ := c.get(0, "old")
			with, _ := c.get(1, "new")
			limit := int64(-1)
			if v, ok := c.get(2, "count"); ok && v != nil {
				limit, _ = v.(int64)
			}
			return replaced(c, t, str(old).S, str(with), int(limit))
		}
	}
	return nil
}

// defaulted is the filter default.
func defaulted(c *call, v Value) (Value, error) {
	_, undefined := v.(Undefined)
	boolean, _ := c.get(1, "boolean")
	if !undefined && !(truth(boolean) && !truth(v)) {
		return v, nil
	}
	if d, ok := c.get(0, "default_value"); ok {
		return d, nil
	}
	return Text{}, nil
}

// pairsOf is the filter items.
func pairsOf(c *call, v Value) (Value, error) {
	if _, ok := v.(Undefined); ok {
		return &List{}, nil
	}
	d, ok := v.(*Dict)
	if !ok {
		return nil, c.errorf("can only get item pairs from a mapping")
	}
	return d.pairs(), nil
}

// absolute is the filter abs.
func absolute(c *call, v Value) (Value, error) {
	i, f, isInt, ok := number(v)
	switch {
	case !ok:
		return nil, c.errorf("bad operand type: '%s'", typeName(v))
	case isInt:
		return max(i, -i), nil
	}
	return max(f, -f), nil
}

// cutset is the function that says which runes a strip removes.
func (c *call) cutset(i int, name string) (func(rune) bool, error) {
	chars, ok := c.get(i, name)
	if !ok || chars == nil {
		return isSpace, nil
	}
	t, ok := chars.(Text)
	if !ok {
		return isSpace, c.errorf("characters must be a string, not '%s'", typeName(chars))
	}
	return func(r rune) bool { return strings.ContainsRune(t.S, r) }, nil
}

func replaced(c *call, t Text, old string, with Text, limit int) (Value, error) {
	n := strings.Count(t.S, old)
	if limit >= 0 {
		n = min(n, limit)
	}
	if len(t.S)+n*len(with.S) > maxText {
		return nil, c.errorf("the text grows beyond %d bytes", maxText)
	}
	return t.replace(old, with, limit), nil
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
	return t.mapRunes(func(_ int, r rune) string {
		if s, ok := htmlEscapes[r]; ok {
			return s
		}
		return string(r)
	})
}

// indent is the filter indent(width=4, first=False, blank=False).
func indent(c *call, t Text) (Value, error) {
	pad := "    "
	width, _ := c.get(0, "width")
	switch w := width.(type) {
	case int64:
		pad = strings.Repeat(" ", int(min(max(w, 0), 1000)))
	case Text:
		pad = w.S
	}
	first, _ := c.get(1, "first")
	blank, _ := c.get(2, "blank")
	var b builder
	if truth(first) {
		b.add(plain(pad))
	}
	// The filter adds a line end to the text first, so that a last empty line survives.
	for i, line := range concat(t, plain("\n")).lines(false) {
		if i > 0 {
			b.add(plain("\n"))
			if line.S != "" || truth(blank) {
				b.add(plain(pad))
			}
		}
		b.add(line)
	}
	return b.text(), nil
}

// truncate is the filter truncate(length=255, killwords=False, end='...', leeway=5).
func truncate(c *call, t Text) (Value, error) {
	length, leeway, end := int64(255), int64(5), plain("...")
	if v, ok := c.get(0, "length"); ok {
		length, _ = v.(int64)
	}
	kill, _ := c.get(1, "killwords")
	if v, ok := c.get(2, "end"); ok {
		end = str(v)
	}
	if v, ok := c.get(3, "leeway"); ok && v != nil {
		leeway, _ = v.(int64)
	}
	if runeCount(t.S) <= length+leeway {
		return t, nil
	}
	keep, _ := runeOffset(t.S, max(length-runeCount(end.S), 0))
	cut := t.slice(0, keep)
	if i := strings.LastIndexByte(cut.S, ' '); !truth(kill) && i >= 0 {
		cut = cut.slice(0, i)
	}
	return concat(cut, end), nil
}

func length(c *call, v Value) (Value, error) {
	switch v := v.(type) {
	case Undefined:
		return int64(0), nil
	case Text:
		return runeCount(v.S), nil
	case *List:
		return int64(len(v.Items)), nil
	case *Dict:
		return int64(len(v.keys)), nil
	}
	return nil, c.errorf("object of type '%s' has no length", typeName(v))
}

func toInt(c *call, v Value) (Value, error) {
	fallback, ok := c.get(0, "default")
	if !ok {
		fallback = int64(0)
	}
	base := int64(10)
	if b, ok := c.get(1, "base"); ok {
		base, _ = b.(int64)
	}
	switch v := v.(type) {
	case int64:
		return v, nil
	case bool:
		i, _, _, _ := number(v)
		return i, nil
	case float64:
		if v > -9e18 && v < 9e18 {
			return int64(v), nil
		}
	case Text:
		s := strings.TrimFunc(v.S, isSpace)
		if base >= 2 && base <= 36 {
			if i, err := strconv.ParseInt(s, int(base), 64); err == nil {
				return i, nil
			}
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && f > -9e18 && f < 9e18 {
			return int64(f), nil
		}
	}
	return fallback, nil
}

func toFloat(c *call, v Value) (Value, error) {
	if _, f, _, ok := number(v); ok {
		return f, nil
	}
	if t, ok := v.(Text); ok {
		if f, err := strconv.ParseFloat(strings.TrimFunc(t.S, isSpace), 64); err == nil {
			return f, nil
		}
	}
	if fallback, ok := c.get(0, "default"); ok {
		return fallback, nil
	}
	return 0.0, nil
}

// round is the filter round(precision=0, method='common'); halves go to the even digit, as in Python.
func round(c *call, v Value) (Value, error) {
	_, f, _, ok := number(v)
	if !ok {
		return nil, c.errorf("'%s' is no number", typeName(v))
	}
	digits := int64(0)
	if p, ok := c.get(0, "precision"); ok {
		digits, _ = p.(int64)
	}
	if m, ok := c.get(1, "method"); ok && str(m).S != "common" {
		return nil, c.errorf("only the method 'common' is supported")
	}
	if digits < 0 || digits > 300 {
		return nil, c.errorf("precision must lie between 0 and 300")
	}
	// The decimal expansion is exact, and its rounding is to nearest even.
	r, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', int(digits), 64), 64)
	return r, err
}

func dictSort(c *call, v Value) (Value, error) {
	d, ok := v.(*Dict)
	if !ok {
		return nil, c.errorf("needs a mapping, not '%s'", typeName(v))
	}
	by, _ := c.get(1, "by")
	at := 0
	if str(by).S == "value" {
		at = 1
	}
	sensitive, _ := c.get(0, "case_sensitive")
	backwards, _ := c.get(2, "reverse")
	pairs := d.pairs().Items
	return c.sort(pairs, func(pair Value) Value { return pair.(*List).Items[at] }, truth(sensitive), truth(backwards))
}

// sort orders items by a key, stably; strings without regard to case unless sensitive.
func (c *call) sort(list []Value, key func(Value) Value, sensitive, backwards bool) (Value, error) {
	var err error
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
			err = c.errorf("cannot order '%s' and '%s'", typeName(fold(a)), typeName(fold(b)))
		}
		if backwards {
			order = -order
		}
		return cmp.Compare(order, 0)
	})
	return &List{Items: out}, err
}
