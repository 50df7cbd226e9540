package checks

import (
	"fmt"
	"time"
	"unicode/utf16"

	"github.com/dlclark/regexp2"
)

// matchTimeout bounds how long one expression may look at one answer: those that go back and forth can take for ever.
const matchTimeout = 10 * time.Second

// Regexp is a regular expression with JavaScript's rules. It matches as RegExp.prototype.test does, without flags or,
// where it was compiled so, with the flag u.
//
// What differs: a reference to a group inside a repetition sees what an earlier round captured, where JavaScript
// forgets it; and what JavaScript reads in a way that its author hardly meant is refused: letters escaped for no
// reason, octal escapes, references to groups that there are not, \p without u.
type Regexp struct {
	source  string
	unicode bool
	re      *regexp2.Regexp
}

// CompileRegexp compiles JavaScript's new RegExp(source), or new RegExp(source, "u").
func CompileRegexp(source string, unicode bool) (*Regexp, error) {
	t := newTranslation(source, unicode)
	if err := t.run(); err != nil {
		return nil, fmt.Errorf("invalid regular expression %q: %w", source, err)
	}
	re, err := regexp2.Compile(t.out.String(), regexp2.ECMAScript)
	if err != nil {
		return nil, fmt.Errorf("invalid regular expression %q: %w", source, err)
	}
	re.MatchTimeout = matchTimeout
	return &Regexp{source, unicode, re}, nil
}

// String is the expression as it was written.
func (r *Regexp) String() string { return r.source }

// Match says whether the expression matches somewhere in the text. The error is that it took too long.
func (r *Regexp) Match(text string) (bool, error) {
	if r.unicode {
		return r.re.MatchString(text)
	}
	return r.re.MatchRunes(unitRunes(text))
}

// MatchString is [Regexp.Match] where taking too long is no match.
func (r *Regexp) MatchString(text string) bool {
	ok, err := r.Match(text)
	return ok && err == nil
}

// surrogates is where the translation keeps the code units that are halves of a character: a rune of their own value
// would not be valid.
const surrogates = 0x100000

// unitRunes are the UTF-16 code units of a text, which are JavaScript's characters without the flag u.
func unitRunes(text string) []rune {
	out := make([]rune, 0, len(text))
	for _, r := range text {
		if r < 0x10000 {
			out = append(out, r)
			continue
		}
		high, low := utf16.EncodeRune(r)
		out = append(out, unitRune(high), unitRune(low))
	}
	return out
}

// unitRune is the rune that stands for a code unit.
func unitRune(unit rune) rune {
	if utf16.IsSurrogate(unit) {
		return unit - 0xd800 + surrogates
	}
	return unit
}

// matches makes regex.
func matches(a *assertion, spec Spec) error {
	source, err := spec.text(false)
	if err != nil {
		return err
	}
	re, err := CompileRegexp(source, false)
	if err != nil {
		return err
	}
	inverse := a.inverse
	a.judge = func(answer Answer) (bool, float64, string) {
		ok, err := re.Match(answer.Text)
		switch {
		case err != nil:
			return false, 0, fmt.Sprintf("matching %q took longer than %v", source, matchTimeout)
		case ok != inverse:
			return true, 1, ""
		case inverse:
			return false, 0, fmt.Sprintf("expected the answer not to match %q", source)
		}
		return false, 0, fmt.Sprintf("expected the answer to match %q", source)
	}
	return nil
}
