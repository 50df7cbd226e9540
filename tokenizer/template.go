package tokenizer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"instruct/tokenizer/jinja"
)

// Message is one turn of a conversation.
type Message struct {
	// Role is system, user, assistant or tool.
	Role string
	// Content is the text of the turn.
	Content string
	// Train says whether the turn is trained; nil means the default: assistant turns are, others are not.
	Train *bool
}

// trained says whether the turn is trained.
func (m *Message) trained() bool {
	if m.Train != nil {
		return *m.Train
	}
	return m.Role == "assistant"
}

// Span is a byte range [Start,End) of a rendered text.
type Span struct{ Start, End int }

// Template is a chat template: it turns a conversation into the one text that a model reads, for training and for
// answering alike. It may be used by several goroutines at once.
type Template struct {
	// Date is the day that strftime_now gives to the template. It is 26 July 2024 unless it is changed, the day that
	// Llama's template falls back to: with today's date the same run would give other bits tomorrow.
	Date time.Time

	source   string
	bos, eos string
	parsed   *jinja.Template
	tok      *Tokenizer // finds special tokens; may be nil
}

// NewTemplate compiles the Jinja source of a chat template for a tokenizer, whose bos_token and eos_token it will see.
func NewTemplate(src string, t *Tokenizer) (*Template, error) {
	parsed, err := jinja.Parse(src)
	if err != nil {
		return nil, userf("tokenizer: chat template: %w", err)
	}
	tp := &Template{Date: time.Date(2024, time.July, 26, 0, 0, 0, 0, time.UTC), source: src, parsed: parsed, tok: t}
	if t != nil {
		tp.bos, tp.eos = t.BOSText(), t.EOSText()
	}
	return tp, nil
}

// Source is the Jinja source, for SetChatTemplate.
func (tp *Template) Source() string { return tp.source }

// Hash identifies the template: the sha256 of its source, in hexadecimal.
func (tp *Template) Hash() string {
	sum := sha256.Sum256([]byte(tp.source))
	return hex.EncodeToString(sum[:])
}

// Render gives the text of a conversation and the spans of it that are trained, in order: what the model has to say
// itself, up to and with the token that ends the turn. With addGenerationPrompt the text ends where the assistant's
// next turn begins.
//
// A template with generation blocks says itself what the model says. For others see inferSpan.
func (tp *Template) Render(msgs []Message, addGenerationPrompt bool) (text string, spans []Span, err error) {
	r, err := tp.render(msgs, addGenerationPrompt)
	if err != nil {
		return "", nil, err
	}
	owners := tp.blockOwners(msgs, r)
	for i := range msgs {
		if !msgs[i].trained() {
			continue
		}
		if blocks, ok := owners[i]; ok {
			spans = append(spans, blocks...)
		} else if !tp.parsed.HasGeneration || msgs[i].Role != "assistant" {
			if span, ok := tp.inferSpan(msgs, i, r, addGenerationPrompt); ok {
				spans = append(spans, span)
			}
		}
	}
	return r.Text, ordered(append(spans, owners[-1]...)), nil
}

// render runs the template; message i carries the mark i.
func (tp *Template) render(msgs []Message, addGenerationPrompt bool) (*jinja.Result, error) {
	list := &jinja.List{}
	for i := range msgs {
		list.Items = append(list.Items, jinja.NewDict().
			Set("role", jinja.Text{S: msgs[i].Role}).
			Set("content", jinja.Mark(msgs[i].Content, i)))
	}
	vars := jinja.NewDict().
		Set("messages", list).
		Set("add_generation_prompt", addGenerationPrompt).
		Set("bos_token", jinja.Text{S: tp.bos}).
		Set("eos_token", jinja.Text{S: tp.eos})
	r, err := tp.parsed.Render(vars, jinja.Options{Now: tp.Date})
	if err != nil {
		var raised *jinja.Error
		if errors.As(err, &raised) && raised.Raised {
			return nil, userError{fmt.Errorf("tokenizer: the chat template refuses the conversation: %w", err)}
		}
		return nil, userError{fmt.Errorf("tokenizer: render chat template: %w", err)}
	}
	return r, nil
}
