package ifeval

import "unicode"

// regexWord is \w of the package regex, by which the reference counts words: marks belong to a word, so Hindi words
// stay whole, and fractions and superscript digits do not.
func regexWord(r rune) bool {
	switch {
	case unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc):
		return true
	case r == '\u200c' || r == '\u200d':
		return true
	}
	return unicode.Is(unicode.Other_Alphabetic, r)
}

// countWords counts the runs of word characters.
func countWords(text string) int {
	count := 0
	inside := false
	for _, r := range text {
		word := regexWord(r)
		if word && !inside {
			count++
		}
		inside = word
	}
	return count
}

// tokenizer splits text into the tokens of the Penn Treebank as NLTK 3.10's word_tokenize does.
type tokenizer struct {
	splitter *splitter
	steps    []step
}

// step replaces what a pattern matches.
type step struct {
	*pattern
	with string
}

func newTokenizer(s *splitter) *tokenizer {
	t := &tokenizer{splitter: s}
	add := func(d dialect, f flags, with string, sources ...string) {
		for _, source := range sources {
			t.steps = append(t.steps, step{mustCompile(source, d, f), with})
		}
	}
	none := flags{}
	ignoreCase := flags{ignoreCase: true}
	// Quotes that open, ...
	add(dialectRegex, none, " $1 ", "([«“‘„]|[`]+)")
	add(dialectRegex, none, "``", `^"`)
	add(dialectRegex, none, " $1 ", "(``)")
	add(dialectRegex, none, "$1 `` ", `([ (\[{<])("|'{2})`)
	add(dialectRegex, ignoreCase, "$1 ", `(?<!\w)(')(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)`)
	// ... punctuation, ...
	add(dialectRegex, none, "$1 $2 $3 ", `([^.])(\.)([\])}>"'»”’ ]*+)\s*$`)
	add(dialectRegex, none, " $1 $2", `([:,])([^\d])`)
	add(dialectRegex, none, " $1 ", `([:,])$`)
	add(dialectRegex, none, " $0 ", `\.{2,}`, `[;@#$%&]`, `[\u2012-\u2015]`)
	add(dialectRegex, none, "$1 $2$3 ", `([^.])(\.)([\])}>"']*)\s*$`)
	add(dialectRegex, none, " $0 ", `[?!]`)
	add(dialectRegex, none, "$1 ' ", `([^'])' `)
	add(dialectRegex, none, " $0 ", `[*]`, `[\]\[(){}<>]`, `--`)
	// ... the spaces around the whole, which the rules below want to see, ...
	add(dialectRegex, flags{dotAll: true}, " $0 ", `^.*$`)
	// ... quotes that close, ...
	add(dialectRegex, none, " $1 ", `([»”’])`)
	add(dialectRegex, none, " '' ", `''`, `"`)
	add(dialectRegex, none, " ", `\s+`)
	add(dialectRegex, none, "$1 $2 ", `([^' ])('[sS]|'[mM]|'[dD]|') `,
		`([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) `)
	// ... and contractions, for which the reference uses re.
	add(dialectRe, ignoreCase, " $1 $2 ", `\b(can)(not)\b`, `\b(d)('ye)\b`, `\b(gim)(me)\b`, `\b(gon)(na)\b`,
		`\b(got)(ta)\b`, `\b(lem)(me)\b`, `\b(more)('n)\b`, `\b(wan)(na)(?=\s)`, ` ('t)(is)\b`, ` ('t)(was)\b`)
	return t
}

// tokens splits a text.
func (t *tokenizer) tokens(text string) []string {
	var all []string
	for _, sentence := range t.splitter.sentences(text) {
		for _, s := range t.steps {
			// The one error of the library is a time limit, and none is set.
			sentence, _ = s.Replace(sentence, s.with, -1, -1)
		}
		all = append(all, fields(sentence)...)
	}
	return all
}
