package data

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestEncodePairs: two examples a pair, and every pair that cannot be learned from is named.
func TestEncodePairs(t *testing.T) {
	long := strings.Repeat("x", 60)
	path := write(t, "p.jsonl", strings.Join([]string{
		`{"prompt":"Say a.","chosen":"a","rejected":"b, really"}`,
		`{"prompt":"Say b.","chosen":"b","rejected":" "}`,
		`{"prompt":"Say c.","chosen":"c","rejected":"c"}`,
		`{"prompt":"` + long + `","chosen":"d","rejected":"e"}`,
		`{"prompt":"Say f.","chosen":"f` + long + `g","rejected":"f` + long + `h"}`,
		`{"chosen":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Ho"}],` +
			`"rejected":[{"role":"user","content":"Hi"},{"role":"assistant","content":"No"}]}`,
		`{"prompt":[{"role":"user","content":"Say i."}],"chosen":[{"role":"assistant","content":"i"}],` +
			`"rejected":[{"role":"assistant","content":""}]}`,
	}, "\n")+"\n")
	rows := load(t, path)
	e := encoder(t, "lessons", byteTokenizer(t))
	e.MaxLength = 40
	examples, audit, err := e.EncodePairs(context.Background(), rows, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(examples) != 4 || audit.Rows != 7 || audit.Examples != 2 {
		t.Fatalf("%d examples, %d rows, %d pairs kept", len(examples), audit.Rows, audit.Examples)
	}
	var dropped []string
	for _, d := range audit.DroppedRows {
		dropped = append(dropped, d.Source[strings.LastIndexByte(d.Source, ':'):]+" "+d.Reason)
	}
	want := []string{":2 " + DroppedEmpty, ":3 " + DroppedEqual, ":4 " + DroppedTooLong, ":5 " + DroppedEqualTo,
		":7 " + DroppedEmpty}
	if !slices.Equal(dropped, want) {
		t.Errorf("dropped %q, want %q", dropped, want)
	}
	texts := make([]string, len(examples))
	for i := range examples {
		texts[i] = decoded(t, e, trainedIDs(&examples[i]), false)
	}
	if want := []string{"a<|end|>", "b, really<|end|>", "Ho<|end|>", "No<|end|>"}; !slices.Equal(texts, want) {
		t.Errorf("trained %q, want %q", texts, want)
	}
	if trained := examples[0].Trained() + examples[1].Trained() + examples[2].Trained() + examples[3].Trained(); trained !=
		audit.TrainedTokens {
		t.Errorf("%d trained tokens, the audit says %d", trained, audit.TrainedTokens)
	}
	_, sft, err := e.EncodeAll(context.Background(), rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(sft.Notes(), "\n"); !strings.Contains(notes, "only the better answer of a pair is trained") {
		t.Errorf("nothing is said of pairs that are trained as answers: %s", notes)
	}
}

func decoded(t *testing.T, e *Encoder, ids []int32, skipSpecial bool) string {
	t.Helper()
	text, err := e.Tokenizer.Decode(ids, skipSpecial)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func trainedIDs(e *Example) (ids []int32) {
	for i, m := range e.Mask {
		if m {
			ids = append(ids, e.IDs[i])
		}
	}
	return ids
}

// TestEncodeLabelled: an answer, and behind it its prompt with the answer of another of its micro-batch; of pairs the
// better answers come first.
func TestEncodeLabelled(t *testing.T) {
	e := encoder(t, "lessons", byteTokenizer(t))
	decode := func(examples []Example) (all []string) {
		for i := range examples {
			first := examples[i].Untrained() + 1
			text := decoded(t, e, examples[i].IDs[:first], true) + "|" + decoded(t, e, trainedIDs(&examples[i]), true)
			all = append(all, strings.Join(strings.Fields(text), ""))
		}
		return all
	}
	labelled := load(t, write(t, "l.jsonl", `{"prompt":"A","completion":"1","label":true}`+"\n"+
		`{"prompt":"B","completion":"2","label":false}`+"\n"+`{"prompt":"C","completion":"3","label":true}`+"\n"))
	examples, good, audit, err := e.EncodeLabelled(context.Background(), labelled, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	got := decode(examples)
	want := []string{"A|1", "A|2", "B|2", "B|1", "C|3", "C|3"}
	if !slices.Equal(got, want) || !slices.Equal(good, []bool{true, false, true}) || audit.Examples != 3 {
		t.Errorf("%q %v, want %q; %d examples", got, good, want, audit.Examples)
	}
	labelled[1].Label = new(true)
	if _, _, other, _ := e.EncodeLabelled(context.Background(), labelled, 1, 2); other.Hash == audit.Hash {
		t.Error("other labels have the same hash")
	}
	pairs := load(t, write(t, "p.jsonl", `{"prompt":"A","chosen":"1","rejected":"2"}`+"\n"+
		`{"prompt":"B","chosen":"3","rejected":""}`+"\n"))
	examples, good, audit, err = e.EncodeLabelled(context.Background(), pairs, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	got = decode(examples)
	if want := []string{"A|1", "A|3", "B|3", "B|1", "A|2", "A|2"}; !slices.Equal(got, want) ||
		!slices.Equal(good, []bool{true, true, false}) || audit.Dropped[DroppedEmpty] != 1 {
		t.Errorf("%q %v, want %q; dropped %v", got, good, want, audit.Dropped)
	}
	plain := []Row{{Source: "x:1", Messages: talk("A", "1")}}
	_, _, _, err = e.EncodeLabelled(context.Background(), plain, 1, 2)
	if err == nil || !isUserError(err) || !strings.Contains(err.Error(), "x:1: the loss learns from answers that are") {
		t.Errorf("no label: %v", err)
	}
}

// TestLabels: a label is true or false, in a table too; another one is a key that is not read.
func TestLabels(t *testing.T) {
	rows := load(t, write(t, "l.jsonl", `{"prompt":"A","completion":"1","label":true}`+"\n"+
		`{"prompt":"B","completion":"2","label":"False"}`+"\n"+`{"prompt":"C","completion":"3","label":1}`+"\n"))
	if *rows[0].Label != true || *rows[1].Label != false || rows[2].Label != nil ||
		!slices.Equal(rows[2].Ignored, []string{"label"}) {
		t.Errorf("labels %v %v %v, ignored %v", rows[0].Label, rows[1].Label, rows[2].Label, rows[2].Ignored)
	}
	text, err := Convert(rows[1:2], "kto")
	if err != nil || !strings.Contains(string(text), `"label":false`) {
		t.Errorf("converted to %s (%v)", text, err)
	}
}

// TestGroupsShareTheirPrefix: the rows of a group stand behind their prompt, and the tokens of the prompt are wanted
// once.
func TestGroupsShareTheirPrefix(t *testing.T) {
	row := func(from int32, answer ...int32) Example {
		e := Example{}
		for i := range int32(9) {
			e.IDs = append(e.IDs, from+i)
		}
		e.Mask = append(make([]bool, 9), true)
		e.IDs = append(e.IDs, answer...)
		for range answer[1:] {
			e.Mask = append(e.Mask, true)
		}
		return e
	}
	examples := []Example{row(10, 1, 2), row(10, 3), row(50, 4), row(50, 5, 6)}
	b := Batch{Share: true, Group: 2, Prompts: true}
	BuildBatch(&b, examples, []int{2, 3, 0, 1})
	want := []Segment{{End: 8}, {0, 8, 8, 9}, {0, 8, 9, 11}, {Start: 11, End: 19}, {11, 19, 19, 21}, {11, 19, 21, 22}}
	if !reflect.DeepEqual(b.Segments, want) || !slices.Equal(b.Rows, []int{-1, 2, 3, -1, 0, 1}) {
		t.Errorf("segments %v of rows %v, want %v", b.Segments, b.Rows, want)
	}
	if b.TrainedTokens != 6 || b.RowTokens != 9+10+10+9 {
		t.Errorf("%d trained tokens of %d", b.TrainedTokens, b.RowTokens)
	}
	for i := range b.Tokens {
		inPrompt := i < 8 || i >= 11 && i < 19
		if b.OfPrompt(i) != inPrompt || (b.Weights[i] == 1) == inPrompt {
			t.Errorf("position %d has weight %v", i, b.Weights[i])
		}
	}
	var s Store
	for i := range examples {
		if err := s.Add(&examples[i]); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.GroupLengths(2, true); err != nil || !slices.Equal(got, []int32{11, 11}) {
		t.Errorf("lengths %v", got)
	}
	unshared := Batch{Group: 2, Prompts: true}
	BuildBatch(&unshared, examples, []int{2, 3, 0, 1})
	prompts := 0
	for i := range unshared.Tokens {
		if unshared.OfPrompt(i) {
			prompts++
		}
	}
	if len(unshared.Segments) != 4 || prompts != 16 {
		t.Errorf("%d segments, %d positions of prompts; want 4 and 16", len(unshared.Segments), prompts)
	}
}
