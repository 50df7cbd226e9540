package openai

import (
	"encoding/json"
	"slices"
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
func (f *callForm) marks() []string {
	return slices.DeleteFunc([]string{f.Open, f.Close, f.Split, f.prefix}, func(s string) bool { return s == "" })
}

const probeTools = `[{"type":"function","function":{"name":"probe","description":"A probe.","parameters":` +
	`{"type":"object","properties":{"key":{"type":"string","description":"A key."}},"required":["key"]}}}]`

const probeCall = `[{"id":"probe0001","type":"function","function":{"name":"probe","arguments":{"key":"a value"}}}]`

// toolVariables are the names by which templates know the list of tools; SmolLM3's has the second one.
var toolVariables = []string{"tools", "xml_tools"}

// withTools gives a conversation its tools under such a name.
func withTools(c chat.Conversation, variable string, tools json.RawMessage) (chat.Conversation, error) {
	if variable == toolVariables[0] {
		c.Tools = tools
		return c, nil
	}
	variables := map[string]json.RawMessage{}
	if len(c.Variables) > 0 {
		if err := json.Unmarshal(c.Variables, &variables); err != nil {
			return c, err
		}
	}
	variables[variable] = tools
	var err error
	c.Variables, err = json.Marshal(variables)
	return c, err
}

// formOfTemplate finds the form in which a template writes calls, and the name by which it knows the tools; nil where
// it has no tools, or an unknown form.
func formOfTemplate(t *chat.Template) (*callForm, string) {
	for _, variable := range toolVariables {
		if f := formWith(t, variable); f != nil {
			return f, variable
		}
	}
	return nil, ""
}

func formWith(t *chat.Template, variable string) *callForm {
	user := chat.Message{Role: "user", Content: "Hi", Train: new(false)}
	call := chat.Message{Role: "assistant", ToolCalls: []byte(probeCall), Train: new(false)}
	c, err := withTools(chat.Conversation{Messages: []chat.Message{user}}, variable, []byte(probeTools))
	if err != nil {
		return nil
	}
	asked, err := t.RenderConversation(&c, false)
	if err != nil || !strings.Contains(asked.Text, "A probe.") {
		return nil
	}
	prompt, err := t.RenderConversation(&c, true)
	if err != nil {
		return nil
	}
	c.Messages = append(c.Messages, call)
	said, err := t.RenderConversation(&c, false)
	forms := callForms()
	if err == nil && strings.Contains(said.Text, "a value") {
		header := afterCommon(prompt.Text, asked.Text)
		text := strings.TrimPrefix(afterCommon(said.Text, asked.Text), header)
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

// reads tells whether text has the probe's call.
func (f *callForm) reads(text string) bool {
	r := callReader{form: f}
	_, calls := r.push(text)
	_, more := r.end()
	calls = append(calls, more...)
	return len(calls) == 1 && strings.Contains(text, f.Close) && calls[0].Function.Name == "probe" &&
		strings.Contains(calls[0].Function.Arguments, "a value")
}
