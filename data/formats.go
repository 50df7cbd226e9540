package data

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"instruct/tokenizer/chat"
)

// format is one shape of a row.
type format struct {
	name string
	// required keys make the format; optional ones are read when they are there; others are ignored and counted.
	required, optional []string
	read               func(r *record, row *Row) // fills in Messages or Text
}

// formats is the table of the formats, in the order in which the first row of a file is compared with them.
// A new format is one file and one line here.
func formats() []format {
	words := strings.Fields
	return []format{
		{"correction", words("id prompt chosen rejected paraphrases"),
			words("system privileged_context rule author time model_sha256"), readCorrection},
		{"preference", words("chosen rejected"),
			words("prompt instruction input output system tools chat_template_kwargs"), readPreference},
		{"messages", words("messages"), words("tools chat_template_kwargs"), readMessages},
		{"conversations", words("conversations"), words("system tools chat_template_kwargs"), readConversations},
		{"prompt", words("prompt completion"), words("system tools chat_template_kwargs"), readPrompt},
		{"alpaca", words("instruction output"), words("input system"), readAlpaca},
		{"question", words("question answer"), words("system"), readQuestion},
		{"text", words("text"), nil, readText},
	}
}

// knownFormats describes the table for messages.
func knownFormats() string {
	var parts []string
	for _, f := range formats() {
		parts = append(parts, f.name+" "+keyList(f.required))
	}
	return strings.Join(parts, ", ")
}

func keyList(keys []string) string { return "{" + strings.Join(keys, ", ") + "}" }

// record is one row of a file before its format is understood. Values are string, float64, bool, nil, []any or
// map[string]any.
type record struct {
	source string // path:line
	values map[string]any
	raw    []byte // the JSON object, where the file has one
	err    error  // the first mistake
}

// rawValue is the JSON of a value, which a string may hold as cells of tables do. Its keys keep their order, which a
// template shows; those of a Parquet file have none and are sorted.
func (r *record) rawValue(key string) json.RawMessage {
	var values map[string]json.RawMessage
	var err error
	if s, ok := r.values[key].(string); ok {
		if !json.Valid([]byte(s)) {
			r.fail("key %q is a string that is no JSON", key)
		}
		return json.RawMessage(s)
	}
	if r.raw != nil {
		err = json.Unmarshal(r.raw, &values)
	} else {
		values = map[string]json.RawMessage{}
		values[key], err = json.Marshal(r.values[key])
	}
	if err != nil {
		r.fail("%v", err)
	}
	return values[key]
}

// conversationParts reads what a conversation has beside its messages.
func (r *record) conversationParts(row *Row, optional []string) {
	for _, part := range []struct {
		key, open, kind string
		to              *json.RawMessage
	}{{"tools", "[", "a list of JSON schemas", &row.Tools}, {"chat_template_kwargs", "{", "an object", &row.Variables}} {
		v := r.values[part.key]
		if v == nil || v == "" || !slices.Contains(optional, part.key) {
			continue
		}
		src := bytes.TrimSpace(r.rawValue(part.key))
		if string(src) == "null" {
			continue
		}
		if !bytes.HasPrefix(src, []byte(part.open)) {
			r.fail("key %q must be %s, found %s", part.key, part.kind, jsonType(v))
		}
		*part.to = src
	}
}

// fail keeps the first error.
func (r *record) fail(text string, args ...any) {
	if r.err == nil {
		r.err = r.errorf(text, args...)
	}
}

func (r *record) errorf(text string, args ...any) error {
	return mistake("data: %s: %s", r.source, fmt.Sprintf(text, args...))
}

func (r *record) keys() []string { return slices.Sorted(maps.Keys(r.values)) }

func (r *record) has(keys []string) bool {
	return !slices.ContainsFunc(keys, func(key string) bool { _, ok := r.values[key]; return !ok })
}

// text reads a string; a key that is absent or null is an empty one.
func (r *record) text(key string) string {
	text, ok := r.values[key].(string)
	if v := r.values[key]; v != nil && !ok {
		r.fail("key %q must be a string, found %s", key, jsonType(v))
	}
	return text
}

func jsonType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case float64, int64:
		return "a number"
	case bool:
		return "a boolean"
	case []any:
		return "an array"
	}
	return "an object"
}

// detect finds the format of a file from its first row.
func detect(r *record) (*format, error) {
	for _, f := range formats() {
		if r.has(f.required) {
			return &f, nil
		}
	}
	return nil, r.errorf("no format has the keys %s; the known formats are %s", keyList(r.keys()), knownFormats())
}

// formatNamed finds a format by the name that the user gave; nil means that it is to be detected.
func formatNamed(name string) (*format, error) {
	if name == "" || name == "auto" {
		return nil, nil
	}
	for _, f := range formats() {
		if f.name == name {
			return &f, nil
		}
	}
	return nil, mistake("data: the format %q is unknown; the known formats are %s", name, knownFormats())
}

// row turns a record into a row and checks it.
func (f *format) row(r *record) (Row, error) {
	if !r.has(f.required) {
		return Row{}, r.errorf("the row has the keys %s, but the format %s needs %s; the known formats are %s",
			keyList(r.keys()), f.name, keyList(f.required), knownFormats())
	}
	row := Row{Source: r.source}
	f.read(r, &row)
	if row.Messages != nil {
		r.checkMessages(row.Messages)
		r.conversationParts(&row, f.optional)
	}
	if r.err != nil {
		return Row{}, r.err
	}
	row.Kind, _ = r.values["kind"].(string)
	for _, key := range r.keys() {
		if key != "kind" && !slices.Contains(f.required, key) && !slices.Contains(f.optional, key) {
			row.Ignored = append(row.Ignored, key)
		}
	}
	return row, nil
}

// checkMessages wants an answer, and no answer to be empty.
func (r *record) checkMessages(messages []chat.Message) {
	answers := 0
	for i, m := range messages {
		if m.Role != "assistant" {
			continue
		}
		answers++
		if (m.Train == nil || *m.Train) && strings.TrimSpace(m.Content+m.Reasoning) == "" && m.ToolCalls == nil {
			r.fail("the response is empty (message %d): remove the row, or give it an answer", i+1)
		}
	}
	if answers == 0 {
		r.fail("there is no assistant message to train on")
	}
}
