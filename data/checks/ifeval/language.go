package ifeval

import (
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/abadojack/whatlanggo"
)

// The reference asks langdetect 1.0.9, which knows 55 languages and whose word on short text is not what a reader would
// say: "FALSE" is German to it. So its verdicts need its habits: what it leaves out of a text is in [letters], what it
// takes texts in Latin letters for in language_latin.go. For other scripts whatlanggo says much the same.

// language is the code of the language that the reference takes a text for, or "" if it finds nothing to go by.
func language(text string) string {
	text = letters(text)
	script := whatlanggo.DetectScript(text)
	switch {
	case script == nil:
		return symbolLanguage(text)
	case script == unicode.Latin:
		return latinLanguage(text)
	}
	all := neighbours(script)
	if len(all) == 0 {
		return codes()[whatlanggo.DetectLang(text)]
	}
	return neighbour(text, all)
}

// neighbours are the languages of a script that several share, the most common first.
func neighbours(script *unicode.RangeTable) []whatlanggo.Lang {
	switch script {
	case unicode.Cyrillic:
		return []whatlanggo.Lang{whatlanggo.Rus, whatlanggo.Ukr, whatlanggo.Bul, whatlanggo.Mkd}
	case unicode.Arabic:
		return []whatlanggo.Lang{whatlanggo.Arb, whatlanggo.Pes, whatlanggo.Urd}
	case unicode.Devanagari:
		return []whatlanggo.Lang{whatlanggo.Hin, whatlanggo.Mar, whatlanggo.Nep}
	case unicode.Hebrew:
		return []whatlanggo.Lang{whatlanggo.Heb}
	}
	return nil
}

// neighbour is the likeliest of some languages that have all letters of a text. Where whatlanggo is not sure at all, it
// takes one of the best at random, and this the first.
func neighbour(text string, all []whatlanggo.Lang) string {
	foreign := foreignLetters()
	var able []whatlanggo.Lang
	options := whatlanggo.Options{Whitelist: map[whatlanggo.Lang]bool{}}
	for _, l := range all {
		if !strings.ContainsAny(text, foreign[l]) {
			able = append(able, l)
			options.Whitelist[l] = true
		}
	}
	if len(able) == 0 {
		return "other"
	}
	found := whatlanggo.DetectWithOptions(text, options)
	if found.Confidence == 0 {
		return codes()[able[0]]
	}
	return codes()[found.Lang]
}

// foreignLetters are letters that neighbours of a language have and it has not.
func foreignLetters() map[whatlanggo.Lang]string {
	return map[whatlanggo.Lang]string{
		whatlanggo.Bul: "ыэёіїєґјљњќѓѕџ",
		whatlanggo.Mkd: "ыэёіїєґъьщюяй",
		whatlanggo.Rus: "іїєґјљњќѓѕџ",
		whatlanggo.Ukr: "ыэёъјљњќѓѕџ",
		whatlanggo.Arb: "پچژگٹڈڑےںہ",
		whatlanggo.Pes: "ٹڈڑےں",
	}
}

// codes are the languages of other letters than Latin ones that the reference can name. It tells traditional Chinese
// from simplified, which whatlanggo does not.
func codes() map[whatlanggo.Lang]string {
	return map[whatlanggo.Lang]string{
		whatlanggo.Arb: "ar", whatlanggo.Ben: "bn", whatlanggo.Bul: "bg", whatlanggo.Cmn: "zh-cn", whatlanggo.Ell: "el",
		whatlanggo.Guj: "gu", whatlanggo.Heb: "he", whatlanggo.Hin: "hi", whatlanggo.Jpn: "ja", whatlanggo.Kan: "kn",
		whatlanggo.Kor: "ko", whatlanggo.Mal: "ml", whatlanggo.Mar: "mr", whatlanggo.Mkd: "mk", whatlanggo.Nep: "ne",
		whatlanggo.Pan: "pa", whatlanggo.Pes: "fa", whatlanggo.Rus: "ru", whatlanggo.Tam: "ta", whatlanggo.Tel: "te",
		whatlanggo.Tha: "th", whatlanggo.Ukr: "uk", whatlanggo.Urd: "ur",
	}
}

// symbolLanguage is the language of a text without a letter: the reference knows some signs from the texts that it has
// learned a language from.
func symbolLanguage(text string) string {
	switch {
	case strings.ContainsAny(text, "×·"):
		return "ko"
	case strings.ContainsAny(text, "²"):
		return "pt"
	case strings.ContainsAny(text, "£。，"):
		return "other"
	}
	return ""
}

// links are what the reference leaves out before it looks.
var links = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`https?://[-_.?&~;+=/#0-9A-Za-z]+|[-_.0-9A-Za-z]+@[-_0-9A-Za-z][-_.0-9A-Za-z]+`)
})

// letters takes links out of a text, and the characters from A to z where others are more than twice as many.
func letters(text string) string {
	text = links().ReplaceAllString(text, " ")
	latin, other := 0, 0
	for _, r := range text {
		switch {
		case r >= 'A' && r <= 'z':
			latin++
		case r >= 0x300 && (r < 0x1e00 || r > 0x1eff):
			other++
		}
	}
	if latin*2 >= other {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'z' {
			return -1
		}
		return r
	}, text)
}
