package ifeval

import (
	"instruct/data/checks"
)

// Words in capitals.

func capitalWords(s *settings) check {
	limit := s.limit("capital_relation", "capital_frequency")
	tokenizer := s.tokenizer()
	return func(answer string) checks.Verdict {
		count := 0
		for _, token := range tokenizer.tokens(answer) {
			if upperText(token) {
				count++
			}
		}
		return limit.judge(count, "words in capitals")
	}
}
