package openai

import (
	"encoding/json"
	"fmt"
	"slices"

	"instruct/tokenizer/chat"
)

// messageField is a field of a message; one that has nothing to do is ignored.
type messageField struct {
	name string
	read func(m *chat.Message, v value) error
}

// messageFields are all that are known. Others are refused, unless they are null: they would change the answer.
func messageFields() []messageField {
	return []messageField{
		{"role", func(m *chat.Message, v value) error { return v.into(&m.Role, "text") }},
		{"content", func(m *chat.Message, v value) (err error) {
			m.Content, err = textOf(v)
			return err
		}},
		{"reasoning_content", func(m *chat.Message, v value) error { return v.into(&m.Reasoning, "text") }},
		{"name", func(m *chat.Message, v value) error { return v.into(&m.Name, "text") }},
		{"tool_call_id", func(m *chat.Message, v value) error { return v.into(&m.ToolCallID, "text") }},
		{"tool_calls", func(m *chat.Message, v value) error {
			var calls []map[string]any
			if err := v.into(&calls, "a list of calls"); err != nil {
				return err
			}
			if len(calls) > 0 {
				m.ToolCalls = v.json
			}
			return nil
		}},
		{"refusal", nil},
		{"annotations", nil},
	}
}

// roles are those of messages, and what a template calls them.
var roles = map[string]string{"system": "system", "developer": "system", "user": "user", "assistant": "assistant",
	"tool": "tool"}

func readMessages(q *request, v value) error {
	var list []map[string]json.RawMessage
	if err := v.into(&list, `a list of {"role", "content"}`); err != nil {
		return err
	}
	known := messageFields()
	for i, object := range list {
		where := fmt.Sprintf("messages[%d]", i)
		var m chat.Message
		for _, name := range sortedKeys(object) {
			at := value{where + "." + name, object[name]}
			k := slices.IndexFunc(known, func(f messageField) bool { return f.name == name })
			switch {
			case isNull(at.json):
			case k < 0:
				return refusedField(at.name, at.json, "")
			case known[k].read != nil:
				if err := known[k].read(&m, at); err != nil {
					return err
				}
			}
		}
		role, ok := roles[m.Role]
		if !ok {
			return invalid(where+".role", "%s.role is %q; expected system, developer, user, assistant or tool", where, m.Role)
		}
		m.Role, m.Train = role, new(false) // nothing is trained, so nobody has to find what would be
		q.messages = append(q.messages, m)
	}
	return nil
}
