package openai

import (
	"net/http"
)

// chatMessage is the answer of a chat.
type chatMessage struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

// chatChoice is a choice of /v1/chat/completions: its message or, in a stream, what is new of it.
type chatChoice struct {
	Index        int          `json:"index"`
	Message      *chatMessage `json:"message,omitempty"`
	Delta        *chatMessage `json:"delta,omitempty"`
	Logprobs     *chatProbs   `json:"logprobs"`
	FinishReason *string      `json:"finish_reason"`
}

type chatProbs struct {
	Content []chatToken `json:"content"`
}

// chatToken is a token with its alternatives.
type chatToken struct {
	chatProb
	Top []chatProb `json:"top_logprobs"`
}

type chatProb struct {
	Token   string  `json:"token"`
	Logprob float32 `json:"logprob"`
	Bytes   []int   `json:"bytes"` // null where the token is no whole text
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) error {
	return respond(s, w, r, shape[chatChoice]{
		kind: chats, prefix: "chatcmpl-", object: "chat.completion", streamed: "chat.completion.chunk",
		opening: func(index int) chatChoice {
			return chatChoice{Index: index, Delta: &chatMessage{"assistant", new("")}}
		},
		whole: func(q *request, x *whole) chatChoice {
			c := chatChoice{Index: x.index, Message: &chatMessage{"assistant", new(x.text.String())},
				FinishReason: nullable(x.finish)}
			if q.logprobs {
				c.Logprobs = &chatProbs{s.labels.chat(x.tokens)}
			}
			return c
		},
		piece: func(q *request, p part) chatChoice {
			c := chatChoice{Index: p.index, Delta: &chatMessage{}, FinishReason: nullable(p.finish)}
			if p.finish == "" {
				c.Delta.Content = &p.text
			}
			if q.logprobs && len(p.tokens) > 0 {
				c.Logprobs = &chatProbs{s.labels.chat(p.tokens)}
			}
			return c
		},
	})
}

// chat lists tokens.
func (l *labels) chat(tokens []token) []chatToken {
	list := []chatToken{}
	for _, t := range tokens {
		x := chatToken{chatProb: l.prob(t.ID, t.Logprob), Top: []chatProb{}}
		for i, id := range t.Top.IDs {
			x.Top = append(x.Top, l.prob(id, t.Top.Logprobs[i]))
		}
		list = append(list, x)
	}
	return list
}

func (l *labels) prob(id int32, logprob float32) chatProb {
	label, whole := l.of(id)
	p := chatProb{Token: label, Logprob: logprob}
	if whole {
		p.Bytes = []int{}
		for _, b := range []byte(label) {
			p.Bytes = append(p.Bytes, int(b))
		}
	}
	return p
}
