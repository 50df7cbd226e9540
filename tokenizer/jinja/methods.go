package jinja

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// method gives the bound method of a value, or nil.
func method(v Value, name string) *function {
	switch v := v.(type) {
	case Text:
		return bound(textMethods, name, v)
	case *Dict:
		return bound(dictMethods, name, v)
	case *List:
		return bound(listMethods, name, v)
	}
	return nil
}

func bound[T any, F ~func(c *call, v T) Value](methods map[string]F, name string, v T) *function {
	f := methods[name]
	if f == nil {
		return nil
	}
	return &function{name, func(c *call) Value { return f(c, v) }}
}

// Methods that change a list or dict only fail: transformers renders in an immutable sandbox, which refuses them.
var dictMethods = map[string]func(c *call, d *Dict) Value{
	"items":  func(_ *call, d *Dict) Value { return d.pairs() },
	"keys":   func(_ *call, d *Dict) Value { return &List{Items: d.keys} },
	"values": func(_ *call, d *Dict) Value { return &List{Items: d.values} },
	"copy":   func(_ *call, d *Dict) Value { return d },
	"get": func(c *call, d *Dict) Value {
		if entry, ok := d.get(c.arg(0, "")); ok {
			return entry
		}
		return c.arg(1, "default")
	},
	"update": frozenDict, "pop": frozenDict, "popitem": frozenDict, "clear": frozenDict, "setdefault": frozenDict,
}

func frozenDict(c *call, _ *Dict) Value { panic(c.errorf("a dict cannot be changed in a template")) }

var listMethods = map[string]func(c *call, l *List) Value{
	"index": func(c *call, l *List) Value {
		item := c.arg(0, "")
		if i := slices.IndexFunc(l.Items, func(x Value) bool { return equal(x, item, 0) }); i >= 0 {
			return int64(i)
		}
		panic(c.errorf("the item is not in the list"))
	},
	"count": func(c *call, l *List) Value {
		n := int64(0)
		for _, x := range l.Items {
			if equal(x, c.arg(0, ""), 0) {
				n++
			}
		}
		return n
	},
	"copy":   func(_ *call, l *List) Value { return l },
	"append": frozenList, "extend": frozenList, "insert": frozenList, "pop": frozenList, "remove": frozenList,
	"clear": frozenList, "reverse": frozenList, "sort": frozenList,
}

func frozenList(c *call, _ *List) Value { panic(c.errorf("a list cannot be changed in a template")) }

type textMethod func(c *call, t Text) Value

// textMethods are those of str.
var textMethods = map[string]textMethod{
	"upper":        pure(upper),
	"lower":        pure(lower),
	"casefold":     pure(lower),
	"capitalize":   pure(capitalize),
	"title":        func(_ *call, t Text) Value { return title(t, true) },
	"strip":        func(c *call, t Text) Value { return t.strip(true, true, c.cutset(0, "")) },
	"lstrip":       func(c *call, t Text) Value { return t.strip(true, false, c.cutset(0, "")) },
	"rstrip":       func(c *call, t Text) Value { return t.strip(false, true, c.cutset(0, "")) },
	"split":        splitMethod(Text.split, Text.fields),
	"rsplit":       splitMethod(Text.rsplit, nil),
	"splitlines":   func(c *call, t Text) Value { return list(t.lines(c.flag(0, "keepends"))) },
	"startswith":   affixMethod(strings.HasPrefix),
	"endswith":     affixMethod(strings.HasSuffix),
	"find":         findMethod(strings.Index, false),
	"rfind":        findMethod(strings.LastIndex, false),
	"index":        findMethod(strings.Index, true),
	"rindex":       findMethod(strings.LastIndex, true),
	"count":        func(c *call, t Text) Value { return int64(strings.Count(t.S, c.text(0).S)) },
	"replace":      replaceMethod,
	"join":         joinMethod,
	"removeprefix": removePrefix,
	"removesuffix": func(c *call, t Text) Value { return t.slice(0, len(strings.TrimSuffix(t.S, c.text(0).S))) },
	"zfill":        padMethod("0", true, false),
	"ljust":        padMethod(" ", false, true),
	"rjust":        padMethod(" ", true, false),
	"center":       padMethod(" ", true, true),
	"format":       formatMethod,
	"partition":    partitionMethod(strings.Index, false),
	"rpartition":   partitionMethod(strings.LastIndex, true),
	"isspace":      everyMethod(isSpace),
	"isdigit":      everyMethod(unicode.IsDigit),
	"isdecimal":    everyMethod(unicode.IsDigit),
	"isnumeric":    everyMethod(unicode.IsNumber),
	"isalpha":      everyMethod(unicode.IsLetter),
	"isalnum":      everyMethod(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
	"isupper":      caseMethod(unicode.IsUpper, unicode.IsLower),
	"islower":      caseMethod(unicode.IsLower, unicode.IsUpper),
}

// pure is the method of a function that takes no arguments.
func pure(f func(Text) Text) textMethod {
	return func(_ *call, t Text) Value { return f(t) }
}

func replaceMethod(c *call, t Text) Value {
	return replaced(c, t, c.text(0).S, c.text(1), int(c.int(2, "count", -1)))
}

func joinMethod(c *call, t Text) Value {
	var texts []Text
	for _, item := range iterate(c.arg(0, ""), c.line) {
		text, ok := item.(Text)
		if !ok {
			panic(c.errorf("sequence item: expected str instance, %s found", typeName(item)))
		}
		texts = append(texts, text)
	}
	return c.join(texts, t)
}

func removePrefix(c *call, t Text) Value {
	return t.slice(len(t.S)-len(strings.TrimPrefix(t.S, c.text(0).S)), len(t.S))
}

func list(texts []Text) *List {
	l := &List{}
	for _, t := range texts {
		l.Items = append(l.Items, t)
	}
	return l
}

func splitMethod(at func(t Text, sep string, limit int) []Text, space func(t Text, limit int) []Text) textMethod {
	return func(c *call, t Text) Value {
		limit := int(c.int(1, "maxsplit", -1))
		sep := c.arg(0, "sep")
		switch {
		case sep != nil:
			s, ok := sep.(Text)
			if !ok || s.S == "" {
				panic(c.errorf("the separator must be a string that is not empty"))
			}
			return list(at(t, s.S, limit))
		case space != nil:
			return list(space(t, limit))
		case limit >= 0:
			panic(c.errorf("with maxsplit it needs a separator here"))
		}
		return list(t.fields(-1))
	}
}

func affixMethod(has func(s, affix string) bool) textMethod {
	return func(c *call, t Text) Value {
		hasValue := func(v Value) bool {
			affix, ok := v.(Text)
			return ok && has(t.S, affix.S)
		}
		switch v := c.arg(0, "").(type) {
		case Text:
			return hasValue(v)
		case *List:
			return slices.ContainsFunc(v.Items, hasValue)
		default:
			panic(c.errorf("first arg must be str or a tuple of str, not %s", typeName(v)))
		}
	}
}

func findMethod(find func(s, sub string) int, must bool) textMethod {
	return func(c *call, t Text) Value {
		i := find(t.S, c.text(0).S)
		switch {
		case i >= 0:
			return runeCount(t.S[:i])
		case must:
			panic(c.errorf("substring not found"))
		}
		return int64(-1)
	}
}

func partitionMethod(find func(s, sub string) int, right bool) textMethod {
	return func(c *call, t Text) Value {
		sep := c.text(0)
		parts := []Value{t, Text{}, Text{}}
		if i := find(t.S, sep.S); i >= 0 {
			parts = []Value{t.slice(0, i), sep, t.slice(i+len(sep.S), len(t.S))}
		} else if right {
			parts = []Value{Text{}, Text{}, t}
		}
		return &List{parts, true}
	}
}

func everyMethod(is func(rune) bool) textMethod {
	return func(_ *call, t Text) Value {
		return t.S != "" && strings.IndexFunc(t.S, func(r rune) bool { return !is(r) }) < 0
	}
}

func caseMethod(is, not func(rune) bool) textMethod {
	return func(_ *call, t Text) Value {
		return strings.IndexFunc(t.S, is) >= 0 && strings.IndexFunc(t.S, not) < 0
	}
}

func padMethod(fill string, left, right bool) textMethod {
	return func(c *call, t Text) Value {
		width := c.int(0, "width", 0)
		pad := str(c.or(1, "fillchar", plain(fill))).S
		if utf8.RuneCountInString(pad) != 1 || width > maxItems {
			panic(c.errorf("needs a width below %d and one fill character", maxItems))
		}
		n := int(max(width-runeCount(t.S), 0))
		before := 0
		switch {
		case left && right:
			before = n/2 + n&int(width)&1 // as CPython divides an odd rest
		case left:
			before = n
		}
		sign := 0
		if fill == "0" && (strings.HasPrefix(t.S, "-") || strings.HasPrefix(t.S, "+")) {
			sign = 1
		}
		front, back := plain(strings.Repeat(pad, before)), plain(strings.Repeat(pad, n-before))
		return concat(t.slice(0, sign), front, t.slice(sign, len(t.S)), back)
	}
}
