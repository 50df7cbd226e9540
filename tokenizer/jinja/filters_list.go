package jinja

import (
	"slices"
	"strconv"
	"strings"
)

// listFilter gives a filter of what can be iterated over, or nil.
func listFilter(name string) func(c *call, list []Value) (Value, error) {
	switch name {
	case "first":
		return func(c *call, l []Value) (Value, error) { return edge(l, 0), nil }
	case "last":
		return func(c *call, l []Value) (Value, error) { return edge(l, len(l)-1), nil }
	case "list":
		return func(c *call, l []Value) (Value, error) { return &List{Items: slices.Clone(l)}, nil }
	case "join":
		return joinFilter
	case "sum":
		return sum
	case "min":
		return func(c *call, l []Value) (Value, error) { return extreme(c, l, -1) }
	case "max":
		return func(c *call, l []Value) (Value, error) { return extreme(c, l, 1) }
	case "sort":
		return sorted
	case "unique":
		return unique
	case "batch":
		return batch
	case "groupby":
		return groupBy
	case "map":
		return mapFilter
	case "select", "reject", "selectattr", "rejectattr":
		return func(c *call, l []Value) (Value, error) {
			return choose(c, l, strings.HasSuffix(name, "attr"), strings.HasPrefix(name, "select"))
		}
	}
	return nil
}

func edge(list []Value, i int) Value {
	if len(list) == 0 {
		return Undefined{"the sequence was empty"}
	}
	return list[i]
}

// path reads "a.b.0" of a value, as the attribute arguments of filters do.
func path(v Value, name Value) Value {
	if _, ok := name.(int64); ok {
		return subscript(v, name)
	}
	for _, part := range strings.Split(str(name).S, ".") {
		if _, ok := v.(Undefined); ok {
			return v
		}
		if i, err := strconv.ParseInt(part, 10, 64); err == nil {
			v = subscript(v, i)
		} else {
			v = subscript(v, plain(part))
		}
	}
	return v
}

// keyOf gives the function that reads the attribute named by an argument, or the value itself.
func (c *call) keyOf(i int) func(Value) Value {
	name, ok := c.get(i, "attribute")
	if !ok || name == nil {
		return func(v Value) Value { return v }
	}
	return func(v Value) Value { return path(v, name) }
}

func reverse(c *call, v Value) (Value, error) {
	minus := int64(-1)
	if t, ok := v.(Text); ok {
		return (&bounds{step: &minus}).of(t, c.line)
	}
	list, err := iterate(v, c.line)
	out := slices.Clone(list)
	slices.Reverse(out)
	return &List{Items: out}, err
}

func joinFilter(c *call, list []Value) (Value, error) {
	sep, _ := c.get(0, "d")
	if sep == nil {
		sep = Text{}
	}
	key := c.keyOf(1)
	texts := make([]Text, len(list))
	size := 0
	for i, v := range list {
		texts[i] = str(key(v))
		size += len(texts[i].S) + len(str(sep).S)
	}
	if size > maxText {
		return nil, c.errorf("the text grows beyond %d bytes", maxText)
	}
	return join(texts, str(sep)), nil
}

func sum(c *call, list []Value) (Value, error) {
	total, ok := c.get(1, "start")
	if !ok {
		total = int64(0)
	}
	key := c.keyOf(0)
	for _, v := range list {
		var err error
		if total, err = arithmetic("+", total, key(v), c.line); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// extreme is min (sign -1) or max (sign 1).
func extreme(c *call, list []Value, sign int) (Value, error) {
	backwards := sign > 0
	sensitive, _ := c.get(0, "case_sensitive")
	v, err := c.sort(list, c.keyOf(1), truth(sensitive), backwards)
	if err != nil {
		return nil, err
	}
	return edge(v.(*List).Items, 0), nil
}

func sorted(c *call, list []Value) (Value, error) {
	backwards, _ := c.get(0, "reverse")
	sensitive, _ := c.get(1, "case_sensitive")
	return c.sort(list, c.keyOf(2), truth(sensitive), truth(backwards))
}

func unique(c *call, list []Value) (Value, error) {
	sensitive, _ := c.get(0, "case_sensitive")
	key := c.keyOf(1)
	seen := map[any]bool{}
	out := &List{}
	for _, v := range list {
		k := key(v)
		if t, ok := k.(Text); ok && !truth(sensitive) {
			k = plain(strings.ToLower(t.S))
		}
		h, ok := hashKey(k)
		if !ok {
			return nil, c.errorf("unhashable type: '%s'", typeName(k))
		}
		if !seen[h] {
			seen[h] = true
			out.Items = append(out.Items, v)
		}
	}
	return out, nil
}

func batch(c *call, list []Value) (Value, error) {
	v, _ := c.get(0, "linecount")
	n, _ := v.(int64)
	if n < 1 {
		return nil, c.errorf("linecount must be at least 1")
	}
	fill, _ := c.get(1, "fill_with")
	out := &List{}
	for chunk := range slices.Chunk(list, int(min(n, maxItems))) {
		row := slices.Clone(chunk)
		for fill != nil && int64(len(row)) < min(n, maxItems) {
			row = append(row, fill)
		}
		out.Items = append(out.Items, &List{Items: row})
	}
	return out, nil
}

func groupBy(c *call, list []Value) (Value, error) {
	key := c.keyOf(0)
	sensitive, _ := c.get(2, "case_sensitive")
	v, err := c.sort(list, key, truth(sensitive), false)
	if err != nil {
		return nil, err
	}
	out := &List{}
	var last *List
	for _, item := range v.(*List).Items {
		if last == nil || !equal(last.Items[0], key(item), 0) {
			last = &List{[]Value{key(item), &List{}}, true}
			out.Items = append(out.Items, last)
		}
		group := last.Items[1].(*List)
		group.Items = append(group.Items, item)
	}
	return out, nil
}

func mapFilter(c *call, list []Value) (Value, error) {
	out := &List{}
	if len(c.args) == 0 {
		fallback, hasDefault := c.get(1, "default")
		key := c.keyOf(0)
		for _, v := range list {
			item := key(v)
			if _, undefined := item.(Undefined); undefined && hasDefault {
				item = fallback
			}
			out.Items = append(out.Items, item)
		}
		return out, nil
	}
	name := str(c.args[0]).S
	f := filterNamed(name)
	if f == nil {
		return nil, c.errorf("no filter named '%s'", name)
	}
	inner := &call{st: c.st, name: name, line: c.line, args: c.args[1:], named: c.named}
	for _, v := range list {
		if err := c.st.tick(c.line); err != nil {
			return nil, err
		}
		item, err := f(inner, v)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// choose is select, reject, selectattr and rejectattr.
func choose(c *call, list []Value, byAttribute, keep bool) (Value, error) {
	args := c.args
	key := func(v Value) Value { return v }
	if byAttribute {
		if len(args) == 0 {
			return nil, c.errorf("needs the name of an attribute")
		}
		name := args[0]
		key = func(v Value) Value { return path(v, name) }
		args = args[1:]
	}
	out := &List{}
	for _, v := range list {
		holds := truth(key(v))
		if len(args) > 0 {
			inner := &call{st: c.st, name: c.name, line: c.line, args: args[1:]}
			var err error
			if holds, err = inner.test(str(args[0]).S, key(v)); err != nil {
				return nil, err
			}
		}
		if holds == keep {
			out.Items = append(out.Items, v)
		}
	}
	return out, nil
}

// pairs are the entries of a dict as tuples.
func (d *Dict) pairs() *List {
	l := &List{}
	for i, key := range d.keys {
		l.Items = append(l.Items, &List{[]Value{key, d.values[i]}, true})
	}
	return l
}
