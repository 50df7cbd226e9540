package suite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// kind is what a node of a file holds.
type kind int

const (
	null kind = iota
	text
	number
	truth
	list
	mapping
)

// String names a kind for a message.
func (k kind) String() string {
	return [...]string{"nothing", "text", "a number", "a truth value", "a list", "a mapping"}[k]
}

// node is a value of a YAML file with the line where it begins.
type node struct {
	line   int
	kind   kind
	text   string // of text; of the others as they were written
	number float64
	truth  bool
	items  []*node
	fields []field
}

// field is an entry of a mapping.
type field struct {
	key   string
	line  int
	value *node
}

// mistake is an error of the user in a line of the file.
type mistake struct {
	path   string
	line   int
	reason string
}

// Error says path:line and the reason, or path alone where the line is not known.
func (m *mistake) Error() string {
	if m.line == 0 {
		return fmt.Sprintf("suite %s: %s", m.path, m.reason)
	}
	return fmt.Sprintf("suite %s:%d: %s", m.path, m.line, m.reason)
}

// UserError reports that the mistake lies in the user's input.
func (m *mistake) UserError() bool { return true }

// reader makes nodes of the library's tree.
type reader struct {
	path    string
	anchors map[string]*node
	nodes   int
}

// maxNodes bounds a file with its aliases resolved, which can grow without bounds otherwise.
const maxNodes = 1_000_000

func (r *reader) errorf(line int, format string, args ...any) error {
	return &mistake{r.path, line, fmt.Sprintf(format, args...)}
}

// read is the mapping that a file consists of.
func (r *reader) read(data []byte) (*node, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, r.errorf(0, "not valid YAML: the text is not UTF-8")
	}
	// The library counts a line break of two characters as two lines in places.
	data = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	control := func(c rune) bool { return unicode.IsControl(c) && c != '\t' && c != '\n' }
	if i := bytes.IndexFunc(data, control); i >= 0 {
		return nil, r.errorf(1+bytes.Count(data[:i], []byte("\n")), "not valid YAML: control characters are not allowed")
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		line, reason := 0, err.Error()
		var e yaml.Error
		if errors.As(err, &e) {
			reason = e.GetMessage()
			if t := e.GetToken(); t != nil && t.Position != nil {
				line = t.Position.Line
			}
		}
		return nil, r.errorf(line, "not valid YAML: %s", reason)
	}
	var root *node
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.CommentGroupNode:
			continue
		case *ast.DirectiveNode:
			return nil, r.errorf(body.GetToken().Position.Line, "directives are not known here")
		}
		if root != nil {
			return nil, r.errorf(doc.Body.GetToken().Position.Line, "a suite is one YAML document; a second begins here")
		}
		if root, err = r.node(doc.Body); err != nil {
			return nil, err
		}
		if root.kind != mapping {
			return nil, r.errorf(root.line, "a suite must be a mapping, found %v", root.kind)
		}
	}
	if root == nil {
		return nil, r.errorf(0, "the file is empty; it should hold prompts and tests")
	}
	return root, nil
}

// node converts a value.
func (r *reader) node(n ast.Node) (*node, error) {
	if n == nil {
		return &node{}, nil
	}
	out := &node{line: n.GetToken().Position.Line}
	if r.nodes++; r.nodes > maxNodes {
		return nil, r.errorf(out.line, "the suite holds more than %d values", maxNodes)
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		v, err := r.node(n.Value)
		if err == nil {
			r.anchors[n.Name.GetToken().Value] = v
		}
		return v, err
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		v := r.anchors[name]
		if v == nil {
			return nil, r.errorf(out.line, "unknown alias *%s", name)
		}
		return v, r.count(v)
	case *ast.TagNode:
		return nil, r.errorf(out.line, "tags such as %s are not known here", n.Start.Value)
	case *ast.MappingNode:
		return out, r.mapping(out, n.Values)
	case *ast.MappingValueNode:
		return out, r.mapping(out, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		out.kind = list
		for _, item := range n.Values {
			v, err := r.node(item)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, v)
		}
		return out, nil
	case *ast.LiteralNode:
		out.kind, out.text = text, n.Value.Value
		return out, r.block(n, out.line)
	case *ast.StringNode:
		out.kind, out.text = text, n.Value
		if t := n.GetToken(); t.Type.String() == "SingleQuote" || t.Type.String() == "DoubleQuote" {
			return out, nil
		}
		if strings.Contains(strings.TrimSpace(n.GetToken().Origin), "\n") {
			return nil, r.errorf(out.line, "text of several lines needs quotes, | or >")
		}
		return out, r.plain(out)
	}
	out.text = n.GetToken().Value
	return out, r.plain(out)
}

// block refuses blocks of text whose end the library does not keep.
func (r *reader) block(n *ast.LiteralNode, line int) error {
	if strings.Contains(n.Start.Value, "+") {
		return r.errorf(line, "%s is not known here: write the line breaks at the end in double quotes", n.Start.Value)
	}
	origin := n.Value.GetToken().Origin
	content := strings.TrimRight(origin, " \t\n")
	if blanks, _, _ := strings.Cut(origin[len(content):], "\n"); content != "" && blanks != "" {
		return r.errorf(line, "the last line of the block ends in white space: write it in double quotes")
	}
	for l := range strings.Lines(origin) {
		if indent := l[:len(l)-len(strings.TrimLeft(l, " \t"))]; strings.Contains(indent, "\t ") {
			return r.errorf(line, "a line of the block begins with a tab and a space: write it in double quotes")
		}
	}
	return nil
}

// count adds the nodes of a value that stands in the file again.
func (r *reader) count(v *node) error {
	if r.nodes++; r.nodes > maxNodes {
		return r.errorf(v.line, "the suite holds more than %d values", maxNodes)
	}
	for _, item := range v.items {
		if err := r.count(item); err != nil {
			return err
		}
	}
	for _, f := range v.fields {
		if err := r.count(f.value); err != nil {
			return err
		}
	}
	return nil
}

// mapping converts the entries of a mapping, whose keys must differ.
func (r *reader) mapping(out *node, entries []*ast.MappingValueNode) error {
	out.kind = mapping
	seen := map[string]int{}
	for i, e := range entries {
		key, err := r.key(e.Key)
		if err != nil {
			return err
		}
		line := e.Key.GetToken().Position.Line
		if i == 0 {
			out.line = line
		}
		if first := seen[key]; first > 0 {
			return r.errorf(line, "%s was already given in line %d", key, first)
		}
		seen[key] = line
		v, err := r.node(e.Value)
		if err != nil {
			return err
		}
		if v.line == 0 {
			v.line = line
		}
		out.fields = append(out.fields, field{key, line, v})
	}
	return nil
}

func (r *reader) key(n ast.Node) (string, error) {
	line := n.GetToken().Position.Line
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.MergeKeyNode:
		return "", r.errorf(line, "merge keys (<<) are not known here; write the keys out")
	}
	return "", r.errorf(line, "a key must be text; put %s in quotes", n.GetToken().Value)
}

var (
	plainNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$`)
	oddNumber   = regexp.MustCompile(`^[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?$|` +
		`^[-+]?0[xob][0-9a-fA-F_]+$|^[-+]?\.(?i:inf|nan)$`)
	timeLike = regexp.MustCompile(`^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?$`)
)

// plain finds what text without quotes stands for. What readers of YAML differ about must be put in quotes.
func (r *reader) plain(out *node) error {
	switch out.text {
	case "", "~", "null", "Null", "NULL":
		out.kind = null
		return nil
	case "true", "True", "TRUE", "false", "False", "FALSE":
		out.kind = truth
		out.truth = strings.EqualFold(out.text, "true")
		return nil
	}
	if plainNumber.MatchString(out.text) {
		x, err := strconv.ParseFloat(out.text, 64)
		if err != nil {
			return r.errorf(out.line, "the number %s is out of range", out.text)
		}
		out.kind, out.number = number, x
		return nil
	}
	if oddNumber.MatchString(out.text) {
		return r.errorf(out.line, "put %s in quotes if it is text, or write the number plainly", out.text)
	}
	if timeLike.MatchString(out.text) {
		return r.errorf(out.line, "put %s in quotes: without them it is a time", out.text)
	}
	if strings.ContainsAny(out.text[:1], "%@`") || out.text == "?" || out.text == "-" {
		return r.errorf(out.line, "put %s in quotes: text cannot begin so without them", out.text)
	}
	out.kind = text
	return nil
}

// json is a node as JSON.
func (n *node) json() json.RawMessage {
	var b bytes.Buffer
	n.write(&b)
	return b.Bytes()
}

func (n *node) write(b *bytes.Buffer) {
	switch n.kind {
	case null:
		b.WriteString("null")
	case text:
		writeText(b, n.text)
	case number:
		if n.number == 0 && math.Signbit(n.number) {
			b.WriteString("-0")
			return
		}
		b.WriteString(n.text)
	case truth:
		b.WriteString(strconv.FormatBool(n.truth))
	case list:
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b)
		}
		b.WriteByte(']')
	case mapping:
		b.WriteByte('{')
		for i, f := range n.fields {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, f.key)
			b.WriteByte(':')
			f.value.write(b)
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
