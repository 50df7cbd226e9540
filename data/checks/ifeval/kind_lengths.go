package ifeval

import (
	"strings"

	"instruct/data/checks"
)

func numberOfSentences(s *settings) check {
	limit := s.limit("relation", "num_sentences")
	splitter := s.splitter()
	return func(answer string) checks.Verdict {
		return limit.judge(len(splitter.sentences(answer)), "sentences")
	}
}

func numberOfWords(s *settings) check {
	limit := s.limit("relation", "num_words")
	return func(answer string) checks.Verdict { return limit.judge(countWords(answer), "words") }
}

// Paragraphs are what stands between dividers; only the first and the last may be blank, and do not count then.
func numberOfParagraphs(s *settings) check {
	expected := s.number("num_paragraphs")
	divider := mustCompile(`\s?\*\*\*\s?`, dialectRe, flags{})
	return func(answer string) checks.Verdict {
		paragraphs := divider.split(answer)
		count := len(paragraphs)
		for i, p := range paragraphs {
			if !blank(p) {
				continue
			}
			if i > 0 && i < len(paragraphs)-1 {
				return verdict(false, "paragraph %d between the dividers *** is blank", i+1)
			}
			count--
		}
		return verdict(count == expected, "%d paragraphs between dividers ***, expected %d", count, expected)
	}
}

// Here paragraphs are separated by a blank line. Blank ones do not count, but the nth is counted with them.
func firstWordOfParagraph(s *settings) check {
	expected := s.number("num_paragraphs")
	nth := s.number("nth_paragraph")
	first := lower(s.text("first_word"))
	if nth > expected {
		s.expect("nth_paragraph", "a whole number up to num_paragraphs")
	}
	return func(answer string) checks.Verdict {
		paragraphs := strings.Split(answer, "\n\n")
		count := 0
		for _, p := range paragraphs {
			if !blank(p) {
				count++
			}
		}
		if nth > count {
			return verdict(false, "there is no paragraph %d", nth)
		}
		if blank(paragraphs[nth-1]) {
			return verdict(false, "paragraph %d is blank", nth)
		}
		if count != expected {
			return verdict(false, "%d paragraphs, expected %d", count, expected)
		}
		found := plainWord(fields(paragraphs[nth-1])[0])
		return verdict(found == first, "paragraph %d begins with %q, expected %q", nth, found, first)
	}
}

// plainWord gives a word in small letters without quotes before it, up to the first punctuation.
func plainWord(word string) string {
	word = strings.TrimLeft(word, `'`)
	word = strings.TrimLeft(word, `"`)
	if end := strings.IndexAny(word, `.,?!'"`); end >= 0 {
		word = word[:end]
	}
	// The reference lowers letter by letter, so a sigma at the end stays as it is within a word.
	var out strings.Builder
	for _, r := range word {
		out.WriteString(lower(string(r)))
	}
	return out.String()
}
