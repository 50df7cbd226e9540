package chat

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"instruct/model/kernel/rng"
	"instruct/tokenizer"
	"instruct/tokenizer/internal/fixture"
)

// builtin compiles a built-in template with its generation blocks or without them.
func builtin(t testing.TB, name string, blocks bool) *Template {
	t.Helper()
	source, ok := Builtin(name)
	if !ok {
		t.Fatalf("no template %s", name)
	}
	if !blocks {
		source = bare(name)
	}
	tp, err := NewTemplate(source, nil)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if tp.parsed.HasGeneration != blocks {
		t.Fatalf("%s: generation blocks are there: %v, want %v", name, !blocks, blocks)
	}
	tp.bos, tp.eos = "<s>", "</s>"
	return tp
}

// shows says whether a built-in template knows a part of a conversation.
func shows(name, part string) bool {
	source, _ := Builtin(name)
	return strings.Contains(source, part)
}

// What transformers 5.23 makes of the very same sources: text, assistant spans and refusals.
func TestBuiltinTemplatesEqualTransformers(t *testing.T) {
	data, err := os.ReadFile("testdata/builtin_templates.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	checked, tools := map[string]int{}, 0
	for line := range strings.Lines(string(data)) {
		var want struct {
			Template, Text, Error string
			Messages              []Message
			Tools                 json.RawMessage
			Prompt                bool
			Trained               []string
		}
		if err := json.Unmarshal([]byte(line), &want); err != nil {
			t.Fatal(err)
		}
		checked[want.Template]++
		conversation := &Conversation{Messages: want.Messages, Tools: want.Tools}
		r, err := builtin(t, want.Template, true).RenderConversation(conversation, want.Prompt)
		if want.Error != "" {
			if err == nil || !strings.HasSuffix(err.Error(), ": "+want.Error) {
				t.Errorf("%s: error %v, want %s", want.Template, err, want.Error)
			}
			continue
		}
		if err != nil || r.Text != want.Text {
			t.Errorf("%s: got %q, %v, want %q", want.Template, r.Text, err, want.Text)
		}
		if got := texts(r.Text, r.Spans); !slices.Equal(got, want.Trained) &&
			strings.Join(got, "") != strings.Join(want.Trained, "") {
			t.Errorf("%s: trained %q, want %q", want.Template, got, want.Trained)
		}
		if given(want.Tools) { // the spans are found without the blocks, and all is shown but Llama's text beside a call
			tools++
			without := builtin(t, want.Template, false)
			if want.Template == "chatml" {
				without.eos = "<|im_end|>" // without a tokenizer only this tells its end from that of a call
			}
			again, err := without.RenderConversation(conversation, want.Prompt)
			if err != nil || again.Text != r.Text || !slices.Equal(again.Spans, r.Spans) {
				t.Errorf("%s without blocks: trained %q, %v, want %q", want.Template, texts(again.Text, again.Spans), err,
					want.Trained)
			}
			if len(r.Unused) > 0 && (want.Template != "llama3" || !slices.Equal(r.Unused, []string{"content"})) {
				t.Errorf("%s: %q shows nothing of %v", want.Template, r.Text, r.Unused)
			}
		}
	}
	for _, name := range Builtins() {
		n := 14
		if shows(name, "tools") {
			n += 14
		}
		if checked[name] != n {
			t.Errorf("%s: %d renders compared, want %d", name, checked[name], n)
		}
	}
	if tools != 24 {
		t.Errorf("%d renders with tools, want 24", tools)
	}
}

// The built-in templates give the text of the model's own template, and refuse what it refuses, in words of our own.
func TestBuiltinTemplatesEqualFixtures(t *testing.T) {
	own := map[string]string{"chatml": "chatml", "llama3": "llama3_1", "zephyr": "zephyr_tinyllama",
		"mistral": "mistral_v01", "gemma": "gemma", "phi3": "phi3"}
	var convs []struct {
		N        string
		Messages []Message
		Tools    json.RawMessage
	}
	fixture.ReadJSON(t, fixture.Path(t, "chat", "convs.json"), &convs)
	fixtures := fixtureTemplates(t)
	for name, other := range own {
		compared, number := 0, 44
		if shows(name, "tools") { // which the model's own template leaves out
			number -= 8
		}
		for _, c := range convs {
			if given(c.Tools) && shows(name, "tools") {
				continue
			}
			for _, withPrompt := range []bool{false, true} {
				for _, blocks := range []bool{true, false} {
					tp, want := builtin(t, name, blocks), fixtures[other]
					tp.bos, tp.eos = want.bos, want.eos
					conversation := &Conversation{Messages: c.Messages, Tools: c.Tools}
					got, err := tp.RenderConversation(conversation, withPrompt)
					expected, wantErr := want.RenderConversation(conversation, withPrompt)
					if got.Text != expected.Text || (err == nil) != (wantErr == nil) {
						t.Errorf("%s, %s: got %q, %v, want %q, %v", name, c.N, got.Text, err, expected.Text, wantErr)
					}
					if !slices.Equal(got.Unused, expected.Unused) {
						t.Errorf("%s, %s: unused %v, want %v", name, c.N, got.Unused, expected.Unused)
					}
					if blocks && !slices.Equal(texts(got.Text, got.Spans), texts(expected.Text, expected.Spans)) {
						t.Errorf("%s, %s: trained %q, found in the model's own: %q", name, c.N, texts(got.Text, got.Spans),
							texts(expected.Text, expected.Spans))
					}
					compared++
				}
			}
		}
		if compared != number {
			t.Errorf("%s: %d comparisons, want %d", name, compared, number)
		}
	}
}

// The spans of the generation blocks are found without them too, in conversations of every shape.
func TestSpansOfBuiltinTemplatesWithoutBlocks(t *testing.T) {
	words := []string{"a", "yes ", "\n", "é", "中", "{{ x }}", "### Response:\n", "it's", "1 < 2", "  ", "assistant"}
	compared := map[string]int{}
	for _, name := range Builtins() {
		with, without := builtin(t, name, true), builtin(t, name, false)
		for n := range 300 {
			r := rng.NewRand(4, "conversation", uint64(n), 0)
			content := func() string {
				s := []string{"x", "\nx", " x"}[r.Intn(3)]
				for range r.Intn(5) {
					s += words[r.Intn(len(words))]
				}
				return s
			}
			var msgs []Message
			if r.Intn(3) == 0 {
				msgs = append(msgs, Message{Role: "system", Content: content()})
			}
			for range 1 + r.Intn(3) {
				msgs = append(msgs, Message{Role: "user", Content: content()}, Message{Role: "assistant", Content: content()})
				if r.Intn(4) == 0 {
					no := false
					msgs[len(msgs)-1].Train = &no
				}
			}
			text, spans, err := with.Render(msgs, false)
			if err != nil {
				continue // no system prompt in this one
			}
			gotText, got, err := without.Render(msgs, false)
			if err != nil || gotText != text || !slices.Equal(got, spans) {
				t.Fatalf("%s: trained %q, %v, want %q of %q", name, texts(gotText, got), err, texts(text, spans), text)
			}
			compared[name]++
		}
		if compared[name] < 150 {
			t.Errorf("%s: only %d conversations compared", name, compared[name])
		}
	}
}

// The reference masks of tokenizers that are no fixtures: their texts and what is trained of them, without the ids. The
// vectors are not trimmed, so templates are taken that do not trim either; llama2 is the fixtures' template.
func TestSpansOfMaskVectors(t *testing.T) {
	var vectors []struct {
		Tokenizer, Family string
		Segments          [3]string
	}
	fixture.ReadJSON(t, fixture.Path(t, "chat", "mask_vectors.json"), &vectors)
	var sources map[string]struct{ Template string }
	fixture.ReadJSON(t, fixture.Path(t, "chat", "templates.json"), &sources)
	const says = "{{ ' '  + content.strip() + ' ' + eos_token }}"
	llama2, err := NewTemplate(strings.Replace(sources["llama2_chat"].Template, says,
		"{% generation %}{{ ' ' + content + ' ' + eos_token }}{% endgeneration %}", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	ends := map[string]string{"llama2": " </s>", "llama3": "<|eot_id|>", "zephyr": "</s>", "gemma": "<end_of_turn>"}
	compared := map[string]int{}
	for _, v := range vectors {
		answer, ok := strings.CutSuffix(v.Segments[1], ends[v.Family])
		if ends[v.Family] == "" || !ok {
			continue
		}
		for _, blocks := range []bool{true, false} {
			tp, said := llama2, answer
			if v.Family == "llama2" {
				said = strings.TrimPrefix(answer, " ")
			} else if tp = builtin(t, v.Family, blocks); v.Family != "zephyr" {
				if tp, err = NewTemplate(strings.ReplaceAll(tp.Source(), " | trim", ""), nil); err != nil {
					t.Fatal(err)
				}
			}
			tp.bos, tp.eos = "", "</s>"
			text, spans, err := tp.Render([]Message{{Role: "user", Content: "Q?"}, {Role: "assistant", Content: said}}, false)
			if err != nil || text != strings.Join(v.Segments[:], "") || !slices.Equal(texts(text, spans), v.Segments[1:2]) {
				t.Errorf("%s: trained %q of %q, %v, want %q", v.Family, texts(text, spans), text, err, v.Segments)
			}
		}
		compared[v.Family]++
	}
	if compared["llama2"] != 15 || compared["zephyr"] != 15 || compared["llama3"] != 15 || compared["gemma"] != 15 {
		t.Errorf("compared %v", compared)
	}
}

// A model stops with the token that the template ends an answer with.
func TestEndOfTurn(t *testing.T) {
	tok := tokenizer.Bytes("<s>", "</s>", "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>")
	if err := tok.SetSpecial(tokenizer.Special{BOS: "<s>", EOS: "</s>"}); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"chatml": "<|im_end|>", "llama3": "<|eot_id|>", "zephyr": "</s>", "mistral": "</s>",
		"gemma": "<end_of_turn>", "alpaca": "</s>", "phi3": "<|end|>", "lessons": "<|end|>"}
	for _, name := range Builtins() {
		tp, err := NewBuiltin(name, tok)
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := tp.EndOfTurn(); !ok || tok.TokenText(id) != want[name] {
			t.Errorf("%s ends with %q, %v, want %s", name, tok.TokenText(id), ok, want[name])
		}
	}
	plain, err := NewBuiltin("chatml", tokenizer.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := plain.EndOfTurn(); ok {
		t.Errorf("a tokenizer without <|im_end|> ends with %d", id)
	}
	refuses, err := NewTemplate("{{ raise_exception('no') }}", tok)
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := refuses.EndOfTurn(); ok {
		t.Errorf("a template that refuses everything ends with %d", id)
	}
}
