package grammar

import (
	stdbytes "bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// tree is a JSON value whose members are in the order in which they stand.
type tree struct {
	kind    treeKind
	text    string // a string, or a number as it is written
	items   []*tree
	members []treeMember
}

type treeMember struct {
	name  string
	value *tree
}

type treeKind string

const (
	treeNull   treeKind = "null"
	treeBool   treeKind = "boolean" // text is true or false
	treeNumber treeKind = "number"
	treeText   treeKind = "string"
	treeList   treeKind = "array"
	treeObject treeKind = "object"
)

// parseTree reads one JSON value.
func parseTree(src []byte) (*tree, error) {
	if !json.Valid(src) { // or nested too deeply
		return nil, errors.New("it is no JSON")
	}
	d := json.NewDecoder(stdbytes.NewReader(src))
	d.UseNumber()
	return readTree(d)
}

func readTree(d *json.Decoder) (*tree, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch x := token.(type) {
	case nil:
		return &tree{kind: treeNull, text: "null"}, nil
	case bool:
		return &tree{kind: treeBool, text: fmt.Sprint(x)}, nil
	case json.Number:
		return &tree{kind: treeNumber, text: x.String()}, nil
	case string:
		return &tree{kind: treeText, text: x}, nil
	}
	t := &tree{kind: treeList}
	if token == json.Delim('{') {
		t.kind = treeObject
	}
	for d.More() {
		name := ""
		if t.kind == treeObject {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			name = key.(string)
		}
		v, err := readTree(d)
		if err != nil {
			return nil, err
		}
		if t.kind == treeObject {
			t.members = append(t.members, treeMember{name, v})
		} else {
			t.items = append(t.items, v)
		}
	}
	_, err = d.Token()
	return t, err
}

// get is the member of a name, or nil. Of several it is the last one, as programs have it.
func (t *tree) get(name string) *tree {
	for i := len(t.members) - 1; i >= 0; i-- {
		if t.members[i].name == name {
			return t.members[i].value
		}
	}
	return nil
}

// String is the value as JSON without white space.
func (t *tree) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (t *tree) write(b *strings.Builder) {
	switch t.kind {
	case treeText:
		b.WriteString(quote(t.text))
	case treeList:
		b.WriteByte('[')
		for i, x := range t.items {
			if i > 0 {
				b.WriteByte(',')
			}
			x.write(b)
		}
		b.WriteByte(']')
	case treeObject:
		b.WriteByte('{')
		for i, m := range t.members {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quote(m.name))
			b.WriteByte(':')
			m.value.write(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString(t.text)
	}
}
