package grammar

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Limits of a schema, so that no request makes the others wait.
const (
	maxSchema = 128 << 10 // bytes
	maxEnum   = 1000
	maxLow    = 10000 // of minItems and minLength
)

// keyword is a keyword of JSON Schema (draft 2020-12, and definitions as before it).
type keyword struct {
	name string
	of   string // the type that it says something of, "": any value
	note bool   // it changes nothing
}

// keywords are all that are known; a schema with another one is refused.
func keywords() []keyword {
	return []keyword{
		{name: "type"}, {name: "enum"}, {name: "const"}, {name: "anyOf"}, {name: "oneOf"}, {name: "allOf"}, {name: "$ref"},
		{name: "properties", of: "object"}, {name: "required", of: "object"}, {name: "additionalProperties", of: "object"},
		{name: "items", of: "array"}, {name: "minItems", of: "array"}, {name: "maxItems", of: "array"},
		{name: "minLength", of: "string"}, {name: "maxLength", of: "string"},
		{name: "$defs", note: true}, {name: "definitions", note: true}, {name: "title", note: true},
		{name: "description", note: true}, {name: "default", note: true}, {name: "examples", note: true},
		{name: "$schema", note: true}, {name: "$id", note: true}, {name: "$comment", note: true},
		{name: "deprecated", note: true}, {name: "readOnly", note: true}, {name: "writeOnly", note: true},
	}
}

// Error is a schema that cannot be generated from.
type Error struct {
	At     string // JSON pointer, such as #/properties/age
	Reason string
}

func (e *Error) Error() string { return "schema at " + e.At + ": " + e.Reason }

// schema is a part of a schema that is being read.
type schema struct {
	*tree
	at    string
	heads *[]*ruleBody // rules that the value may begin with; nil where something stands before it
}

func (s schema) wrong(format string, args ...any) *Error {
	return &Error{s.at, fmt.Sprintf(format, args...)}
}

// child is a schema inside another one.
func (s schema) child(t *tree, path ...string) schema {
	at := s.at
	for _, p := range path {
		at += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(p)
	}
	return schema{tree: t, at: at}
}

// reader makes expressions of one schema.
type reader struct {
	*forms
	root  *tree
	rules map[string]*ruleBody // by pointer
	queue []schema             // rules that were named and not read yet
}

// FromSchema is JSON that satisfies a schema.
func FromSchema(src []byte) (*Grammar, error) {
	f := newForms(keptBytes)
	root, err := f.schema(src)
	if err != nil {
		return nil, err
	}
	return &Grammar{forge: f.forge, root: f.seq(f.optional(f.literal(" ")), root)}, nil
}

// Object is any JSON object.
func Object() *Grammar {
	f := newForms(keptBytes)
	object := f.object(f.members(nil, f.ref(f.any)))
	return &Grammar{forge: f.forge, root: f.seq(f.optional(f.literal(" ")), object)}
}

// schema makes the expression of a schema.
func (f *forms) schema(src []byte) (*expression, error) {
	if len(src) > maxSchema {
		return nil, &Error{"#", fmt.Sprintf("it has %d bytes; the most are %d", len(src), maxSchema)}
	}
	root, err := parseTree(src)
	if err != nil {
		return nil, &Error{"#", err.Error()}
	}
	r := &reader{forms: f, root: root, rules: map[string]*ruleBody{}}
	e, err := r.value(schema{tree: root, at: "#"})
	if err != nil {
		return nil, err
	}
	for len(r.queue) > 0 {
		next := r.queue[0]
		r.queue = r.queue[1:]
		rule := r.rules[next.at]
		next.heads = &rule.heads
		if rule.is, err = r.value(next); err != nil {
			return nil, err
		}
	}
	return e, r.checkRules()
}

// value is what a schema allows.
func (r *reader) value(s schema) (*expression, error) {
	switch {
	case s.kind == treeBool && s.text == "true":
		return r.ref(r.any), nil
	case s.kind == treeBool:
		return nil, s.wrong("false allows nothing")
	case s.kind != treeObject:
		return nil, s.wrong("it is %s; expected an object", s.tree.kind)
	}
	for _, m := range s.members {
		i := slices.IndexFunc(keywords(), func(k keyword) bool { return k.name == m.name })
		harmless := m.name == "uniqueItems" && m.value.String() == "false" || m.value.kind == treeNull && i < 0
		if i < 0 && !harmless {
			return nil, s.wrong("%s is not supported; leave it out (supported are %s)", m.name, supported())
		}
	}
	for _, k := range []struct {
		name string
		read func(s schema, v *tree) (*expression, error)
		with []string
	}{
		{"$ref", r.reference, nil},
		{"anyOf", r.anyOf, nil},
		{"oneOf", r.oneOf, nil},
		{"allOf", r.allOf, nil},
		{"const", r.constant, []string{"type"}},
		{"enum", r.enum, []string{"type"}},
	} {
		v := s.get(k.name)
		if v == nil {
			continue
		}
		for _, other := range keywords() {
			if other.name != k.name && !other.note && s.get(other.name) != nil && !slices.Contains(k.with, other.name) {
				return nil, s.wrong("%s beside %s is not supported", other.name, k.name)
			}
		}
		return k.read(s, v)
	}
	return r.typed(s)
}

// supported names the keywords that say something.
func supported() string {
	var names []string
	for _, k := range keywords() {
		if !k.note {
			names = append(names, k.name)
		}
	}
	return strings.Join(names, ", ")
}

// reference is the rule of another part of the schema.
func (r *reader) reference(s schema, v *tree) (*expression, error) {
	target, err := r.resolve(s, v)
	if err != nil {
		return nil, err
	}
	rule, ok := r.rules[target.at]
	if !ok {
		rule = &ruleBody{where: target.at}
		r.rules[target.at] = rule
		r.queue = append(r.queue, target)
	}
	if s.heads != nil {
		*s.heads = append(*s.heads, rule)
	}
	return r.ref(rule), nil
}

// resolve finds what a $ref names: "#" and a JSON pointer (RFC 6901).
func (r *reader) resolve(s schema, v *tree) (schema, error) {
	path, ok := strings.CutPrefix(v.text, "#")
	if !ok || v.kind != treeText || path != "" && path[0] != '/' {
		return s, s.wrong("$ref is %s; expected a pointer inside the schema, such as #/$defs/name", v)
	}
	at := schema{tree: r.root, at: "#"}
	if path == "" {
		return at, nil
	}
	for _, part := range strings.Split(path[1:], "/") {
		if decoded, err := url.PathUnescape(part); err == nil {
			part = decoded
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		next := at.get(part)
		if i, err := strconv.Atoi(part); err == nil && at.kind == treeList && i >= 0 && i < len(at.items) {
			next = at.items[i]
		}
		if next == nil {
			return s, s.wrong("$ref %s: there is no %q in %s", v, part, at.at)
		}
		at = at.child(next, part)
	}
	return at, nil
}

// anyOf is one of several schemas.
func (r *reader) anyOf(s schema, v *tree) (*expression, error) { return r.oneFrom(s, v, "anyOf") }

func (r *reader) oneFrom(s schema, v *tree, name string) (*expression, error) {
	if len(v.items) == 0 {
		return nil, s.wrong("%s must be a list of schemas", name)
	}
	var parts []*expression
	for i, t := range v.items {
		c := s.child(t, name, strconv.Itoa(i))
		c.heads = s.heads
		e, err := r.value(c)
		if err != nil {
			return nil, err
		}
		parts = append(parts, e)
	}
	return r.either(parts...), nil
}

// oneOf is exactly one of several schemas: they must be such that no value satisfies two of them.
func (r *reader) oneOf(s schema, v *tree) (*expression, error) {
	e, err := r.oneFrom(s, v, "oneOf")
	if err != nil {
		return nil, err
	}
	for i, a := range v.items {
		for j, b := range v.items[:i] {
			if !r.apart(s.child(a), s.child(b), 0) {
				return nil, s.wrong("a value may satisfy both oneOf/%d and oneOf/%d; give them different types, or a "+
					"required property with a const of its own, or say anyOf", j, i)
			}
		}
	}
	return e, nil
}

// allOf is supported with one schema, as some programs write a $ref.
func (r *reader) allOf(s schema, v *tree) (*expression, error) {
	if len(v.items) != 1 {
		return nil, s.wrong("allOf is supported with one schema only")
	}
	return r.oneFrom(s, v, "allOf")
}

func (r *reader) constant(s schema, v *tree) (*expression, error) {
	return r.values(s, []*tree{v}, "const")
}

func (r *reader) enum(s schema, v *tree) (*expression, error) {
	if v.kind != treeList || len(v.items) == 0 || len(v.items) > maxEnum {
		return nil, s.wrong("enum must be a list of at least one value, and at most %d", maxEnum)
	}
	return r.values(s, v.items, "enum")
}

// values is those of a list that have the type which stands beside it.
func (r *reader) values(s schema, list []*tree, name string) (*expression, error) {
	types, err := typesOf(s)
	if err != nil {
		return nil, err
	}
	var parts []*expression
	for _, v := range list {
		whole := v.kind == treeNumber && !strings.ContainsAny(v.text, ".eE")
		if types == nil || slices.Contains(types, string(v.kind)) || whole && slices.Contains(types, "integer") {
			parts = append(parts, r.literal(v.String()))
		}
	}
	if len(parts) == 0 {
		return nil, s.wrong("no value of %s has the type %s", name, strings.Join(types, " or "))
	}
	return r.either(parts...), nil
}

// typesOf reads the type: one or several, nil where none is said.
func typesOf(s schema) ([]string, error) {
	v := s.get("type")
	if v == nil {
		return nil, nil
	}
	list := v.items
	if v.kind == treeText {
		list = []*tree{v}
	}
	var types []string
	for _, t := range list {
		if t.kind != treeText || !slices.Contains(typeNames(), t.text) {
			return nil, s.wrong("type is %s; expected one of %s, or a list of these", v, strings.Join(typeNames(), ", "))
		}
		types = append(types, t.text)
	}
	if len(types) == 0 {
		return nil, s.wrong("type must name a type")
	}
	return types, nil
}
