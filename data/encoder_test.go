package data

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"instruct/model/kernel/rng"
	"instruct/tokenizer"
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
	pieces := []string{"a", "word ", " ", "\n", "é", "😀", "中", "<|im_end|>", "<|end|>", "{{ x }}", "{% if %}", "'", "\"", "\\n", "\t", "123", "<think>", "</think>", "\u2028", "e\u0301"}
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
func randomChat(r *rng.Rand) (msgs []Message, chatml, lessons []string) {
	chatml, lessons = []string{""}, []string{""}
	add := func(segments *[]string, text string, trained bool) {
		if (len(*segments)%2 == 0) != trained {
			*segments = append(*segments, "")
		}
		(*segments)[len(*segments)-1] += text
	}
	for i := range 1 + r.Intn(6) {
		m := Message{Role: []string{"user", "assistant", "system"}[r.Intn(3)], Content: randomText(r)}
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
	source, _ := tokenizer.BuiltinTemplate("chatml")
	bare, err := tokenizer.NewTemplate(strings.NewReplacer("{%- generation -%}", "", "{%- endgeneration -%}", "").Replace(source), tok)
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
		{"a pair", Row{Messages: chat("hi", "yo")}, 0, false, "<|user|>hi<|assistant|>⟦yo<|end|>⟧", Outcome{}},
		{"on inputs", Row{Messages: chat("hi", "yo")}, 0, true, "<|user|>⟦hi<|assistant|>yo<|end|>⟧", Outcome{}},
		{"on inputs, but one turn", Row{Messages: []Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "no", Train: &no}, {Role: "user", Content: "so"}, {Role: "assistant", Content: "yo"}}}, 0, true, "<|user|>⟦hi<|assistant|>⟧no<|end|>⟦<|user|>so<|assistant|>yo<|end|>⟧", Outcome{}},
		{"a tool call that the template does not know", Row{Messages: []Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "yo", Reasoning: "R", ToolCalls: json.RawMessage(`[{"name":"f"}]`)}}, Tools: json.RawMessage(`[{"name":"f"}]`)}, 0, false, "<|user|>hi<|assistant|>⟦yo<|end|>⟧", Outcome{Unused: []string{"reasoning_content", "tool_calls", "tools"}}},
		{"a text", Row{Text: "hey"}, 0, false, "h⟦ey<|end|>⟧", Outcome{}},
		{"exactly max_length", Row{Messages: chat("hi", "yo")}, 7, false, "<|user|>hi<|assistant|>⟦yo<|end|>⟧", Outcome{}},
		{"truncated", Row{Messages: chat("hi", "yo")}, 5, false, "<|user|>hi<|assistant|>⟦y⟧", Outcome{Truncated: 2, TruncatedTrained: 2, Unended: true}},
		{"truncated after the trained turn", Row{Messages: chat("hi", "yo", "bye")}, 8, false, "<|user|>hi<|assistant|>⟦yo<|end|>⟧<|user|>", Outcome{Truncated: 3}},
		{"too long", Row{Messages: chat("hi", "yo")}, 4, false, "<|user|>hi<|assistant|>", Outcome{Dropped: DroppedTooLong, Truncated: 3, TruncatedTrained: 3}},
		{"untrained", Row{Messages: []Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "yo", Train: &no}}}, 0, false, "<|user|>hi<|assistant|>yo<|end|>", Outcome{Dropped: DroppedUntrained}},
		{"untrained and too long", Row{Messages: []Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "yo", Train: &no}}}, 3, false, "<|user|>hi", Outcome{Dropped: DroppedUntrained, Truncated: 4}},
		{"control characters", Row{Messages: chat("\x1b[31m\r\n", "\ty\x00\x7f\u0085")}, 0, false, "<|user|>␛[31m␍\n<|assistant|>⟦\ty␀␡\ufffd<|end|>⟧", Outcome{}},
		{"characters of several bytes", Row{Messages: chat("é", "😀")}, 0, false, "<|user|>é<|assistant|>⟦😀<|end|>⟧", Outcome{}},
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
	e, row := encoder(t, "lessons", tok), Row{Source: "f:1", Messages: chat("hi", "yo")}
	var b strings.Builder
	if err := e.Show(&b, row, true); err != nil {
		t.Fatal(err)
	}
	if want := "f:1: 7 tokens, 3 trained\n\x1b[4m<|user|>\x1b[0mhi\x1b[4m<|assistant|>\x1b[0m\x1b[1;32myo\x1b[0m\x1b[1;32m\x1b[4m<|end|>\x1b[0m\n"; b.String() != want {
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
		msgs := chat("What is é?", "A letter.", "Sure?", "Yes.")
		example, _, err := e.Encode(Row{Messages: msgs})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 3} {
			ids, err := e.Prompt(msgs[:n])
			if err != nil {
				t.Fatal(err)
			}
			if len(ids) >= len(example.IDs) || !slices.Equal(ids, example.IDs[:len(ids)]) || example.Mask[len(ids)-1] || !example.Mask[len(ids)] {
				t.Errorf("%s: the prompt of %d messages is no prefix that ends where training begins", name, n)
			}
		}
	}
	if _, err := encoder(t, "lessons", tok).Prompt([]Message{{Role: "tool", Content: "x"}}); err == nil || !isUserError(err) {
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
		for _, row := range []Row{{Messages: chat("a", "b")}, {Text: "plain"}} {
			example, _, err := e.Encode(row)
			if err != nil || count(example.IDs) != 1 || example.IDs[0] != bos || example.Mask[0] {
				t.Errorf("%s: ids %v, %v", name, example.IDs, err)
			}
		}
		if ids, err := e.Prompt(chat("a")); err != nil || count(ids) != 1 || ids[0] != bos {
			t.Errorf("%s: prompt %v, %v", name, ids, err)
		}
	}
}

func TestEncodeAll(t *testing.T) {
	tok := byteTokenizer(t)
	e := encoder(t, "lessons", tok)
	e.MaxLength = 40
	no := false
	var rows []Row
	for n := range 1000 {
		r := rng.NewRand(3, "rows", uint64(n), 0)
		row := Row{Source: fmt.Sprintf("file%d:%d", n/500, n%500+1), Messages: chat(strings.Repeat("q", r.Intn(50)), strings.Repeat("a", 1+r.Intn(30)))}
		if r.Intn(10) == 0 {
			row.Messages[1].Train = &no
		}
		if r.Intn(5) == 0 {
			row.Ignored = []string{"id"}
		}
		rows = append(rows, row)
	}
	var first []Example
	var firstAudit *Audit
	for _, threads := range []int{1, 2, 7, 0} {
		examples, audit, err := e.EncodeAll(context.Background(), rows, threads)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first, firstAudit = examples, audit
		}
		if !reflect.DeepEqual(examples, first) || !reflect.DeepEqual(audit, firstAudit) {
			t.Fatalf("%d threads give another result", threads)
		}
	}
	// Every row is an example or dropped, once.
	a, seen := firstAudit, map[string]int{}
	for i, example := range first {
		seen[example.Source]++
		if example.Source != rows[example.Row].Source || i > 0 && example.Row <= first[i-1].Row || example.Trained() == 0 || len(example.IDs) > 40 {
			t.Fatalf("example %d: %+v", i, example)
		}
	}
	for _, dropped := range a.DroppedRows {
		seen[dropped.Source]++
	}
	for _, row := range rows {
		if seen[row.Source] != 1 {
			t.Errorf("%s occurs %d times", row.Source, seen[row.Source])
		}
	}
	if a.Rows != 1000 || a.Examples != len(first) || a.Rows != a.Examples+len(a.DroppedRows) || len(a.Dropped) != 2 || a.Truncated == 0 || a.Longest != 40 || len(a.Sources) != 2 || a.Sources[0].Rows+a.Sources[1].Rows != 1000 {
		t.Errorf("audit %+v", a)
	}
	tokens, trained := 0, 0
	for i := range first {
		tokens, trained = tokens+len(first[i].IDs), trained+first[i].Trained()
	}
	if a.Tokens != tokens || a.TrainedTokens != trained || a.Sources[0].Tokens+a.Sources[1].Tokens != tokens {
		t.Errorf("%d tokens, %d trained, want %d, %d", a.Tokens, a.TrainedTokens, tokens, trained)
	}
	// The hash is of ids and masks.
	rows[7].Messages[0].Content += "!"
	_, other, err := e.EncodeAll(context.Background(), rows, 2)
	if err != nil || other.Hash == a.Hash || len(a.Hash) != 64 {
		t.Errorf("hashes %s and %s, %v", a.Hash, other.Hash, err)
	}
}

func TestEncodeAllErrors(t *testing.T) {
	tok := byteTokenizer(t)
	e := encoder(t, "lessons", tok)
	var rows []Row
	for n := range 500 {
		rows = append(rows, Row{Source: fmt.Sprintf("f:%d", n+1), Messages: chat("q", "a")})
	}
	for _, n := range []int{499, 300, 131} {
		rows[n].Messages = []Message{{Role: "tool", Content: "x"}}
	}
	for _, threads := range []int{1, 4} {
		_, _, err := e.EncodeAll(context.Background(), rows, threads)
		if err == nil || !strings.HasPrefix(err.Error(), "data: f:132: ") || !isUserError(err) {
			t.Errorf("%d threads: got %v", threads, err)
		}
	}
	e.MaxLength = 3
	_, audit, err := e.EncodeAll(context.Background(), rows[:100], 2)
	if want := "data: all 100 rows are longer than max_length 3 before their first trained token (the first: f:1): raise max_length"; err == nil || err.Error() != want || !isUserError(err) {
		t.Errorf("got %v", err)
	}
	if audit == nil || audit.Dropped[DroppedTooLong] != 100 {
		t.Errorf("audit %+v", audit)
	}
	if _, _, err := e.EncodeAll(context.Background(), nil, 2); err == nil || !strings.Contains(err.Error(), "the data set is empty") {
		t.Errorf("got %v", err)
	}
	no := false
	rows[0].Messages[1].Train = &no
	if _, _, err := e.EncodeAll(context.Background(), rows[:2], 2); err == nil || !strings.Contains(err.Error(), "none of the 2 rows has a trained token (the first: f:1, no token is trained)") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := e.EncodeAll(ctx, rows, 2); err == nil || isUserError(err) {
		t.Errorf("a cancelled context gives %v", err)
	}
}

func TestAuditTable(t *testing.T) {
	tok := byteTokenizer(t)
	e := encoder(t, "lessons", tok)
	e.MaxLength = 8
	rows := []Row{
		{Source: "a:1", Messages: chat("hi", "yo"), Ignored: []string{"id"}},
		{Source: "a:2", Messages: chat("hi", "hello")},
		{Source: "b:1", Messages: chat("good morning", "yo")},
	}
	_, audit, err := e.EncodeAll(context.Background(), rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := `rows            3
examples        2
dropped         1: longer than max_length before its first trained token
                b:1
tokens          15
trained tokens  7 (46.7 %)
model inputs    13
mean length     7.5 tokens, 3.5 trained
longest         8 tokens, a:2
truncated       1 rows by 2 tokens, 2 of them trained
unended         1 rows do not end with a stop token: they do not teach to stop
ignored key     "id" in 1 rows
source          a: 2 rows, 2 examples, 15 tokens, 7 trained
source          b: 1 rows, 0 examples, 0 tokens, 0 trained
hash            ` + audit.Hash + "\n"
	if got := audit.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	data, err := json.Marshal(audit)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"rows":3`, `"examples":2`, `"trained_tokens":7`, `"dropped":{"longer than max_length before its first trained token":1}`, `"dropped_rows":[{"source":"b:1","reason":"longer`} {
		if !strings.Contains(string(data), part) {
			t.Errorf("%s is not in %s", part, data)
		}
	}
}

func BenchmarkEncodeAll(b *testing.B) {
	path := fixture(b, "data/tldr/train.jsonl")
	rows := load(b, path)
	for _, name := range []string{"lessons", "chatml", "alpaca"} {
		tok := byteTokenizer(b)
		if name != "lessons" {
			tok = fixtureTokenizer(b, "tokenizers/smollm2")
		}
		e := encoder(b, name, tok)
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("template=%s/threads=%d", name, threads), func(b *testing.B) {
				for b.Loop() {
					if _, _, err := e.EncodeAll(context.Background(), rows, threads); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			load(b, path)
		}
		b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

// Read, templated, encoded, masked and packed: all that stands between a file and the first step.
func BenchmarkPipeline(b *testing.B) {
	path := fixture(b, "data/tldr/train.jsonl")
	tok := fixtureTokenizer(b, "tokenizers/smollm2")
	source, _ := tokenizer.BuiltinTemplate("chatml")
	inferred, err := tokenizer.NewTemplate(strings.NewReplacer("{%- generation -%}", "", "{%- endgeneration -%}", "").Replace(source), tok)
	if err != nil {
		b.Fatal(err)
	}
	for name, e := range map[string]*Encoder{"inferred": {Tokenizer: tok, Template: inferred}, "chatml": encoder(b, "chatml", tok)} {
		e.MaxLength = 1024
		b.Run("template="+name, func(b *testing.B) {
			for b.Loop() {
				rows, err := Load(context.Background(), []string{path}, "")
				if err != nil {
					b.Fatal(err)
				}
				examples, _, err := e.EncodeAll(context.Background(), rows, 0)
				if err != nil {
					b.Fatal(err)
				}
				plan := NewPlan(Lengths(examples), PlanOptions{Packing: true, Capacity: 1024})
				var batch Batch
				packed := 0
				for _, idx := range plan.Epoch(0) {
					BuildBatch(&batch, examples, idx)
					packed += len(batch.Rows)
				}
				if packed != 29045 {
					b.Fatalf("%d rows packed", packed)
				}
			}
		})
	}
}
