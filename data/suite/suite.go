package suite

import (
	"encoding/json"
	"errors"
	"fmt"

	"instruct/data/checks"
	"instruct/data/internal/strictyaml"
	"instruct/tokenizer/chat"
)

// Suite is prompts, tests and what follows from both: the cases, which are what a model is asked.
type Suite struct {
	Path        string
	Description string
	Prompts     []Prompt
	Tests       []Test
	// Cases are all tests with all prompts, in promptfoo's order: test by test, in each by the values of its variables,
	// in each by prompt.
	Cases []Case
}

// Prompt is a template of what is asked: a text, or messages.
type Prompt struct {
	Line     int
	Messages []chat.Message
}

// Test is an entry of tests with what it has from defaultTest.
type Test struct {
	Line        int
	Description string
	// Vars are the variables by name, each with its values; a list in the file gives one case for each.
	Vars []VarValues
	// Messages are what is asked instead of the suite's prompts, nil where those are asked.
	Messages  []chat.Message
	Assert    []checks.Spec
	Threshold *float64
	Tags      []string
	// Metadata is a JSON object, nil where there is none.
	Metadata json.RawMessage

	metadata []strictyaml.Field
}

// VarValues are a variable and its values.
type VarValues struct {
	Name   string
	Values []string
}

// Case is one question to a model, and what its answer is judged by.
type Case struct {
	// Line is that of the test. Test and Prompt count from 0; Prompt is -1 where the test has messages of its own.
	Line, Test, Prompt int
	Vars               []Var
	Messages           []chat.Message
	Checks             *checks.Set
}

// Read reads a suite. Errors name path and line.
func Read(path string) (*Suite, error) {
	r := newReader(path)
	root, err := r.Read()
	if err != nil {
		return nil, err
	}
	return r.suite(root)
}

// Parse is [Read] for text at hand; path is used in messages.
func Parse(path string, text []byte) (*Suite, error) {
	r := newReader(path)
	root, err := r.Parse(text)
	if err != nil {
		return nil, err
	}
	return r.suite(root)
}

func (r *reader) suite(root *strictyaml.Node) (*Suite, error) {
	s := &Suite{Path: r.Path}
	if err := s.fill(r, root); err != nil {
		return nil, err
	}
	return s, s.expand(r)
}

// fill reads the keys of the file.
func (s *Suite) fill(r *reader, root *strictyaml.Node) error {
	f, err := r.object(root, "description", "prompts", "tests", "defaultTest")
	if err != nil {
		return err
	}
	if s.Description, err = f.Text("description"); err != nil {
		return err
	}
	var defaults Test
	if n := f.Get("defaultTest"); n != nil {
		if defaults, err = r.test(n, true); err != nil {
			return err
		}
	}
	if s.Prompts, err = f.prompts(); err != nil {
		return err
	}
	tests, err := f.List("tests")
	if err != nil {
		return err
	}
	if len(tests) == 0 {
		return r.Errorf(root.Line, "a suite needs tests")
	}
	for _, n := range tests {
		t, err := r.test(n, false)
		if err != nil {
			return err
		}
		if t.Messages == nil && len(s.Prompts) == 0 {
			return r.Errorf(t.Line, "the suite has no prompts, so the test needs messages")
		}
		s.Tests = append(s.Tests, t.with(defaults))
	}
	return nil
}

// with adds what a test has from defaultTest.
func (t Test) with(defaults Test) Test {
	var vars []VarValues
	for _, v := range defaults.Vars {
		if own := t.find(v.Name); own != nil {
			v = *own
		}
		vars = append(vars, v)
	}
	for _, v := range t.Vars {
		if defaults.find(v.Name) == nil {
			vars = append(vars, v)
		}
	}
	t.Vars = vars
	t.Assert = append(append([]checks.Spec(nil), defaults.Assert...), t.Assert...)
	t.Tags = append(append([]string(nil), defaults.Tags...), t.Tags...)
	if t.Threshold == nil {
		t.Threshold = defaults.Threshold
	}
	t.metadata = merged(defaults.metadata, t.metadata)
	if t.metadata != nil {
		t.Metadata = (&strictyaml.Node{Kind: strictyaml.Mapping, Fields: t.metadata}).JSON()
	}
	return t
}

// find is a variable by name, or nil.
func (t *Test) find(name string) *VarValues {
	for i := range t.Vars {
		if t.Vars[i].Name == name {
			return &t.Vars[i]
		}
	}
	return nil
}

// merged are the entries of two mappings; the second's win.
func merged(a, b []strictyaml.Field) []strictyaml.Field {
	out := append([]strictyaml.Field(nil), a...)
next:
	for _, f := range b {
		for i := range out {
			if out[i].Key == f.Key {
				out[i] = f
				continue next
			}
		}
		out = append(out, f)
	}
	return out
}

// maxCases bounds what lists of values can multiply to.
const maxCases = 100_000

// expand makes the cases.
func (s *Suite) expand(r *reader) error {
	for i := range s.Tests {
		t := &s.Tests[i]
		if n := t.count(max(1, len(s.Prompts))); len(s.Cases)+n > maxCases {
			return r.Errorf(t.Line, "the suite has more than %d cases", maxCases)
		}
		for _, vars := range t.combinations() {
			prompts := s.Prompts
			if t.Messages != nil {
				prompts = []Prompt{{t.Line, t.Messages}}
			}
			specs, err := renderSpecs(r, t.Assert, vars)
			if err != nil {
				return err
			}
			set, err := checks.NewSet(specs, t.Threshold)
			var e *checks.Error
			if errors.As(err, &e) {
				return r.Errorf(e.Line, "%s", e.Reason)
			}
			for j, p := range prompts {
				c := Case{Line: t.Line, Test: i, Prompt: j, Vars: vars, Checks: set}
				if t.Messages != nil {
					c.Prompt = -1
				}
				if c.Messages, err = renderMessages(p.Messages, vars); err != nil {
					return r.Errorf(t.Line, "%v (in the prompt of line %d)", err, p.Line)
				}
				s.Cases = append(s.Cases, c)
			}
		}
	}
	return nil
}

// count is how many cases a test has with so many prompts, or more than maxCases.
func (t *Test) count(prompts int) int {
	n := 1
	if t.Messages == nil {
		n = prompts
	}
	for _, v := range t.Vars {
		if n *= len(v.Values); n > maxCases {
			return n
		}
	}
	return n
}

// combinations are all choices of values of the variables; the last variable changes first.
func (t *Test) combinations() [][]Var {
	out := [][]Var{nil}
	for _, v := range t.Vars {
		var next [][]Var
		for _, chosen := range out {
			for _, value := range v.Values {
				next = append(next, append(chosen[:len(chosen):len(chosen)], Var{v.Name, value}))
			}
		}
		out = next
	}
	return out
}

// renderMessages fills a prompt's variables in.
func renderMessages(messages []chat.Message, vars []Var) ([]chat.Message, error) {
	out := append([]chat.Message(nil), messages...)
	for i := range out {
		content, err := render(out[i].Content, vars)
		if err != nil {
			return nil, err
		}
		out[i].Content = content
	}
	return out, nil
}

// renderSpecs fills in the variables of values that are text or a list of texts, and of metrics, as promptfoo does.
func renderSpecs(r *reader, specs []checks.Spec, vars []Var) ([]checks.Spec, error) {
	out := append([]checks.Spec(nil), specs...)
	for i := range out {
		spec := &out[i]
		var err error
		if spec.Value, err = renderValue(spec.Value, vars); err != nil {
			return nil, r.Errorf(max(spec.Line, spec.ValueLine), "%s: %v", spec.Type, err)
		}
		if spec.Metric, err = render(spec.Metric, vars); err != nil {
			return nil, r.Errorf(spec.Line, "metric: %v", err)
		}
		if spec.Assert, err = renderSpecs(r, spec.Assert, vars); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func renderValue(value json.RawMessage, vars []Var) (json.RawMessage, error) {
	if len(value) == 0 || value[0] != '"' && value[0] != '[' {
		return value, nil
	}
	if value[0] == '"' {
		return renderText(value, vars)
	}
	var items []json.RawMessage
	if err := json.Unmarshal(value, &items); err != nil {
		return nil, fmt.Errorf("suite: a value of our own is no JSON: %w", err)
	}
	for i, item := range items {
		if item[0] != '"' {
			continue
		}
		var err error
		if items[i], err = renderText(item, vars); err != nil {
			return nil, err
		}
	}
	return json.Marshal(items)
}

func renderText(value json.RawMessage, vars []Var) (json.RawMessage, error) {
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return nil, fmt.Errorf("suite: a value of our own is no JSON: %w", err)
	}
	s, err := render(s, vars)
	if err != nil {
		return nil, err
	}
	return (&strictyaml.Node{Kind: strictyaml.Text, Text: s}).JSON(), nil
}
