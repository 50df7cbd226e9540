package suite

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"instruct/data/checks"
	"instruct/data/internal/strictyaml"
	"instruct/tokenizer/chat"
)

// reader reads a suite's file.
type reader struct{ *strictyaml.File }

func newReader(path string) *reader {
	return &reader{&strictyaml.File{What: "suite", Holds: "prompts and tests", Path: path}}
}

// object is a mapping whose keys are known.
type object struct {
	strictyaml.Object
	r *reader
}

func (r *reader) object(n *strictyaml.Node, known ...string) (object, error) {
	o, err := r.Object(n, known...)
	return object{o, r}, err
}

// prompts reads the prompts, one or a list of them.
func (o object) prompts() ([]Prompt, error) {
	n := o.Get("prompts")
	if n == nil {
		return nil, nil
	}
	items := []*strictyaml.Node{n}
	if n.Kind == strictyaml.List {
		items = n.Items
	}
	var out []Prompt
	for _, item := range items {
		if item.Kind != strictyaml.Text || item.Text == "" {
			return nil, o.Wrong("a prompt", "text", item)
		}
		if err := o.r.Local(item.Line, item.Text); err != nil {
			return nil, err
		}
		messages, err := o.r.promptMessages(item)
		if err != nil {
			return nil, err
		}
		out = append(out, Prompt{item.Line, messages})
	}
	return out, nil
}

// promptMessages makes one message of the user of a text, or the messages that it holds as JSON.
func (r *reader) promptMessages(n *strictyaml.Node) ([]chat.Message, error) {
	trimmed := strings.TrimSpace(n.Text)
	looksChat := strings.HasPrefix(trimmed, "[") && strings.Contains(trimmed, `"role"`)
	if strings.HasPrefix(trimmed, "- role:") {
		return nil, r.Errorf(n.Line, "messages in a prompt must be JSON: [{\"role\": \"user\", \"content\": \"...\"}]")
	}
	if !looksChat && !json.Valid([]byte(n.Text)) {
		return []chat.Message{{Role: "user", Content: n.Text}}, nil
	}
	d := json.NewDecoder(strings.NewReader(trimmed))
	d.DisallowUnknownFields()
	var items []struct{ Role, Content *string }
	if err := d.Decode(&items); err != nil || d.More() {
		return nil, r.Errorf(n.Line, "a prompt that is JSON must be a list of messages, each with role and content as text")
	}
	var out []chat.Message
	for _, m := range items {
		if m.Role == nil || m.Content == nil {
			return nil, r.Errorf(n.Line, "a message of the prompt needs role and content")
		}
		out = append(out, chat.Message{Role: *m.Role, Content: *m.Content})
	}
	return out, r.checkMessages(n.Line, out)
}

// checkMessages makes sure that messages can be put to a model.
func (r *reader) checkMessages(line int, messages []chat.Message) error {
	if len(messages) == 0 {
		return r.Errorf(line, "the list of messages is empty")
	}
	for _, m := range messages {
		switch m.Role {
		case "system", "user", "assistant", "tool", "developer":
		default:
			return r.Errorf(line, "unknown role %q; known: system, user, assistant, tool, developer", m.Role)
		}
	}
	if messages[len(messages)-1].Role == "assistant" {
		return r.Errorf(line, "the last message is the assistant's: nothing is left to answer")
	}
	return nil
}

// test reads an entry of tests, or defaultTest, which has no messages of its own.
func (r *reader) test(n *strictyaml.Node, isDefault bool) (Test, error) {
	known := []string{"description", "vars", "assert", "threshold", "metadata", "tags", "messages"}
	if isDefault {
		known = known[:len(known)-1]
	}
	t := Test{Line: n.Line}
	o, err := r.object(n, known...)
	if err != nil {
		return t, err
	}
	if t.Description, err = o.Text("description"); err != nil {
		return t, err
	}
	if t.Threshold, err = o.Number("threshold"); err != nil {
		return t, err
	}
	if t.Vars, err = o.vars(); err != nil {
		return t, err
	}
	if t.Messages, err = o.messages(); err != nil {
		return t, err
	}
	if t.Assert, err = o.Assert(); err != nil {
		return t, err
	}
	if err := r.ready(t.Assert); err != nil {
		return t, err
	}
	if t.Tags, err = o.Texts("tags", "a tag"); err != nil {
		return t, err
	}
	if m := o.Get("metadata"); m != nil {
		if m.Kind != strictyaml.Mapping {
			return t, o.Wrong("metadata", "a mapping", m)
		}
		t.metadata = m.Fields
	}
	return t, nil
}

// vars reads the variables of a test. A list of texts stands for one case each.
func (o object) vars() ([]VarValues, error) {
	n := o.Get("vars")
	if n == nil {
		return nil, nil
	}
	if n.Kind != strictyaml.Mapping {
		return nil, o.Wrong("vars", "a mapping", n)
	}
	var out []VarValues
	for _, f := range n.Fields {
		if m := placeholder.FindString("{{" + f.Key + "}}"); m == "" {
			return nil, o.r.Errorf(f.Line, "%q cannot name a variable: a name has letters, digits and _ only", f.Key)
		}
		items := []*strictyaml.Node{f.Value}
		if f.Value.Kind == strictyaml.List {
			items = f.Value.Items
		}
		v := VarValues{Name: f.Key}
		for _, item := range items {
			value, ok := varText(item)
			if !ok || f.Value.Kind == strictyaml.List && item.Kind != strictyaml.Text {
				return nil, o.Wrong(f.Key, "text, a number, a truth value or a list of texts", item)
			}
			if err := o.r.Local(item.Line, value); err != nil {
				return nil, err
			}
			if _, err := render(value, nil); err != nil {
				return nil, o.r.Errorf(item.Line, "%s: a variable's value cannot hold a template: %q", f.Key,
					strictyaml.Shortened(value))
			}
			v.Values = append(v.Values, value)
		}
		if len(v.Values) == 0 {
			return nil, o.r.Errorf(f.Line, "%s has no values", f.Key)
		}
		out = append(out, v)
	}
	return out, nil
}

// messages reads the messages of a test.
func (o object) messages() ([]chat.Message, error) {
	items, err := o.List("messages")
	if err != nil || o.Get("messages") == nil {
		return nil, err
	}
	var out []chat.Message
	for _, item := range items {
		m, err := o.r.object(item, "role", "content")
		if err != nil {
			return nil, err
		}
		for _, key := range []string{"role", "content"} {
			if n := m.Get(key); n == nil || n.Kind != strictyaml.Text {
				return nil, o.r.Errorf(item.Line, "a message needs role and content, both text")
			}
		}
		out = append(out, chat.Message{Role: m.Get("role").Text, Content: m.Get("content").Text})
	}
	return out, o.r.checkMessages(o.Get("messages").Line, out)
}

// templated says whether an assertion needs variables.
func templated(spec checks.Spec) bool {
	return strings.Contains(string(spec.Value), "{{") || slices.ContainsFunc(spec.Assert, templated)
}

// ready says what is wrong with assertions, of defaultTest too, as far as it can be known without variables.
func (r *reader) ready(specs []checks.Spec) error {
	for _, spec := range specs {
		if templated(spec) {
			if err := r.ready(spec.Assert); err != nil {
				return err
			}
			continue
		}
		_, err := checks.NewSet([]checks.Spec{spec}, nil)
		var e *checks.Error
		if errors.As(err, &e) {
			return r.Errorf(e.Line, "%s", e.Reason)
		}
	}
	return nil
}
