package jinja

import (
	"slices"
	"strconv"
	"strings"
)

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
	name := c.arg(i, "attribute")
	if name == nil {
		return func(v Value) Value { return v }
	}
	return func(v Value) Value { return path(v, name) }
}

func reverse(c *call, v Value) Value {
	minus := int64(-1)
	if t, ok := v.(Text); ok {
		return (&bounds{2: &minus}).of(t, c.line)
	}
	out := slices.Clone(iterate(v, c.line))
	slices.Reverse(out)
	return &List{Items: out}
}

func joinFilter(c *call, list []Value) Value {
	sep := c.arg(0, "d")
	if sep == nil {
		sep = Text{}
	}
	key := c.keyOf(1)
	texts := make([]Text, len(list))
	for i, v := range list {
		texts[i] = str(key(v))
	}
	return c.join(texts, str(sep))
}

// join puts texts together with a separator.
func (c *call) join(texts []Text, sep Text) Text {
	size := 0
	for _, t := range texts {
		size += len(t.S) + len(sep.S)
	}
	if size > maxText {
		panic(c.errorf("the text grows beyond %d bytes", maxText))
	}
	var b builder
	for i, t := range texts {
		if i > 0 {
			b.add(sep)
		}
		b.add(t)
	}
	return b.text()
}

func sum(c *call, list []Value) Value {
	total := c.or(1, "start", int64(0))
	key := c.keyOf(0)
	for _, v := range list {
		total = arithmetic("+", total, key(v), c.line)
	}
	return total
}

// extreme is min, or max if it sorts backwards.
func extreme(backwards bool) func(c *call, list []Value) Value {
	return func(c *call, list []Value) Value {
		return edge(c.sort(list, c.keyOf(1), c.flag(0, "case_sensitive"), backwards), 0)
	}
}

func sorted(c *call, list []Value) Value {
	return &List{Items: c.sort(list, c.keyOf(2), c.flag(1, "case_sensitive"), c.flag(0, "reverse"))}
}

func unique(c *call, list []Value) Value {
	sensitive := c.flag(0, "case_sensitive")
	key := c.keyOf(1)
	seen := map[any]bool{}
	out := &List{}
	for _, v := range list {
		k := key(v)
		if t, ok := k.(Text); ok && !sensitive {
			k = plain(strings.ToLower(t.S))
		}
		h, ok := hashKey(k)
		if !ok {
			panic(c.errorf("unhashable type: '%s'", typeName(k)))
		}
		if !seen[h] {
			seen[h] = true
			out.Items = append(out.Items, v)
		}
	}
	return out
}

func batch(c *call, list []Value) Value {
	n := min(c.int(0, "linecount", 0), maxItems)
	if n < 1 {
		panic(c.errorf("linecount must be at least 1"))
	}
	fill := c.arg(1, "fill_with")
	out := &List{}
	for chunk := range slices.Chunk(list, int(n)) {
		row := slices.Clone(chunk)
		for fill != nil && int64(len(row)) < n {
			row = append(row, fill)
		}
		out.Items = append(out.Items, &List{Items: row})
	}
	return out
}

func groupBy(c *call, list []Value) Value {
	key := c.keyOf(0)
	out := &List{}
	var last *List
	for _, item := range c.sort(list, key, c.flag(2, "case_sensitive"), false) {
		if last == nil || !equal(last.Items[0], key(item), 0) {
			last = &List{[]Value{key(item), &List{}}, true}
			out.Items = append(out.Items, last)
		}
		group := last.Items[1].(*List)
		group.Items = append(group.Items, item)
	}
	return out
}

func mapFilter(c *call, list []Value) Value {
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
		return out
	}
	name := str(c.args[0]).S
	f := c.st.filters[name]
	if f == nil {
		panic(c.errorf("no filter named '%s'", name))
	}
	inner := &call{st: c.st, name: name, line: c.line, args: c.args[1:], named: c.named}
	for _, v := range list {
		c.st.tick(c.line)
		out.Items = append(out.Items, f(inner, v))
	}
	return out
}

// choose is select and reject, and selectattr and rejectattr.
func choose(byAttribute, keep bool) func(c *call, list []Value) Value {
	return func(c *call, list []Value) Value {
		args := c.args
		key := func(v Value) Value { return v }
		if byAttribute {
			if len(args) == 0 {
				panic(c.errorf("needs the name of an attribute"))
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
				holds = inner.test(str(args[0]).S, key(v))
			}
			if holds == keep {
				out.Items = append(out.Items, v)
			}
		}
		return out
	}
}

// pairs are the entries of a dict as tuples.
func (d *Dict) pairs() *List {
	l := &List{}
	for i, key := range d.keys {
		l.Items = append(l.Items, &List{[]Value{key, d.values[i]}, true})
	}
	return l
}
