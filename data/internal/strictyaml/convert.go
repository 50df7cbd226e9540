package strictyaml

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// node converts a value.
func (f *File) node(n ast.Node) (*Node, error) {
	if n == nil {
		return &Node{}, nil
	}
	out := &Node{Line: n.GetToken().Position.Line}
	if f.nodes++; f.nodes > maxNodes {
		return nil, f.Errorf(out.Line, "the %s holds more than %d values", f.What, maxNodes)
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		v, err := f.node(n.Value)
		if err == nil {
			f.anchors[n.Name.GetToken().Value] = v
		}
		return v, err
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		v := f.anchors[name]
		if v == nil {
			name, _, _ = strings.Cut(name, "\n") // the parser takes all lines that follow for its name
			return nil, f.Errorf(out.Line, "unknown alias *%s", name)
		}
		return v, f.count(v)
	case *ast.TagNode:
		return nil, f.Errorf(out.Line, "tags such as %s are not known here", n.Start.Value)
	case *ast.MappingNode:
		return out, f.mapping(out, n.Values)
	case *ast.MappingValueNode:
		return out, f.mapping(out, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		out.Kind = List
		for _, item := range n.Values {
			v, err := f.node(item)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, v)
		}
		return out, nil
	case *ast.LiteralNode:
		out.Kind, out.Text = Text, n.Value.Value
		return out, f.block(n, out.Line)
	case *ast.StringNode:
		out.Kind, out.Text = Text, n.Value
		if t := n.GetToken(); t.Type.String() == "SingleQuote" || t.Type.String() == "DoubleQuote" {
			return out, nil
		}
		if strings.Contains(strings.TrimSpace(n.GetToken().Origin), "\n") {
			return nil, f.Errorf(out.Line, "text of several lines needs quotes, | or >")
		}
		return out, f.plain(out)
	}
	out.Text = n.GetToken().Value
	return out, f.plain(out)
}

// block refuses blocks of text whose end the library does not keep.
func (f *File) block(n *ast.LiteralNode, line int) error {
	if strings.Contains(n.Start.Value, "+") {
		return f.Errorf(line, "%s is not known here: write the line breaks at the end in double quotes", n.Start.Value)
	}
	origin := n.Value.GetToken().Origin
	content := strings.TrimRight(origin, " \t\n")
	if blanks, _, _ := strings.Cut(origin[len(content):], "\n"); content != "" && blanks != "" {
		return f.Errorf(line, "the last line of the block ends in white space: write it in double quotes")
	}
	for l := range strings.Lines(origin) {
		if indent := l[:len(l)-len(strings.TrimLeft(l, " \t"))]; strings.Contains(indent, "\t ") {
			return f.Errorf(line, "a line of the block begins with a tab and a space: write it in double quotes")
		}
	}
	return nil
}

// count adds the nodes of a value that stands in the file again.
func (f *File) count(v *Node) error {
	if f.nodes++; f.nodes > maxNodes {
		return f.Errorf(v.Line, "the %s holds more than %d values", f.What, maxNodes)
	}
	for _, item := range v.Items {
		if err := f.count(item); err != nil {
			return err
		}
	}
	for _, entry := range v.Fields {
		if err := f.count(entry.Value); err != nil {
			return err
		}
	}
	return nil
}

// mapping converts the entries of a mapping, whose keys must differ.
func (f *File) mapping(out *Node, entries []*ast.MappingValueNode) error {
	out.Kind = Mapping
	seen := map[string]int{}
	for i, e := range entries {
		key, err := f.key(e.Key)
		if err != nil {
			return err
		}
		line := e.Key.GetToken().Position.Line
		if i == 0 {
			out.Line = line
		}
		if first := seen[key]; first > 0 {
			return f.Errorf(line, "%s was already given in line %d", key, first)
		}
		seen[key] = line
		v, err := f.node(e.Value)
		if err != nil {
			return err
		}
		if v.Line == 0 {
			v.Line = line
		}
		out.Fields = append(out.Fields, Field{key, line, v})
	}
	return nil
}

func (f *File) key(n ast.Node) (string, error) {
	line := n.GetToken().Position.Line
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.MergeKeyNode:
		return "", f.Errorf(line, "merge keys (<<) are not known here; write the keys out")
	}
	return "", f.Errorf(line, "a key must be text; put %s in quotes", n.GetToken().Value)
}

var (
	plainNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$`)
	oddNumber   = regexp.MustCompile(`^[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?$|` +
		`^[-+]?0[xob][0-9a-fA-F_]+$|^[-+]?\.(?i:inf|nan)$`)
	timeLike = regexp.MustCompile(`^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?$`)
)

// plain finds what text without quotes stands for. What readers of YAML differ about must be put in quotes.
func (f *File) plain(out *Node) error {
	switch out.Text {
	case "", "~", "null", "Null", "NULL":
		out.Kind = Null
		return nil
	case "true", "True", "TRUE", "false", "False", "FALSE":
		out.Kind = Truth
		out.Truth = strings.EqualFold(out.Text, "true")
		return nil
	}
	if plainNumber.MatchString(out.Text) {
		x, err := strconv.ParseFloat(out.Text, 64)
		if err != nil {
			return f.Errorf(out.Line, "the number %s is out of range", out.Text)
		}
		out.Kind, out.Number = Number, x
		return nil
	}
	if oddNumber.MatchString(out.Text) {
		return f.Errorf(out.Line, "put %s in quotes if it is text, or write the number plainly", out.Text)
	}
	if timeLike.MatchString(out.Text) {
		return f.Errorf(out.Line, "put %s in quotes: without them it is a time", out.Text)
	}
	if strings.ContainsAny(out.Text[:1], "%@`") || out.Text == "?" || out.Text == "-" {
		return f.Errorf(out.Line, "put %s in quotes: text cannot begin so without them", out.Text)
	}
	out.Kind = Text
	return nil
}
