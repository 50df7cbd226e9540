package strictyaml

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// Kind is what a value holds.
type Kind int

// The kinds of values.
const (
	Null Kind = iota
	Text
	Number
	Truth
	List
	Mapping
)

// String names a kind for a message.
func (k Kind) String() string {
	return [...]string{"nothing", "text", "a number", "a truth value", "a list", "a mapping"}[k]
}

// Node is a value with the line where it begins.
type Node struct {
	Line   int
	Kind   Kind
	Text   string // of text; of the others as they were written
	Number float64
	Truth  bool
	Items  []*Node
	Fields []Field
}

// Field is an entry of a mapping.
type Field struct {
	Key   string
	Line  int
	Value *Node
}

// JSON is a value as JSON.
func (n *Node) JSON() json.RawMessage {
	var b bytes.Buffer
	n.write(&b)
	return b.Bytes()
}

func (n *Node) write(b *bytes.Buffer) {
	switch n.Kind {
	case Null:
		b.WriteString("null")
	case Text:
		writeText(b, n.Text)
	case Number:
		if n.Number == 0 && math.Signbit(n.Number) {
			b.WriteString("-0")
			return
		}
		b.WriteString(n.Text)
	case Truth:
		b.WriteString(strconv.FormatBool(n.Truth))
	case List:
		b.WriteByte('[')
		for i, item := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b)
		}
		b.WriteByte(']')
	case Mapping:
		b.WriteByte('{')
		for i, f := range n.Fields {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, f.Key)
			b.WriteByte(':')
			f.Value.write(b)
		}
		b.WriteByte('}')
	}
}

// writeText writes text as JSON without the escapes of HTML.
func writeText(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // A text can always be encoded.
	b.Truncate(b.Len() - 1)
}
