package ifeval

import (
	"strings"
	"unicode/utf8"

	"instruct/data/checks"
)

// A keyword is a regular expression: "AI" is found in "said", and "a.c" in "abc".
func keywordsExist(s *settings) check {
	keywords := s.texts("keywords")
	var patterns []*pattern
	for _, k := range keywords {
		patterns = append(patterns, s.pattern("keywords", k, flags{ignoreCase: true}))
	}
	return func(answer string) checks.Verdict {
		for i, p := range patterns {
			if !p.search(answer) {
				return verdict(false, "%q does not occur", keywords[i])
			}
		}
		return verdict(true, "")
	}
}

func keywordFrequency(s *settings) check {
	keyword := strip(s.text("keyword"))
	p := s.pattern("keyword", keyword, flags{ignoreCase: true})
	limit := s.limit("relation", "frequency")
	return func(answer string) checks.Verdict {
		return limit.judge(len(p.findAll(answer)), "occurrences of "+keyword)
	}
}

// Words that are forbidden are regular expressions too, but match whole words only.
func forbiddenWords(s *settings) check {
	words := s.texts("forbidden_words")
	var patterns []*pattern
	for _, w := range words {
		patterns = append(patterns, s.pattern("forbidden_words", `\b`+w+`\b`, flags{ignoreCase: true}))
	}
	return func(answer string) checks.Verdict {
		for i, p := range patterns {
			if p.search(answer) {
				return verdict(false, "the forbidden word %q occurs", words[i])
			}
		}
		return verdict(true, "")
	}
}

func letterFrequency(s *settings) check {
	letter := s.text("letter")
	if utf8.RuneCountInString(letter) > 1 {
		s.expect("letter", "one letter")
	}
	letter = lower(letter)
	limit := s.limit("let_relation", "let_frequency")
	return func(answer string) checks.Verdict {
		return limit.judge(strings.Count(lower(answer), letter), "times the letter "+letter)
	}
}
