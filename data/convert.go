package data

import (
	"bytes"
	"encoding/json"
	"strings"

	"instruct/tokenizer/chat"
)

// conversions is the table of what rows can be turned into, by TRL's names of data set types.
var conversions = []struct {
	name    string
	convert func(Row) ([]any, error)
}{
	{"messages", asMessages}, {"prompt-completion", asPromptCompletion}, {"dpo", asDPO}, {"kto", asKTO},
}

// Conversions names what [Convert] makes.
func Conversions() []string {
	var names []string
	for _, c := range conversions {
		names = append(names, c.name)
	}
	return names
}

// Convert writes rows as JSON lines of another format: "messages" {messages}, "prompt-completion" {prompt, completion},
// "dpo" {prompt, chosen, rejected} or "kto" {prompt, completion, label}, all of messages, as TRL reads them. A row
// without an answer that was rejected is an error for dpo, and gives one line, not two, for kto.
func Convert(rows []Row, to string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, c := range conversions {
		if c.name != to {
			continue
		}
		for _, row := range rows {
			lines, err := c.convert(row)
			if err != nil {
				return nil, mistake("data: %s: %w", row.Source, err)
			}
			for _, line := range lines {
				if err := e.Encode(line); err != nil {
					return nil, err
				}
			}
		}
		return b.Bytes(), nil
	}
	return nil, mistake("data: rows cannot be turned into %q; known: %s", to, strings.Join(Conversions(), ", "))
}

// parts divides a conversation before its last answer.
func parts(row Row) (prompt, answer []chat.Message, err error) {
	n := len(row.Messages) - 1
	if n < 1 || row.Messages[n].Role != "assistant" {
		return nil, nil, mistake("the row is not a prompt with an answer at its end")
	}
	for _, m := range row.Messages[:n] {
		m.Train = nil // a prompt is not trained anyway
		prompt = append(prompt, m)
	}
	return prompt, row.Messages[n:], nil
}

func asMessages(row Row) ([]any, error) {
	if row.Messages == nil {
		return nil, mistake("the row is a plain text, not a conversation")
	}
	return []any{struct {
		Messages []chat.Message  `json:"messages"`
		Tools    json.RawMessage `json:"tools,omitempty"`
	}{row.Messages, row.Tools}}, nil
}

type completion struct {
	Prompt     []chat.Message  `json:"prompt"`
	Completion []chat.Message  `json:"completion"`
	Label      *bool           `json:"label,omitempty"`
	Tools      json.RawMessage `json:"tools,omitempty"`
}

func asPromptCompletion(row Row) ([]any, error) {
	prompt, answer, err := parts(row)
	return []any{completion{Prompt: prompt, Completion: answer, Tools: row.Tools}}, err
}

func asDPO(row Row) ([]any, error) {
	prompt, answer, err := parts(row)
	if err == nil && row.Rejected == nil {
		err = mistake("dpo needs an answer that was rejected; the row has none")
	}
	return []any{struct {
		Prompt   []chat.Message  `json:"prompt"`
		Chosen   []chat.Message  `json:"chosen"`
		Rejected []chat.Message  `json:"rejected"`
		Tools    json.RawMessage `json:"tools,omitempty"`
	}{prompt, answer, row.Rejected, row.Tools}}, err
}

func asKTO(row Row) ([]any, error) {
	prompt, answer, err := parts(row)
	label := row.Label
	if label == nil {
		label = new(true)
	}
	lines := []any{completion{prompt, answer, label, row.Tools}}
	if row.Rejected != nil {
		lines = append(lines, completion{prompt, row.Rejected, new(false), row.Tools})
	}
	return lines, err
}
