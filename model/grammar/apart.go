package grammar

import (
	"slices"
	"strconv"
)

// maxHops is how many references are followed to tell schemas apart.
const maxHops = 32

// apart tells that no value satisfies both schemas. Where it cannot tell it is false.
func (r *reader) apart(a, b schema, hops int) bool {
	a, b = r.follow(a), r.follow(b)
	if hops > maxHops || a.tree == nil || b.tree == nil {
		return false
	}
	x, y := valuesOf(a.tree), valuesOf(b.tree)
	if x != nil && y != nil {
		return !slices.ContainsFunc(x, func(v string) bool { return slices.Contains(y, v) })
	}
	kinds, others := r.kinds(a, 0), r.kinds(b, 0)
	common := slices.DeleteFunc(slices.Clone(kinds), func(k string) bool { return !slices.Contains(others, k) })
	switch {
	case len(common) == 0:
		return true
	case len(common) > 1 || common[0] != "object" || x != nil || y != nil:
		return false
	}
	properties, more := a.get("properties"), b.get("properties")
	if properties == nil || more == nil {
		return false
	}
	for _, m := range properties.members {
		other := more.get(m.name)
		if other != nil && requires(a.tree, m.name) && requires(b.tree, m.name) &&
			r.apart(a.child(m.value), b.child(other), hops+1) {
			return true
		}
	}
	return false
}

func requires(t *tree, name string) bool {
	list := t.get("required")
	return list != nil && slices.ContainsFunc(list.items, func(x *tree) bool { return x.text == name })
}

// follow is the schema that a $ref names; its tree is nil where there is none.
func (r *reader) follow(s schema) schema {
	for range maxHops {
		v := s.get("$ref")
		if v == nil {
			return s
		}
		next, err := r.resolve(s, v)
		if err != nil {
			break
		}
		s = next
	}
	return schema{}
}

// valuesOf are those of const and enum, as texts that equal values share; nil where there is neither.
func valuesOf(t *tree) (list []string) {
	values := []*tree{t.get("const")}
	if values[0] == nil {
		e := t.get("enum")
		if e == nil {
			return nil
		}
		values = e.items
	}
	for _, v := range values {
		text := v.String()
		if x, err := strconv.ParseFloat(v.text, 64); err == nil && v.kind == treeNumber {
			text = strconv.FormatFloat(x, 'g', -1, 64)
		}
		list = append(list, text)
	}
	return list
}

// kinds are the types that values of a schema may have; integer is among number.
func (r *reader) kinds(s schema, hops int) (kinds []string) {
	add := func(k string) {
		if k == "integer" {
			k = "number"
		}
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	s = r.follow(s)
	if hops > maxHops || s.tree == nil || s.kind != treeObject {
		return allKinds()
	}
	for _, name := range []string{"anyOf", "oneOf", "allOf"} {
		if list := s.get(name); list != nil {
			for _, t := range list.items {
				for _, k := range r.kinds(s.child(t), hops+1) {
					add(k)
				}
			}
			return kinds
		}
	}
	if v := s.get("const"); v != nil {
		return []string{string(v.kind)}
	}
	if v := s.get("enum"); v != nil {
		for _, x := range v.items {
			add(string(x.kind))
		}
		return kinds
	}
	types, err := typesOf(s)
	if err != nil || types == nil {
		return allKinds()
	}
	for _, t := range types {
		add(t)
	}
	return kinds
}

func allKinds() []string { return []string{"object", "array", "string", "number", "boolean", "null"} }
