package strictyaml

import (
	"slices"
	"strings"

	"instruct/data/checks"
)

// Object is a mapping whose keys are known. The error of its getters is that a key holds something else than it should.
type Object struct {
	Line   int
	fields []Field
	file   *File
}

// Object makes sure that a value is a mapping of the known keys only.
func (f *File) Object(n *Node, known ...string) (Object, error) {
	if n.Kind != Mapping {
		return Object{}, f.Errorf(n.Line, "expected a mapping with %s, found %v", strings.Join(known, ", "), n.Kind)
	}
	for _, entry := range n.Fields {
		switch {
		case slices.Contains(known, entry.Key):
		case entry.Key == "provider" || entry.Key == "providers" || entry.Key == "targets":
			return Object{}, f.Errorf(entry.Line, "%s has no use here: the command line names the model", entry.Key)
		default:
			return Object{}, f.Errorf(entry.Line, "unknown key %q; did you mean %q?", entry.Key,
				checks.Nearest(entry.Key, known))
		}
	}
	return Object{n.Line, n.Fields, f}, nil
}

// Get is the value of a key, or nil.
func (o Object) Get(key string) *Node {
	for _, entry := range o.fields {
		if entry.Key == key {
			return entry.Value
		}
	}
	return nil
}

// Wrong says that a key holds something else than it should.
func (o Object) Wrong(key, want string, found *Node) error {
	return o.file.Errorf(found.Line, "%s must be %s, found %v", key, want, found.Kind)
}

// Text is the text of a key, "" where it is missing.
func (o Object) Text(key string) (string, error) {
	n := o.Get(key)
	if n == nil {
		return "", nil
	}
	if n.Kind != Text {
		return "", o.Wrong(key, "text", n)
	}
	return n.Text, nil
}

// Number is the number of a key, nil where it is missing.
func (o Object) Number(key string) (*float64, error) {
	n := o.Get(key)
	if n == nil {
		return nil, nil
	}
	if n.Kind != Number {
		return nil, o.Wrong(key, "a number", n)
	}
	return &n.Number, nil
}

// List is the items of a key, nil where it is missing.
func (o Object) List(key string) ([]*Node, error) {
	n := o.Get(key)
	if n == nil {
		return nil, nil
	}
	if n.Kind != List {
		return nil, o.Wrong(key, "a list", n)
	}
	return n.Items, nil
}

// Texts is the items of a list of texts, nil where the key is missing. one names an item in messages.
func (o Object) Texts(key, one string) ([]string, error) {
	items, err := o.List(key)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, item := range items {
		if item.Kind != Text {
			return nil, o.Wrong(one, "text", item)
		}
		out = append(out, item.Text)
	}
	return out, nil
}

// Local refuses text that promptfoo would load from elsewhere.
func (f *File) Local(line int, s string) error {
	for _, prefix := range []string{"file://", "package:", "portkey://", "langfuse://", "helicone://"} {
		if strings.HasPrefix(s, prefix) {
			return f.Errorf(line, "%s is not read here; write the text itself", Shortened(s))
		}
	}
	return nil
}

// Shortened is the beginning of a text, for a message.
func Shortened(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	if rs := []rune(line); len(rs) > 40 {
		return string(rs[:40]) + "..."
	}
	return line
}
