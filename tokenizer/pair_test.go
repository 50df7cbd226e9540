package tokenizer

import (
	"encoding/json"
	"testing"

	sugar "github.com/sugarme/tokenizer"
)

// pairExpectation is what the Rust library makes of two texts, without special tokens or with them.
type pairExpectation struct {
	ids, types []int32
	texts      []int // of which text each token is
	offsets    [][2]int
}

func (p *pairExpectation) add(a, b string, id, typeID int32, text, start, end int) {
	at := [2]int{}
	switch text {
	case 0:
		at = charRange(a, start, end)
	case 1:
		at = charRange(b, start, end)
	}
	p.ids = append(p.ids, id)
	p.types = append(p.types, typeID)
	p.texts = append(p.texts, text)
	p.offsets = append(p.offsets, at)
}

func (p *pairExpectation) equal(q *pairExpectation) bool {
	return equal(p.ids, q.ids) && equal(p.types, q.types) && equal(p.texts, q.texts) && equal(p.offsets, q.offsets)
}

func TestPairs(t *testing.T) {
	g := readGolden(t)
	known := map[string]json.RawMessage{}
	for _, v := range readModels(t).Variants {
		known[v.Name] = v.File
	}
	for _, v := range g.Pairs {
		t.Run(v.Name, func(t *testing.T) {
			file := []byte(known[v.Base])
			if v.Changes != nil {
				file = g.variant(t, v.Base, v.Changes)
			}
			tok, err := Parse(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(v.Rows) != 16 {
				t.Fatalf("%d pairs, want 16", len(v.Rows))
			}
			for _, row := range v.Rows {
				var a, b string
				var wants [2]pairExpectation
				for i, to := range []any{&a, &b,
					&wants[0].ids, &wants[0].types, &wants[0].texts, &wants[0].offsets,
					&wants[1].ids, &wants[1].types, &wants[1].texts, &wants[1].offsets} {
					if err := json.Unmarshal(row[i], to); err != nil {
						t.Fatal(err)
					}
				}
				for i, want := range wants {
					checkPair(t, tok, a, b, i == 1, &want)
				}
			}
		})
	}
}

func checkPair(t *testing.T, tok *Tokenizer, a, b string, addSpecial bool, want *pairExpectation) {
	t.Helper()
	tokens, err := tok.EncodePair(a, b, addSpecial)
	if err != nil {
		t.Fatal(err)
	}
	var got pairExpectation
	for _, p := range tokens {
		got.add(a, b, p.ID, p.TypeID, p.Text, p.Start, p.End)
	}
	if !got.equal(want) {
		t.Errorf("%q, %q, special %v: got %+v, want %+v", a, b, addSpecial, got, *want)
	}
	e, err := tok.Sugarme().EncodePair(a, b, addSpecial)
	if err != nil {
		t.Fatal(err)
	}
	got = pairExpectation{}
	for i, id := range e.Ids {
		text := -1
		for k := range 2 {
			if r := e.SequenceRanges[k]; len(r) > 0 && r[0] <= i && i <= r[len(r)-1] {
				text = k
			}
		}
		if (text < 0) != (e.SpecialTokenMask[i] == 1) && tok.addedByID[int32(id)] == nil {
			t.Errorf("%q, %q: token %d is of text %d, special %d", a, b, i, text, e.SpecialTokenMask[i])
		}
		got.add(a, b, int32(id), int32(e.TypeIds[i]), text, e.Offsets[i][0], e.Offsets[i][1])
	}
	if !got.equal(want) {
		t.Errorf("sugarme: %q, %q, special %v: got %+v, want %+v", a, b, addSpecial, got, *want)
	}
	if n := (SugarmeAdapter{tok}).AddedTokens(true); addSpecial &&
		n != len(e.Ids)-len(tok.Encode(a, false))-len(tok.Encode(b, false)) {
		t.Errorf("%d special tokens in a pair of %d", n, len(e.Ids))
	}
}

func TestPairErrors(t *testing.T) {
	const model = `{"type":"WordLevel","vocab":{"a":0,"s":1},"unk_token":"a"}`
	const single = `"single":[{"Sequence":{"id":"A"}}],"special_tokens":{"s":{"ids":[1]}}`
	processor := func(post string) (*Tokenizer, error) {
		return Parse([]byte(`{"version":"1.0","model":`+model+`,"post_processor":`+post+`}`), nil)
	}
	for _, c := range []struct{ name, post, want string }{
		{"no pair", `{"type":"TemplateProcessing",` + single + `}`, "has no pair template"},
		{"third text", `{"type":"TemplateProcessing",` + single + `,"pair":[{"Sequence":{"id":"C"}}]}`,
			`the sequence "C", expected A or B`},
		{"unknown token", `{"type":"TemplateProcessing",` + single + `,"pair":[{"SpecialToken":{"id":"t"}}]}`, `uses "t"`},
		{"nothing", `{"type":"TemplateProcessing",` + single + `,"pair":[{}]}`, "neither a Sequence"},
		{"two", `{"type":"Sequence","processors":[{"type":"BertProcessing","cls":["s",1],"sep":["s",1]},` +
			`{"type":"BertProcessing","cls":["s",1],"sep":["s",1]}]}`, "expected one"},
	} {
		tok, err := processor(c.post)
		if err != nil {
			t.Errorf("%s: a single text can be encoded, but the file is refused: %v", c.name, err)
			continue
		}
		_, err = tok.EncodePair("a", "a", true)
		wantUserError(t, c.name, err, c.want)
		in := sugar.NewDualEncodeInput(sugar.NewInputSequence("a"), sugar.NewInputSequence("a"))
		if e, err := tok.Sugarme().Encode(in, true); err != nil || len(e.Ids) != 2 {
			t.Errorf("%s: %v, %v; want the two texts joined", c.name, e, err)
		}
	}
}
