package tokenizer

import (
	"strings"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// finder finds the matches of a pattern in a text, from left to right, none overlapping another.
type finder interface {
	find(s string, match func(a, b int))
}

// findString finds a text.
type findString struct{ text string }

func (f findString) find(s string, match func(a, b int)) {
	for at := 0; ; {
		i := strings.Index(s[at:], f.text)
		if i < 0 {
			return
		}
		i += at
		at = i + len(f.text)
		match(i, at)
	}
}

// findRun finds runs of at least min bytes of a kind, such as \s+ and " {2,}".
type findRun struct {
	scan  scanner
	class uint8 // runes of a class, or
	text  byte  // one byte
	min   int
}

// any reports whether there may be a match, at little cost.
func (f findRun) any(s string) bool {
	return f.text == 0 || f.min > 2 || strings.Contains(s, string([]byte{f.text, f.text}[:f.min]))
}

func (f findRun) find(s string, match func(a, b int)) {
	for i := 0; i < len(s); {
		if f.text != 0 {
			k := strings.IndexByte(s[i:], f.text)
			if k < 0 {
				return
			}
			i += k
		}
		j, n := i, 0
		for j < len(s) {
			bits, w := uint8(0), 1
			if f.text == 0 {
				bits, w = f.scan.class(s, j)
			} else if s[j] == f.text {
				bits = f.class
			}
			if bits&f.class == 0 {
				break
			}
			j += w
			n++
		}
		if n >= f.min {
			match(i, j)
			i = j
			continue
		}
		_, w := utf8.DecodeRuneInString(s[j:])
		i = j + w
	}
}

// findRegex finds the matches of any other pattern with a backtracking engine.
type findRegex struct {
	re  *regexp2.Regexp
	src string // as the file has it
}

func (f findRegex) find(s string, match func(a, b int)) {
	runes := []rune(s)
	var starts []int // byte of each rune, unless all are of one byte
	if len(runes) != len(s) {
		starts = make([]int, 0, len(runes)+1)
		for i := range s {
			starts = append(starts, i)
		}
		starts = append(starts, len(s))
	}
	place := func(i int) int {
		if starts == nil {
			return i
		}
		return starts[i]
	}
	// As the Rust crate onig goes on: after an empty match that follows another match, one rune further.
	last := -1
	for at := 0; at <= len(runes); {
		m, err := f.re.FindRunesMatchStartingAt(runes, at)
		if err != nil || m == nil { // an error is a timeout, and there is none
			return
		}
		a, b := m.Index, m.Index+m.Length
		if a == b && last == b {
			at++
			continue
		}
		at, last = b, b
		match(place(a), place(b))
	}
}

// finder makes the finder of a pattern. It fails where a regular expression has a part whose meaning in Oniguruma, the
// engine of the Rust library, is not known to be the same here.
func (b *builder) finder(p pattern, what string) (finder, error) {
	if text, ok := p.literal(); ok {
		return findString{text}, nil
	}
	if p.Regex == nil {
		return nil, userf("tokenizer.json: %s has an empty pattern", what)
	}
	scan := scanner{classes: b.t.classes}
	switch *p.Regex {
	case `\s+`:
		return findRun{scan: scan, class: classSpace, min: 1}, nil
	case ` +`:
		return findRun{text: ' ', class: 1, min: 1}, nil
	case ` {2,}`:
		return findRun{text: ' ', class: 1, min: 2}, nil
	case clipRegex, clipEndsRegex:
		scan.contraction = exactContraction
		return findClip{scan, *p.Regex == clipEndsRegex}, nil
	case deepseekRegex:
		return newFindDeepseek(b.t.classes), nil
	}
	if f, ok := leadRun(*p.Regex, b.t.classes); ok {
		return f, nil
	}
	f, err := compileRegex(*p.Regex, b.t.classes)
	if err != nil {
		return nil, userf("tokenizer.json: %s %q is not supported: %w", what, *p.Regex, err)
	}
	return f, nil
}

func compileRegex(src string, classes *classTable) (findRegex, error) {
	translated, err := translateRegex(src, classes)
	if err != nil {
		return findRegex{}, err
	}
	re, err := regexp2.Compile(translated, regexp2.None)
	return findRegex{re, src}, err
}
