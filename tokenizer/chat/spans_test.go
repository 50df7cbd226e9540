package chat

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"instruct/tokenizer"
	"instruct/tokenizer/internal/fixture"
)

// What is trained of two turns, whose second answer has white space around it, by each template.
func TestSpansOfFixtureTemplates(t *testing.T) {
	want := map[string][]string{
		"chatml":            {"B<|im_end|>", " D \n<|im_end|>"},
		"chatml_generation": {"B<|im_end|>", " D \n<|im_end|>"},
		"gemma":             {"B<end_of_turn>", "D<end_of_turn>"},
		"gemma3":            {"B<end_of_turn>", "D<end_of_turn>"},
		"llama2_chat":       {" B </s>", " D </s>"},
		"llama3":            {"B<|eot_id|>", "D<|eot_id|>"},
		"llama3_1":          {"B<|eot_id|>", "D<|eot_id|>"},
		"mistral_v01":       {"B</s>", " D \n</s>"},
		"phi3":              {"B<|end|>", " D \n<|end|>"},
		"qwen2_5":           {"B<|im_end|>", " D \n<|im_end|>"},
		"qwen3":             {"B<|im_end|>", "<think>\n\n</think>\n\n D \n<|im_end|>"},
		"smollm2":           {"B<|im_end|>", " D \n<|im_end|>"},
		"zephyr_tinyllama":  {"B</s>", " D \n</s>"},
	}
	msgs := []Message{{Role: "user", Content: "A"}, {Role: "assistant", Content: "B"}, {Role: "user", Content: "C"},
		{Role: "assistant", Content: " D \n"}}
	for name, tp := range fixtureTemplates(t) {
		for _, withPrompt := range []bool{false, true} {
			text, spans, err := tp.Render(msgs, withPrompt)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got := texts(text, spans); !slices.Equal(got, want[name]) {
				t.Errorf("%s, prompt %v: trained %q, want %q", name, withPrompt, got, want[name])
			}
		}
	}
}

// What is trained of tool calls and thoughts, and what a template does not show.
func TestSpansOfToolsAndThoughts(t *testing.T) {
	calls := json.RawMessage(`[{"type":"function","function":{"name":"f","arguments":{"city":"Paris"}}}]`)
	tools := json.RawMessage(`[{"type":"function","function":{"name":"f"}}]`)
	msgs := []Message{{Role: "user", Content: "Q"}, {Role: "assistant", Reasoning: "hm", ToolCalls: calls},
		{Role: "tool", Content: "7", Name: "f"}, {Role: "assistant", Content: "A", Reasoning: "so"}}
	call := "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call><|im_end|>"
	tests := []struct {
		template      string
		spans, unused []string
	}{
		{"qwen2_5", []string{call, "A<|im_end|>"}, []string{"reasoning_content", "reasoning_content"}},
		{"qwen3", []string{"<think>\nhm\n</think>\n\n" + call, "<think>\nso\n</think>\n\nA<|im_end|>"}, nil},
		{"chatml", []string{"<|im_end|>", "A<|im_end|>"},
			[]string{"reasoning_content", "tool_calls", "reasoning_content", "tools"}},
		{"phi3", []string{"<|end|>", "A<|end|>"},
			[]string{"reasoning_content", "tool_calls", "content", "reasoning_content", "tools"}},
	}
	templates := fixtureTemplates(t)
	for _, test := range tests {
		r, err := templates[test.template].RenderConversation(&Conversation{Messages: msgs, Tools: tools}, false)
		if err != nil || !slices.Equal(texts(r.Text, r.Spans), test.spans) || !slices.Equal(r.Unused, test.unused) {
			t.Errorf("%s: trained %q, unused %v, %v, want %q, %v", test.template, texts(r.Text, r.Spans), r.Unused, err,
				test.spans, test.unused)
		}
	}
	// Further variables reach the template, and cannot take the place of the conversation.
	r, err := templates["qwen3"].RenderConversation(&Conversation{Messages: msgs[:1],
		Variables: json.RawMessage(`{"enable_thinking":false,"messages":[]}`)}, true)
	if err != nil || !strings.HasSuffix(r.Text, "Q<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n") {
		t.Errorf("got %q, %v", r.Text, err)
	}
	for name, c := range map[string]*Conversation{
		"message 1: tool_calls": {Messages: []Message{{Role: "assistant", ToolCalls: json.RawMessage(`[`)}}},
		"tools":                 {Tools: json.RawMessage(`{]`)},
		"must be an object":     {Variables: json.RawMessage(`[1]`)},
	} {
		if _, err := templates["qwen3"].RenderConversation(c, false); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The spans found without generation blocks are those that the blocks give, on every conversation of the fixtures.
func TestInferredSpansEqualGenerationBlocks(t *testing.T) {
	var convs []struct {
		N        string
		Messages []Message
	}
	fixture.ReadJSON(t, fixture.Path(t, "chat", "convs.json"), &convs)
	templates := fixtureTemplates(t)
	for _, c := range convs {
		for _, withPrompt := range []bool{false, true} {
			text, spans, err := templates["chatml"].Render(c.Messages, withPrompt)
			if err != nil {
				t.Fatal(err)
			}
			wantText, want, err := templates["chatml_generation"].Render(c.Messages, withPrompt)
			if err != nil {
				t.Fatal(err)
			}
			if text != wantText || !slices.Equal(spans, want) {
				t.Errorf("%s: %q, want %q", c.N, texts(text, spans), texts(wantText, want))
			}
		}
	}
}

func TestSpansOfUnusualTemplates(t *testing.T) {
	const prompt = "{% if add_generation_prompt %}<|assistant|>{% endif %}"
	yes, no := true, false
	ask := Message{Role: "user", Content: "ask"}
	tests := []struct {
		name, source string
		msgs         []Message
		want         []string
	}{
		{"no generation prompt in the template",
			"{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>\n{% endfor %}",
			[]Message{ask, {Role: "assistant", Content: "yes"}}, []string{"yes<|end|>"}},
		{"the turn has no end", "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}" + prompt,
			[]Message{ask, {Role: "assistant", Content: "yes"}, ask, {Role: "assistant", Content: "no"}}, []string{"yes", "no"}},
		{"the end is plain text", "{% for m in messages %}{{ m.role }}: {{ m.content }}\n###\n{% endfor %}{% if " +
			"add_generation_prompt %}assistant: {% endif %}",
			[]Message{ask, {Role: "assistant", Content: "yes"}, ask, {Role: "assistant", Content: "no"}},
			[]string{"yes\n###", "no\n###"}},
		{"the content is empty", "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}" + prompt,
			[]Message{ask, {Role: "assistant", Content: ""}}, []string{"<|end|>"}},
		{"upper case and replaced", "{% for m in messages %}<|{{ m.role }}|>{{ (m.content | upper).replace('E', '__') " +
			"}}<|end|>{% endfor %}" + prompt,
			[]Message{ask, {Role: "assistant", Content: "yes, yes"}}, []string{"Y__S, Y__S<|end|>"}},
		{"the assistant begins", "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}" + prompt,
			[]Message{{Role: "assistant", Content: "hello"}, ask}, []string{"hello<|end|>"}},
		{"the last question differs", "{% for m in messages %}{% if loop.last %}!{% endif %}<|{{ m.role }}|>{{ m.content " +
			"}}<|end|>{% endfor %}" + prompt,
			[]Message{ask, {Role: "assistant", Content: "yes"}, ask}, []string{"yes<|end|>"}},
		{"an answer that is not trained",
			"{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}" + prompt,
			[]Message{ask, {Role: "assistant", Content: "bad", Train: &no}, ask, {Role: "assistant", Content: "good"}},
			[]string{"good<|end|>"}},
		{"a question that is trained", "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}" + prompt,
			[]Message{{Role: "user", Content: "ask", Train: &yes}, {Role: "assistant", Content: "yes"}},
			[]string{"ask<|end|>", "yes<|end|>"}},
		{"blocks, and an answer that is not trained",
			"{% for m in messages %}<|{{ m.role }}|>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|end|>{% " +
				"endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}",
			[]Message{ask, {Role: "assistant", Content: "", Train: &no}, ask, {Role: "assistant", Content: "good"}},
			[]string{"good<|end|>"}},
		{"two blocks in a turn", "{% for m in messages %}<|{{ m.role }}|>{% if m.role == 'assistant' %}{% generation %}{{ " +
			"m.content }}{% endgeneration %}-{% generation %}<|end|>{% endgeneration %}{% else %}{{ m.content }}{% endif " +
			"%}{% endfor %}",
			[]Message{ask, {Role: "assistant", Content: "good"}}, []string{"good", "<|end|>"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tp, err := NewTemplate(test.source, nil)
			if err != nil {
				t.Fatal(err)
			}
			text, spans, err := tp.Render(test.msgs, false)
			if err != nil {
				t.Fatal(err)
			}
			if got := texts(text, spans); !slices.Equal(got, test.want) {
				t.Errorf("trained %q of %q, want %q", got, text, test.want)
			}
		})
	}
}

// The reference masks: the text is prompt, trained part, rest; a token is trained if it intersects the middle.
func TestMaskVectors(t *testing.T) {
	var vectors []struct {
		Tokenizer, Family string
		Segments          [3]string
		IDs               []int32
		Mask              []int
		Straddle          bool
	}
	fixture.ReadJSON(t, fixture.Path(t, "chat", "mask_vectors.json"), &vectors)
	loaded, known := map[string]*tokenizer.Tokenizer{}, map[string]int{}
	for _, name := range []string{"qwen2_5", "smollm2"} {
		loaded[name] = load(t, fixture.Path(t, "tokenizers", name))
	}
	chatml, _ := Builtin("chatml")
	for _, v := range vectors {
		tok := loaded[v.Tokenizer]
		if tok == nil {
			continue // its tokenizer is no fixture
		}
		known[v.Tokenizer]++
		tp, err := NewTemplate(chatml, tok)
		if err != nil {
			t.Fatal(err)
		}
		answer := strings.TrimSuffix(v.Segments[1], "<|im_end|>")
		text, spans, err := tp.Render([]Message{{Role: "user", Content: "Q?"}, {Role: "assistant", Content: answer}}, false)
		if err != nil {
			t.Fatal(err)
		}
		if text != strings.Join(v.Segments[:], "") || !slices.Equal(texts(text, spans), v.Segments[1:2]) {
			t.Errorf("%s %q: trained %q of %q", v.Tokenizer, v.Segments[1], texts(text, spans), text)
			continue
		}
		var ids []int32
		var mask []int
		for _, token := range tok.Append(nil, text, false) {
			trained := 0
			if token.Start < spans[0].End && token.End > spans[0].Start {
				trained = 1
			}
			ids, mask = append(ids, token.ID), append(mask, trained)
		}
		if !slices.Equal(ids, v.IDs) || !slices.Equal(mask, v.Mask) {
			t.Errorf("%s %q: ids %v mask %v, want %v %v", v.Tokenizer, v.Segments[1], ids, mask, v.IDs, v.Mask)
		}
	}
	if known["qwen2_5"] != 15 || known["smollm2"] != 15 {
		t.Errorf("checked %v, want 15 of each", known)
	}
}
