// Package checks gives verdicts on answers: pure functions of text, by the names that promptfoo gives its assertions.
//
// A [Spec] is an assertion as it is written; [NewSet] makes a test's assertions of them, or an [*Error] that says what
// is wrong, and [Set.Judge] gives verdict, score and metrics as promptfoo (0.121) does. Every type takes weight and
// metric; all but assert-set may begin with not-.
//
//	type             value                             threshold        passes
//	equals           text, number, truth value, JSON   -                the same text, or JSON that is deeply equal
//	contains         text or number                    -                an answer with the text
//	icontains        text or number                    -                the same, whatever the case
//	contains-any     list, or text with commas         -                an answer with one of the texts
//	contains-all     list, or text with commas         -                an answer with all of them
//	icontains-any    list, or text with commas         -                as contains-any, whatever the case
//	icontains-all    list, or text with commas         -                as contains-all, whatever the case
//	starts-with      text                              -                an answer that begins with the text
//	regex            JavaScript's expression           -                a match somewhere, without flags
//	is-json          none, or a JSON schema            -                JSON that is as the schema says
//	contains-json    none, or a JSON schema            -                an object in braces that is as the schema says
//	word-count       number, or min and max            -                that many words between white space
//	levenshtein      text                              most, 5          a distance in UTF-16 code units
//	rouge-n          text                              least, 0.75      the F1 of the words; the score is the F1
//	is-refusal       none                              -                an empty answer, or one with a known phrase
//	perplexity       none                              most, required   e to the mean negative log-probability
//	logprob-margin   better and worse, see [Margin]    least, 0         ours: a mean log-probability above another
//	assert-set       assert: assertions                least, none      all of them, or a mean score that is reached
//
// Where this is stricter than promptfoo it says so when the assertion is made: values that are missing, empty or of
// another type, lists that hold nothing or an empty text, counts of words that cannot be, a perplexity without a
// threshold, keywords of a schema that nothing knows, a $ref outside of JSON text, a multipleOf that is no whole
// number, expressions that JavaScript reads otherwise than they look ([Regexp]).
//
// Known to differ in verdicts: JSON nested deeper than 10,000 levels is none here; in contains-json, an answer with a
// YAML tag other than !!str is none, and a time without quotes is an empty object to a schema; to a schema, a number
// that is out of range is a truth value; rouge-n takes a quote behind a raised letter (".ⁿ") for a closing one; a
// regular expression that looks at an answer for ten seconds fails; letters that Unicode gained after version 15 have
// no lower case.
package checks
