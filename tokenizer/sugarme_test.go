package tokenizer

import (
	"testing"

	sugar "github.com/sugarme/tokenizer"

	"instruct/tokenizer/internal/fixture"
)

func TestSugarme(t *testing.T) {
	for _, name := range []string{"gpt2", "smollm2", "qwen2_5"} {
		t.Run(name, func(t *testing.T) {
			dir := fixture.Path(t, "tokenizers", name)
			tok := load(t, dir)
			var cases []expectation
			fixture.ReadJSON(t, dir+"/expected.json", &cases)
			checkSugarme(t, tok, cases)
		})
	}
}

func TestSugarmeSmall(t *testing.T) {
	tok := Bytes("<|im_start|>", "<|im_end|>")
	checkSugarme(t, tok, []expectation{
		{Text: "", IDs: nil},
		{Text: "hi<|im_end|>", IDs: []int32{'h', 'i', 257}, Offsets: [][2]int{{0, 1}, {1, 2}, {2, 12}}},
	})
	s := tok.Sugarme()
	if n := s.GetVocabSize(true); n != 258 {
		t.Errorf("vocabulary of %d, want 258", n)
	}
	if id, ok := s.TokenToId("<|im_end|>"); !ok || id != 257 {
		t.Errorf("<|im_end|> is %d, %v", id, ok)
	}
	if token, ok := s.IdToToken(300); ok {
		t.Errorf("id 300 is %q", token)
	}
}

// TestSugarmeSpecials holds the post-processor to the special tokens around a text.
func TestSugarmeSpecials(t *testing.T) {
	for _, v := range readModels(t).Variants {
		if v.Name != "bert" {
			continue
		}
		tok, err := Parse(v.File, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(tok.Encode("", true)); n != 2 {
			t.Fatalf("%d special tokens, want 2", n)
		}
		checkSugarme(t, tok, []expectation{{Text: "the", IDs: tok.Encode("the", false), Offsets: [][2]int{{0, 3}}}})
		return
	}
	t.Fatal("no such vectors")
}

// checkSugarme encodes and decodes through the tokenizer of the other package.
func checkSugarme(t *testing.T, tok *Tokenizer, cases []expectation) {
	t.Helper()
	s := tok.Sugarme()
	for _, c := range cases {
		if c.B64 != "" {
			continue // that package needs UTF-8
		}
		e, err := s.Encode(sugar.NewSingleEncodeInput(sugar.NewInputSequence(c.Text)), false)
		if err != nil {
			t.Errorf("%q: %v", c.Text, err)
			continue
		}
		var ids []int32
		var offsets [][2]int
		for i, id := range e.Ids {
			ids = append(ids, int32(id))
			offsets = append(offsets, charRange(c.Text, e.Offsets[i][0], e.Offsets[i][1]))
		}
		if !equal(ids, c.IDs) || !equal(offsets, c.Offsets) {
			t.Errorf("%q: ids %v at %v, want %v at %v", c.Text, ids, offsets, c.IDs, c.Offsets)
		}
		whole, err := s.Encode(sugar.NewSingleEncodeInput(sugar.NewInputSequence(c.Text)), true)
		if err != nil || len(whole.Tokens) != len(whole.Ids) || len(whole.Offsets) != len(whole.Ids) {
			t.Errorf("%q with specials: %d ids, %v", c.Text, len(whole.Ids), err)
			continue
		}
		special := tok.Encode(c.Text, true)
		for i, id := range whole.Ids {
			if len(special) != len(whole.Ids) || int(special[i]) != id {
				t.Errorf("%q with specials: %v, want %v", c.Text, whole.Ids, special)
				break
			}
		}
		want, err := tok.Decode(c.IDs, false)
		if got := s.Decode(e.Ids, false); err != nil || got != want {
			t.Errorf("decode %q, want %q, %v", got, want, err)
		}
	}
}
