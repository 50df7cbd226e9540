package openai

import (
	"strings"

	"instruct/model/grammar"
	"instruct/tokenizer/chat"
)

// callForm is a form in which models write calls of functions.
type callForm struct {
	grammar.CallForm
	name string
	says string // what a template that asks for the form says of it, where it shows no call
	// prefix may stand before the calls of a form without Open.
	prefix string
}

// callForms are all that are known. A form is a model's own if what the template makes of a call is read as that call.
func callForms() []callForm {
	return []callForm{
		{CallForm: grammar.CallForm{Open: "<tool_call>", Close: "</tool_call>", Arguments: "arguments"},
			name: "hermes", says: "<tool_call>"}, // Qwen2.5, Qwen3, Hermes, SmolLM3, Granite 4
		{CallForm: grammar.CallForm{Open: "[TOOL_CALLS]", Split: "[ARGS]"}, name: "ministral", says: "[ARGS]"},
		{CallForm: grammar.CallForm{Open: "[TOOL_CALLS]", List: true, Arguments: "arguments"},
			name: "mistral", says: "[TOOL_CALLS]"},
		{CallForm: grammar.CallForm{Open: "<|tool_call|>", Close: "<|/tool_call|>", List: true, Arguments: "arguments"},
			name: "phi4", says: "<|/tool_call|>"},
		{CallForm: grammar.CallForm{Open: "<|tool_call|>", List: true, Arguments: "arguments"},
			name: "granite3", says: "<|tool_call|>"},
		{CallForm: grammar.CallForm{Arguments: "parameters"}, name: "llama3", says: `"parameters": dictionary`,
			prefix: "<|python_tag|>"}, // the whole answer is the call
	}
}

// marks are the texts of tokens that a form is written with.
func (f *callForm) marks() []string { return []string{f.Open, f.Close, f.Split, f.prefix} }

const probeTools = `[{"type":"function","function":{"name":"probe","description":"A probe.","parameters":` +
	`{"type":"object","properties":{"key":{"type":"string","description":"A key."}},"required":["key"]}}}]`

const probeCall = `[{"id":"probe0001","type":"function","function":{"name":"probe","arguments":{"key":"a value"}}}]`

// formOfTemplate finds the form in which a template writes calls; nil where it has no tools, or an unknown form.
func formOfTemplate(t *chat.Template) *callForm {
	no := new(bool)
	c := &chat.Conversation{Tools: []byte(probeTools), Messages: []chat.Message{{Role: "user", Content: "Hi", Train: no}}}
	asked, err := t.RenderConversation(c, true)
	if err != nil || !strings.Contains(asked.Text, "A probe.") {
		return nil
	}
	c.Messages = append(c.Messages, chat.Message{Role: "assistant", ToolCalls: []byte(probeCall), Train: no})
	said, err := t.RenderConversation(c, false)
	forms := callForms()
	if err == nil && strings.Contains(said.Text, "a value") {
		text := afterCommon(said.Text, asked.Text)
		for i := range forms {
			if forms[i].reads(text) {
				return &forms[i]
			}
		}
		return nil
	}
	for i := range forms { // the template shows no call, and may say how one is written
		if strings.Contains(asked.Text, forms[i].says) {
			return &forms[i]
		}
	}
	return nil
}

// afterCommon is what of text comes after its common beginning with another one.
func afterCommon(text, other string) string {
	n := 0
	for n < min(len(text), len(other)) && text[n] == other[n] {
		n++
	}
	return text[n:]
}

// reads tells whether text is the probe's call, with any end of a turn behind it.
func (f *callForm) reads(text string) bool {
	r := callReader{form: f}
	before, calls := r.push(text)
	_, more := r.end()
	calls = append(calls, more...)
	return strings.TrimSpace(before) == "" && len(calls) == 1 && calls[0].Function.Name == "probe" &&
		strings.Contains(calls[0].Function.Arguments, "a value")
}
