package data

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"instruct/tokenizer/chat"
)

// format is one shape of a row.
type format struct {
	name string
	// required keys make the format; optional ones are read when they say something; others are ignored and counted.
	required, optional []string
	read               func(r *record, row *Row) // fills in Messages or Text
	// there are further required keys, which may say nothing.
	there []string
}

// formats is the table of the formats, in the order in which a row is compared with them.
// A new format is one file and one line here.
var formats = sync.OnceValue(func() []format {
	words := strings.Fields
	parts := words("system system_prompt tools functions chat_template_kwargs")
	pairs := words("system system_prompt history")
	and := func(more string, keys []string) []string { return append(words(more), keys...) }
	return []format{
		{"correction", words("id prompt chosen"), words("system privileged_context rule author time model_sha256"),
			readCorrection, words("rejected paraphrases")},
		{"preference", words("chosen rejected"), and("prompt instruction input output", parts), readPreference, nil},
		{"tree", words("message_tree_id prompt"), words("tree_state"), readTree, nil},
		{"tree_message", words("message_id role text"), words("parent_id message_tree_id tree_state rank replies deleted"),
			readTreeMessage, nil},
		{"messages", words("messages"), parts, readTurns("messages"), nil},
		{"conversations", words("conversations"), parts, readTurns("conversations"), nil},
		{"conversation", words("conversation"), parts, readTurns("conversation"), nil},
		{"prompt", words("prompt completion"), and("history label", parts), readPrompt, nil},
		{"alpaca", words("instruction output"), and("input", pairs), pair("instruction", "input", "output"), nil},
		{"dolly", words("instruction response"), and("context input", pairs), readDolly, nil},
		{"question", words("question answer"), pairs, pair("question", "", "answer"), nil},
		{"orca", words("question response"), pairs, pair("question", "", "response"), nil},
		{"query", words("query response"), pairs, pair("query", "", "response"), nil},
		{"response", words("prompt response"), pairs, pair("prompt", "", "response"), nil},
		{"aya", words("inputs targets"), pairs, pair("inputs", "", "targets"), nil},
		{"input", words("input output"), pairs, pair("input", "", "output"), nil},
		{"data", words("data"), parts, readTurns("data"), nil},
		{"text", words("text"), nil, readText, nil},
	}
})

// fits says that the record has something under every key of the format.
func (f *format) fits(r *record) bool { return r.gives(f.required) && r.has(f.there) }

// has says that the record has every key of the format, maybe with nothing under it.
func (f *format) has(r *record) bool { return r.has(f.required) && r.has(f.there) }

// knows says that the format reads a key.
func (f *format) knows(key string) bool {
	return key == "kind" || slices.Contains(f.required, key) || slices.Contains(f.optional, key) ||
		slices.Contains(f.there, key)
}

// knownKeys gives the keys of every format for messages.
func knownKeys() string {
	var parts []string
	for _, f := range formats() {
		parts = append(parts, keyList(slices.Concat(f.required, f.there)))
	}
	return strings.Join(parts, ", ")
}

func keyList(keys []string) string { return "{" + strings.Join(keys, ", ") + "}" }

// record is one row of a file before its format is understood. Values are string, float64, bool, nil, []any or
// map[string]any.
type record struct {
	source string // path:line
	values map[string]any
	raw    []byte // the JSON object, where the file has one; valid until the next record is read
	err    error  // the first mistake

	unread  []string // known keys that were not read after all
	ignored []string // keys of messages that mean nothing here, such as "messages.id"
	mapped  []string // roles that are called otherwise here, such as "bing as assistant"
	silent  bool     // a user says nothing
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

// formatNamed finds a format by the name that the user gave; nil means that it is to be detected.
func formatNamed(name string) (*format, error) {
	if name == "" || name == "auto" {
		return nil, nil
	}
	var known []string
	for _, f := range formats() {
		if f.name == name {
			return &f, nil
		}
		known = append(known, f.name)
	}
	return nil, mistake("data: the format %q is unknown; the known formats are %s", name, strings.Join(known, ", "))
}

// row turns a record into a row and checks it.
func (f *format) row(r *record) (Row, error) {
	if !f.has(r) {
		return Row{}, r.errorf("the row has the keys %s, but the format %s needs %s; "+
			"without a named format each row's is found", keyList(r.keys()), f.name, keyList(slices.Concat(f.required, f.there)))
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
	for key, v := range r.values {
		if !nothing(v) && (!f.knows(key) || slices.Contains(r.unread, key)) {
			row.Ignored = append(row.Ignored, key)
		}
	}
	slices.Sort(row.Ignored)
	row.Ignored = append(row.Ignored, r.ignored...)
	row.Mapped = r.mapped
	row.Silent = r.silent
	return row, nil
}

// checkMessages wants an answer, and no answer to be empty.
func (r *record) checkMessages(messages []chat.Message) {
	answers := 0
	for i, m := range messages {
		if m.Role != "assistant" {
			r.silent = r.silent || m.Role == "user" && strings.TrimSpace(m.Content) == ""
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
