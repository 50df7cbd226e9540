package data

import "instruct/tokenizer/chat"

// readPreference reads {"prompt", "chosen", "rejected"} as prompt and chosen answer, with the rejected one beside it.
// In the place of the prompt may stand an instruction with its input; chosen may be a list of messages, with the prompt
// inside it where there is no other.
func readPreference(r *record, row *Row) {
	row.Messages = r.system()
	rejected := r.turns("rejected", "assistant")
	chosen := r.turns("chosen", "assistant")
	switch {
	case r.given("prompt") != nil:
		row.Messages = append(row.Messages, contextOnly(r.turns("prompt", "user"))...)
	case r.given("instruction") != nil || r.given("input") != nil:
		user := joined(r.text("instruction"), r.text("input"))
		row.Messages = append(row.Messages, chat.Message{Role: "user", Content: user})
	case len(chosen) < 2:
		r.fail("a preference row needs a prompt: the key \"prompt\" or \"instruction\", " +
			"or chosen and rejected as whole conversations")
	default:
		// Only the last answer is what was chosen.
		contextOnly(chosen[:len(chosen)-1])
		row.chosen = 1
		rejected = rejected[max(0, len(rejected)-1):]
	}
	if row.chosen == 0 {
		row.chosen = len(chosen)
	}
	row.Messages = append(row.Messages, chosen...)
	row.Rejected = rejected
}
