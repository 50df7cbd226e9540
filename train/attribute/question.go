package attribute

import (
	"context"
	"strings"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train/eval"
)

// Question is a prompt with the answer that is to be explained.
type Question struct {
	ID       string         // of a suite's test, or ""
	Messages []chat.Message // up to the turn that is answered
	Answer   string
	Greedy   string // what the run's model answers; Answer, where none was given
	Cut      bool   // Answer did not end: it is Greedy, which came to its most tokens, or somebody says so
	Example  data.Example
}

// Prompt is the last thing that is said to the model.
func (q *Question) Prompt() string {
	if len(q.Messages) == 0 {
		return ""
	}
	return q.Messages[len(q.Messages)-1].Content
}

// Ask lets the model answer each question greedily, in at most so many tokens; what has no answer yet is to explain
// that one. The questions have their examples then: the very tokens, and the mask, that training would make of them.
func Ask(ctx context.Context, m *pretrained.Model, pool *kernel.Pool, questions []Question, maxNew int) error {
	for i := range questions {
		q := &questions[i]
		a, err := greedy(ctx, m, pool, q.Messages, maxNew)
		if err != nil {
			return err
		}
		q.Greedy = a.Text
		if q.Answer == "" {
			q.Answer, q.Cut = a.Text, a.Finish == model.FinishLength
		}
		if strings.TrimSpace(q.Answer) == "" {
			return mistake("explain: the model answers %.60q with nothing; give an answer with --answer", q.Prompt())
		}
		if q.Example, err = exampleOf(ctx, m, q); err != nil {
			return err
		}
	}
	return nil
}

// greedy is the model's own answer.
func greedy(ctx context.Context, m *pretrained.Model, pool *kernel.Pool, messages []chat.Message, maxNew int) (
	pretrained.Answer, error) {
	session, err := m.NewSession(pool, 1)
	if err != nil {
		return pretrained.Answer{}, err
	}
	defer session.Close()
	a, err := session.Answer(ctx, messages, pretrained.Decoding{MaxNew: maxNew})
	if err == nil {
		err = ctx.Err()
	}
	return a, err
}

// exampleOf makes the tokens of a question with its answer, of which only the last turn is trained. What would stand
// behind an answer that was cut is no part of it.
func exampleOf(ctx context.Context, m *pretrained.Model, q *Question) (data.Example, error) {
	row := data.Row{Source: "the answer", Messages: append([]chat.Message(nil), q.Messages...)}
	for i := range row.Messages {
		row.Messages[i].Train = new(false)
	}
	row.Messages = append(row.Messages, chat.Message{Role: "assistant", Content: q.Answer})
	e := data.Encoder{Tokenizer: m.Tokenizer, Template: m.Template, Stop: m.Stop, MaxLength: m.Config.MaxLength}
	examples, _, err := e.EncodeAll(ctx, []data.Row{row}, 1)
	if err != nil {
		return data.Example{}, err
	}
	example := examples[0]
	for i := len(example.Mask) - 1; q.Cut && example.Trained() > 1 && isStop(m, example.IDs[i]); i-- {
		example.Mask[i] = false
	}
	return example, model.CheckIDs(example.IDs, m.Config.Vocab)
}

func isStop(m *pretrained.Model, id int32) bool {
	for _, stop := range m.Stop {
		if id == stop {
			return true
		}
	}
	return m.Tokenizer.IsSpecial(id)
}

// Logprob is the log-probability, in nats, of an answer under a model.
func Logprob(ctx context.Context, m *pretrained.Model, pool *kernel.Pool, e *data.Example) (float64, error) {
	sum := 0.0
	err := eval.Score(ctx, m.Model, pool, []data.Example{*e}, func(_ int, logprobs [][]float64) error {
		for _, x := range logprobs[0] {
			sum += x
		}
		return nil
	})
	return sum, err
}

// Token is one token of an answer: how likely it was, and what else.
type Token struct {
	ID      int32   `json:"id"`
	Text    string  `json:"text"`
	Logprob float64 `json:"logprob"` // in nats
	Top     []Other `json:"top"`     // the likeliest tokens there
	Base    *Before `json:"base,omitempty"`
}

// Before is what the model that the run began with says of a token.
type Before struct {
	Logprob float64 `json:"logprob"`
	Top     []Other `json:"top"`
}

// Other is a token in the place of one.
type Other struct {
	Text    string  `json:"text"`
	Logprob float64 `json:"logprob"`
}

// shownTop is how many of the likeliest tokens are told.
const shownTop = 4

// echoed is how many tokens of a prompt have their logits at one time.
const echoed = 64

// Say gives the tokens of an answer with their log-probabilities under a model.
func Say(ctx context.Context, m *pretrained.Model, pool *kernel.Pool, e *data.Example) ([]Token, error) {
	d, err := m.NewDecoder(pool, model.DecoderOptions{Echo: echoed})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var tokens []Token
	at := 0 // of the token that is said next; the first is not
	last := e.Inputs()
	_, err = d.Answer(ctx, model.Request{Prompt: e.IDs[:last+1], MaxNew: 1, Echo: true, Top: shownTop,
		Say: func(x model.Said) {
			if at++; at > last || !e.Mask[at] {
				return
			}
			t := Token{ID: x.ID, Text: textOf(m, x.ID), Logprob: float64(x.Logprob)}
			for i, id := range x.Top.IDs {
				t.Top = append(t.Top, Other{textOf(m, id), float64(x.Top.Logprobs[i])})
			}
			tokens = append(tokens, t)
		}})
	if err == nil {
		err = ctx.Err()
	}
	return tokens, err
}

// textOf is what a token adds to a text, special tokens by their names.
func textOf(m *pretrained.Model, id int32) string { return string(m.Tokenizer.MarkBytes(id)) }

// SayBefore adds what the model that the run began with says of the same tokens, and gives its own answer.
func SayBefore(ctx context.Context, base *pretrained.Model, pool *kernel.Pool, q *Question, tokens []Token,
	maxNew int) (answer string, err error) {
	if err := model.CheckIDs(q.Example.IDs, base.Config.Vocab); err != nil {
		return "", err
	}
	before, err := Say(ctx, base, pool, &q.Example)
	if err != nil {
		return "", err
	}
	for i := range tokens {
		tokens[i].Base = &Before{before[i].Logprob, before[i].Top}
	}
	first := 0
	for first < len(q.Example.Mask) && !q.Example.Mask[first] {
		first++
	}
	session, err := base.NewSession(pool, 1)
	if err != nil {
		return "", err
	}
	defer session.Close()
	a, err := session.Continue(ctx, q.Example.IDs[:first], pretrained.Decoding{MaxNew: maxNew})
	if err == nil {
		err = ctx.Err()
	}
	return a.Text, err
}

// Parts is the first token of an answer that the base would not have said, -1 where there is none.
func Parts(tokens []Token) int {
	for i, t := range tokens {
		if t.Base != nil && len(t.Base.Top) > 0 && t.Base.Top[0].Logprob > t.Base.Logprob {
			return i
		}
	}
	return -1
}
