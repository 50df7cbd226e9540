package data

import (
	"slices"

	"instruct/tokenizer/chat"
)

// readPrompt reads {"prompt", "completion"}; each is a string, or a list of messages as TRL writes them.
func readPrompt(r *record, row *Row) {
	prompt := contextOnly(r.turns("prompt", "user"))
	row.Messages = slices.Concat(r.system(), r.history(), prompt, r.turns("completion", "assistant"))
}

// contextOnly keeps the answers inside a prompt from being trained.
func contextOnly(messages []chat.Message) []chat.Message {
	for i := range messages {
		if messages[i].Role == "assistant" && messages[i].Train == nil {
			messages[i].Train = new(false)
		}
	}
	return messages
}

// turns reads a key that is a string, said by the given role, or a list of messages.
func (r *record) turns(key, role string) []chat.Message {
	switch v := r.values[key].(type) {
	case string:
		return []chat.Message{{Role: role, Content: v}}
	case []any:
		return r.messages(key)
	default:
		r.fail("key %q must be a string or a list of messages, found %s", key, jsonType(v))
		return nil
	}
}
