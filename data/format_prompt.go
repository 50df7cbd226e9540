package data

import "instruct/tokenizer/chat"

// readPrompt reads {"prompt", "completion"}; each is a string, or a list of messages as TRL writes them.
func readPrompt(r *record) ([]chat.Message, string, error) {
	system, err := r.text("system")
	if err != nil {
		return nil, "", err
	}
	prompt, err := r.turns("prompt", "user")
	if err != nil {
		return nil, "", err
	}
	completion, err := r.turns("completion", "assistant")
	return append(append(systemMessages(system), contextOnly(prompt)...), completion...), "", err
}

// contextOnly keeps the answers inside a prompt from being trained.
func contextOnly(messages []chat.Message) []chat.Message {
	for i := range messages {
		if messages[i].Role == "assistant" && messages[i].Train == nil {
			no := false
			messages[i].Train = &no
		}
	}
	return messages
}

// turns reads a key that is a string, said by the given role, or a list of messages.
func (r *record) turns(key, role string) ([]chat.Message, error) {
	switch v := r.values[key].(type) {
	case string:
		return []chat.Message{{Role: role, Content: v}}, nil
	case []any:
		return r.messages(key)
	default:
		return nil, r.errorf("key %q must be a string or a list of messages, found %s", key, jsonType(v))
	}
}
