package ifeval

import (
	"fmt"

	"instruct/data/checks"
)

// kind is a kind of instruction: build reads its settings and gives the check.
type kind struct {
	id    string
	build func(s *settings) check
}

// kinds has them all.
var kinds = []kind{
	{"keywords:existence", keywordsExist},
	{"keywords:frequency", keywordFrequency},
	{"keywords:forbidden_words", forbiddenWords},
	{"keywords:letter_frequency", letterFrequency},
	{"language:response_language", responseLanguage},
	{"length_constraints:number_sentences", numberOfSentences},
	{"length_constraints:number_paragraphs", numberOfParagraphs},
	{"length_constraints:number_words", numberOfWords},
	{"length_constraints:nth_paragraph_first_word", firstWordOfParagraph},
	{"detectable_content:number_placeholders", numberOfPlaceholders},
	{"detectable_content:postscript", postscript},
	{"detectable_format:number_bullet_lists", numberOfBullets},
	{"detectable_format:constrained_response", constrainedResponse},
	{"detectable_format:number_highlighted_sections", numberOfHighlights},
	{"detectable_format:multiple_sections", numberOfSections},
	{"detectable_format:json_format", jsonFormat},
	{"detectable_format:title", title},
	{"combination:two_responses", twoResponses},
	{"combination:repeat_prompt", repeatPrompt},
	{"startend:end_checker", endPhrase},
	{"startend:quotation", quotation},
	{"change_case:capital_word_frequency", capitalWords},
	{"change_case:english_capital", englishCapitals},
	{"change_case:english_lowercase", englishLowercase},
	{"punctuation:no_comma", noComma},
}

// Kinds lists the ids of all kinds of instruction.
func Kinds() []string {
	var ids []string
	for _, k := range kinds {
		ids = append(ids, k.id)
	}
	return ids
}

// verdict passes, or fails with a reason.
func verdict(pass bool, format string, args ...any) checks.Verdict {
	if pass {
		return checks.Verdict{Pass: true}
	}
	return checks.Verdict{Reason: fmt.Sprintf(format, args...)}
}

// limit is "at least" or "less than" a number.
type limit struct {
	relation string
	number   int
}

// The two relations.
const (
	atLeast  = "at least"
	lessThan = "less than"
)

// judge compares a count of things, whose name is plural.
func (l limit) judge(count int, things string) checks.Verdict {
	pass := count >= l.number
	if l.relation == lessThan {
		pass = !pass
	}
	return verdict(pass, "%d %s, expected %s %d", count, things, l.relation, l.number)
}
