package recipe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"instruct/checkpoints/bounded"
)

// Read reads a YAML recipe into r, strictly: every unknown key is an error that names the line and a near key. Keys and
// values of other programs are taken where they mean something here. Relative paths in it lead from its folder where
// there is something, else from the working folder. It returns notes on what was taken otherwise than it was written.
func (r *Recipe) Read(path string) (notes []string, err error) {
	data, err := bounded.ReadInput(path)
	if err != nil {
		return nil, mistake("recipe %s: %v", path, errors.Unwrap(err))
	}
	if notes, err = r.ParseYAML(path, data); err != nil {
		return nil, err
	}
	return append(notes, r.anchor(filepath.Dir(path))...), nil
}

// ParseYAML is [Recipe.Read] for text at hand; path is used in messages.
func (r *Recipe) ParseYAML(path string, data []byte) (notes []string, err error) {
	entries, err := recipeEntries(path, data)
	if err != nil {
		return nil, err
	}
	g := reading{recipe: r, path: path, seen: map[string]string{}}
	for i, e := range entries {
		where := fmt.Sprintf("recipe %s:%d: ", path, e.Key.GetToken().Position.Line)
		key, _ := scalarText(e.Key)
		if unwrapped(e.Value).Type() == ast.NullType {
			if !Knows(key) {
				g.take(where, key, []string{""}, false)
			}
			continue // nothing is said
		}
		if g.nested(where, key, unwrapped(e.Value)) {
			continue
		}
		var values []string
		if f, _, ok := r.field(key); ok && f.Kind() == reflect.Map && isMapping(e.Value) {
			g.takePairs(where, plain(key), f, e.Value)
			continue
		}
		if plain(key) == "model_config" && isMapping(e.Value) || plain(key) == "stages" && hasMappings(unwrapped(e.Value)) {
			values, err = lastAsJSON(entries[:i+1])
		} else if values, err = g.values(key, e.Value); err == nil {
			err = r.oneValue(key, e.Value)
		}
		if err != nil {
			g.mistakes = append(g.mistakes, mistake("%s%w", where, err))
			continue
		}
		g.take(where, key, values, false)
	}
	g.lookUp()
	return g.done("recipe " + path + " has")
}

// values are those of a key; of one that means nothing here it only matters whether there are any.
func (g *reading) values(key string, n ast.Node) ([]string, error) {
	rule, known := ruleFor(plain(key))
	values, err := nodeValues(n)
	if err == nil || known && rule.to != "" {
		return values, err
	}
	return []string{"..."}, nil
}

// oneValue refuses a list for a key that takes one value; a list of one is one too.
func (r *Recipe) oneValue(key string, n ast.Node) error {
	rule, _ := ruleFor(plain(key))
	f, name, ok := r.field(rule.to)
	if _, list := unwrapped(n).(*ast.SequenceNode); ok && list && f.Kind() != reflect.Slice {
		return mistake("%s takes one value, not a list", name)
	}
	return nil
}

// What a recipe has at most: the library that reads it takes memory and time beyond all bounds for more.
const mostBytes, mostNested = 4 << 20, 100

// recipeEntries are the entries of the mapping that the one document of the text is.
func recipeEntries(path string, data []byte) ([]*ast.MappingValueNode, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, mistake("recipe %s: not valid YAML: the text is not UTF-8", path)
	}
	unwanted := func(c rune) bool { return unicode.IsControl(c) && !strings.ContainsRune("\t\r\n\u0085", c) }
	if bytes.ContainsFunc(data, unwanted) {
		return nil, mistake("recipe %s: not valid YAML: control characters are not allowed", path)
	}
	if len(data) > mostBytes {
		return nil, mistake("recipe %s: it has %d bytes, expected at most %d", path, len(data), mostBytes)
	}
	if line := bounded.Nested(data, mostNested); line > 0 {
		return nil, mistake("recipe %s:%d: values are nested deeper than %d", path, line, mostNested)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		where, reason := yamlError(err)
		return nil, mistake("recipe %s%s: not valid YAML: %s", path, where, reason)
	}
	var entries []*ast.MappingValueNode
	for _, doc := range file.Docs {
		if entries != nil && doc.Body != nil {
			return nil, mistake("recipe %s:%d: a second document begins before this line; a recipe is one", path,
				doc.Body.GetToken().Position.Line)
		}
		switch body := doc.Body.(type) {
		case nil, *ast.CommentGroupNode, *ast.DirectiveNode:
		case *ast.MappingNode:
			entries = body.Values
		case *ast.MappingValueNode:
			entries = []*ast.MappingValueNode{body}
		default:
			return nil, mistake("recipe %s:%d: expected `key: value` lines", path, body.GetToken().Position.Line)
		}
	}
	if entries == nil {
		return nil, mistake("recipe %s: the file is empty; it should hold lines such as `learning_rate: 1e-4`", path)
	}
	return entries, nil
}

// firstPlace is where the library says that a key was given first.
var firstPlace = regexp.MustCompile(`\[(\d+):\d+\]$`)

// yamlError is the place (:LINE:COLUMN, where it is known) and the reason of an error of the library, which quotes the
// source over several lines.
func yamlError(err error) (where, reason string) {
	e, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return "", err.Error()
	}
	if t := e.GetToken(); t != nil {
		if t.Next != nil && strings.HasPrefix(e.GetMessage(), "mapping value") {
			t = t.Next // a colon too much: the library names the beginning of the value before it
		}
		where = fmt.Sprintf(":%d:%d", t.Position.Line, t.Position.Column)
	}
	return where, firstPlace.ReplaceAllString(e.GetMessage(), "line $1")
}

// nodeValues returns a scalar or a list of scalars as text.
func nodeValues(n ast.Node) ([]string, error) {
	n = unwrapped(n)
	items := []ast.Node{n}
	expected := "a plain value"
	if list, ok := n.(*ast.SequenceNode); ok {
		items = list.Values
		expected = "a list of plain values"
	}
	var out []string
	for _, item := range items {
		text, ok := scalarText(item)
		if !ok {
			return nil, mistake("expected %s", expected)
		}
		out = append(out, text)
	}
	return out, nil
}

// takePairs takes a mapping of names to plain values.
func (g *reading) takePairs(where, key string, f reflect.Value, n ast.Node) {
	all := pairs{}
	for _, e := range mappingEntries(n) {
		name, ok := scalarText(e.Key)
		value, isText := scalarText(e.Value)
		if !ok || !isText {
			g.mistakes = append(g.mistakes, mistake("%s%s: expected lines such as `%s`", where, key, examples[key]))
			return
		}
		all[name] = value
	}
	if len(all) > 0 {
		f.Set(reflect.ValueOf(all))
	}
}

// examples are lines of mappings, for messages.
var examples = map[string]string{"columns": "prompt: Customer", "lr_scheduler_kwargs": "min_lr_rate: 0.1"}

// unwrapped is a value without its anchor and its tag.
func unwrapped(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.AnchorNode:
		return unwrapped(n.Value)
	case *ast.TagNode:
		return unwrapped(n.Value)
	}
	return n
}

// scalarText is a plain value as it was written, without quotes.
func scalarText(n ast.Node) (text string, ok bool) {
	switch n := unwrapped(n).(type) {
	case *ast.AliasNode:
		return "", false
	case *ast.LiteralNode:
		return n.Value.Value, true
	case ast.ScalarNode:
		if n.GetToken().Type == token.ImplicitNullType {
			return "", true
		}
		return n.GetToken().Value, true
	}
	return "", false
}

func isMapping(n ast.Node) bool {
	n = unwrapped(n)
	return n.Type() == ast.MappingType || n.Type() == ast.MappingValueType
}

// lastAsJSON is the value of the last entry, a mapping, as JSON. The entries before it may define what its aliases
// name.
func lastAsJSON(entries []*ast.MappingValueNode) ([]string, error) {
	last := entries[len(entries)-1]
	a := aliases{map[string]int{}}
	for _, e := range entries {
		if a.count(e) > mostNodes {
			key, _ := scalarText(e.Key)
			return nil, mistake("%s has more than %d values, with its aliases written out", key, mostNodes)
		}
	}
	ast.Walk(floats{}, last.Value)
	var all map[string]any
	if err := yaml.NodeToValue(ast.Mapping(last.Start, false, entries...), &all); err != nil {
		where, reason := yamlError(err)
		return nil, mistake("%s: %s", strings.TrimPrefix(where, ":"), reason)
	}
	key, _ := scalarText(last.Key)
	text, err := json.Marshal(all[key])
	if err != nil {
		return nil, mistake("%v", err)
	}
	return []string{string(text)}, nil
}

// floats makes numbers of the values that are some by YAML's rules but not by the library's, which wants a point: 1e-5.
type floats struct{}

// Visit implements [ast.Visitor].
func (v floats) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.MappingValueNode:
		n.Value = asFloat(n.Value)
	case *ast.AnchorNode:
		n.Value = asFloat(n.Value)
	case *ast.SequenceNode:
		for i, item := range n.Values {
			n.Values[i] = asFloat(item)
		}
	}
	return v
}

func asFloat(n ast.Node) ast.Node {
	s, ok := n.(*ast.StringNode)
	if !ok || s.Token.Type != token.StringType || strings.Trim(s.Value, "0123456789.eE+-") != "" {
		return n
	}
	x, err := strconv.ParseFloat(s.Value, 64)
	if err != nil {
		return n
	}
	float := ast.Float(s.Token)
	float.Value = x
	return float
}

// YAML returns the resolved recipe as a file that reads back to the same values.
func (r *Recipe) YAML() ([]byte, error) {
	var file yaml.MapSlice
	for f, v := range reflect.ValueOf(*r).Fields() {
		key := f.Tag.Get("key")
		value := v.Interface()
		if j, ok := value.(jsonText); ok && j != "" && strings.ContainsAny(string(j[:1]), "{[") {
			var m any
			if err := json.Unmarshal([]byte(j), &m); err != nil {
				return nil, fmt.Errorf("recipe: %s: %w", key, err)
			}
			value = m
		} else if ok {
			value = string(j)
		}
		file = append(file, yaml.MapItem{Key: key, Value: value})
	}
	text, err := yaml.MarshalWithOptions(file, yaml.Indent(4), yaml.IndentSequence(true),
		yaml.CustomMarshaler(floatText), yaml.CustomMarshaler(stringText))
	if err != nil {
		return nil, fmt.Errorf("recipe: %w", err)
	}
	return text, nil
}

// floatText writes a number without the library's .0 behind whole ones.
func floatText(x float64) ([]byte, error) { return strconv.AppendFloat(nil, x, 'g', -1, 64), nil }

// otherScalar matches text that would be read as a number, a truth value, null or a time by some reader of YAML.
var otherScalar = regexp.MustCompile(
	`(?i)^([-+]?\.?[0-9][-+0-9a-fotxz_.: ]*|[-+]?\.(inf|nan)|y|n|yes|no|on|off|true|false|null|~|<<|=|\.\.\..*|)$`)

// stringText writes text in quotes wherever it could be taken for anything else.
func stringText(s string) ([]byte, error) {
	if otherScalar.MatchString(s) || strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return strconv.AppendQuote(nil, s), nil
	}
	if strings.ContainsAny(s[:1], " -?:,[]{}#&*!|>'\"%@`") || strings.HasSuffix(s, " ") || strings.HasSuffix(s, ":") ||
		strings.Contains(s, ": ") || strings.Contains(s, " #") {
		return []byte("'" + strings.ReplaceAll(s, "'", "''") + "'"), nil
	}
	return []byte(s), nil
}
