package tokenizer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomText puts runes of the prose and some others together.
func randomText(rng *rand.Rand, n int) string {
	runes := []rune("  thelitgrdnasow'.,12▁<é日\n")
	var b strings.Builder
	for range n {
		b.WriteRune(runes[rng.IntN(len(runes))])
	}
	return b.String()
}

// TestMergesAgree merges the same words with the scan and with the heap.
func TestMergesAgree(t *testing.T) {
	g := readGolden(t)
	for _, base := range []string{"bytes", "runes"} {
		tok, err := Parse(g.variant(t, base, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		m := tok.model.(*bpe)
		sc := new(scratch)
		rng := rand.New(rand.NewPCG(1, 2))
		merged := 0
		for range 500 {
			word := randomText(rng, 2+rng.IntN(200))
			symbols, _ := m.symbols(nil, word)
			short := m.mergeShort(slices.Clone(symbols))
			long := m.mergeLong(sc, slices.Clone(symbols))
			same := slices.EqualFunc(short, long, func(a, b sym) bool { return a.id == b.id && a.end == b.end })
			if !same {
				t.Fatalf("%s: %q: %v by scan, %v by heap", base, word, short, long)
			}
			merged += len(symbols) - len(short)
		}
		if merged == 0 {
			t.Errorf("%s: nothing was merged", base)
		}
	}
}

// TestCutAgrees encodes with and without cutting before the mark, and with and without the cache's help.
func TestCutAgrees(t *testing.T) {
	g := readGolden(t)
	cut, err := Parse(g.variant(t, "runes", nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	if cut.mark == "" {
		t.Fatal("the vocabulary does not allow cuts")
	}
	whole, err := Parse(g.variant(t, "runes", nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	whole.mark = ""
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		text := randomText(rng, rng.IntN(200))
		want := whole.Append(nil, text, true)
		for range 2 {
			if got := cut.Append(nil, text, true); !slices.Equal(got, want) {
				t.Fatalf("%q: %v with cuts, %v without", text, got, want)
			}
		}
	}
}

func TestCutBefore(t *testing.T) {
	for _, c := range []struct {
		name   string
		tokens []string
		want   bool
	}{
		{"none", nil, true},
		{"in front", []string{"▁a", "▁▁", "▁▁b", "ab"}, true},
		{"inside", []string{"▁a", "a▁b"}, false},
		{"at the end", []string{"a▁"}, false},
		{"between marks", []string{"▁a▁"}, false},
	} {
		ids := make([]int32, len(c.tokens))
		for i := range ids {
			ids[i] = int32(i)
		}
		if got := cutBefore(c.tokens, ids, "▁"); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
