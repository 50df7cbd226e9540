package data

import "instruct/tokenizer/chat"

// pair reads a question and its answer, each a text under a key of its own: Alpaca's {"instruction", "input",
// "output"}, {"question", "answer"}, OpenOrca's {"system_prompt", "question", "response"}, Aya's {"inputs", "targets"}
// and others. What the context says follows the question on a new line.
func pair(question, context, answer string) func(r *record, row *Row) {
	return func(r *record, row *Row) {
		user := r.text(question)
		if context != "" {
			user = joined(user, r.text(context))
		}
		last := []chat.Message{{Role: "user", Content: user}, {Role: "assistant", Content: r.text(answer)}}
		row.Messages = last
		if before := append(r.system(), r.history()...); before != nil {
			row.Messages = append(before, last...)
		}
	}
}

// readDolly reads Dolly's {"instruction", "context", "response"}; others call the context input.
func readDolly(r *record, row *Row) {
	context := "context"
	if r.given(context) == nil {
		context = "input"
	} else {
		r.unread = append(r.unread, "input")
	}
	pair("instruction", context, "response")(r, row)
}

// joined is two texts, one a line, or the one that says something.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}

// system is the system prompt of the row, if there is one.
func (r *record) system() []chat.Message {
	key := "system"
	if r.given(key) == nil {
		key = "system_prompt"
	} else {
		r.unread = append(r.unread, "system_prompt")
	}
	if text := r.text(key); text != "" {
		return []chat.Message{{Role: "system", Content: text}}
	}
	return nil
}

// history reads the turns before the question, a list of pairs [question, answer]. The answers are trained as others
// are, as LLaMA-Factory does: "the responses in the history will also be learned" (its data/README.md).
func (r *record) history() []chat.Message {
	const key = "history"
	if r.given(key) == nil {
		return nil
	}
	var messages []chat.Message
	for i, item := range r.list(key, "a list of pairs [question, answer]") {
		turn, _ := item.([]any)
		var texts []string
		for _, v := range turn {
			if text, ok := v.(string); ok {
				texts = append(texts, text)
			}
		}
		if len(turn) != 2 || len(texts) != 2 {
			r.fail("key %q, item %d: expected a pair of texts [question, answer], found %s of %d", key, i+1, jsonType(item),
				len(turn))
			return nil
		}
		messages = append(messages, alternating(texts)...)
	}
	return messages
}

// alternating gives texts in turn to the user and the assistant.
func alternating(texts []string) []chat.Message {
	var messages []chat.Message
	for i, text := range texts {
		messages = append(messages, chat.Message{Role: []string{"user", "assistant"}[i%2], Content: text})
	}
	return messages
}
