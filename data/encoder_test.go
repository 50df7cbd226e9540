package data

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"instruct/model/kernel/rng"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
)

// oracle gives the ids and the mask of segments that are encoded one by one; every second one is trained. With a
// tokenizer of bytes that is what the encoder must give.
func oracle(tok *tokenizer.Tokenizer, segments []string) (ids []int32, mask []bool) {
	for i, s := range segments {
		for _, id := range tok.Encode(s, false) {
			ids, mask = append(ids, id), append(mask, i%2 == 1 && len(ids) > 1)
		}
	}
	return ids, mask
}

// randomText has what templates and tokenizers stumble over.
func randomText(r *rng.Rand) string {
	pieces := []string{
		"a", "word ", " ", "\n", "é", "😀", "中", "<|im_end|>", "<|end|>", "{{ x }}", "{% if %}", "'", "\"", "\\n", "\t",
		"123", "<think>", "</think>", "\u2028", "e\u0301",
	}
	var b strings.Builder
	b.WriteString([]string{"", "x", "\n", "\n\n"}[r.Intn(4)])
	for range r.Intn(8) {
		b.WriteString(pieces[r.Intn(len(pieces))])
	}
	if strings.TrimSpace(b.String()) == "" {
		b.WriteString("y")
	}
	return b.String()
}

// randomChat is a conversation and its segments under chatml and under lessons: untrained, trained, untrained ...
func randomChat(r *rng.Rand) (msgs []chat.Message, chatml, lessons []string) {
	chatml, lessons = []string{""}, []string{""}
	add := func(segments *[]string, text string, trained bool) {
		if (len(*segments)%2 == 0) != trained {
			*segments = append(*segments, "")
		}
		(*segments)[len(*segments)-1] += text
	}
	for i := range 1 + r.Intn(6) {
		m := chat.Message{Role: []string{"user", "assistant", "system"}[r.Intn(3)], Content: randomText(r)}
		if i == 0 {
			m.Role = []string{"user", "system"}[r.Intn(2)]
		}
		trained := m.Role == "assistant"
		if r.Intn(4) == 0 && trained {
			trained = false
			m.Train = &trained
		}
		msgs = append(msgs, m)
		add(&chatml, "<|im_start|>"+m.Role+"\n", false)
		add(&chatml, m.Content+"<|im_end|>", trained)
		add(&chatml, "\n", false)
		add(&lessons, "<|"+m.Role+"|>", false)
		if m.Role == "assistant" {
			add(&lessons, m.Content+"<|end|>", trained)
		} else {
			add(&lessons, m.Content, false)
		}
	}
	return msgs, chatml, lessons
}

func TestMaskEqualsSegments(t *testing.T) {
	tok := tokenizer.Bytes("<|im_start|>", "<|im_end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>")
	chatml, lessons := encoder(t, "chatml", tok), encoder(t, "lessons", tok)
	// The same template without generation blocks: the spans are found.
	source, _ := chat.Builtin("chatml")
	unmarked := strings.NewReplacer("{%- generation -%}", "", "{%- endgeneration -%}", "").Replace(source)
	bare, err := chat.NewTemplate(unmarked, tok)
	if err != nil {
		t.Fatal(err)
	}
	inferred := &Encoder{Tokenizer: tok, Template: bare}
	trained := 0
	for n := range 500 {
		r := rng.NewRand(1, "random chat", uint64(n), 0)
		msgs, chatmlSegments, lessonsSegments := randomChat(&r)
		for name, c := range map[string]struct {
			e        *Encoder
			segments []string
		}{"chatml": {chatml, chatmlSegments}, "lessons": {lessons, lessonsSegments}, "inferred": {inferred, chatmlSegments}} {
			example, outcome, err := c.e.Encode(Row{Source: "x:1", Messages: msgs})
			if err != nil {
				t.Fatal(err)
			}
			ids, mask := oracle(tok, c.segments)
			if !slices.Equal(example.IDs, ids) || !slices.Equal(example.Mask, mask) {
				t.Fatalf("%s, chat %d: %q\ngot  %v\nwant %v", name, n, c.segments, example.Mask, mask)
			}
			trained += example.Trained()
			if any := slices.Contains(mask, true); any != (outcome.Dropped == "") || len(example.Straddling) != 0 {
				t.Fatalf("%s, chat %d: outcome %+v", name, n, outcome)
			}
		}
	}
	if trained < 1000 {
		t.Errorf("only %d trained tokens were compared", trained)
	}
}

// With merges a token may reach over the border of a span. The oracle looks at every byte.
func TestMaskEqualsBytesOfRealTokenizers(t *testing.T) {
	straddling := 0
	for _, name := range []string{"tokenizers/smollm2", "tokenizers/gpt2", "models/stories260K-hf"} {
		tok := fixtureTokenizer(t, name)
		e := encoder(t, "chatml", tok)
		for n := range 100 {
			r := rng.NewRand(2, "random chat", uint64(n), 0)
			msgs, segments, _ := randomChat(&r)
			example, _, err := e.Encode(Row{Source: "x:1", Messages: msgs})
			if err != nil {
				t.Fatal(err)
			}
			var trainedBytes []bool
			if bos := tok.BOSText(); name == "models/stories260K-hf" {
				segments[0] = bos + segments[0] // the template has it
			}
			for i, s := range segments {
				trainedBytes = append(trainedBytes, slices.Repeat([]bool{i%2 == 1}, len(s))...)
			}
			text := strings.Join(segments, "")
			if !slices.Equal(example.IDs, tok.Encode(text, false)) {
				t.Fatalf("%s, chat %d: the ids are not those of %q", name, n, text)
			}
			crossing := 0
			for i, token := range tok.Append(nil, text, false) {
				bytes := trainedBytes[token.Start:token.End]
				if want := slices.Contains(bytes, true) && i > 0; example.Mask[i] != want {
					t.Fatalf("%s, chat %d: token %d of %q is trained %v, want %v", name, n, i, text, example.Mask[i], want)
				} else if want && slices.Contains(bytes, false) {
					crossing++
				}
			}
			if crossing != len(example.Straddling) {
				t.Fatalf("%s, chat %d: %d straddling tokens, want %d", name, n, len(example.Straddling), crossing)
			}
			straddling += crossing
		}
	}
	if straddling < 10 {
		t.Errorf("only %d tokens straddle: the test proves little", straddling)
	}
}

func TestEncode(t *testing.T) {
	tok := byteTokenizer(t)
	no := false
	tests := []struct {
		name      string
		row       Row
		maxLength int
		onInputs  bool
		shown     string
		outcome   Outcome
	}{
		{"a pair", Row{Messages: talk("hi", "yo")}, 0, false, "<|user|>hi<|assistant|>⟦yo<|end|>⟧", Outcome{}},
		{"on inputs", Row{Messages: talk("hi", "yo")}, 0, true, "<|user|>⟦hi<|assistant|>yo<|end|>⟧", Outcome{}},
		{"on inputs, but one turn",
			Row{Messages: []chat.Message{
				{Role: "user", Content: "hi"},
				{Role: "assistant", Content: "no", Train: &no},
				{Role: "user", Content: "so"},
				{Role: "assistant", Content: "yo"},
			}},
			0, true, "<|user|>⟦hi<|assistant|>⟧no<|end|>⟦<|user|>so<|assistant|>yo<|end|>⟧", Outcome{}},
		{"a tool call that the template does not know",
			Row{
				Messages: []chat.Message{
					{Role: "user", Content: "hi"},
					{Role: "assistant", Content: "yo", Reasoning: "R", ToolCalls: json.RawMessage(`[{"name":"f"}]`)},
				},
				Tools: json.RawMessage(`[{"name":"f"}]`),
			},
			0, false, "<|user|>hi<|assistant|>⟦yo<|end|>⟧",
			Outcome{Unused: []string{"reasoning_content", "tool_calls", "tools"}}},
		{"a text", Row{Text: "hey"}, 0, false, "h⟦ey<|end|>⟧", Outcome{}},
		{"exactly max_length", Row{Messages: talk("hi", "yo")}, 7, false, "<|user|>hi<|assistant|>⟦yo<|end|>⟧",
			Outcome{}},
		{"truncated", Row{Messages: talk("hi", "yo")}, 5, false, "<|user|>hi<|assistant|>⟦y⟧",
			Outcome{Truncated: 2, TruncatedTrained: 2, Unended: true}},
		{"truncated after the trained turn", Row{Messages: talk("hi", "yo", "bye")}, 8, false,
			"<|user|>hi<|assistant|>⟦yo<|end|>⟧<|user|>", Outcome{Truncated: 3}},
		{"too long", Row{Messages: talk("hi", "yo")}, 4, false, "<|user|>hi<|assistant|>",
			Outcome{Dropped: DroppedTooLong, Truncated: 3, TruncatedTrained: 3}},
		{"untrained",
			Row{Messages: []chat.Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "yo", Train: &no}}}, 0, false,
			"<|user|>hi<|assistant|>yo<|end|>", Outcome{Dropped: DroppedUntrained}},
		{"untrained and too long",
			Row{Messages: []chat.Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "yo", Train: &no}}}, 3, false,
			"<|user|>hi", Outcome{Dropped: DroppedUntrained, Truncated: 4}},
		{"control characters", Row{Messages: talk("\x1b[31m\r\n", "\ty\x00\x7f\u0085")}, 0, false,
			"<|user|>␛[31m␍\n<|assistant|>⟦\ty␀␡\ufffd<|end|>⟧", Outcome{}},
		{"characters of several bytes", Row{Messages: talk("é", "😀")}, 0, false,
			"<|user|>é<|assistant|>⟦😀<|end|>⟧", Outcome{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := encoder(t, "lessons", tok)
			e.MaxLength, e.TrainOnInputs = test.maxLength, test.onInputs
			test.row.Source = "f:1"
			example, outcome, err := e.Encode(test.row)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(outcome, test.outcome) {
				t.Errorf("outcome %+v, want %+v", outcome, test.outcome)
			}
			var b strings.Builder
			if err := e.Show(&b, test.row, false); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("f:1: %d tokens, %d trained\n%s\n", len(example.IDs), example.Trained(), test.shown)
			if b.String() != want {
				t.Errorf("got  %q\nwant %q", b.String(), want)
			}
		})
	}
}

func TestShowInColour(t *testing.T) {
	tok := byteTokenizer(t)
	e, row := encoder(t, "lessons", tok), Row{Source: "f:1", Messages: talk("hi", "yo")}
	var b strings.Builder
	if err := e.Show(&b, row, true); err != nil {
		t.Fatal(err)
	}
	want := "f:1: 7 tokens, 3 trained\n\x1b[4m<|user|>\x1b[0mhi\x1b[4m<|assistant|>\x1b[0m" +
		"\x1b[1;32myo\x1b[0m\x1b[1;32m\x1b[4m<|end|>\x1b[0m\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	if err := e.Show(failingWriter{}, row, true); err == nil {
		t.Error("a writer's error is lost")
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, fmt.Errorf("full") }

// What the model is given to answer is the beginning of what it was trained on.
func TestPromptIsThePrefixOfTraining(t *testing.T) {
	tok := byteTokenizer(t)
	for _, name := range []string{"lessons", "chatml", "alpaca"} {
		e := encoder(t, name, tok)
		msgs := talk("What is é?", "A letter.", "Sure?", "Yes.")
		example, _, err := e.Encode(Row{Messages: msgs})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 3} {
			ids, err := prompt(e, msgs[:n])
			if err != nil {
				t.Fatal(err)
			}
			n := len(ids)
			if n >= len(example.IDs) || !slices.Equal(ids, example.IDs[:n]) || example.Mask[n-1] || !example.Mask[n] {
				t.Errorf("%s: the prompt of %d messages is no prefix that ends where training begins", name, n)
			}
		}
	}
	_, err := prompt(encoder(t, "lessons", tok), []chat.Message{{Role: "tool", Content: "x"}})
	if err == nil || !isUserError(err) {
		t.Errorf("a role that the template refuses gives %v", err)
	}
}

func TestNoTokenOfTwoBOS(t *testing.T) {
	tok := fixtureTokenizer(t, "models/stories260K-hf")
	bos, ok := tok.BOS()
	if !ok {
		t.Fatal("no bos token")
	}
	count := func(ids []int32) (n int) {
		for _, id := range ids {
			if id == bos {
				n++
			}
		}
		return n
	}
	for _, name := range []string{"alpaca", "chatml"} {
		e := encoder(t, name, tok)
		for _, row := range []Row{{Messages: talk("a", "b")}, {Text: "plain"}} {
			example, _, err := e.Encode(row)
			if err != nil || count(example.IDs) != 1 || example.IDs[0] != bos || example.Mask[0] {
				t.Errorf("%s: ids %v, %v", name, example.IDs, err)
			}
		}
		if ids, err := prompt(e, talk("a")); err != nil || count(ids) != 1 || ids[0] != bos {
			t.Errorf("%s: prompt %v, %v", name, ids, err)
		}
	}
}

// prompt encodes what the model is given to answer, as package pretrained does.
func prompt(e *Encoder, messages []chat.Message) ([]int32, error) {
	text, _, err := e.Template.Render(messages, true)
	if err != nil {
		return nil, err
	}
	return e.Tokenizer.Encode(text, false), nil
}
