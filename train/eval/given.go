package eval

import (
	"context"
	"slices"

	"instruct/data"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

// Given is an answer that the model did not make up now, whose tokens are to be scored after a prompt.
type Given struct {
	Source string // where it comes from, for messages
	// Messages are the prompt; or PromptIDs, where Messages is nil.
	Messages  []chat.Message
	PromptIDs []int32
	// Text is the answer, with the token that ends the turn where the chat template has one, as in training; or IDs,
	// where IDs is not nil, and nothing more.
	Text string
	IDs  []int32
}

// Example makes the tokens of prompt and answer, of which those of the answer are trained, for [Score].
func (g *Given) Example(ctx context.Context, m *pretrained.Model) (data.Example, error) {
	e := data.Example{Source: g.Source}
	var err error
	if g.Messages != nil && g.IDs == nil {
		e, err = g.encoded(ctx, m)
	} else {
		e.IDs, e.Mask, err = g.joined(m)
	}
	if err != nil {
		return e, err
	}
	if n := m.Config.MaxLength; n > 0 && len(e.IDs) > n {
		return e, mistake("%s: prompt and answer have %d tokens, and the model reads %d at the most; make them shorter",
			g.Source, len(e.IDs), n)
	}
	return e, nil
}

// encoded encodes a conversation whose last turn alone is trained.
func (g *Given) encoded(ctx context.Context, m *pretrained.Model) (data.Example, error) {
	messages := slices.Clone(g.Messages)
	for i := range messages {
		messages[i].Train = new(false)
	}
	messages = append(messages, chat.Message{Role: "assistant", Content: g.Text})
	encoder := data.Encoder{Tokenizer: m.Tokenizer, Template: m.Template, Stop: m.Stop}
	examples, audit, err := encoder.EncodeAll(ctx, []data.Row{{Source: g.Source, Messages: messages}}, 1)
	if err != nil && audit != nil {
		return data.Example{}, mistake("%s: the chat template shows nothing of the answer %q", g.Source, g.Text)
	}
	if err != nil {
		return data.Example{}, err
	}
	return examples[0], nil
}

// joined puts the tokens of prompt and answer one behind the other.
func (g *Given) joined(m *pretrained.Model) (ids []int32, mask []bool, err error) {
	prompt, answer := g.PromptIDs, g.IDs
	if g.Messages != nil {
		if prompt, err = m.Prompt(g.Messages); err != nil {
			return nil, nil, err
		}
	}
	if answer == nil {
		answer = m.Tokenizer.Encode(g.Text, false)
	}
	mask = make([]bool, len(prompt)+len(answer))
	for i := max(1, len(prompt)); i < len(mask); i++ { // nothing stands before the first token
		mask[i] = true
	}
	return slices.Concat(prompt, answer), mask, nil
}
