package openai

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

// callTemplates are templates that write calls in each of the forms.
var callTemplates = map[string]string{
	"hermes": `<tool_call>{{ "\n" }}{"name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}}{{ "\n" }}<` +
		`/tool_call>`,
	"ministral": `[TOOL_CALLS]{{ f.name }}[ARGS]{{ f.arguments | tojson }}`,
	"mistral":   `[TOOL_CALLS] [{"name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}, "id": "{{ c.id }}"}]`,
	"phi4":      `<|tool_call|>[{"name": "{{ f.name }}", "arguments": {{ f.arguments | tojson }}}]<|/tool_call|>`,
	"granite3":  `<|tool_call|>[{"arguments": {{ f.arguments | tojson }}, "name": "{{ f.name }}"}]`,
	"llama3":    `{"name": "{{ f.name }}", "parameters": {{ f.arguments | tojson }}}`,
}

// callTemplate is a whole template around the form of a call.
func callTemplate(call string) string {
	return `{% if tools %}<system>{{ tools | tojson }}{% endif %}{% for m in messages %}<{{ m.role }}>{{ m.content }}` +
		`{% for c in m.tool_calls or [] %}{% set f = c.function %}` + call + `{% endfor %}<|end|>{% endfor %}` +
		`{% if add_generation_prompt %}<assistant>{% endif %}`
}

// TestFormOfTemplate: the form is found from what a template writes or, where it writes no call, from what it says.
func TestFormOfTemplate(t *testing.T) {
	find := func(src string) string {
		tp, err := chat.NewTemplate(src, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f, _ := formOfTemplate(tp); f != nil {
			return f.name
		}
		return ""
	}
	for _, f := range callForms() {
		if got := find(callTemplate(callTemplates[f.name])); got != f.name {
			t.Errorf("%s is read as %q", f.name, got)
		}
		if got := find(strings.ReplaceAll(callTemplate(callTemplates[f.name]), "tools", "xml_tools")); got != f.name {
			t.Errorf("%s, with the tools under another name, is read as %q", f.name, got)
		}
		says := `{{ tools | tojson }} Answer like this: ` + f.says + `{% for m in messages %}{{ m.content }}{% endfor %}`
		if got := find(says); got != f.name {
			t.Errorf("%s, said only, is read as %q", f.name, got)
		}
	}
	for name, src := range map[string]string{
		"unknown form": callTemplate(`<tool_call><function={{ f.name }}>{{ f.arguments | tojson }}</function></tool_call>`),
		"no tools":     `{% for m in messages %}{{ m.content }}{% endfor %}`,
		"says nothing": `{{ tools | tojson }}{% for m in messages %}{{ m.content }}{% endfor %}`,
		"refuses":      `{{ raise_exception("no") }}`,
	} {
		if got := find(src); got != "" {
			t.Errorf("%s: read as %q", name, got)
		}
	}
}

// TestCallReader: calls and text are the same wherever the parts of an answer are cut.
func TestCallReader(t *testing.T) {
	for _, x := range []struct{ form, answer, text, calls string }{
		{"hermes", "Let me see.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"</tool_call>\"}}\n</tool_call" +
			">\n", "Let me see.\n",
			`f({"a":"</tool_call>"})`},
		{"hermes", `<tool_call>{"name":"f","arguments":{}}</tool_call><tool_call>{"name":"g","arguments":"{\"b\": 1}"}` +
			`</tool_call>`, "",
			`f({})g({"b":1})`},
		{"hermes", `<tool_call>{"name":"f","arguments":{}}</tool_call> Done`, "Done", `f({})`},
		{"hermes", `<tool_call>{"name":"f","arguments":{}} and more`, "and more", `f({})`},
		{"hermes", `a <tool_call> is {what}`, `a <tool_call> is {what}`, ``},
		{"hermes", `<tool_call>{"name":"f","argum`, `<tool_call>{"name":"f","argum`, ``},
		{"hermes", `<tool_call>{"arguments":{}}</tool_call>`, `<tool_call>{"arguments":{}}</tool_call>`, ``},
		{"hermes", `<tool_call>{"name":"f","arguments":[1]}</tool_call>`,
			`<tool_call>{"name":"f","arguments":[1]}</tool_call>`, ``},
		{"hermes", `1 < 2 <tool`, `1 < 2 <tool`, ``},
		{"mistral", `[TOOL_CALLS] [{"name":"f","arguments":{"a":1}},{"name":"g","arguments":{}}]`, "", `f({"a":1})g({})`},
		{"mistral", `[TOOL_CALLS]{"name":"f"}`, `[TOOL_CALLS]{"name":"f"}`, ""},
		{"ministral", `[TOOL_CALLS]f[ARGS]{"a":1}[TOOL_CALLS]g[ARGS]{}`, "", `f({"a":1})g({})`},
		{"phi4", `Hm<|tool_call|>[{"name":"f","arguments":{}}]<|/tool_call|>`, "Hm", `f({})`},
		{"granite3", `<|tool_call|>[{"name":"f","arguments":{}}]`, "", `f({})`},
		{"llama3", `{"name": "f", "parameters": {"a": 1}}`, "", `f({"a":1})`},
		{"llama3", `<|python_tag|>{"name": "f", "parameters": {}}`, "", `f({})`},
		{"llama3", `{"not": "a call"}`, `{"not": "a call"}`, ""},
		{"llama3", ` Hello {"name": "f"}`, ` Hello {"name": "f"}`, ""},
		{"llama3", `{"name": "f", "param`, `{"name": "f", "param`, ""},
	} {
		forms := callForms()
		form := &forms[slices.IndexFunc(forms, func(f callForm) bool { return f.name == x.form })]
		for size := 1; size <= len(x.answer); size = size*2 + 1 {
			r, text, calls := callReader{form: form}, "", []toolCall(nil)
			for part := range slices.Chunk([]byte(x.answer), size) {
				before, more := r.push(string(part))
				text, calls = text+before, append(calls, more...)
			}
			before, more := r.end()
			text, calls = text+before, append(calls, more...)
			got := ""
			for i, c := range calls {
				got += fmt.Sprintf("%s(%s)", c.Function.Name, c.Function.Arguments)
				if *c.Index != i || len(c.ID) != 9 || c.Type != "function" {
					t.Errorf("%s: %+v", x.answer, c)
				}
			}
			if text != x.text || got != x.calls {
				t.Errorf("%s in parts of %d: %q, %s; want %q, %s", x.answer, size, text, got, x.text, x.calls)
			}
		}
	}
}

// FuzzCallReader: whatever the model says, cut anywhere, nothing of it is lost but calls and the white space around.
func FuzzCallReader(f *testing.F) {
	f.Add(`Hi <tool_call>{"name":"f","arguments":{}}</tool_call> there`, uint8(0), uint8(3))
	f.Add(`[TOOL_CALLS]f[ARGS]{}`, uint8(1), uint8(1))
	f.Add(`{"name":"f","parameters":{"a":[]}}`, uint8(5), uint8(2))
	f.Fuzz(func(t *testing.T, answer string, which, size uint8) {
		forms := callForms()
		form := &forms[int(which)%len(forms)]
		whole, parts := callReader{form: form}, callReader{form: form}
		text, calls := whole.push(answer)
		rest, more := whole.end()
		text, calls = text+rest, append(calls, more...)
		again, count := "", 0
		for part := range slices.Chunk([]byte(answer), int(size)+1) {
			before, some := parts.push(string(part))
			again, count = again+before, count+len(some)
		}
		rest, more = parts.end()
		if again+rest != text || count+len(more) != len(calls) {
			t.Fatalf("%q, %d calls; in parts %q, %d", text, len(calls), again+rest, count+len(more))
		}
		for _, c := range calls {
			if !json.Valid([]byte(c.Function.Arguments)) || c.Function.Name == "" {
				t.Fatalf("%+v", c)
			}
		}
		if len(calls) == 0 && text != answer {
			t.Fatalf("%q became %q", answer, text)
		}
	})
}

const petTools = `"tools":[{"type":"function","function":{"name":"feed","parameters":{"type":"object","properties":` +
	`{"pet":{"enum":["cat","dog"]},"times":{"type":"array","items":{"enum":[1,2]},"maxItems":2}},"required":["pet"]}}},` +
	`{"type":"function","function":{"name":"sleep"}}]`

// serverWithTools serves a model whose template has tools.
func serverWithTools(t *testing.T, form string) *Server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tools.jinja")
	if err := os.WriteFile(path, []byte(callTemplate(callTemplates[form])), 0o600); err != nil {
		t.Fatal(err)
	}
	var m *pretrained.Model = tinyWith(t, path, "<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[ARGS]")
	return serverOf(t, m, nil)
}

// checkFeed checks that a call is one of petTools.
func checkFeed(t *testing.T, c toolCall) {
	t.Helper()
	var a struct {
		Pet   string
		Times []int
	}
	err := json.Unmarshal([]byte(c.Function.Arguments), &a)
	fed := c.Function.Name == "feed" && (a.Pet == "cat" || a.Pet == "dog") && len(a.Times) <= 2
	if err != nil || !fed && (c.Function.Name != "sleep" || c.Function.Arguments != "{}") {
		t.Errorf("the call is %+v, %v", c, err)
	}
}

// TestTools: a call that is asked for is made, of the function that is asked for; one that the model begins itself has
// its form too; streamed or not.
func TestTools(t *testing.T) {
	for _, form := range []string{"hermes", "mistral", "ministral", "llama3"} {
		s := serverWithTools(t, form)
		mark, _ := s.model.Tokenizer.ID("<tool_call>")
		for more, want := range map[string]string{
			`,"tool_choice":"required","parallel_tool_calls":false`:                   "",
			`,"tool_choice":"required","temperature":2,"parallel_tool_calls":false`:   "",
			`,"tool_choice":{"type":"function","function":{"name":"feed"}}`:           "feed",
			fmt.Sprintf(`,"parallel_tool_calls":false,"logit_bias":{"%d":100}`, mark): "",
			`,"tool_choice":{"type":"function","function":{"name":"sleep"}},"seed":4`: "sleep",
		} {
			if strings.Contains(more, "logit_bias") && form != "hermes" {
				continue
			}
			body := `{"messages":[{"role":"user","content":"A cat"}],"max_tokens":200,` + petTools + more + `%s}`
			c := post[chatReply](t, s, "/v1/chat/completions", fmt.Sprintf(body, "")).Choices[0]
			if len(c.Message.ToolCalls) != 1 || *c.FinishReason != "tool_calls" || c.Message.Content != nil {
				t.Fatalf("%s %s: %+v, %s", form, more, c.Message, *c.FinishReason)
			}
			call := c.Message.ToolCalls[0]
			checkFeed(t, call)
			if call.Index != nil || want != "" && call.Function.Name != want {
				t.Errorf("%s %s: %+v", form, more, call)
			}
			_, stream := ask(s, "POST", "/v1/chat/completions", fmt.Sprintf(body, `,"stream":true`))
			var streamed []toolCall
			finish := ""
			for _, e := range events[chatReply](t, stream) {
				streamed = append(streamed, e.Choices[0].Delta.ToolCalls...)
				if f := e.Choices[0].FinishReason; f != nil {
					finish = *f
				}
			}
			if len(streamed) != 1 || *streamed[0].Index != 0 || streamed[0].Function != call.Function || finish != "tool_calls" {
				t.Errorf("%s %s: streamed %+v, %s", form, more, streamed, finish)
			}
		}
	}
}

// TestToolsAreShown: the model is told of the tools unless it must not call them; a turn that answers a call is read.
func TestToolsAreShown(t *testing.T) {
	s := serverWithTools(t, "hermes")
	const body = `{"messages":[{"role":"user","content":"A cat"}],"max_tokens":1,` + petTools + `%s}`
	used := func(body string) int { return post[chatReply](t, s, "/v1/chat/completions", body).Usage.PromptTokens }
	with, without := used(fmt.Sprintf(body, "")), used(fmt.Sprintf(body, `,"tool_choice":"none"`))
	plain := used(`{"messages":[{"role":"user","content":"A cat"}],"max_tokens":1}`)
	if with < without+100 || without != plain {
		t.Errorf("%d tokens of a prompt with tools, %d where none may be called, %d without", with, without, plain)
	}
	if n := used(`{"messages":[{"role":"user","content":"A cat"},{"role":"assistant","content":null,"tool_calls":[{` +
		`"id":"a","type":` +
		`"function","function":{"name":"feed","arguments":"{\"pet\":\"cat\"}"}}]},{"role":"tool","tool_call_id":"a","c` +
		`ontent":` +
		`"fed"}],"max_tokens":1}`); n < plain+40 {
		t.Errorf("%d tokens of a prompt with a call and its answer", n)
	}
}

// TestToolsRefused: what cannot be called is one message.
func TestToolsRefused(t *testing.T) {
	without, with := newServer(t, nil), serverWithTools(t, "hermes")
	for _, x := range []struct {
		s          *Server
		body, want string
	}{
		{without, petTools, "the chat template of this model has no tools"},
		{with, `"tools":[{"type":"function"}]`, "tools[0] is no function with a name"},
		{with, `"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"a"}}]`,
			"two functions"},
		{with, `"tools":"a"`, "expected a list"},
		{with, `"tool_choice":"required"`, "without tools"},
		{with, petTools + `,"tool_choice":"always"`, "expected"},
		{with, petTools + `,"tool_choice":{"type":"function","function":{"name":"walk"}}`, "none of the tools"},
		{with, petTools + `,"response_format":{"type":"json_object"}`, "beside tools"},
		{with, `"tools":[{"type":"function","function":{"name":"a","parameters":{"properties":{"x":{"pattern":"y"}}}}}],` +
			`"tool_choice":"required"`, "tools[0].function.parameters: schema at #/properties/x: pattern"},
	} {
		status, text := ask(x.s, "POST", "/v1/chat/completions", `{"messages":[{"role":"user","content":"A cat"}],`+
			``+x.body+`}`)
		if status != 400 || !strings.Contains(string(text), strings.ReplaceAll(x.want, `"`, `\"`)) {
			t.Errorf("%s: status %d, %s; want %q", x.body, status, text, x.want)
		}
	}
	if status, text := ask(without, "POST", "/v1/chat/completions",
		`{"messages":[{"role":"user","content":"A cat"}],"tools":[],`+
			`"tool_choice":"auto","max_tokens":1}`); status != 200 {
		t.Errorf("no tools: status %d, %s", status, text)
	}
}
