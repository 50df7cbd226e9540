package grammar

import (
	"slices"
	"strconv"
)

// typeNames are the types of JSON Schema.
func typeNames() []string {
	return []string{"object", "array", "string", "number", "integer", "boolean", "null"}
}

// ofType is a value of a type.
func (r *reader) ofType(name string, s schema) (*expression, error) {
	switch name {
	case "object":
		return r.objectOf(s)
	case "array":
		return r.arrayOf(s)
	case "string":
		return r.textOf(s)
	case "number":
		return r.number, nil
	case "integer":
		return r.integer, nil
	case "boolean":
		return r.either(r.literal("true"), r.literal("false")), nil
	}
	return r.literal("null"), nil
}

// typed is a value of the types that a schema names. One that names none has the types that its keywords are about: a
// value of these satisfies it, though others would too.
func (r *reader) typed(s schema) (*expression, error) {
	types, err := typesOf(s)
	if err != nil {
		return nil, err
	}
	if types == nil {
		if types = impliedTypes(s.tree); types == nil {
			return r.ref(r.any), nil
		}
	}
	parts := make([]*expression, len(types))
	for i, t := range types {
		if parts[i], err = r.ofType(t, s); err != nil {
			return nil, err
		}
	}
	return r.either(parts...), nil
}

// impliedTypes are those that keywords of a schema without a type are about.
func impliedTypes(t *tree) (types []string) {
	for _, k := range keywords() {
		if k.of != "" && t.get(k.name) != nil && !slices.Contains(types, k.of) {
			types = append(types, k.of)
		}
	}
	return types
}

func (r *reader) textOf(s schema) (*expression, error) {
	low, high, err := s.bounds("minLength", "maxLength")
	if err != nil {
		return nil, err
	}
	return r.text(low, high), nil
}

func (r *reader) arrayOf(s schema) (*expression, error) {
	low, high, err := s.bounds("minItems", "maxItems")
	if err != nil {
		return nil, err
	}
	item, err := r.valueOr(s, "items", r.ref(r.any))
	if err != nil {
		return nil, err
	}
	if item == r.nothing && low > 0 {
		return nil, s.wrong("minItems is %d, and items is false", low)
	}
	return r.array(item, low, high), nil
}

// objectOf is an object: the properties in their order, then those that required names beside them, then others. Where
// properties are listed there are others only if additionalProperties is said: the schema is satisfied without them.
func (r *reader) objectOf(s schema) (*expression, error) {
	more, err := r.valueOr(s, "additionalProperties", r.ref(r.any))
	if err != nil {
		return nil, err
	}
	beside := more
	if s.get("properties") != nil && s.get("additionalProperties") == nil {
		beside = r.nothing
	}
	var required []string
	if v := s.get("required"); v != nil {
		for _, t := range v.items {
			required = append(required, t.text)
		}
		if v.kind != treeList || slices.ContainsFunc(v.items, func(t *tree) bool { return t.kind != treeText }) {
			return nil, s.wrong("required must be a list of names")
		}
	}
	var list []member
	if v := s.get("properties"); v != nil {
		if v.kind != treeObject {
			return nil, s.wrong("properties must be an object of schemas")
		}
		for _, m := range v.members {
			value, err := r.value(s.child(m.value, "properties", m.name))
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(list, func(other member) bool { return other.name == m.name }) {
				return nil, s.wrong("properties has %s twice", quote(m.name))
			}
			list = append(list, member{m.name, value, slices.Contains(required, m.name)})
		}
	}
	for _, name := range required {
		if slices.ContainsFunc(list, func(m member) bool { return m.name == name }) {
			continue
		}
		if more == r.nothing {
			return nil, s.wrong("required names %s, which is no property, and additionalProperties is false", quote(name))
		}
		list = append(list, member{name, more, true})
	}
	return r.object(r.members(list, beside)), nil
}

// valueOr is the schema of a keyword: without it what is given, and nothing where it is false.
func (r *reader) valueOr(s schema, name string, otherwise *expression) (*expression, error) {
	v := s.get(name)
	switch {
	case v == nil:
		return otherwise, nil
	case v.kind == treeBool && v.text == "false":
		return r.nothing, nil
	}
	return r.value(s.child(v, name))
}

// bounds reads how many there may be.
func (s schema) bounds(lowName, highName string) (low, high int, err error) {
	high = unbounded
	for _, x := range []struct {
		name string
		to   *int
	}{{lowName, &low}, {highName, &high}} {
		v := s.get(x.name)
		if v == nil {
			continue
		}
		n, err := strconv.Atoi(v.text)
		if v.kind != treeNumber || err != nil || n < 0 {
			return 0, 0, s.wrong("%s is %s; expected a whole number of at least 0", x.name, v)
		}
		*x.to = min(n, unbounded)
	}
	if low > maxLow {
		return 0, 0, s.wrong("%s is %d; the most are %d", lowName, low, maxLow)
	}
	if low > high {
		return 0, 0, s.wrong("%s is %d and %s %d: nothing has both", lowName, low, highName, high)
	}
	return low, high, nil
}
