package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"instruct/tokenizer/chat"
)

// Correction is a person's word on one answer of a model: what it said, and what it should have said. A line of a
// file of corrections is a row of preference data as TRL reads it, and a row that [Load] reads for supervised tuning.
type Correction struct {
	ID       string         `json:"id"`
	Prompt   []chat.Message `json:"prompt"`   // up to the answer
	Chosen   []chat.Message `json:"chosen"`   // the answer that is wanted, one message
	Rejected []chat.Message `json:"rejected"` // the answer that was given, one message
	// Note is a rule in words: what a person would say to the model, by TRL's name for what only a teacher sees.
	Note string `json:"privileged_context"`
	// Paraphrases are other ways to say the last message of the prompt, to which the answer is the same.
	Paraphrases []string `json:"paraphrases"`
	// Near are prompts in the place of the last message that look alike, but to which the answer is to stay as it is.
	Near   []string `json:"near,omitempty"`
	Rule   string   `json:"rule"` // id of a rule of a policy, "" for none
	Author string   `json:"author"`
	Time   string   `json:"time"`         // RFC 3339, UTC
	Model  string   `json:"model_sha256"` // of the model that gave the rejected answer
}

// NewCorrection makes a correction of an answer, at a time, with an id that follows from what it is about.
func NewCorrection(prompt []chat.Message, chosen, rejected string, at time.Time) Correction {
	c := Correction{
		Prompt:      prompt,
		Chosen:      []chat.Message{{Role: "assistant", Content: chosen}},
		Rejected:    []chat.Message{{Role: "assistant", Content: rejected}},
		Paraphrases: []string{},
		Time:        at.UTC().Format(time.RFC3339),
	}
	text, _ := json.Marshal([]any{c.Prompt, c.Chosen, c.Time})
	sum := sha256.Sum256(text)
	c.ID = hex.EncodeToString(sum[:6])
	return c
}

// Validate says what is wrong with a correction.
func (c *Correction) Validate() error {
	last := func(messages []chat.Message) string {
		if len(messages) != 1 || messages[0].Role != "assistant" {
			return ""
		}
		return strings.TrimSpace(messages[0].Content)
	}
	switch chosen := last(c.Chosen); {
	case c.ID == "":
		return mistake("the correction has no id")
	case len(c.Prompt) == 0 || c.Prompt[len(c.Prompt)-1].Role != "user":
		return mistake("the prompt of a correction must be messages, of which the last is the user's")
	case chosen == "":
		return mistake("the correction is empty: chosen must be one message of the assistant, with text")
	case chosen == last(c.Rejected):
		return mistake("the correction changes nothing: chosen and rejected are the same text")
	}
	empty := func(text string) bool { return strings.TrimSpace(text) == "" }
	switch {
	case slices.ContainsFunc(c.Paraphrases, empty):
		return mistake("a paraphrase is empty")
	case slices.ContainsFunc(c.Near, empty):
		return mistake("a prompt of near is empty")
	}
	return nil
}

// Asked gives the prompt, and then the prompt with each of the paraphrases in the place of its last message.
func (c *Correction) Asked() [][]chat.Message {
	all := [][]chat.Message{c.Prompt}
	for _, p := range c.Paraphrases {
		all = append(all, paraphrased(c.Prompt, p))
	}
	return all
}

// NearPrompts gives the prompt with each of the near ones in the place of its last message.
func (c *Correction) NearPrompts() [][]chat.Message {
	var all [][]chat.Message
	for _, p := range c.Near {
		all = append(all, paraphrased(c.Prompt, p))
	}
	return all
}

// paraphrased gives messages whose last one says something else.
func paraphrased(messages []chat.Message, text string) []chat.Message {
	n := len(messages) - 1
	last := messages[n]
	last.Content = text
	return append(messages[:n:n], last)
}

// ReadCorrections reads a file of corrections, one a line. Errors name path:line. No two may have the same id.
func ReadCorrections(path string) ([]Correction, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	if text, err = textOf(path, text); err != nil {
		return nil, err
	}
	return parseCorrections(path, text)
}

func parseCorrections(path string, text []byte) ([]Correction, error) {
	var all []Correction
	lines := map[string]int{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var c Correction
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		err := d.Decode(&c)
		if err == nil && d.More() {
			err = fmt.Errorf("more than one object")
		}
		if err != nil {
			return nil, mistake("corrections: %s:%d: expected a correction as `instruct correct` writes it: %s", path, number,
				strings.TrimPrefix(err.Error(), "json: "))
		}
		if err := c.Validate(); err != nil {
			return nil, mistake("corrections: %s:%d: %w", path, number, err)
		}
		if before := lines[c.ID]; before > 0 {
			return nil, mistake("corrections: %s:%d: the id %q was used in line %d", path, number, c.ID, before)
		}
		lines[c.ID] = number
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, mistake("corrections: %s has none", path)
	}
	return all, nil
}

// Line is the correction as a line of a file.
func (c *Correction) Line() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(c)
	return b.Bytes(), err
}

// CorrectionLines is corrections as the text of a file.
func CorrectionLines(corrections []Correction) ([]byte, error) {
	var text []byte
	for i := range corrections {
		line, err := corrections[i].Line()
		if err != nil {
			return nil, err
		}
		text = append(text, line...)
	}
	return text, nil
}

// AppendCorrections adds corrections to the text of a file of them, which may not exist yet. The file that results is
// given to write whole.
func AppendCorrections(path string, more []Correction, write func(path string, text []byte) error) error {
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return mistake("corrections: %w", err)
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	for i := range more {
		if err := more[i].Validate(); err != nil {
			return err
		}
	}
	lines, err := CorrectionLines(more)
	if err != nil {
		return err
	}
	text = append(text, lines...)
	if _, err := parseCorrections(path, text); err != nil {
		return err
	}
	return write(path, text)
}
