package train

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// ReadRecipe reads a YAML recipe into r, strictly: an unknown key is an error that names the line and the nearest key.
// Relative paths in it stay relative to the working directory. It returns notes on aliases that were used.
func (r *Recipe) ReadRecipe(path string) (notes []string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, mistake("recipe %s: %v", path, errorText(err))
	}
	return r.ParseYAML(path, data)
}

// ParseYAML is [Recipe.ReadRecipe] for text at hand; path is used in messages.
func (r *Recipe) ParseYAML(path string, data []byte) (notes []string, err error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, mistake("recipe %s: not valid YAML: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if doc.Kind == 0 {
		return nil, mistake("recipe %s: the file is empty; it should hold lines such as `learning_rate: 1e-4`", path)
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, mistake("recipe %s:%d: expected `key: value` lines", path, root.Line)
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		k, v := root.Content[i], root.Content[i+1]
		where := fmt.Sprintf("recipe %s:%d", path, k.Line)
		f, name, ok := r.field(k.Value)
		if !ok {
			return nil, mistake("%s: unknown key %q; did you mean %q?", where, k.Value, NearestKey(k.Value))
		}
		if line, twice := seen[name]; twice {
			return nil, mistake("%s: %s was already given in line %d", where, name, line)
		}
		seen[name] = k.Line
		if name != strings.ReplaceAll(k.Value, "-", "_") {
			notes = append(notes, fmt.Sprintf("%s: %s is read as %s", where, k.Value, name))
		}
		values, err := nodeValues(v, f.Type() == reflect.TypeFor[jsonText]())
		if err == nil {
			err = setField(f, name, values, false)
		}
		if err != nil {
			return nil, mistake("%s: %w", where, err)
		}
	}
	return notes, nil
}

// nodeValues returns a scalar or a list of scalars as text; mappings become JSON where the key takes them.
func nodeValues(v *yaml.Node, mapping bool) ([]string, error) {
	switch {
	case v.Kind == yaml.ScalarNode && v.Tag == "!!null":
		return []string{""}, nil
	case v.Kind == yaml.ScalarNode:
		return []string{v.Value}, nil
	case v.Kind == yaml.SequenceNode:
		var out []string
		for _, c := range v.Content {
			if c.Kind != yaml.ScalarNode {
				return nil, mistake("expected a list of plain values")
			}
			out = append(out, c.Value)
		}
		return out, nil
	case v.Kind == yaml.MappingNode && mapping:
		var m map[string]any
		if err := v.Decode(&m); err != nil {
			return nil, mistake("%v", err)
		}
		data, err := json.Marshal(m)
		if err != nil {
			return nil, mistake("%v", err)
		}
		return []string{string(data)}, nil
	}
	return nil, mistake("expected a plain value")
}

// YAML returns the resolved recipe as a file that reads back to the same values.
func (r *Recipe) YAML() ([]byte, error) {
	root := &yaml.Node{Kind: yaml.MappingNode}
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		f, value := v.Type().Field(i), &yaml.Node{}
		field := v.Field(i).Interface()
		if j, ok := field.(jsonText); ok && strings.HasPrefix(string(j), "{") {
			var m map[string]any
			if err := json.Unmarshal([]byte(j), &m); err != nil {
				return nil, fmt.Errorf("train: recipe: %s: %w", f.Tag.Get("key"), err)
			}
			field = m
		}
		if err := value.Encode(field); err != nil {
			return nil, fmt.Errorf("train: recipe: %w", err)
		}
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: f.Tag.Get("key")}, value)
	}
	return yaml.Marshal(root)
}
