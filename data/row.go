package data

import (
	"encoding/json"

	"instruct/tokenizer/chat"
)

// Row is one line of a data set after its format is understood: a conversation, or a plain text.
type Row struct {
	// Source says where the row comes from: "path:line" (for Parquet "path:row").
	Source string
	// Kind is the task's kind where the file has a "kind" key, for results per kind.
	Kind string
	// Messages is the conversation. It is nil when Text is used.
	Messages []chat.Message
	// Rejected is, of a preference row, the answer that is worse than the last of Messages.
	Rejected []chat.Message
	// Label says, of a row that has one, whether its answer is a good one.
	Label *bool
	// Tools is the JSON list of the tools that the model may call, and Variables a JSON object of further variables for
	// the template (chat_template_kwargs).
	Tools, Variables json.RawMessage
	// Text is a plain text, of which every token is trained.
	Text string
	// Ignored names the keys that the row's format does not use, those of messages as "messages.id".
	Ignored []string
	// Mapped names roles that were read as others, such as "bing as assistant".
	Mapped []string
	// Silent says that a user's turn has no text.
	Silent bool

	chosen      int      // of a preference row, how many of Messages are the better answer
	paraphrases []string // of the question, for spread
	number      uint32   // in an [Index]
	part        int      // which of the names of data sets it was read for, from 0
	node        *node    // of a tree, whose conversation comes with the last of the file
}

// Texts gives every text of the rows, for training a tokenizer.
func Texts(rows []Row) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, r := range rows {
			if r.Text != "" && !yield(r.Text) {
				return
			}
			for _, m := range r.Messages {
				if !yield(m.Content) {
					return
				}
			}
		}
	}
}
