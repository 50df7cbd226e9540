package openai

import (
	"errors"
	"testing"
)

func parsed(body string, kind endpoint) (*request, *apiError) {
	q := &request{n: 1, maxNew: 16}
	err := q.parse([]byte(body), kind)
	if err == nil {
		return q, nil
	}
	var e *apiError
	if !errors.As(err, &e) {
		panic(err)
	}
	return nil, e
}

// TestFields: every field is heeded, harmless, or refused with its name.
func TestFields(t *testing.T) {
	const say = `"messages":[{"role":"user","content":"a"}]`
	for _, x := range []struct {
		kind  endpoint
		body  string
		param string // "": it is taken
	}{
		{completions, `{"prompt":"a","seed":null,"stop":null,"user":"me"}`, ""},
		{completions, `{"prompt":"a","best_of":1,"suffix":"","presence_penalty":0.0}`, ""},
		{completions, `{"prompt":[1,2]}`, ""},
		{completions, `{"prompt":[[1,2],[3]]}`, ""},
		{completions, `{"prompt":["a","b"],"top_k":-1,"top_p":1,"unheard_of":null}`, ""},
		{completions, `{"prompt":"a","logprobs":false}`, ""},
		{completions, `{}`, "prompt"},
		{completions, `{"prompt":[]}`, "prompt"},
		{completions, `{"prompt":[1,"a"]}`, "prompt"},
		{completions, `{"prompt":[null]}`, "prompt"},
		{completions, `{"prompt":[[1,null]]}`, "prompt"},
		{completions, `{"prompt":{"a":1}}`, "prompt"},
		{completions, `{"prompt":[1.5]}`, "prompt"},
		{completions, `{"prompt":"a","best_of":2}`, "best_of"},
		{completions, `{"prompt":"a","max_tokens":0}`, "max_tokens"},
		{completions, `{"prompt":"a","max_tokens":-1}`, "max_tokens"},
		{completions, `{"prompt":"a","max_tokens":1.5}`, "max_tokens"},
		{completions, `{"prompt":"a","max_tokens":99999999999999999999}`, "max_tokens"},
		{completions, `{"prompt":"a","n":0}`, "n"},
		{completions, `{"prompt":"a","stop":""}`, "stop"},
		{completions, `{"prompt":"a","stop":[1]}`, "stop"},
		{completions, `{"prompt":"a","temperature":-1}`, "temperature"},
		{completions, `{"prompt":"a","temperature":"hot"}`, "temperature"},
		{completions, `{"prompt":"a","top_p":0}`, "top_p"},
		{completions, `{"prompt":"a","logprobs":21}`, "logprobs"},
		{completions, `{"prompt":"a","logit_bias":{"x":1}}`, "logit_bias"},
		{completions, `{"prompt":"a","frequency_penalty":0.5}`, "frequency_penalty"},
		{completions, `{"prompt":"a","temprature":0.5}`, "temprature"},
		{completions, `{"prompt":"a",` + say + `}`, "messages"},
		{chats, `{` + say + `,"tools":[],"response_format":{"type": "text"},"tool_choice":"auto","metadata":{}}`, ""},
		{chats, `{` + say + `,"stream_options":{"include_usage":true},"max_completion_tokens":5}`, ""},
		{chats, `{` + say + `,"tools":[{"type":"function"}]}`, "tools"},
		{chats, `{` + say + `,"response_format":{"type":"json_object"}}`, ""},
		{chats, `{` + say + `,"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{},"strict":t` +
			`rue}}}`, ""},
		{chats, `{` + say + `,"response_format":"json_object"}`, "response_format"},
		{chats, `{` + say + `,"response_format":{"type":"xml"}}`, "response_format"},
		{chats, `{` + say + `,"response_format":{"type":"json_object","schema":{}}}`, "response_format.schema"},
		{chats, `{` + say + `,"response_format":{"type":"json_schema"}}`, "response_format.json_schema"},
		{chats, `{` + say + `,"response_format":{"type":"json_schema","json_schema":{"name":"x"}}}`,
			"response_format.json_schema"},
		{chats, `{` + say + `,"top_logprobs":2}`, "top_logprobs"},
		{chats, `{` + say + `,"logprobs":2}`, "logprobs"},
		{chats, `{` + say + `,"echo":true}`, "echo"},
		{chats, `{"messages":[]}`, "messages"},
		{chats, `{"messages":"a"}`, "messages"},
		{chats, `{"messages":[{"role":"cat","content":"a"}]}`, "messages[0].role"},
		{chats, `{"messages":[{"content":"a"}]}`, "messages[0].role"},
		{chats, `{"messages":[{"role":"user","content":5}]}`, "messages[0].content"},
		{chats, `{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, "messages[0].content"},
		{chats, `{"messages":[{"role":"user","content":"a","mood":"bad"}]}`, "messages[0].mood"},
		{chats, `{"messages":[{"role":"assistant","content":null,"tool_calls":[],"refusal":null,"audio":null}]}`, ""},
	} {
		_, err := parsed(x.body, x.kind)
		switch {
		case err == nil && x.param != "":
			t.Errorf("%s is taken; expected %s to be refused", x.body, x.param)
		case err != nil && (err.param != x.param || err.status != 400):
			t.Errorf("%s: %s: %s, status %d; expected %q to be refused", x.body, err.param, err.message, err.status, x.param)
		}
	}
}

// TestFieldsOnce: no field stands in the table twice for one kind of request.
func TestFieldsOnce(t *testing.T) {
	for _, kind := range []endpoint{chats, completions} {
		seen := map[string]bool{}
		for _, f := range fields() {
			if f.in&kind == 0 {
				continue
			}
			if seen[f.name] {
				t.Errorf("%s is there twice", f.name)
			}
			seen[f.name] = true
			if (f.read == nil) == (f.harmless == "") {
				t.Errorf("%s is neither read nor has harmless values, or both", f.name)
			}
		}
	}
}

// FuzzRequest: any bytes are a request or a mistake, never a panic, and what is taken holds what the decoder wants.
func FuzzRequest(f *testing.F) {
	f.Add(`{"prompt":[[1,2],"a"],"n":2,"stop":["a"],"logit_bias":{"1":2},"temperature":1,"top_p":0.5}`)
	f.Add(`{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],"logprobs":true,"top_logprobs":3}`)
	f.Add(`{"messages":[{"role":"tool","tool_call_id":"1","content":null}],"chat_template_kwargs":{"a":1},"seed":-1}`)
	f.Add(`{"prompt":"a","echo":true,"logprobs":1,"max_tokens":0,"stream":true,"stream_options":{}}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, kind := range []endpoint{chats, completions} {
			q, err := parsed(body, kind)
			if err != nil {
				if err.status != 400 || err.message == "" {
					t.Errorf("status %d, %q", err.status, err.message)
				}
				continue
			}
			nothing := len(q.prompts) == 0 && len(q.messages) == 0
			if nothing || q.sampling.Validate() != nil || q.n < 1 || q.maxNew < 0 || q.top > maxTop {
				t.Errorf("%+v", q)
			}
		}
	})
}
