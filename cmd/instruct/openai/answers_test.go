package openai

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestEchoHasTrueLogprobs: prompt and answer have one entry each, the first is null, the greedy tokens have the very
// number of the likeliest, and what is said of an answer is what is said of it as a prompt.
func TestEchoHasTrueLogprobs(t *testing.T) {
	s := newServer(t, nil)
	a := post[completionReply](t, s, "/v1/completions", `{"prompt":"Hello you","max_tokens":6,"logprobs":2,"echo":true}`)
	p := a.Choices[0].Logprobs
	n := len("Hello you") + 6
	if len(p.Tokens) != n || len(p.TokenLogprobs) != n || len(p.TopLogprobs) != n || len(p.TextOffset) != n {
		t.Fatalf("%d tokens, %d log-probabilities, %d tops, %d offsets; want %d", len(p.Tokens), len(p.TokenLogprobs),
			len(p.TopLogprobs), len(p.TextOffset), n)
	}
	if p.TokenLogprobs[0] != nil || p.TopLogprobs[0] != nil {
		t.Error("the first token has log-probabilities")
	}
	if !strings.HasPrefix(a.Choices[0].Text, "Hello you") {
		t.Errorf("the text is %q", a.Choices[0].Text)
	}
	for i := 1; i < n; i++ {
		best := float32(-1e9)
		for _, x := range p.TopLogprobs[i] {
			best = max(best, x)
		}
		if i >= n-6 && *p.TokenLogprobs[i] != best {
			t.Errorf("the greedy token %d has %v, the likeliest %v", i, *p.TokenLogprobs[i], best)
		}
	}
	var first struct{ Tokens []int32 }
	_, text := ask(s, "POST", "/tokenize", `{"prompt":"Hello you"}`)
	if err := json.Unmarshal(text, &first); err != nil {
		t.Fatal(err)
	}
	ids, _ := json.Marshal(first.Tokens)
	for _, most := range []int{0, 1} {
		again := post[completionReply](t, s, "/v1/completions",
			fmt.Sprintf(`{"prompt":[%s],"max_tokens":%d,"logprobs":2,"echo":true}`, ids, most)).Choices[0].Logprobs
		if m := len(first.Tokens) + most; !reflect.DeepEqual(again.TokenLogprobs, p.TokenLogprobs[:m]) ||
			!reflect.DeepEqual(again.TopLogprobs, p.TopLogprobs[:m]) {
			t.Errorf("max_tokens %d: %v, want %v", most, again, p)
		}
	}
}

// TestStreamIsTheAnswer: what is streamed, put together, is what is sent at one time.
func TestStreamIsTheAnswer(t *testing.T) {
	s := newServer(t, nil)
	for _, body := range []string{
		`{"prompt":["one","two"],"n":2,"max_tokens":20,"temperature":0.9,"seed":5,"logprobs":1,"echo":true%s}`,
		`{"prompt":"one","max_tokens":20,"temperature":2,"stop":["e","` + "\u00e9" + `"]%s}`,
	} {
		want := post[completionReply](t, s, "/v1/completions", fmt.Sprintf(body, ""))
		const streaming = `,"stream":true,"stream_options":{"include_usage":true}`
		_, text := ask(s, "POST", "/v1/completions", fmt.Sprintf(body, streaming))
		list := events[completionReply](t, text)
		got := make([]completion, len(want.Choices))
		for _, e := range list {
			for _, c := range e.Choices {
				g := &got[c.Index]
				g.Index, g.Text = c.Index, g.Text+c.Text
				if c.FinishReason != nil {
					g.FinishReason = c.FinishReason
				}
				if p := c.Logprobs; p != nil && g.Logprobs == nil {
					g.Logprobs = p
				} else if p != nil {
					g.Logprobs.Tokens = append(g.Logprobs.Tokens, p.Tokens...)
					g.Logprobs.TokenLogprobs = append(g.Logprobs.TokenLogprobs, p.TokenLogprobs...)
					g.Logprobs.TopLogprobs = append(g.Logprobs.TopLogprobs, p.TopLogprobs...)
					g.Logprobs.TextOffset = append(g.Logprobs.TextOffset, p.TextOffset...)
				}
			}
		}
		if !reflect.DeepEqual(got, want.Choices) {
			t.Errorf("streamed %+v, at one time %+v", got, want.Choices)
		}
		if last := list[len(list)-1]; len(last.Choices) != 0 || !reflect.DeepEqual(last.Usage, want.Usage) {
			t.Errorf("the last event is %+v", last)
		}
	}
}

func TestChat(t *testing.T) {
	s := newServer(t, func(o *Options) { o.System = "Be brief." })
	const body = `{"messages":[{"role":"user","content":"Say hi"}],"max_tokens":8,"logprobs":true,"top_logprobs":3%s}`
	a := post[chatReply](t, s, "/v1/chat/completions", fmt.Sprintf(body, ""))
	c := a.Choices[0]
	if a.Object != "chat.completion" || c.Message.Role != "assistant" ||
		len(c.Logprobs.Content) != a.Usage.CompletionTokens {
		t.Errorf("%+v, %+v", a, c)
	}
	for _, x := range c.Logprobs.Content {
		if x.chatProb.Token != x.Top[0].Token || x.Logprob != x.Top[0].Logprob || len(x.Top) != 3 {
			t.Errorf("%+v", x)
		}
	}
	_, text := ask(s, "POST", "/v1/chat/completions", fmt.Sprintf(body, `,"stream":true`))
	var streamed strings.Builder
	for i, e := range events[chatReply](t, text) {
		d := e.Choices[0].Delta
		if i == 0 != (d.Role == "assistant") || e.Object != "chat.completion.chunk" {
			t.Errorf("event %d: %+v", i, e)
		}
		if d.Content != nil {
			streamed.WriteString(*d.Content)
		}
	}
	if streamed.String() != *c.Message.Content {
		t.Errorf("streamed %q, at one time %q", streamed.String(), *c.Message.Content)
	}
	for _, same := range []string{
		`{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Say hi"}],"max_completion_tokens":8}`,
		`{"messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Say"},` +
			`{"type":"text","text":" hi"}]}],"max_completion_tokens":8,"user":"me","store":true,"tools":null}`,
	} {
		got := post[chatReply](t, s, "/v1/chat/completions", same).Choices[0].Message
		if *got.Content != *c.Message.Content {
			t.Errorf("%s: %q, want %q", same, *got.Content, *c.Message.Content)
		}
	}
	other := post[chatReply](t, s, "/v1/chat/completions",
		`{"messages":[{"role":"system","content":""},{"role":"user","content":"Say hi"}]}`)
	if other.Usage.PromptTokens >= a.Usage.PromptTokens {
		t.Errorf("a system prompt that is given does not replace the server's: %+v", other.Usage)
	}
}

// TestStopStrings: an answer ends before the first stop string, wherever the borders of tokens are.
func TestStopStrings(t *testing.T) {
	s := newServer(t, nil)
	// The answer is made of what the bias allows: a, b, c.
	const body = `{"prompt":"x","max_tokens":30,"temperature":1,"logit_bias":{"97":60,"98":60,"99":60},"logprobs":0%s}`
	all := post[completionReply](t, s, "/v1/completions", fmt.Sprintf(body, "")).Choices[0].Text
	if len(all) != 30 || strings.Trim(all, "abc") != "" {
		t.Fatalf("%q", all)
	}
	for from := 0; from < 27; from += 4 {
		stop := all[from : from+3]
		want, _, _ := strings.Cut(all, stop)
		c := post[completionReply](t, s, "/v1/completions",
			fmt.Sprintf(body, fmt.Sprintf(`,"stop":["zz",%q]`, stop))).Choices[0]
		if c.Text != want || *c.FinishReason != "stop" || strings.Join(c.Logprobs.Tokens, "") != want {
			t.Errorf("stop %q: %q, %s, %v; want %q", stop, c.Text, *c.FinishReason, c.Logprobs.Tokens, want)
		}
	}
	never := fmt.Sprintf(body, `,"stop":"`+all[28:]+`x"`)
	if c := post[completionReply](t, s, "/v1/completions", never).Choices[0]; c.Text != all {
		t.Errorf("what is held back at the end is lost: %q, want %q", c.Text, all)
	}
}

func TestCut(t *testing.T) {
	for _, x := range []struct {
		text         string
		stops        []string
		before, held string
		found        bool
	}{
		{"abc", nil, "abc", "", false},
		{"abc", []string{"b"}, "a", "", true},
		{"abc", []string{"cd"}, "ab", "c", false},
		{"abc", []string{"cd", "bcd"}, "a", "bc", false},
		{"abab", []string{"b", "ab"}, "", "", true},
		{"aa", []string{"aaa"}, "", "aa", false},
	} {
		before, held, found := cut(x.text, x.stops)
		if before != x.before || held != x.held || found != x.found {
			t.Errorf("%q, %q: %q, %q, %v", x.text, x.stops, before, held, found)
		}
	}
}

// TestSeeds: a seed decides; the choices of one request have seeds of their own.
func TestSeeds(t *testing.T) {
	s := newServer(t, nil)
	const body = `{"prompt":"x","max_tokens":20,"temperature":1.5,"seed":%d,"n":%d}`
	texts := func(seed, n int) (list []string) {
		for _, c := range post[completionReply](t, s, "/v1/completions", fmt.Sprintf(body, seed, n)).Choices {
			list = append(list, c.Text)
		}
		return list
	}
	three := texts(7, 3)
	same := slices.Equal(three, texts(7, 3)) && texts(8, 1)[0] == three[1]
	if !same || three[0] == three[1] || texts(-1, 1)[0] == three[0] {
		t.Errorf("%q", three)
	}
}

// TestCompanyChangesNothing: 16 requests at one time, of every kind, are answered with the bits that each has alone.
func TestCompanyChangesNothing(t *testing.T) {
	bodies := make([]string, 16)
	paths := []string{"/v1/completions", "/v1/chat/completions"}
	for i := range bodies {
		if i%2 == 0 {
			bodies[i] = fmt.Sprintf(`{"prompt":"A beginning that all of them have, and %d","max_tokens":%d,"temperature":%d,`+
				`"logprobs":%d,"echo":%v,"seed":%d}`, i/3, 3+i, i%3, i%5, i%4 == 0, i)
		} else {
			bodies[i] = fmt.Sprintf(`{"messages":[{"role":"user","content":"Question %d"}],"max_tokens":%d,"temperature":%d,`+
				`"logprobs":true,"top_logprobs":1,"seed":%d,"n":2}`, i/2, 3+i, i%3, i)
		}
	}
	answers := func(s *Server, i int) string {
		status, text := ask(s, "POST", paths[i%2], bodies[i])
		var a struct{ Choices, Usage json.RawMessage }
		if err := json.Unmarshal(text, &a); err != nil || status != 200 {
			return fmt.Sprintf("status %d, %s", status, text)
		}
		return string(a.Choices) + string(a.Usage)
	}
	want := make([]string, len(bodies))
	alone := newServer(t, func(o *Options) { o.Concurrent = 1 })
	for i := range bodies {
		want[i] = answers(alone, i)
		if !strings.Contains(want[i], `"finish_reason"`) {
			t.Fatal(want[i])
		}
	}
	together := newServer(t, nil)
	for range 2 { // the second time the cache holds what the first one left
		var all sync.WaitGroup
		for i := range bodies {
			all.Go(func() {
				if got := answers(together, i); got != want[i] {
					t.Errorf("request %d in company: %s\nalone: %s", i, got, want[i])
				}
			})
		}
		all.Wait()
	}
}
