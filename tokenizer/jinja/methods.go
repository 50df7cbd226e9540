package jinja

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// method gives the bound method of a value, or nil. Methods that change a list or dict do not exist: transformers
// renders in an immutable sandbox, which refuses them.
func method(v Value, name string) *function {
	bind := func(f func(c *call) (Value, error)) *function { return &function{name, f} }
	switch v := v.(type) {
	case Text:
		if f := textMethodNamed(name); f != nil {
			return bind(func(c *call) (Value, error) { return f(c, v) })
		}
	case *Dict:
		switch name {
		case "items":
			return bind(func(*call) (Value, error) { return v.pairs(), nil })
		case "keys":
			return bind(func(*call) (Value, error) { return &List{Items: v.keys}, nil })
		case "values":
			return bind(func(*call) (Value, error) { return &List{Items: v.values}, nil })
		case "get":
			return bind(func(c *call) (Value, error) {
				key, _ := c.get(0, "")
				if entry, ok := v.get(key); ok {
					return entry, nil
				}
				fallback, _ := c.get(1, "default")
				return fallback, nil
			})
		case "copy":
			return bind(func(*call) (Value, error) { return v, nil })
		case "update", "pop", "popitem", "clear", "setdefault":
			return bind(func(c *call) (Value, error) { return nil, c.errorf("a dict cannot be changed in a template") })
		}
	case *List:
		switch name {
		case "index":
			return bind(func(c *call) (Value, error) {
				item, _ := c.get(0, "")
				if i := slices.IndexFunc(v.Items, func(x Value) bool { return equal(x, item, 0) }); i >= 0 {
					return int64(i), nil
				}
				return nil, c.errorf("the item is not in the list")
			})
		case "count":
			return bind(func(c *call) (Value, error) {
				item, _ := c.get(0, "")
				n := int64(0)
				for _, x := range v.Items {
					if equal(x, item, 0) {
						n++
					}
				}
				return n, nil
			})
		case "copy":
			return bind(func(*call) (Value, error) { return v, nil })
		case "append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort":
			return bind(func(c *call) (Value, error) { return nil, c.errorf("a list cannot be changed in a template") })
		}
	}
	return nil
}

type textMethod func(c *call, t Text) (Value, error)

// textMethodNamed gives a method of str, or nil.
func textMethodNamed(name string) textMethod {
	switch name {
	case "upper":
		return func(_ *call, t Text) (Value, error) { return upper(t), nil }
	case "lower":
		return func(_ *call, t Text) (Value, error) { return lower(t), nil }
	case "casefold":
		return func(_ *call, t Text) (Value, error) { return lower(t), nil }
	case "capitalize":
		return func(_ *call, t Text) (Value, error) { return capitalize(t), nil }
	case "title":
		return func(_ *call, t Text) (Value, error) { return title(t, true), nil }
	case "strip":
		return stripMethod(true, true)
	case "lstrip":
		return stripMethod(true, false)
	case "rstrip":
		return stripMethod(false, true)
	case "split":
		return splitMethod(Text.split, Text.fields)
	case "rsplit":
		return splitMethod(Text.rsplit, nil)
	case "splitlines":
		return func(c *call, t Text) (Value, error) {
			keep, _ := c.get(0, "keepends")
			return list(t.lines(truth(keep))), nil
		}
	case "startswith":
		return affixMethod(strings.HasPrefix)
	case "endswith":
		return affixMethod(strings.HasSuffix)
	case "find":
		return findMethod(strings.Index, false)
	case "rfind":
		return findMethod(strings.LastIndex, false)
	case "index":
		return findMethod(strings.Index, true)
	case "rindex":
		return findMethod(strings.LastIndex, true)
	case "count":
		return func(c *call, t Text) (Value, error) {
			s, err := c.text(0)
			return int64(strings.Count(t.S, s.S)), err
		}
	case "replace":
		return replaceMethod
	case "join":
		return joinMethod
	case "removeprefix":
		return func(c *call, t Text) (Value, error) {
			s, err := c.text(0)
			return t.slice(len(t.S)-len(strings.TrimPrefix(t.S, s.S)), len(t.S)), err
		}
	case "removesuffix":
		return func(c *call, t Text) (Value, error) {
			s, err := c.text(0)
			return t.slice(0, len(strings.TrimSuffix(t.S, s.S))), err
		}
	case "zfill":
		return padMethod("0", true, false)
	case "ljust":
		return padMethod(" ", false, true)
	case "rjust":
		return padMethod(" ", true, false)
	case "center":
		return padMethod(" ", true, true)
	case "format":
		return formatMethod
	case "partition":
		return partitionMethod(strings.Index, false)
	case "rpartition":
		return partitionMethod(strings.LastIndex, true)
	}
	return textTest(name)
}

// textTest gives a method of str that says what its characters are, or nil.
func textTest(name string) textMethod {
	switch name {
	case "isspace":
		return everyMethod(isSpace)
	case "isdigit", "isdecimal":
		return everyMethod(unicode.IsDigit)
	case "isnumeric":
		return everyMethod(unicode.IsNumber)
	case "isalpha":
		return everyMethod(unicode.IsLetter)
	case "isalnum":
		return everyMethod(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
	case "isupper":
		return caseMethod(unicode.IsUpper, unicode.IsLower)
	case "islower":
		return caseMethod(unicode.IsLower, unicode.IsUpper)
	}
	return nil
}

func replaceMethod(c *call, t Text) (Value, error) {
	old, err := c.text(0)
	if err != nil {
		return nil, err
	}
	with, err := c.text(1)
	if err != nil {
		return nil, err
	}
	limit := int64(-1)
	if v, ok := c.get(2, "count"); ok {
		limit, _ = v.(int64)
	}
	return replaced(c, t, old.S, with, int(limit))
}

func joinMethod(c *call, t Text) (Value, error) {
	v, _ := c.get(0, "")
	items, err := iterate(v, c.line)
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		if _, ok := item.(Text); !ok {
			return nil, c.errorf("sequence item: expected str instance, %s found", typeName(item))
		}
	}
	return joinFilter(&call{st: c.st, name: c.name, line: c.line, args: []Value{t}}, items)
}

// text is a positional argument that must be a string.
func (c *call) text(i int) (Text, error) {
	v, _ := c.get(i, "")
	t, ok := v.(Text)
	if !ok {
		return Text{}, c.errorf("argument %d must be str, not %s", i+1, typeName(v))
	}
	return t, nil
}

func list(texts []Text) *List {
	l := &List{}
	for _, t := range texts {
		l.Items = append(l.Items, t)
	}
	return l
}

func stripMethod(left, right bool) textMethod {
	return func(c *call, t Text) (Value, error) {
		cut, err := c.cutset(0, "")
		return t.strip(left, right, cut), err
	}
}

func splitMethod(at func(t Text, sep string, limit int) []Text, space func(t Text, limit int) []Text) textMethod {
	return func(c *call, t Text) (Value, error) {
		limit := int64(-1)
		if v, ok := c.get(1, "maxsplit"); ok {
			limit, _ = v.(int64)
		}
		sep, ok := c.get(0, "sep")
		if !ok || sep == nil {
			if space == nil {
				if limit >= 0 {
					return nil, c.errorf("with maxsplit it needs a separator here")
				}
				return list(t.fields(-1)), nil
			}
			return list(space(t, int(limit))), nil
		}
		s, ok := sep.(Text)
		if !ok || s.S == "" {
			return nil, c.errorf("the separator must be a string that is not empty")
		}
		return list(at(t, s.S, int(limit))), nil
	}
}

func affixMethod(has func(s, affix string) bool) textMethod {
	return func(c *call, t Text) (Value, error) {
		v, _ := c.get(0, "")
		switch v := v.(type) {
		case Text:
			return has(t.S, v.S), nil
		case *List:
			for _, item := range v.Items {
				if s, ok := item.(Text); ok && has(t.S, s.S) {
					return true, nil
				}
			}
			return false, nil
		}
		return nil, c.errorf("first arg must be str or a tuple of str, not %s", typeName(v))
	}
}

func findMethod(find func(s, sub string) int, must bool) textMethod {
	return func(c *call, t Text) (Value, error) {
		sub, err := c.text(0)
		if err != nil {
			return nil, err
		}
		i := find(t.S, sub.S)
		if i < 0 {
			if must {
				return nil, c.errorf("substring not found")
			}
			return int64(-1), nil
		}
		return runeCount(t.S[:i]), nil
	}
}

func partitionMethod(find func(s, sub string) int, right bool) textMethod {
	return func(c *call, t Text) (Value, error) {
		sep, err := c.text(0)
		if err != nil {
			return nil, err
		}
		parts := []Value{t, Text{}, Text{}}
		if i := find(t.S, sep.S); i >= 0 {
			parts = []Value{t.slice(0, i), sep, t.slice(i+len(sep.S), len(t.S))}
		} else if right {
			parts = []Value{Text{}, Text{}, t}
		}
		return &List{parts, true}, nil
	}
}

func everyMethod(is func(rune) bool) textMethod {
	return func(_ *call, t Text) (Value, error) {
		return t.S != "" && strings.IndexFunc(t.S, func(r rune) bool { return !is(r) }) < 0, nil
	}
}

func caseMethod(is, not func(rune) bool) textMethod {
	return func(_ *call, t Text) (Value, error) {
		return strings.IndexFunc(t.S, is) >= 0 && strings.IndexFunc(t.S, not) < 0, nil
	}
}

func padMethod(fill string, left, right bool) textMethod {
	return func(c *call, t Text) (Value, error) {
		v, _ := c.get(0, "width")
		width, _ := v.(int64)
		pad := fill
		if f, ok := c.get(1, "fillchar"); ok {
			pad = str(f).S
		}
		if utf8.RuneCountInString(pad) != 1 || width > maxItems {
			return nil, c.errorf("needs a width below %d and one fill character", maxItems)
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
		return concat(t.slice(0, sign), front, t.slice(sign, len(t.S)), back), nil
	}
}
