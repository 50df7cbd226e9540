package data

import (
	"bytes"
	"encoding/json"
	"slices"

	"instruct/tokenizer/chat"
)

// objectsIn is a list of objects as JSON: a list, a text that holds one, or a list of texts that hold an object each.
// The keys of objects keep their order. ok is false for anything else.
func objectsIn(src json.RawMessage) (objects []json.RawMessage, ok bool) {
	var text string
	if json.Unmarshal(src, &text) == nil {
		src = json.RawMessage(text)
	}
	if json.Unmarshal(src, &objects) != nil {
		return nil, false
	}
	for i, object := range objects {
		if json.Unmarshal(object, &text) == nil {
			object = json.RawMessage(text)
			objects[i] = object
		}
		if !bytes.HasPrefix(bytes.TrimSpace(object), []byte("{")) || !json.Valid(object) {
			return nil, false
		}
	}
	return objects, true
}

// listOf is the JSON list of objects.
func listOf(objects []json.RawMessage) json.RawMessage {
	return slices.Concat(json.RawMessage("["), bytes.Join(asBytes(objects), []byte(",")), json.RawMessage("]"))
}

func asBytes(objects []json.RawMessage) [][]byte {
	var out [][]byte
	for _, object := range objects {
		out = append(out, object)
	}
	return out
}

// calls puts each function of the style before tools into the place that it has now.
func calls(functions []json.RawMessage) []json.RawMessage {
	for i, function := range functions {
		var keys map[string]json.RawMessage
		if json.Unmarshal(function, &keys) == nil && keys["function"] == nil {
			functions[i] = slices.Concat(json.RawMessage(`{"type":"function","function":`), function, json.RawMessage("}"))
		}
	}
	return functions
}

// raw is the JSON of a key of the message.
func (m *messageReader) raw(key string) json.RawMessage {
	var messages []map[string]json.RawMessage
	if err := json.Unmarshal(m.rawValue(m.key), &messages); err != nil || m.index >= len(messages) {
		m.fail("key %q cannot be read: %v", key, err)
		return nil
	}
	return messages[m.index][key]
}

func readToolCalls(m *messageReader, key string, to *chat.Message) {
	src := m.raw(key)
	objects, ok := objectsIn(src)
	if !ok {
		m.fail("key %q must be a list of calls {\"function\": {\"name\", \"arguments\"}}, found %s", key,
			jsonType(m.object[key]))
		return
	}
	to.ToolCalls = src
	if list, isList := m.object[key].([]any); !isList || textsOf(list) != nil {
		to.ToolCalls = listOf(objects)
	}
}

// readFunctionCall reads the one call {"name", "arguments"} of the style before tools.
func readFunctionCall(m *messageReader, key string, to *chat.Message) {
	src := slices.Concat(json.RawMessage("["), m.raw(key), json.RawMessage("]"))
	objects, ok := objectsIn(src)
	if !ok {
		m.fail("key %q must be a call {\"name\", \"arguments\"}, found %s", key, jsonType(m.object[key]))
		return
	}
	to.ToolCalls = listOf(calls(objects))
}

// callsInText moves the calls that are the text of a message, a JSON object or a list of them, to the place of calls.
func (m *messageReader) callsInText(to *chat.Message) {
	if to.ToolCalls != nil {
		return
	}
	src := bytes.TrimSpace([]byte(to.Content))
	if bytes.HasPrefix(src, []byte("{")) {
		src = slices.Concat([]byte("["), src, []byte("]"))
	}
	objects, ok := objectsIn(src)
	if !ok || len(objects) == 0 {
		m.fail("the text of a call must be the JSON of {\"name\", \"arguments\"}, or a list of them")
		return
	}
	to.Content, to.ToolCalls = "", listOf(calls(objects))
}

// conversationParts reads what a conversation has beside its messages.
func (r *record) conversationParts(row *Row, optional []string) {
	read := func(key string) json.RawMessage {
		if !slices.Contains(optional, key) || r.given(key) == nil {
			return nil
		}
		if s, ok := r.values[key].(string); ok && slices.Contains([]string{"null", "[]", "{}"}, s) {
			return nil
		}
		return bytes.TrimSpace(r.rawValue(key))
	}
	for _, key := range []string{"tools", "functions"} {
		src := read(key)
		if src == nil {
			continue
		}
		objects, ok := objectsIn(src)
		switch {
		case !ok:
			r.fail("key %q must be a list of JSON schemas, found %s", key, jsonType(r.values[key]))
		case row.Tools != nil:
			r.unread = append(r.unread, key)
		case key == "functions":
			row.Tools = listOf(calls(objects))
		default:
			row.Tools = src
			if list, isList := r.values[key].([]any); isList && textsOf(list) != nil {
				row.Tools = listOf(objects)
			}
		}
	}
	if src := read("chat_template_kwargs"); src != nil {
		if src[0] != '{' {
			r.fail("key %q must be an object, found %s", "chat_template_kwargs", jsonType(r.values["chat_template_kwargs"]))
		}
		row.Variables = src
	}
}
