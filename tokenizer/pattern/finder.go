package pattern

import (
	"strings"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// Finder finds the matches of a pattern in a text, from left to right, none overlapping another.
type Finder interface {
	Find(s string, match func(a, b int))
	// Source is the regular expression, or the text of a literal.
	Source() string
}

// Literal finds a text.
type Literal string

func (f Literal) Source() string { return string(f) }

func (f Literal) Find(s string, match func(a, b int)) {
	for at := 0; ; {
		i := strings.Index(s[at:], string(f))
		if i < 0 {
			return
		}
		i += at
		at = i + len(f)
		match(i, at)
	}
}

// Run finds runs of at least min bytes of a kind, such as \s+ and " {2,}".
type Run struct {
	scan  Scanner
	class uint8 // runes of a class, or
	text  byte  // one byte
	Min   int
}

// Any reports whether there may be a match, at little cost.
func (f Run) Any(s string) bool {
	return f.text == 0 || f.Min > 2 || strings.Contains(s, string([]byte{f.text, f.text}[:f.Min]))
}

func (f Run) Source() string {
	switch {
	case f.text == 0:
		return `\s+`
	case f.Min == 1:
		return ` +`
	}
	return ` {2,}`
}

func (f Run) Find(s string, match func(a, b int)) {
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
				bits, w = f.scan.Class(s, j)
			} else if s[j] == f.text {
				bits = f.class
			}
			if bits&f.class == 0 {
				break
			}
			j += w
			n++
		}
		if n >= f.Min {
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

func (f findRegex) Source() string { return f.src }

func (f findRegex) Find(s string, match func(a, b int)) {
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

// NewFinder makes the finder of a regular expression. It fails where one has a part whose meaning in Oniguruma, the
// engine of the Rust library, is not known to be the same here.
func NewFinder(regex string, classes *Classes) (Finder, error) {
	if text, ok := plainText(regex); ok {
		return Literal(text), nil
	}
	switch regex {
	case `\s+`:
		return Run{scan: Scanner{Classes: classes}, class: Space, Min: 1}, nil
	case ` +`:
		return Run{text: ' ', class: 1, Min: 1}, nil
	case ` {2,}`:
		return Run{text: ' ', class: 1, Min: 2}, nil
	case CLIP, CLIPEnds:
		scan := Scanner{Classes: classes}
		scan.contraction = exactContraction
		return findClip{scan, regex == CLIPEnds}, nil
	case deepseekRegex:
		return newFindDeepseek(classes), nil
	}
	if f, ok := leadRun(regex, classes); ok {
		return f, nil
	}
	return compileRegex(regex, classes)
}

// plainText gives the text that a regular expression matches, if that is a single one.
func plainText(regex string) (string, bool) {
	const special = `.+*?()|[]{}^$\`
	var text []byte
	for i := 0; i < len(regex); i++ {
		c := regex[i]
		if c == '\\' && i+1 < len(regex) && strings.IndexByte(special+"/-'\"", regex[i+1]) >= 0 {
			i++
			c = regex[i]
		} else if strings.IndexByte(special, c) >= 0 {
			return "", false
		}
		text = append(text, c)
	}
	return string(text), len(text) > 0
}

func compileRegex(src string, classes *Classes) (findRegex, error) {
	translated, err := translateRegex(src, classes)
	if err != nil {
		return findRegex{}, err
	}
	re, err := regexp2.Compile(translated, regexp2.None)
	return findRegex{re, src}, err
}
