package data

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"instruct/model/kernel/rng"
	"instruct/tokenizer/chat"
)

func TestEncodeAll(t *testing.T) {
	tok := byteTokenizer(t)
	e := encoder(t, "lessons", tok)
	e.MaxLength = 40
	no := false
	var rows []Row
	for n := range 1000 {
		r := rng.NewRand(3, "rows", uint64(n), 0)
		question := strings.Repeat("q", r.Intn(50))
		answer := strings.Repeat("a", 1+r.Intn(30))
		row := Row{Source: fmt.Sprintf("file%d:%d", n/500, n%500+1), Messages: talk(question, answer)}
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
		inOrder := i == 0 || example.Row > first[i-1].Row
		if example.Source != rows[example.Row].Source || !inOrder || example.Trained() == 0 || len(example.IDs) > 40 {
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
	if a.Rows != 1000 || a.Examples != len(first) || a.Rows != a.Examples+len(a.DroppedRows) || len(a.Dropped) != 2 ||
		a.Truncated == 0 || a.Longest != 40 || len(a.Sources) != 2 || a.Sources[0].Rows+a.Sources[1].Rows != 1000 {
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
		rows = append(rows, Row{Source: fmt.Sprintf("f:%d", n+1), Messages: talk("q", "a")})
	}
	for _, n := range []int{499, 300, 131} {
		rows[n].Messages = []chat.Message{{Role: "tool", Content: "x"}}
	}
	for _, threads := range []int{1, 4} {
		_, _, err := e.EncodeAll(context.Background(), rows, threads)
		if err == nil || !strings.HasPrefix(err.Error(), "data: f:132: ") || !isUserError(err) {
			t.Errorf("%d threads: got %v", threads, err)
		}
	}
	e.MaxLength = 3
	_, audit, err := e.EncodeAll(context.Background(), rows[:100], 2)
	want := "data: all 100 rows are longer than max_length 3 before their first trained token (the first: f:1): " +
		"raise max_length"
	if err == nil || err.Error() != want || !isUserError(err) {
		t.Errorf("got %v", err)
	}
	if audit == nil || audit.Dropped[DroppedTooLong] != 100 {
		t.Errorf("audit %+v", audit)
	}
	_, _, err = e.EncodeAll(context.Background(), nil, 2)
	if err == nil || !strings.Contains(err.Error(), "the data set is empty") {
		t.Errorf("got %v", err)
	}
	no := false
	rows[0].Messages[1].Train = &no
	_, _, err = e.EncodeAll(context.Background(), rows[:2], 2)
	want = "none of the 2 rows has a trained token (the first: f:1, no token is trained)"
	if err == nil || !strings.Contains(err.Error(), want) {
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
		{Source: "a:1", Messages: talk("hi", "yo"), Ignored: []string{"id"}},
		{Source: "a:2", Messages: talk("hi", "hello")},
		{Source: "b:1", Messages: talk("good morning", "yo")},
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
answer cut      answers cut at max_length, which do not teach to stop: 1 row (first: a:2)
ignored key     keys that are not read: "id" in 1 row (first: a:1)
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
	for _, part := range []string{
		`"rows":3`, `"examples":2`, `"trained_tokens":7`,
		`"dropped":{"longer than max_length before its first trained token":1}`,
		`"dropped_rows":[{"source":"b:1","reason":"longer`,
	} {
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
	source, _ := chat.Builtin("chatml")
	unmarked := strings.NewReplacer("{%- generation -%}", "", "{%- endgeneration -%}", "").Replace(source)
	inferred, err := chat.NewTemplate(unmarked, tok)
	if err != nil {
		b.Fatal(err)
	}
	for name, e := range map[string]*Encoder{
		"inferred": {Tokenizer: tok, Template: inferred},
		"chatml":   encoder(b, "chatml", tok),
	} {
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

// TestLongText: a text has no answers that could be cut, and is trained in pieces.
func TestLongText(t *testing.T) {
	tok := byteTokenizer(t)
	e := encoder(t, "lessons", tok)
	e.MaxLength = 8
	_, audit, err := e.EncodeAll(context.Background(), []Row{{Source: "a:1", Text: "Once upon a time."}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(audit.Notes(), "\n")
	if strings.Contains(notes, "cut at") || !strings.Contains(notes, "in pieces, each token once: 1 row") {
		t.Errorf("got %s", notes)
	}
}
