package checks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schema is a JSON schema of draft 7, as ajv's strict mode takes it: a keyword that nothing knows is an error.
type schema struct{ compiled *jsonschema.Schema }

// newSchema compiles the value of a spec, a mapping or text that holds it as JSON.
func newSchema(text json.RawMessage) (*schema, error) {
	v, err := decode(text)
	if err != nil {
		return nil, err
	}
	s, written := v.(string)
	if written {
		if v, err = decode([]byte(s)); err != nil {
			return nil, fmt.Errorf("the value is text that is no JSON schema: %w", err)
		}
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the value must be a JSON schema, found %s", describe(v))
	}
	if !written && bytes.Contains(text, []byte(`"$ref"`)) {
		return nil, errors.New("promptfoo looks for a $ref in the suite: write the schema as JSON text, in quotes")
	}
	if err := checkSchema(object, "the schema"); err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.AssertFormat()
	c.UseRegexpEngine(func(source string) (jsonschema.Regexp, error) { return CompileRegexp(source, true) })
	c.UseLoader(noLoader{})
	for name, valid := range formats() {
		c.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(v any) error {
			if s, ok := v.(string); ok && !valid(s) {
				return fmt.Errorf("%q is no %s", s, name)
			}
			return nil
		}})
	}
	const url = "mem:///schema.json"
	if err := c.AddResource(url, object); err != nil {
		return nil, fmt.Errorf("invalid JSON schema: %s", oneLine(err))
	}
	compiled, err := c.Compile(url)
	if err != nil {
		return nil, fmt.Errorf("invalid JSON schema: %s", oneLine(err))
	}
	return &schema{compiled}, nil
}

// noLoader refuses to read other schemas.
type noLoader struct{}

// Load implements [jsonschema.URLLoader].
func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s cannot be read: a schema must stand in the suite", url)
}

// validate says what is wrong with a value.
func (s *schema) validate(v any) error {
	if err := s.compiled.Validate(finite(v)); err != nil {
		return errors.New(oneLine(err))
	}
	return nil
}

// finite is a value with false where a number is not finite: ajv gives those no type, and no keyword that bounds a
// number or a text looks at a truth value.
func finite(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return false
		}
	case []any:
		for i := range v {
			v[i] = finite(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = finite(v[k])
		}
	}
	return v
}

// oneLine is the message of an error of the library without its first line, which names our address of the schema.
func oneLine(err error) string {
	lines := strings.Split(err.Error(), "\n")
	if len(lines) > 1 {
		lines = lines[1:]
	}
	for i := range lines {
		lines[i] = strings.TrimPrefix(strings.TrimSpace(lines[i]), "- ")
	}
	return strings.Join(lines, "; ")
}

// keyword says what the value of a keyword of a schema holds.
type keyword int

const (
	plain  keyword = iota
	sub            // a schema
	list           // schemas
	either         // a schema, or schemas
	named          // schemas by name
)

// keywords are those of draft 7 that ajv knows.
func keywords() map[string]keyword {
	known := map[string]keyword{
		"items": either, "dependencies": named,
		"additionalItems": sub, "additionalProperties": sub, "contains": sub, "propertyNames": sub, "not": sub,
		"if": sub, "then": sub, "else": sub,
		"allOf": list, "anyOf": list, "oneOf": list,
		"properties": named, "patternProperties": named, "definitions": named, "$defs": named,
	}
	for _, k := range strings.Fields(`$schema $id $comment $ref title description default deprecated readOnly writeOnly
		examples type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern
		format maxItems minItems uniqueItems maxProperties minProperties required`) {
		known[k] = plain
	}
	return known
}

// checkSchema finds what ajv's strict mode refuses and what this program would judge otherwise than ajv.
func checkSchema(s map[string]any, where string) error {
	known := keywords()
	for _, key := range sortedKeys(s) {
		kind, ok := known[key]
		if !ok {
			return fmt.Errorf("%s: unknown keyword %q; did you mean %q?", where, key, Nearest(key, sortedKeys(known)))
		}
		if err := checkKeyword(s, key, where); err != nil {
			return err
		}
		if err := checkSubschemas(s[key], kind, where+"."+key); err != nil {
			return err
		}
	}
	return nil
}

// checkSubschemas goes on with the schemas that the value of a keyword holds.
func checkSubschemas(v any, kind keyword, where string) error {
	if kind == plain {
		return nil
	}
	items, isList := v.([]any)
	object, isObject := v.(map[string]any)
	switch {
	case isList && (kind == list || kind == either):
		for i, item := range items {
			if err := checkSubschemas(item, sub, fmt.Sprintf("%s[%d]", where, i)); err != nil {
				return err
			}
		}
	case isObject && kind == named:
		for _, name := range sortedKeys(object) {
			if err := checkSubschemas(object[name], sub, where+"."+name); err != nil {
				return err
			}
		}
	case isObject:
		return checkSchema(object, where)
	}
	return nil // The library knows whether the value is of the right type.
}

// checkKeyword refuses what has no effect, or another than it seems.
func checkKeyword(s map[string]any, key, where string) error {
	has := func(key string) bool {
		_, ok := s[key]
		return ok
	}
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...))
	}
	switch key {
	case "$schema":
		if v, _ := s[key].(string); strings.TrimSuffix(v, "#") != "http://json-schema.org/draft-07/schema" {
			return fail("$schema must be http://json-schema.org/draft-07/schema#")
		}
	case "$ref":
		if ref, _ := s[key].(string); !strings.HasPrefix(ref, "#") {
			return fail("$ref must begin with #: a schema must stand in the suite")
		}
		for _, other := range sortedKeys(s) {
			if !slices.Contains(strings.Fields("$ref $comment title description definitions $defs $schema"), other) {
				return fail("%s cannot stand beside $ref", other)
			}
		}
	case "$id":
		return fail("$id has no use here")
	case "if":
		if !has("then") && !has("else") {
			return fail("if has no effect without then or else")
		}
	case "then", "else":
		if !has("if") {
			return fail("%s has no effect without if", key)
		}
	case "additionalItems":
		if _, ok := s["items"].([]any); !ok {
			return fail("additionalItems has no effect unless items is a list")
		}
	case "multipleOf":
		if x, ok := s[key].(float64); ok && x != math.Trunc(x) {
			return fail("multipleOf must be a whole number: the multiples of others are not exact")
		}
	case "format":
		name, _ := s[key].(string)
		if known := sortedKeys(formats()); !slices.Contains(known, name) {
			return fail("unknown format %q; known: %s", name, strings.Join(known, ", "))
		}
	case "patternProperties":
		return checkPatterns(s, where)
	}
	return nil
}

// checkPatterns refuses a property that a pattern describes as well.
func checkPatterns(s map[string]any, where string) error {
	patterns, _ := s["patternProperties"].(map[string]any)
	properties, _ := s["properties"].(map[string]any)
	for _, pattern := range sortedKeys(patterns) {
		re, err := CompileRegexp(pattern, true)
		if err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		for _, name := range sortedKeys(properties) {
			if re.MatchString(name) {
				return fmt.Errorf("%s: the property %q matches the pattern %q too", where, name, pattern)
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
