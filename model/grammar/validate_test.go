package grammar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// validate says why a value does not satisfy a schema: a validator of the usual kind, which knows nothing of the
// expressions that made the value.
func validate(root, s, v *tree, depth int) string {
	if s.kind == treeBool {
		if s.text == "true" {
			return ""
		}
		return "false"
	}
	if ref := s.get("$ref"); ref != nil && depth < 200 {
		r := &reader{root: root}
		target, err := r.resolve(schema{tree: s, at: "#"}, ref)
		if err != nil {
			return err.Error()
		}
		if reason := validate(root, target.tree, v, depth+1); reason != "" {
			return reason
		}
	}
	for name, low := range map[string]int{"anyOf": 1, "oneOf": 1, "allOf": 0} {
		list := s.get(name)
		if list == nil {
			continue
		}
		n := 0
		for _, x := range list.items {
			if validate(root, x, v, depth+1) == "" {
				n++
			}
		}
		if n < low || name == "oneOf" && n != 1 || name == "allOf" && n != len(list.items) {
			return fmt.Sprintf("%d of %s", n, name)
		}
	}
	if c := s.get("const"); c != nil && c.String() != v.String() {
		return "const"
	}
	if e := s.get("enum"); e != nil && !slices.ContainsFunc(e.items,
		func(x *tree) bool { return x.String() == v.String() }) {
		return "enum"
	}
	if types, _ := typesOf(schema{tree: s}); types != nil {
		whole := v.kind == treeNumber && !strings.ContainsAny(v.text, ".eE")
		if !slices.Contains(types, string(v.kind)) && !(whole && slices.Contains(types, "integer")) {
			return "type"
		}
	}
	count := func(name string, n int, low bool) string {
		if b := s.get(name); b != nil {
			most, _ := strconv.Atoi(b.text)
			if low && n < most || !low && n > most {
				return name
			}
		}
		return ""
	}
	switch v.kind {
	case treeText:
		n := utf8.RuneCountInString(v.text)
		return count("minLength", n, true) + count("maxLength", n, false)
	case treeList:
		if items := s.get("items"); items != nil {
			for _, x := range v.items {
				if reason := validate(root, items, x, depth+1); reason != "" {
					return "items: " + reason
				}
			}
		}
		return count("minItems", len(v.items), true) + count("maxItems", len(v.items), false)
	case treeObject:
		return validateObject(root, s, v, depth)
	}
	return ""
}

func validateObject(root, s, v *tree, depth int) string {
	if list := s.get("required"); list != nil {
		for _, x := range list.items {
			if v.get(x.text) == nil {
				return "required " + x.text
			}
		}
	}
	for _, m := range v.members {
		sub := s.get("additionalProperties")
		if p := s.get("properties"); p != nil && p.get(m.name) != nil {
			sub = p.get(m.name)
		}
		if sub == nil {
			continue
		}
		if reason := validate(root, sub, m.value, depth+1); reason != "" {
			return m.name + ": " + reason
		}
	}
	return ""
}
