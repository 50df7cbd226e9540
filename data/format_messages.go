package data

import (
	"encoding/json"
	"fmt"
	"strings"

	"instruct/tokenizer/chat"
)

// readMessages reads {"messages": [{"role", "content"}]}. A message may say "train": false or "weight": 0 to be left
// untrained; an assistant's may have "tool_calls" and "reasoning_content" (or "thinking", "reasoning"), a tool's
// "tool_call_id" and "name".
func readMessages(r *record, row *Row) { row.Messages = r.messages("messages") }

// readConversations reads ShareGPT's {"conversations": [{"from", "value"}]}.
func readConversations(r *record, row *Row) {
	row.Messages = append(r.system(), r.messages("conversations")...)
}

// roles translates the role of a message: those of chat templates and those of ShareGPT.
var roles = map[string]string{"system": "system", "developer": "developer", "user": "user", "human": "user",
	"assistant": "assistant", "gpt": "assistant", "tool": "tool", "observation": "tool"}

// messages reads a list of messages, with the keys role and content or from and value. A string holds the list as
// JSON, as the cells of a table do.
func (r *record) messages(key string) []chat.Message {
	v := r.values[key]
	if s, ok := v.(string); ok {
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			r.fail("key %q is a string that is no JSON list of messages: %v", key, err)
		}
	}
	list, ok := v.([]any)
	if !ok {
		r.fail("key %q must be a list of messages, found %s", key, jsonType(v))
	} else if len(list) == 0 {
		r.fail("key %q has no messages", key)
	}
	var messages []chat.Message
	for i, item := range list {
		m := messageReader{record: r, key: key, index: i}
		if m.object, ok = item.(map[string]any); !ok {
			m.fail("expected an object, found %s", jsonType(item))
		}
		messages = append(messages, m.message())
	}
	return messages
}

// messageReader reads one message of the list under a key; the record keeps its first error.
type messageReader struct {
	*record
	key    string
	index  int
	object map[string]any
}

func (m *messageReader) fail(format string, args ...any) {
	m.record.fail("key %q, message %d: %s", m.key, m.index+1, fmt.Sprintf(format, args...))
}

func (m *messageReader) message() (out chat.Message) {
	roleKey, contentKey := "role", "content"
	if _, ok := m.object["from"]; ok {
		roleKey, contentKey = "from", "value"
	}
	name, ok := m.object[roleKey].(string)
	if !ok {
		m.fail("key %q must be a string, found %s", roleKey, jsonType(m.object[roleKey]))
	}
	if out.Role, ok = roles[name]; !ok {
		const known = "system, developer, user (human), assistant (gpt) and tool (observation)"
		m.fail("the role %q is unknown; the known ones are %s", name, known)
	}
	calling := out.Role == "assistant" && m.calls()
	if m.object[contentKey] != nil || !calling { // a call may say nothing
		out.Content = m.content(contentKey)
	}
	// The first that is there counts, as in transformers.
	for _, key := range []string{"reasoning_content", "thinking", "reasoning"} {
		if text, ok := m.object[key].(string); ok {
			out.Reasoning = text
			break
		}
	}
	out.ToolCallID, _ = m.object["tool_call_id"].(string)
	out.Name, _ = m.object["name"].(string)
	out.Train = m.trainFlag()
	if calling {
		out.ToolCalls = m.toolCalls()
	}
	return out
}

// calls says that the message has tool calls.
func (m *messageReader) calls() bool {
	switch calls := m.object["tool_calls"].(type) {
	case nil:
		return false
	case []any:
		return len(calls) > 0
	case string:
		return strings.TrimSpace(calls) != ""
	}
	return true
}

// toolCalls is the JSON of the calls.
func (m *messageReader) toolCalls() json.RawMessage {
	var messages []map[string]json.RawMessage
	if err := json.Unmarshal(m.rawValue(m.key), &messages); err != nil {
		m.fail("%v", err)
		return nil
	}
	calls := messages[m.index]["tool_calls"]
	var text string
	if json.Unmarshal(calls, &text) == nil {
		calls = json.RawMessage(text)
	}
	var objects []map[string]json.RawMessage
	if err := json.Unmarshal(calls, &objects); err != nil {
		m.fail("key \"tool_calls\" must be a list of calls: %v", err)
	}
	return calls
}

// content reads the text of a message: a string, or a list of parts of the type text.
func (m *messageReader) content(key string) string {
	switch v := m.object[key].(type) {
	case string:
		return v
	case []any:
		var b strings.Builder
		for _, item := range v {
			part, _ := item.(map[string]any)
			text, ok := part["text"].(string)
			if kind, hasKind := part["type"]; !ok || hasKind && kind != "text" {
				m.fail("key %q has a part that is no text", key)
			}
			b.WriteString(text)
		}
		return b.String()
	default:
		m.fail("key %q must be a string, found %s", key, jsonType(v))
		return ""
	}
}

// trainFlag reads "train": bool or "weight": 0 or 1. A weight of 1 says nothing: what is trained by default stays so.
func (m *messageReader) trainFlag() *bool {
	if v := m.object["train"]; v != nil {
		train, ok := v.(bool)
		if !ok {
			m.fail("key \"train\" must be true or false, found %s", jsonType(v))
		}
		return &train
	}
	switch v := m.object["weight"]; v {
	case nil, 1.0:
	case 0.0:
		return new(false)
	default:
		m.fail("key \"weight\" must be 0 or 1, found %v", v)
	}
	return nil
}
