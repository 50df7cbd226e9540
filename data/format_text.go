package data

import (
	"strings"

	"instruct/tokenizer/chat"
)

// readText reads {"text"}: a plain text of which everything is trained.
func readText(r *record) ([]chat.Message, string, error) {
	text, err := r.text("text")
	if err == nil && strings.TrimSpace(text) == "" {
		err = r.errorf("the text is empty: remove the row")
	}
	return nil, text, err
}
