package openai

import (
	"net/http"
)

// completion is a choice of /v1/completions, or what is new of it.
type completion struct {
	Text         string           `json:"text"`
	Index        int              `json:"index"`
	Logprobs     *completionProbs `json:"logprobs"`
	FinishReason *string          `json:"finish_reason"`
	Policy       []violation      `json:"policy,omitempty"`
}

// completionProbs are lists of equal length, by token. The first token of a prompt has null in two of them.
type completionProbs struct {
	Tokens        []string             `json:"tokens"`
	TokenLogprobs []*float32           `json:"token_logprobs"`
	TopLogprobs   []map[string]float32 `json:"top_logprobs"`
	TextOffset    []int                `json:"text_offset"`
}

func (s *Server) completions(w http.ResponseWriter, r *http.Request) error {
	choice := func(q *request, index int, text string, tokens []token, finish string, v []violation) completion {
		c := completion{Text: text, Index: index, FinishReason: nullable(finish), Policy: v}
		if q.logprobs && (len(tokens) > 0 || !q.stream) {
			c.Logprobs = s.labels.completion(tokens)
		}
		return c
	}
	return respond(s, w, r, shape[completion]{
		kind: completions, prefix: "cmpl-", object: "text_completion", streamed: "text_completion",
		whole: func(q *request, x *whole) completion {
			return choice(q, x.index, x.text.String(), x.tokens, x.finish, x.violations)
		},
		piece: func(q *request, p part) completion {
			return choice(q, p.index, p.text, p.tokens, p.finish, p.violations)
		},
	})
}

// completion lists tokens. The number of a token in token_logprobs is the very one that top_logprobs has for it.
func (l *labels) completion(tokens []token) *completionProbs {
	p := &completionProbs{Tokens: []string{}, TokenLogprobs: []*float32{}, TopLogprobs: []map[string]float32{},
		TextOffset: []int{}}
	for _, t := range tokens {
		label, _ := l.of(t.ID)
		p.Tokens = append(p.Tokens, label)
		p.TextOffset = append(p.TextOffset, t.offset)
		if t.first {
			p.TokenLogprobs, p.TopLogprobs = append(p.TokenLogprobs, nil), append(p.TopLogprobs, nil)
			continue
		}
		own := t.Logprob
		p.TokenLogprobs = append(p.TokenLogprobs, &own)
		top := map[string]float32{}
		add := func(label string, logprob float32) {
			if have, ok := top[label]; !ok || have < logprob { // two tokens may look alike
				top[label] = logprob
			}
		}
		for i, id := range t.Top.IDs {
			other, _ := l.of(id)
			add(other, t.Top.Logprobs[i])
		}
		add(label, own)
		p.TopLogprobs = append(p.TopLogprobs, top)
	}
	return p
}
