package data

import (
	"encoding/json"
	"slices"

	"instruct/tokenizer/chat"
)

// readTurns reads a conversation: {"messages": [{"role", "content"}]}, ShareGPT's {"conversations": [{"from",
// "value"}]}, LIMA's and UltraChat's lists of texts, Capybara's of {"input", "output"}. What is read of a message is in
// the table messageKeys. A system prompt beside the list counts where the list has none.
func readTurns(key string) func(r *record, row *Row) {
	return func(r *record, row *Row) {
		row.Messages = r.messages(key)
		if slices.ContainsFunc(row.Messages, func(m chat.Message) bool { return m.Role == "system" }) {
			r.unread = append(r.unread, "system", "system_prompt")
			return
		}
		if system := r.system(); system != nil {
			row.Messages = append(system, row.Messages...)
		}
	}
}

// list reads a list; a text holds it as JSON, as the cells of a table do.
func (r *record) list(key, kind string) []any {
	v := r.values[key]
	if s, ok := v.(string); ok {
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			r.fail("key %q is a string that is no JSON of %s: %v", key, kind, err)
		}
	}
	list, ok := v.([]any)
	if !ok {
		r.fail("key %q must be %s, found %s", key, kind, jsonType(v))
	}
	return list
}

// messages reads a list of messages.
func (r *record) messages(key string) []chat.Message {
	list := r.list(key, "a list of messages")
	if len(list) == 0 {
		r.fail("key %q has no messages", key)
	}
	if texts := textsOf(list); texts != nil {
		return r.talk(key, texts)
	}
	messages := make([]chat.Message, 0, len(list)+1) // a system prompt may come before them
	m := &messageReader{record: r, key: key}
	for i, item := range list {
		m.index = i
		var ok bool
		if m.object, ok = item.(map[string]any); !ok {
			m.fail("expected an object, found %s", jsonType(item))
		}
		if m.isPair() {
			messages = append(messages, alternating([]string{m.text("input"), m.text("output")})...)
			continue
		}
		messages = append(messages, m.message())
	}
	return messages
}

// talk is a list of texts as the turns of a talk, which the user begins and the assistant ends.
func (r *record) talk(key string, texts []string) []chat.Message {
	if len(texts)%2 == 1 {
		r.fail("key %q has %d texts; expected a question and an answer in turn, so an even number", key, len(texts))
	}
	return alternating(texts)
}

// textsOf is a list of nothing but texts.
func textsOf(list []any) []string {
	var texts []string
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil
		}
		texts = append(texts, text)
	}
	return texts
}
