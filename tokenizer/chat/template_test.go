package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"instruct/tokenizer"
	"instruct/tokenizer/internal/fixture"
	"instruct/tokenizer/jinja"
)

// texts are the strings of the spans.
func texts(text string, spans []Span) []string {
	out := []string{}
	for _, s := range spans {
		out = append(out, text[s.Start:s.End])
	}
	return out
}

// fixtureTemplates compiles the 13 templates of the fixtures.
func fixtureTemplates(t testing.TB) map[string]*Template {
	var sources map[string]struct{ Template, BOS, EOS string }
	fixture.ReadJSON(t, fixture.Path(t, "chat", "templates.json"), &sources)
	out := map[string]*Template{}
	for name, s := range sources {
		tp, err := NewTemplate(s.Template, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		tp.bos, tp.eos = s.BOS, s.EOS
		out[name] = tp
	}
	if len(out) != 13 {
		t.Fatalf("%d templates, want 13", len(out))
	}
	return out
}

// bare is a built-in template without its generation blocks.
func bare(name string) string {
	source, _ := Builtin(name)
	return strings.NewReplacer("{%- generation -%}", "", "{%- endgeneration -%}", "").Replace(source)
}

// The 286 reference renders come out of typed conversations too, and so do the refusals.
func TestRendersOfFixtures(t *testing.T) {
	var convs []struct {
		N        string
		Messages []Message
		Tools    json.RawMessage
	}
	var expected []struct {
		Tpl, Conv string
		AGP       bool
		Out, Err  string
	}
	fixture.ReadJSON(t, fixture.Path(t, "chat", "convs.json"), &convs)
	fixture.ReadJSON(t, fixture.Path(t, "chat", "expected_py.json"), &expected)
	templates, compared := fixtureTemplates(t), 0
	for _, want := range expected {
		for _, c := range convs {
			if c.N != want.Conv {
				continue
			}
			compared++
			r, err := templates[want.Tpl].RenderConversation(&Conversation{Messages: c.Messages, Tools: c.Tools}, want.AGP)
			if want.Err != "" {
				if err == nil || !strings.HasSuffix(err.Error(), ": "+want.Err) {
					t.Errorf("%s, %s: error %v, want %q", want.Tpl, c.N, err, want.Err)
				}
			} else if err != nil || r.Text != want.Out {
				t.Errorf("%s, %s: got %q, %v, want %q", want.Tpl, c.N, r.Text, err, want.Out)
			}
		}
	}
	if compared != 286 {
		t.Errorf("%d renders compared, want 286", compared)
	}
}

func TestBuiltinTemplates(t *testing.T) {
	msgs := []Message{{Role: "system", Content: "S"}, {Role: "user", Content: "Q"}, {Role: "assistant", Content: " A\n"},
		{Role: "user", Content: "R"}}
	preamble := "Below is an instruction that describes a task. Write a response that appropriately completes the " +
		"request.\n\n"
	tests := []struct {
		name   string
		msgs   []Message
		prompt bool
		text   string
		spans  []string
	}{
		{"chatml", msgs, true, "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\n " +
			"A\n<|im_end|>\n<|im_start|>user\nR<|im_end|>\n<|im_start|>assistant\n", []string{" A\n<|im_end|>"}},
		{"lessons", msgs, true, "<|system|>S<|user|>Q<|assistant|> A\n<|end|><|user|>R<|assistant|>",
			[]string{" A\n<|end|>"}},
		{"alpaca", msgs, true, "S\n\n### Instruction:\nQ\n\n### Response:\n A\n<|end|>\n\n### Instruction:\nR\n\n### " +
			"Response:\n", []string{" A\n<|end|>"}},
		{"alpaca", msgs[1:2], true, preamble + "### Instruction:\nQ\n\n### Response:\n", []string{}},
		{"alpaca", msgs[1:3], false, preamble + "### Instruction:\nQ\n\n### Response:\n A\n<|end|>", []string{" A\n<|end|>"}},
	}
	for _, test := range tests {
		tp, err := NewBuiltin(test.name, nil)
		if err != nil {
			t.Fatal(err)
		}
		tp.eos = "<|end|>"
		text, spans, err := tp.Render(test.msgs, test.prompt)
		if err != nil {
			t.Fatal(err)
		}
		if text != test.text || !slices.Equal(texts(text, spans), test.spans) {
			t.Errorf("%s: %q, trained %q, want %q, %q", test.name, text, texts(text, spans), test.text, test.spans)
		}
		// The training text begins with the very text that is given to the model when it answers.
		for i := range test.msgs {
			if test.msgs[i].Role != "assistant" {
				continue
			}
			given, _, err := tp.Render(test.msgs[:i], true)
			if err != nil || !strings.HasPrefix(text, given) || spans[0].Start != len(given) {
				t.Errorf("%s: %q is not given as %q: %v", test.name, text, given, err)
			}
		}
	}
	if _, err := NewBuiltin("alpacca", nil); err == nil ||
		!strings.Contains(err.Error(), "chatml, llama3, zephyr, mistral, gemma, alpaca, phi3, lessons") {
		t.Errorf("an unknown name gives %v", err)
	}
}

func TestNoDoubleBOS(t *testing.T) {
	for _, name := range []string{"chatml", "alpaca"} {
		for _, folder := range []string{"models/stories260K-hf", "tokenizers/gpt2", "tokenizers/smollm2"} {
			tok := load(t, fixture.Path(t, folder))
			tp, err := NewBuiltin(name, tok)
			if err != nil {
				t.Fatal(err)
			}
			text, _, err := tp.Render([]Message{{Role: "user", Content: "Q"}}, true)
			if err != nil {
				t.Fatal(err)
			}
			want := 0
			if folder == "models/stories260K-hf" {
				want = 1 // its tokenizer puts a bos_token before every text
			}
			bos, _ := tok.BOS()
			got := 0
			for _, id := range tok.Encode(text, false) {
				if id == bos {
					got++
				}
			}
			if got != want {
				t.Errorf("%s, %s: %d bos tokens, want %d in %q", name, folder, got, want, text)
			}
		}
	}
}

func TestTemplateErrors(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"syntax", "a\n{% for m in %}", "template line 2: expected an expression"},
		{"raised", "{{ raise_exception('no system role') }}", "the chat template refuses the conversation: no system role"},
		{"undefined", "{{ messages[0].content }}\n{{ nothing.at_all }}", `template line 2: "nothing" is undefined`},
		{"endless", "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
			"more than 1000000 steps"},
	}
	for _, test := range tests {
		tp, err := NewTemplate(test.source, nil)
		if err == nil {
			_, _, err = tp.Render([]Message{{Role: "user", Content: "Q"}}, false)
		}
		var user interface{ UserError() bool }
		if err == nil || !strings.Contains(err.Error(), test.want) || !errors.As(err, &user) {
			t.Errorf("%s: %v (%T), want %q", test.name, err, err, test.want)
		}
	}
}

func TestTemplateHashAndDate(t *testing.T) {
	a, err := NewTemplate("{{ strftime_now('%d %b %Y') }}", nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewTemplate("{{ strftime_now('%d %b %Y') }} ", nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.Hash() == b.Hash() || len(a.Hash()) != 64 {
		t.Errorf("hashes %s and %s", a.Hash(), b.Hash())
	}
	text, _, err := a.Render(nil, false)
	if err != nil || text != "26 Jul 2024" {
		t.Errorf("%q, %v", text, err)
	}
}

// Spans are always inside the text, in order, and apart, whatever the template and the conversation are.
func FuzzTemplate(f *testing.F) {
	tools := `[{"type":"function","function":{"name":"f","parameters":{"z":1,"a":[1.5,null,true,"é"]}}}]`
	for _, name := range Builtins() {
		src, _ := Builtin(name)
		f.Add(src, "question", "answer", "eos", tools)
		f.Add(bare(name), "", "\nanswer ", "<|im_end|>", "")
	}
	f.Add("{% for m in messages %}<|{{ m.role }}|>{{ m.content | trim }}<|end|>{% endfor %}{% if add_generation_prompt "+
		"%}<|assistant|>{% endif %}", " q", "a\n", "", "null")
	f.Add("{{ tools | tojson(indent=2) }}{% for m in messages %}<|{{ m.role }}|>{{ m.reasoning_content }}{{ m.content "+
		"}}{% for c in m.tool_calls %}<call>{{ c.function.arguments | tojson }}</call>{% endfor %}{{ eos_token }}{% "+
		"endfor %}", "q", "a", "</s>", tools)
	f.Fuzz(func(t *testing.T, src, question, answer, eos, tools string) {
		tp, err := NewTemplate(src, nil)
		if err != nil {
			return
		}
		tp.eos = eos
		c := &Conversation{Messages: []Message{{Role: "user", Content: question},
			{Role: "assistant", Content: answer, Reasoning: question, ToolCalls: []byte(tools)},
			{Role: "tool", Content: question, Name: answer},
			{Role: "assistant", Content: answer}}, Tools: []byte(tools), Variables: []byte(tools)}
		if !strings.HasPrefix(tools, "{") {
			c.Variables = nil
		}
		r, err := tp.RenderConversation(c, false)
		if err != nil {
			var user interface{ UserError() bool }
			if !errors.As(err, &user) {
				t.Fatalf("%v is no user error", err)
			}
			return
		}
		end := 0
		for _, s := range r.Spans {
			if s.Start < end || s.End <= s.Start || s.End > len(r.Text) {
				t.Fatalf("spans %v of a text of %d bytes", r.Spans, len(r.Text))
			}
			end = s.End
		}
	})
}

func ExampleTemplate_Render() {
	source, _ := Builtin("chatml")
	template, err := NewTemplate(source, nil)
	if err != nil {
		panic(err)
	}
	text, spans, err := template.Render([]Message{
		{Role: "user", Content: "What is the capital of France?"},
		{Role: "assistant", Content: "Paris."},
	}, false)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s", text)
	for _, span := range spans {
		fmt.Printf("trained: %q\n", text[span.Start:span.End])
	}
	// Output:
	// <|im_start|>user
	// What is the capital of France?<|im_end|>
	// <|im_start|>assistant
	// Paris.<|im_end|>
	// trained: "Paris.<|im_end|>"
}

func BenchmarkRender(b *testing.B) {
	for _, name := range []string{"chatml", "alpaca", "inferred"} {
		source, ok := Builtin(name)
		if !ok {
			source = bare("chatml")
		}
		tp, err := NewTemplate(source, nil)
		if err != nil {
			b.Fatal(err)
		}
		msgs := []Message{{Role: "user", Content: strings.Repeat("question ", 20)},
			{Role: "assistant", Content: strings.Repeat("answer ", 20)}}
		b.Run("template="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := tp.Render(msgs, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	alpaca, _ := Builtin("alpaca")
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			if _, err := jinja.Parse(alpaca); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// load reads the tokenizer of a folder.
func load(t testing.TB, path string) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}
