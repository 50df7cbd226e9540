package data

import (
	"maps"
	"slices"

	"instruct/tokenizer/chat"
)

// readContent reads the text of a message: a string, or a list of parts of the type text, which are joined as the
// templates of transformers do, with nothing between them. Parts of the type thinking are the reasoning.
func readContent(m *messageReader, key string, to *chat.Message) {
	v := m.object[key]
	if part, ok := v.(map[string]any); ok {
		v = []any{part}
	}
	list, ok := v.([]any)
	if !ok {
		to.Content = m.text(key)
		return
	}
	for _, item := range list {
		m.part(key, item, to)
	}
}

// part adds a part of a content.
func (m *messageReader) part(key string, item any, to *chat.Message) {
	if text, ok := item.(string); ok {
		to.Content += text
		return
	}
	part, ok := item.(map[string]any)
	if !ok {
		m.fail("key %q has a part that is %s; expected an object with a type and a text", key, jsonType(item))
		return
	}
	kind := "text"
	if v := part["type"]; !nothing(v) {
		kind, _ = v.(string)
	}
	from, into := "text", &to.Content
	switch kind {
	case "text", "input_text", "output_text":
	case "thinking", "reasoning":
		from, into = kind, &to.Reasoning
	default:
		m.fail("key %q has a part of the type %q that is no text: this program reads text only", key, kind)
		return
	}
	text, ok := part[from].(string)
	if !ok && part[from] != nil || !ok && len(part) == 0 {
		m.fail("key %q has a part that is no text: its %q is %s", key, from, jsonType(part[from]))
	}
	*into += text
	for _, other := range slices.Sorted(maps.Keys(part)) {
		if other != "type" && other != from && !nothing(part[other]) {
			m.ignore(m.key + "." + key + "." + other)
		}
	}
}
