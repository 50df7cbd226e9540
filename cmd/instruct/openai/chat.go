package openai

import (
	"net/http"
	"strings"
)

// chatMessage is the answer of a chat.
type chatMessage struct {
	Role      string     `json:"role"`
	Content   *string    `json:"content"`
	Refusal   string     `json:"refusal,omitempty"`
	ToolCalls []toolCall `json:"tool_calls,omitempty"`
}

// chatDelta is what is new of it.
type chatDelta struct {
	Role      string     `json:"role,omitempty"`
	Content   *string    `json:"content,omitempty"`
	Refusal   string     `json:"refusal,omitempty"`
	ToolCalls []toolCall `json:"tool_calls,omitempty"`
}

// chatChoice is a choice of /v1/chat/completions: its message or, in a stream, what is new of it.
type chatChoice struct {
	Index        int          `json:"index"`
	Message      *chatMessage `json:"message,omitempty"`
	Delta        *chatDelta   `json:"delta,omitempty"`
	Logprobs     *chatProbs   `json:"logprobs"`
	FinishReason *string      `json:"finish_reason"`
	Policy       []violation  `json:"policy,omitempty"`
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
			return chatChoice{Index: index, Delta: &chatDelta{Role: "assistant", Content: new("")}}
		},
		whole: func(q *request, x *whole) chatChoice {
			c := chatChoice{Index: x.index, Message: x.message(), FinishReason: nullable(x.finish), Policy: x.violations}
			if q.logprobs {
				c.Logprobs = &chatProbs{s.labels.chat(x.tokens)}
			}
			return c
		},
		piece: func(q *request, p part) chatChoice {
			c := chatChoice{Index: p.index, Delta: &chatDelta{ToolCalls: p.calls, Refusal: p.refusal},
				FinishReason: nullable(p.finish), Policy: p.violations}
			if p.finish == "" && (p.text != "" || len(p.calls) == 0 && p.refusal == "") {
				c.Delta.Content = &p.text
			}
			if q.logprobs && len(p.tokens) > 0 {
				c.Logprobs = &chatProbs{s.labels.chat(p.tokens)}
			}
			return c
		},
	})
}

// message is the whole of a choice. One that only calls functions, or is withheld, has no content.
func (x *whole) message() *chatMessage {
	text := x.text.String()
	m := &chatMessage{Role: "assistant", Content: &text, Refusal: x.refusal}
	for _, c := range x.calls {
		c.Index = nil
		m.ToolCalls = append(m.ToolCalls, c)
	}
	if (len(m.ToolCalls) > 0 || m.Refusal != "") && strings.TrimSpace(text) == "" {
		m.Content = nil
	}
	return m
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
