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
func readMessages(r *record) ([]chat.Message, string, error) {
	messages, err := r.messages("messages")
	return messages, "", err
}

// readConversations reads ShareGPT's {"conversations": [{"from", "value"}]}.
func readConversations(r *record) ([]chat.Message, string, error) {
	system, err := r.text("system")
	if err != nil {
		return nil, "", err
	}
	messages, err := r.messages("conversations")
	return append(systemMessages(system), messages...), "", err
}

// roleNamed translates the role of a message: those of chat templates and those of ShareGPT.
func roleNamed(name string) (string, bool) {
	switch name {
	case "system", "user", "assistant", "tool", "developer":
		return name, true
	case "human":
		return "user", true
	case "gpt":
		return "assistant", true
	case "observation":
		return "tool", true
	}
	return "", false
}

// messages reads a list of messages, with the keys role and content or from and value. A string holds the list as
// JSON, as the cells of a table do.
func (r *record) messages(key string) ([]chat.Message, error) {
	v := r.values[key]
	if s, ok := v.(string); ok {
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			return nil, r.errorf("key %q is a string that is no JSON list of messages: %v", key, err)
		}
	}
	list, ok := v.([]any)
	if !ok {
		return nil, r.errorf("key %q must be a list of messages, found %s", key, jsonType(v))
	}
	if len(list) == 0 {
		return nil, r.errorf("key %q has no messages", key)
	}
	messages := make([]chat.Message, 0, len(list))
	for i, item := range list {
		m, err := message(item)
		if err == nil && m.Role == "assistant" && hasCalls(item) {
			m.ToolCalls, err = r.toolCalls(key, i)
		}
		if err != nil {
			return nil, r.errorf("key %q, message %d: %v", key, i+1, err)
		}
		messages = append(messages, m)
	}
	return messages, nil
}

// hasCalls says that a message has tool calls.
func hasCalls(item any) bool {
	object, _ := item.(map[string]any)
	switch calls := object["tool_calls"].(type) {
	case nil:
		return false
	case []any:
		return len(calls) > 0
	case string:
		return strings.TrimSpace(calls) != ""
	}
	return true
}

// toolCalls is the JSON of the calls of message i of a list.
func (r *record) toolCalls(key string, i int) (json.RawMessage, error) {
	list, err := r.rawValue(key)
	if err != nil {
		return nil, err
	}
	var messages []map[string]json.RawMessage
	if err := json.Unmarshal(list, &messages); err != nil {
		return nil, err
	}
	calls := messages[i]["tool_calls"]
	var text string
	if json.Unmarshal(calls, &text) == nil {
		calls = json.RawMessage(text)
	}
	var objects []map[string]json.RawMessage
	if err := json.Unmarshal(calls, &objects); err != nil {
		return nil, fmt.Errorf("key \"tool_calls\" must be a list of calls: %v", err)
	}
	return calls, nil
}

// message reads one message.
func message(item any) (chat.Message, error) {
	var m chat.Message
	object, ok := item.(map[string]any)
	if !ok {
		return m, fmt.Errorf("expected an object, found %s", jsonType(item))
	}
	roleKey, contentKey := "role", "content"
	if _, ok := object["from"]; ok {
		roleKey, contentKey = "from", "value"
	}
	name, ok := object[roleKey].(string)
	if !ok {
		return m, fmt.Errorf("key %q must be a string, found %s", roleKey, jsonType(object[roleKey]))
	}
	m.Role, ok = roleNamed(name)
	if !ok {
		const known = "system, developer, user (human), assistant (gpt) and tool (observation)"
		return m, fmt.Errorf("the role %q is unknown; the known ones are %s", name, known)
	}
	var err error
	body := object[contentKey]
	calling := m.Role == "assistant" && hasCalls(item)
	if body != nil || !calling { // a call may say nothing
		m.Content, err = content(body, contentKey)
		if err != nil {
			return m, err
		}
	}
	// The first that is there counts, as in transformers.
	for _, key := range []string{"reasoning_content", "thinking", "reasoning"} {
		if text, ok := object[key].(string); ok {
			m.Reasoning = text
			break
		}
	}
	m.ToolCallID, _ = object["tool_call_id"].(string)
	m.Name, _ = object["name"].(string)
	m.Train, err = trainFlag(object)
	return m, err
}

// content reads the text of a message: a string, or a list of parts of the type text.
func content(v any, key string) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case []any:
		var b strings.Builder
		for _, item := range v {
			part, _ := item.(map[string]any)
			text, ok := part["text"].(string)
			if kind, hasKind := part["type"]; !ok || hasKind && kind != "text" {
				return "", fmt.Errorf("key %q has a part that is no text", key)
			}
			b.WriteString(text)
		}
		return b.String(), nil
	}
	return "", fmt.Errorf("key %q must be a string, found %s", key, jsonType(v))
}

// trainFlag reads "train": bool or "weight": 0 or 1.
func trainFlag(object map[string]any) (*bool, error) {
	if v, ok := object["train"]; ok && v != nil {
		train, ok := v.(bool)
		if !ok {
			return nil, fmt.Errorf("key \"train\" must be true or false, found %s", jsonType(v))
		}
		return &train, nil
	}
	if v, ok := object["weight"]; ok && v != nil {
		weight, ok := v.(float64)
		if !ok || weight != 0 && weight != 1 {
			return nil, fmt.Errorf("key \"weight\" must be 0 or 1, found %v", v)
		}
		train := weight == 1
		if train {
			return nil, nil // what is trained by default stays so
		}
		return &train, nil
	}
	return nil, nil
}
