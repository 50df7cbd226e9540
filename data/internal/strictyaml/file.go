package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"instruct/checkpoints/bounded"
)

// File is a file that is read. What it is and what it holds stand in messages: a suite, of prompts and tests.
type File struct {
	What, Holds, Path string

	anchors map[string]*Node
	nodes   int
}

// maxNodes bounds a file with its aliases resolved, which can grow without bounds otherwise.
const maxNodes = 1_000_000

// mistake is an error of the user in a line of the file, or in a file whose line is not known.
type mistake struct{ text string }

func (m *mistake) Error() string { return m.text }

// UserError reports that the mistake lies in the user's input.
func (m *mistake) UserError() bool { return true }

// Errorf is a mistake in a line; 0 where the line is not known.
func (f *File) Errorf(line int, format string, args ...any) error {
	place := f.Path
	if line > 0 {
		place = fmt.Sprintf("%s:%d", f.Path, line)
	}
	return &mistake{fmt.Sprintf("%s %s: %s", f.What, place, fmt.Sprintf(format, args...))}
}

// Read gives the mapping that the file consists of.
func (f *File) Read() (*Node, error) {
	text, err := bounded.ReadInput(f.Path)
	if err != nil {
		var e *os.PathError
		if errors.As(err, &e) {
			err = e.Err
		}
		return nil, f.Errorf(0, "%v", err)
	}
	return f.Parse(text)
}

// mostNested is how deep values may be nested: the library that reads them takes time beyond all bounds for more.
const mostNested = 100

// Parse gives the mapping that the text consists of.
func (f *File) Parse(data []byte) (*Node, error) {
	f.anchors = map[string]*Node{}
	f.nodes = 0
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, f.Errorf(0, "not valid YAML: the text is not UTF-8")
	}
	// The library counts a line break of two characters as two lines in places.
	data = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	control := func(c rune) bool { return unicode.IsControl(c) && c != '\t' && c != '\n' }
	if i := bytes.IndexFunc(data, control); i >= 0 {
		return nil, f.Errorf(1+bytes.Count(data[:i], []byte("\n")), "not valid YAML: control characters are not allowed")
	}
	if line := bounded.Nested(data, mostNested); line > 0 {
		return nil, f.Errorf(line, "values are nested deeper than %d", mostNested)
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		line, reason := 0, err.Error()
		var e yaml.Error
		if errors.As(err, &e) {
			reason = e.GetMessage()
			if t := e.GetToken(); t != nil && t.Position != nil {
				line = t.Position.Line
			}
		}
		return nil, f.Errorf(line, "not valid YAML: %s", reason)
	}
	var root *Node
	for _, doc := range tree.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.CommentGroupNode:
			continue
		case *ast.DirectiveNode:
			return nil, f.Errorf(body.GetToken().Position.Line, "directives are not known here")
		}
		if root != nil {
			return nil, f.Errorf(doc.Body.GetToken().Position.Line, "a %s is one YAML document; a second begins here", f.What)
		}
		if root, err = f.node(doc.Body); err != nil {
			return nil, err
		}
		if root.Kind != Mapping {
			return nil, f.Errorf(root.Line, "a %s must be a mapping, found %v", f.What, root.Kind)
		}
	}
	if root == nil {
		return nil, f.Errorf(0, "the file is empty; it should hold %s", f.Holds)
	}
	return root, nil
}
