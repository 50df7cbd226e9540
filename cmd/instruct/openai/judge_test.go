package openai

import (
	"strings"
	"testing"

	"instruct/data/policy"
)

// TestPolicy: an answer that violates a block rule is not seen, in no part of it and in no stream; one that violates
// others is marked.
func TestPolicy(t *testing.T) {
	p, err := policy.Parse("p.yaml", []byte(`
rules:
  - {id: no-a, text: Do not say a., severity: block, when: {prompt: cat}, assert: [{type: not-contains, value: a}]}
  - {id: short, text: Be short., severity: warn, assert: [{type: not-contains, value: bbb}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, func(o *Options) { o.Policy = p })
	const chatBody = `{"messages":[{"role":"user","content":"A cat"}],"max_tokens":5,"logprobs":true,`
	const textBody = `{"prompt":"cat a","max_tokens":5,"logprobs":1,"echo":true,`
	for _, x := range []struct{ path, body, text, finish, refusal, rules string }{
		{"/v1/chat/completions", chatBody + `"logit_bias":{"97":100}`, "", finishFilter,
			"it violates no-a (Do not say a.)", "no-a"},
		{"/v1/chat/completions", chatBody + `"logit_bias":{"98":100}`, "bbbbb", "length", "", "short"},
		{"/v1/chat/completions", chatBody + `"logit_bias":{"99":100}`, "ccccc", "length", "", ""},
		{"/v1/completions", textBody + `"logit_bias":{"97":100}`, "cat a", finishFilter, "", "no-a"},
		{"/v1/completions", textBody + `"logit_bias":{"99":100}`, "cat accccc", "length", "", ""},
		{"/v1/completions", `{"prompt":"dog","max_tokens":5,"logit_bias":{"97":100}`, "aaaaa", "length", "", ""},
		{"/v1/completions", strings.Replace(textBody, ":5", ":0", 1) + `"n":1`, "cat a", "length", "", ""},
	} {
		for _, streamed := range []bool{false, true} {
			text, finish, refusal, rules, tokens := "", "", "", "", 0
			judge := func(list []violation) {
				for _, v := range list {
					rules += v.Rule
					if (v.Reason == "") != (v.Severity == "block") {
						t.Errorf("%+v", v)
					}
				}
			}
			chats := func(list []chatChoice) {
				for _, c := range list {
					d := c.Delta
					if c.Message != nil {
						d = &chatDelta{Content: c.Message.Content, Refusal: c.Message.Refusal}
					}
					if d.Content != nil {
						text += *d.Content
					}
					refusal += d.Refusal
					if c.Logprobs != nil {
						tokens += len(c.Logprobs.Content)
					}
					if c.FinishReason != nil {
						finish = *c.FinishReason
					}
					judge(c.Policy)
				}
			}
			texts := func(list []completion) {
				for _, c := range list {
					text += c.Text
					if c.Logprobs != nil {
						tokens += len(c.Logprobs.Tokens)
					}
					if c.FinishReason != nil {
						finish = *c.FinishReason
					}
					judge(c.Policy)
				}
			}
			isChat := strings.Contains(x.path, "chat")
			switch {
			case streamed && strings.Contains(x.body, `:0`):
				continue // there is nothing to stream
			case streamed:
				_, body := ask(s, "POST", x.path, x.body+`,"stream":true}`)
				if isChat {
					for _, e := range events[chatReply](t, body) {
						chats(e.Choices)
					}
				} else {
					for _, e := range events[completionReply](t, body) {
						texts(e.Choices)
					}
				}
			case isChat:
				chats(post[chatReply](t, s, x.path, x.body+`}`).Choices)
			default:
				texts(post[completionReply](t, s, x.path, x.body+`}`).Choices)
			}
			if text != x.text || finish != x.finish || rules != x.rules || !strings.Contains(refusal, x.refusal) ||
				(refusal == "") != (x.refusal == "") || strings.Contains(x.body, "logprobs") && tokens != len(x.text) {
				t.Errorf("%s, streamed %v: %q, %s, rules %q, refusal %q, %d tokens; want %+v", x.body, streamed, text, finish,
					rules, refusal, tokens, x)
			}
		}
	}
	_, metrics := ask(s, "GET", "/metrics", "")
	if !strings.Contains(string(metrics), `instruct_policy_violations_total{rule="no-a",severity="block"} 4`) {
		t.Errorf("%s", metrics)
	}
}
