package tokenizer

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"instruct/tokenizer/internal/fixture"
)

func load(t testing.TB, path string) *Tokenizer {
	t.Helper()
	tok, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// expectation is what the Rust library makes of one text.
type expectation struct {
	Name       string   `json:"name"`
	Text       string   `json:"text"`
	B64        string   `json:"b64"`
	IDs        []int32  `json:"ids"`
	Offsets    [][2]int `json:"offsets"`
	IDsSpecial []int32  `json:"ids_special"`
	Decode     string   `json:"decode"`
	DecodeSkip string   `json:"decode_skip"`
}

func TestFixtures(t *testing.T) {
	for _, name := range []string{"gpt2", "smollm2", "qwen2_5"} {
		t.Run(name, func(t *testing.T) {
			dir := fixture.Path(t, "tokenizers", name)
			tok := load(t, dir)
			var cases []expectation
			fixture.ReadJSON(t, filepath.Join(dir, "expected.json"), &cases)
			for _, c := range cases {
				checkExpectation(t, tok, c)
			}
			t.Logf("%d texts", len(cases))
		})
	}
}

func checkExpectation(t *testing.T, tok *Tokenizer, c expectation) {
	t.Helper()
	text := c.Text
	if c.B64 != "" {
		raw, err := base64.StdEncoding.DecodeString(c.B64)
		if err != nil {
			t.Fatal(err)
		}
		text = string(raw)
	}
	tokens := tok.Append(nil, text, false)
	var ids []int32
	var offsets [][2]int
	for _, token := range tokens {
		ids = append(ids, token.ID)
		offsets = append(offsets, charRange(text, token.Start, token.End))
	}
	if !equal(ids, c.IDs) {
		t.Errorf("%s %q: ids %v, want %v", c.Name, text, ids, c.IDs)
		return
	}
	if !equal(offsets, c.Offsets) {
		t.Errorf("%s %q: offsets %v, want %v", c.Name, text, offsets, c.Offsets)
	}
	if got := tok.Encode(text, true); !equal(got, c.IDsSpecial) {
		t.Errorf("%s %q: ids with specials %v, want %v", c.Name, text, got, c.IDsSpecial)
	}
	for _, skip := range []bool{false, true} {
		want := c.Decode
		if skip {
			want = c.DecodeSkip
		}
		got, err := tok.Decode(c.IDsSpecial, skip)
		if err != nil || got != want {
			t.Errorf("%s: decode(skip %v) %q, %v, want %q", c.Name, skip, got, err, want)
		}
		if got := streamed(tok, c.IDsSpecial, skip); got != want {
			t.Errorf("%s: streamed(skip %v) %q, want %q", c.Name, skip, got, want)
		}
	}
}

// streamed decodes id by id and checks that no part is broken UTF-8.
func streamed(tok *Tokenizer, ids []int32, skip bool) string {
	s := tok.NewStream(skip)
	var all strings.Builder
	for _, id := range ids {
		part := s.Push(id)
		if !utf8.ValidString(part) {
			return "a part is not UTF-8: " + part
		}
		all.WriteString(part)
	}
	all.WriteString(s.Flush())
	return all.String()
}

// charRange gives the characters that the bytes a to b touch, where each maximal subpart that is not UTF-8 is one.
func charRange(s string, a, b int) [2]int {
	var starts []int
	for i := 0; i < len(s); {
		starts = append(starts, i)
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			n, _ = badPrefix(s[i:])
		}
		i += n
	}
	first, last := 0, 0
	for i, start := range starts {
		if start <= a {
			first = i
		}
		if start < b {
			last = i + 1
		}
	}
	if a == b {
		first = 0
		for _, start := range starts {
			if start < a {
				first++
			}
		}
		last = first
	}
	return [2]int{first, last}
}

func equal[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestStories(t *testing.T) {
	dir := fixture.Path(t, "models", "stories260K-hf")
	tok := load(t, dir)
	var want struct {
		GreedyIDs  []int32 `json:"greedy_ids"`
		GreedyText string  `json:"greedy_text"`
		Cases      []struct {
			Text string  `json:"text"`
			IDs  []int32 `json:"ids"`
		} `json:"tokenizer_cases"`
	}
	fixture.ReadJSON(t, filepath.Join(dir, "expected.json"), &want)
	for _, c := range want.Cases {
		if got := tok.Encode(c.Text, false); !equal(got, c.IDs) {
			t.Errorf("%q: %v, want %v", c.Text, got, c.IDs)
		}
		if got, err := tok.Decode(c.IDs, true); err != nil || got != c.Text {
			t.Errorf("decode %q, %v, want %q", got, err, c.Text)
		}
		if got := streamed(tok, c.IDs, true); got != c.Text {
			t.Errorf("streamed %q, want %q", got, c.Text)
		}
	}
	if got, err := tok.Decode(want.GreedyIDs, true); err != nil || strings.TrimPrefix(want.GreedyText, " ") != got {
		t.Errorf("greedy text %q, %v, want %q", got, err, want.GreedyText)
	}
	bos, ok := tok.BOS()
	if ids := tok.Encode("One", true); !ok || ids[0] != bos {
		t.Errorf("ids with specials %v do not begin with BOS %d", ids, bos)
	}
}
