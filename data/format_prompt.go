package data

import (
	"slices"
	"strconv"

	"instruct/tokenizer/chat"
)

// readPrompt reads {"prompt", "completion"}; each is a string, or a list of messages as TRL writes them. A "label" that
// is true or false says whether the completion is a good one.
func readPrompt(r *record, row *Row) {
	prompt := contextOnly(r.turns("prompt", "user"))
	row.Messages = slices.Concat(r.system(), r.history(), prompt, r.turns("completion", "assistant"))
	row.Label = r.truth("label")
}

// truth reads a key that is true or false, or says so in a table; anything else is left unread.
func (r *record) truth(key string) *bool {
	switch v := r.values[key].(type) {
	case bool:
		return &v
	case string:
		if is, err := strconv.ParseBool(v); err == nil && len(v) > 1 { // 0 and 1 may be classes
			return &is
		}
	}
	r.unread = append(r.unread, key)
	return nil
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
