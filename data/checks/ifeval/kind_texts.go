package ifeval

import (
	"strings"

	"instruct/data/checks"
)

// Combinations, the beginning and the end, punctuation.

func twoResponses(*settings) check {
	const divider = "******"
	return func(answer string) checks.Verdict {
		var responses []string
		parts := strings.Split(answer, divider)
		for i, p := range parts {
			switch {
			case !blank(p):
				responses = append(responses, strip(p))
			case i > 0 && i < len(parts)-1:
				return verdict(false, "there is nothing between two dividers %s", divider)
			}
		}
		if len(responses) != 2 {
			return verdict(false, "%d responses with dividers %s, expected 2", len(responses), divider)
		}
		return verdict(responses[0] != responses[1], "both responses are the same")
	}
}

func repeatPrompt(s *settings) check {
	prompt := lower(strip(s.text("prompt_to_repeat")))
	return func(answer string) checks.Verdict {
		return verdict(strings.HasPrefix(lower(strip(answer)), prompt), "the answer does not begin with the request")
	}
}

func endPhrase(s *settings) check {
	phrase := strip(s.text("end_phrase"))
	small := lower(phrase)
	return func(answer string) checks.Verdict {
		text := lower(strings.Trim(strip(answer), `"`))
		return verdict(strings.HasSuffix(text, small), "the answer does not end with %q", phrase)
	}
}

func quotation(*settings) check {
	return func(answer string) checks.Verdict {
		text := strip(answer)
		quoted := len(text) > 1 && strings.HasPrefix(text, `"`) && strings.HasSuffix(text, `"`)
		return verdict(quoted, "the answer does not stand in double quotation marks")
	}
}

func noComma(*settings) check {
	return func(answer string) checks.Verdict {
		return verdict(!strings.Contains(answer, ","), "%d commas, expected none", strings.Count(answer, ","))
	}
}
