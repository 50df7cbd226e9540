package suite

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"instruct/data/checks"
	"instruct/tokenizer/chat"
)

// object is a mapping whose keys are known.
type object struct {
	r *reader
	n *node
}

// object makes sure that a node is a mapping of the known keys only.
func (r *reader) object(n *node, known ...string) (object, error) {
	if n.kind != mapping {
		return object{}, r.errorf(n.line, "expected a mapping with %s, found %v", strings.Join(known, ", "), n.kind)
	}
	for _, f := range n.fields {
		if o := (object{r, &node{fields: []field{f}}}); len(o.others(known)) == 0 {
			continue
		}
		if f.key == "provider" || f.key == "providers" || f.key == "targets" {
			return object{}, r.errorf(f.line, "%s has no use here: the command line names the model", f.key)
		}
		return object{}, r.errorf(f.line, "unknown key %q; did you mean %q?", f.key, checks.Nearest(f.key, known))
	}
	return object{r, n}, nil
}

// others are the keys that are not known.
func (o object) others(known []string) []string {
	var out []string
next:
	for _, f := range o.n.fields {
		for _, k := range known {
			if f.key == k {
				continue next
			}
		}
		out = append(out, f.key)
	}
	return out
}

// get is the value of a key, or nil.
func (o object) get(key string) *node {
	for _, f := range o.n.fields {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

// wrong says that a key holds something else than it should.
func (o object) wrong(key, want string, found *node) error {
	return o.r.errorf(found.line, "%s must be %s, found %v", key, want, found.kind)
}

// text is the text of a key, "" where it is missing.
func (o object) text(key string) (string, error) {
	n := o.get(key)
	if n == nil {
		return "", nil
	}
	if n.kind != text {
		return "", o.wrong(key, "text", n)
	}
	return n.text, nil
}

// number is the number of a key, nil where it is missing.
func (o object) number(key string) (*float64, error) {
	n := o.get(key)
	if n == nil {
		return nil, nil
	}
	if n.kind != number {
		return nil, o.wrong(key, "a number", n)
	}
	return &n.number, nil
}

// list is the items of a key, nil where it is missing.
func (o object) list(key string) ([]*node, error) {
	n := o.get(key)
	if n == nil {
		return nil, nil
	}
	if n.kind != list {
		return nil, o.wrong(key, "a list", n)
	}
	return n.items, nil
}

// local refuses text that promptfoo would load from elsewhere.
func (r *reader) local(line int, s string) error {
	for _, prefix := range []string{"file://", "package:", "portkey://", "langfuse://", "helicone://"} {
		if strings.HasPrefix(s, prefix) {
			return r.errorf(line, "%s is not read here; write the text itself", shortened(s))
		}
	}
	return nil
}

// prompts reads the prompts, one or a list of them.
func (o object) prompts() ([]Prompt, error) {
	n := o.get("prompts")
	if n == nil {
		return nil, nil
	}
	items := []*node{n}
	if n.kind == list {
		items = n.items
	}
	var out []Prompt
	for _, item := range items {
		if item.kind != text || item.text == "" {
			return nil, o.wrong("a prompt", "text", item)
		}
		if err := o.r.local(item.line, item.text); err != nil {
			return nil, err
		}
		messages, err := o.r.promptMessages(item)
		if err != nil {
			return nil, err
		}
		out = append(out, Prompt{item.line, messages})
	}
	return out, nil
}

// promptMessages makes one message of the user of a text, or the messages that it holds as JSON.
func (r *reader) promptMessages(n *node) ([]chat.Message, error) {
	trimmed := strings.TrimSpace(n.text)
	looksChat := strings.HasPrefix(trimmed, "[") && strings.Contains(trimmed, `"role"`)
	if strings.HasPrefix(trimmed, "- role:") {
		return nil, r.errorf(n.line, "messages in a prompt must be JSON: [{\"role\": \"user\", \"content\": \"...\"}]")
	}
	if !looksChat && !json.Valid([]byte(n.text)) {
		return []chat.Message{{Role: "user", Content: n.text}}, nil
	}
	d := json.NewDecoder(strings.NewReader(trimmed))
	d.DisallowUnknownFields()
	var items []struct{ Role, Content *string }
	if err := d.Decode(&items); err != nil || d.More() {
		return nil, r.errorf(n.line, "a prompt that is JSON must be a list of messages, each with role and content as text")
	}
	var out []chat.Message
	for _, m := range items {
		if m.Role == nil || m.Content == nil {
			return nil, r.errorf(n.line, "a message of the prompt needs role and content")
		}
		out = append(out, chat.Message{Role: *m.Role, Content: *m.Content})
	}
	return out, r.checkMessages(n.line, out)
}

// checkMessages makes sure that messages can be put to a model.
func (r *reader) checkMessages(line int, messages []chat.Message) error {
	if len(messages) == 0 {
		return r.errorf(line, "the list of messages is empty")
	}
	for _, m := range messages {
		switch m.Role {
		case "system", "user", "assistant", "tool", "developer":
		default:
			return r.errorf(line, "unknown role %q; known: system, user, assistant, tool, developer", m.Role)
		}
	}
	if messages[len(messages)-1].Role == "assistant" {
		return r.errorf(line, "the last message is the assistant's: nothing is left to answer")
	}
	return nil
}

// test reads an entry of tests, or defaultTest, which has no messages of its own.
func (r *reader) test(n *node, isDefault bool) (Test, error) {
	known := []string{"description", "vars", "assert", "threshold", "metadata", "tags", "messages"}
	if isDefault {
		known = known[:len(known)-1]
	}
	t := Test{Line: n.line}
	o, err := r.object(n, known...)
	if err != nil {
		return t, err
	}
	if t.Description, err = o.text("description"); err != nil {
		return t, err
	}
	if t.Threshold, err = o.number("threshold"); err != nil {
		return t, err
	}
	if t.Vars, err = o.vars(); err != nil {
		return t, err
	}
	if t.Messages, err = o.messages(); err != nil {
		return t, err
	}
	if t.Assert, err = o.assert(); err != nil {
		return t, err
	}
	tags, err := o.list("tags")
	if err != nil {
		return t, err
	}
	for _, tag := range tags {
		if tag.kind != text {
			return t, o.wrong("a tag", "text", tag)
		}
		t.Tags = append(t.Tags, tag.text)
	}
	if m := o.get("metadata"); m != nil {
		if m.kind != mapping {
			return t, o.wrong("metadata", "a mapping", m)
		}
		t.metadata = m.fields
	}
	return t, nil
}

// vars reads the variables of a test. A list of texts stands for one case each.
func (o object) vars() ([]VarValues, error) {
	n := o.get("vars")
	if n == nil {
		return nil, nil
	}
	if n.kind != mapping {
		return nil, o.wrong("vars", "a mapping", n)
	}
	var out []VarValues
	for _, f := range n.fields {
		if m := placeholder.FindString("{{" + f.key + "}}"); m == "" {
			return nil, o.r.errorf(f.line, "%q cannot name a variable: a name has letters, digits and _ only", f.key)
		}
		items := []*node{f.value}
		if f.value.kind == list {
			items = f.value.items
		}
		v := VarValues{Name: f.key}
		for _, item := range items {
			value, ok := item.varText()
			if !ok || f.value.kind == list && item.kind != text {
				return nil, o.wrong(f.key, "text, a number, a truth value or a list of texts", item)
			}
			if err := o.r.local(item.line, value); err != nil {
				return nil, err
			}
			if _, err := render(value, nil); err != nil {
				return nil, o.r.errorf(item.line, "%s: a variable's value cannot hold a template: %q", f.key, shortened(value))
			}
			v.Values = append(v.Values, value)
		}
		if len(v.Values) == 0 {
			return nil, o.r.errorf(f.line, "%s has no values", f.key)
		}
		out = append(out, v)
	}
	return out, nil
}

// messages reads the messages of a test.
func (o object) messages() ([]chat.Message, error) {
	items, err := o.list("messages")
	if err != nil || o.get("messages") == nil {
		return nil, err
	}
	var out []chat.Message
	for _, item := range items {
		m, err := o.r.object(item, "role", "content")
		if err != nil {
			return nil, err
		}
		for _, key := range []string{"role", "content"} {
			if n := m.get(key); n == nil || n.kind != text {
				return nil, o.r.errorf(item.line, "a message needs role and content, both text")
			}
		}
		out = append(out, chat.Message{Role: m.get("role").text, Content: m.get("content").text})
	}
	return out, o.r.checkMessages(o.get("messages").line, out)
}

// assert reads the assertions of a test or of an assert-set.
func (o object) assert() ([]checks.Spec, error) {
	items, err := o.list("assert")
	if err != nil {
		return nil, err
	}
	var out []checks.Spec
	for _, item := range items {
		spec, err := o.r.spec(item)
		if err != nil {
			return nil, err
		}
		out = append(out, spec)
	}
	return out, nil
}

// spec reads an assertion.
func (r *reader) spec(n *node) (checks.Spec, error) {
	spec := checks.Spec{Line: n.line}
	o, err := r.object(n, "type", "value", "threshold", "weight", "metric", "assert")
	if err != nil {
		return spec, err
	}
	if spec.Type, err = o.text("type"); err != nil {
		return spec, err
	}
	if spec.Threshold, err = o.number("threshold"); err != nil {
		return spec, err
	}
	if spec.Weight, err = o.number("weight"); err != nil {
		return spec, err
	}
	if spec.Metric, err = o.text("metric"); err != nil {
		return spec, err
	}
	if spec.Assert, err = o.assert(); err != nil {
		return spec, err
	}
	if v := o.get("value"); v != nil {
		spec.Value, spec.ValueLine = v.json(), v.line
		for _, item := range append([]*node{v}, v.items...) {
			if item.kind != text {
				continue
			}
			if err := r.local(item.line, item.text); err != nil {
				return spec, err
			}
		}
	}
	// What can be known of an assertion without variables is said here, of defaultTest too.
	if templated(spec) {
		return spec, nil
	}
	return spec, r.ready(spec)
}

// templated says whether an assertion needs variables.
func templated(spec checks.Spec) bool {
	return strings.Contains(string(spec.Value), "{{") || slices.ContainsFunc(spec.Assert, templated)
}

// ready says what is wrong with an assertion.
func (r *reader) ready(spec checks.Spec) error {
	_, err := checks.NewSet([]checks.Spec{spec}, nil)
	var e *checks.Error
	if errors.As(err, &e) {
		return r.errorf(e.Line, "%s", e.Reason)
	}
	return err
}
