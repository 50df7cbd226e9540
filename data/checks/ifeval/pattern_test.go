package ifeval

import (
	"slices"
	"testing"
)

// TestPattern holds what re.findall of Python 3.11 gives for the whole match.
func TestPattern(t *testing.T) {
	for _, c := range []struct {
		source, text string
		flags        flags
		want         []string
	}{
		{`a*?`, "ba", flags{}, []string{"", "", "a", ""}},
		{`|b`, "ab", flags{}, []string{"", "", "b", ""}},
		{`a*`, "baac", flags{}, []string{"", "aa", "", ""}},
		{`a++a`, "aaa", flags{}, nil},
		{`x{,2}y`, "xxxy", flags{}, []string{"xxy"}},
		{`x{a`, "x{a", flags{}, []string{"x{a"}},
		{`[^\W\d]+`, "ab1é²_", flags{}, []string{"ab", "é²_"}},
		{`[\W_]+`, "a_-b", flags{}, []string{"_-"}},
		{`\w+`, "हिन्दी", flags{}, []string{"ह", "न", "द"}},
		{`\s`, "a\x1cb\u200b", flags{}, []string{"\x1c"}},
		{`\bé\b`, "é é́ aé", flags{}, []string{"é", "é"}},
		{`s[a-k]`, "ſK SK s\u212a", flags{ignoreCase: true}, []string{"ſK", "SK", "s\u212a"}},
		{`(?P<q>a)(b)(?P=q)\2`, "abab ABab", flags{ignoreCase: true}, []string{"abab", "ABab"}},
		{`b$`, "ab\nb\n", flags{}, []string{"b"}},
		{`b$`, "ab\nb\n", flags{multiline: true}, []string{"b", "b"}},
		{`b\Z`, "ab\n", flags{}, nil},
		{`(?i)a|(?-i:B)`, "AbB", flags{}, []string{"A", "B"}},
		{`[]a]\.[\]\x62]`, "].b a.]", flags{}, []string{"].b", "a.]"}},
	} {
		p, err := compile(c.source, dialectRe, c.flags)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		if got := p.findAll(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s in %q: got %q, want %q", c.source, c.text, got, c.want)
		}
	}
}

// TestWords holds what NLTK 3.10.4 makes of sentences and words.
func TestWords(t *testing.T) {
	splitter, err := newSplitter()
	if err != nil {
		t.Fatal(err)
	}
	text := `Dr. No "can't" pay $5. (He LEFT.) It is 3 p.m. in the U.S. now.`
	wantSentences := []string{`Dr. No "can't" pay $5.`, "(He LEFT.)", "It is 3 p.m. in the U.S. now."}
	if got := splitter.sentences(text); !slices.Equal(got, wantSentences) {
		t.Errorf("sentences %q, want %q", got, wantSentences)
	}
	another := "The U.S. Army left. The U.S. Company left. He met Mr. General. It is by the U.S. He left."
	wantSentences = []string{"The U.S. Army left.", "The U.S. Company left.", "He met Mr. General.", "It is by the U.S.",
		"He left."}
	if got := splitter.sentences(another); !slices.Equal(got, wantSentences) {
		t.Errorf("sentences %q, want %q", got, wantSentences)
	}
	wantTokens := []string{"Dr.", "No", "``", "ca", "n't", "''", "pay", "$", "5", ".", "(", "He", "LEFT", ".", ")",
		"It", "is", "3", "p.m.", "in", "the", "U.S.", "now", "."}
	if got := newTokenizer(splitter).tokens(text); !slices.Equal(got, wantTokens) {
		t.Errorf("tokens %q, want %q", got, wantTokens)
	}
}

func TestLower(t *testing.T) {
	text := "ΣΑΣ Σ ΑΣ1 ΑΣΑ Α.Σ İK"
	if got := lower(text); got != "σας σ ας1 ασα α.ς i\u0307k" {
		t.Errorf("lower(%q) = %q", text, got)
	}
}
