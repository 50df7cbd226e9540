package ifeval

import (
	"instruct/data/checks"
)

// The language of an answer. One in which the reference finds no language follows all three kinds.

// targets are the languages that the reference can ask for.
func targets() []string {
	return []string{"ar", "bg", "bn", "de", "en", "es", "fa", "fi", "fr", "gu", "he", "hi", "it", "ja", "kn", "ko", "ml",
		"mr", "ne", "pa", "pl", "pt", "ru", "sw", "ta", "te", "th", "uk", "ur", "vi"}
}

func responseLanguage(s *settings) check {
	wanted := s.oneOf("language", targets()...)
	return func(answer string) checks.Verdict { return inLanguage(answer, wanted) }
}

func inLanguage(answer, wanted string) checks.Verdict {
	found := language(answer)
	return verdict(found == wanted || found == "", "the language looks like %s, expected %s", found, wanted)
}

func englishCapitals(*settings) check {
	return func(answer string) checks.Verdict {
		if !upperText(answer) {
			return verdict(false, "not all in capitals")
		}
		return inLanguage(answer, "en")
	}
}

func englishLowercase(*settings) check {
	return func(answer string) checks.Verdict {
		if !lowerText(answer) {
			return verdict(false, "not all in lower case")
		}
		return inLanguage(answer, "en")
	}
}
