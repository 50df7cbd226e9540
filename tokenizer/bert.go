package tokenizer

import (
	"unicode"

	"golang.org/x/text/unicode/norm"

	"instruct/tokenizer/pattern"
)

// bertNormalizers gives the steps of BertNormalizer (tokenizers/src/normalizers/bert.rs): clean the text, set Chinese
// characters apart, take accents off, lower the case.
func bertNormalizers(clean, chinese, accents, lower bool) []normalizer {
	var list []normalizer
	if clean {
		list = append(list, newMapRunes(bertClean))
	}
	if chinese {
		list = append(list, newMapRunes(bertChinese))
	}
	if accents {
		changes := pattern.NonspacingChanges()
		list = append(list, newForm(norm.NFD), newMapRunes(func(dst []rune, r rune) []rune {
			if r >= 0x80 && unicode.Is(unicode.Mn, r) != pattern.InRanges(changes, r) {
				return dst
			}
			return append(dst, r)
		}))
	}
	if lower {
		list = append(list, newMapRunes(lowercase))
	}
	return list
}

// bertClean drops control, format and private-use characters, as the tables of the Rust crate unicode_categories have
// them, and makes white space spaces.
func bertClean(dst []rune, r rune) []rune {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return append(dst, ' ')
	case r == 0, r == 0xFFFD:
		return dst
	case r >= ' ' && r < 0x7F:
		return append(dst, r)
	case r == 0x890, r == 0x891, r == 0x8E2, r == 0x110CD, r >= 0x13430 && r <= 0x1343F: // newer than those tables
		return append(dst, r)
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co):
		return dst
	case unicode.IsSpace(r):
		return append(dst, ' ')
	}
	return append(dst, r)
}

// bertChinese puts spaces around ideographs.
func bertChinese(dst []rune, r rune) []rune {
	switch {
	case r >= 0x4E00 && r <= 0x9FFF, r >= 0x3400 && r <= 0x4DBF, r >= 0x20000 && r <= 0x2A6DF,
		r >= 0x2A700 && r <= 0x2B73F,
		r >= 0x2B740 && r <= 0x2B81F, r >= 0x2B920 && r <= 0x2CEAF, r >= 0xF900 && r <= 0xFAFF, r >= 0x2F800 && r <= 0x2FA1F:
		return append(dst, ' ', r, ' ')
	}
	return append(dst, r)
}
