package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"instruct/tokenizer/pattern"
)

// normalizer changes a text before it is split. It returns p itself when there is nothing to change, or else fills out
// and returns its piece.
type normalizer interface {
	apply(p piece, out *buffer) piece
}

// prepend puts a string in front of a text that is not empty.
type prepend struct{ s string }

func (n prepend) apply(p piece, out *buffer) piece {
	if p.s == "" {
		return p
	}
	return prependTo(p, n.s, out)
}

// prependTo fills out with s and p; s stands for the same range of the original as the first rune of p.
func prependTo(p piece, s string, out *buffer) piece {
	out.reset()
	_, w := utf8.DecodeRuneInString(p.s)
	first := p.runeSpan(0, w)
	out.add(s, first)
	out.add(p.s[:w], first)
	out.copy(p, w, len(p.s))
	return out.piece()
}

// replaceText puts new in the place of every old. It stands for the range of the last rune that it replaces.
type replaceText struct{ old, new string }

func (n replaceText) apply(p piece, out *buffer) piece {
	i := strings.Index(p.s, n.old)
	if i < 0 {
		return p
	}
	out.reset()
	last := 0
	for i >= 0 {
		last = replaceMatch(p, out, last, last+i, last+i+len(n.old), n.new)
		i = strings.Index(p.s[last:], n.old)
	}
	out.copy(p, last, len(p.s))
	return out.piece()
}

// replaceMatch appends what lies before the match a to b of p, and text for the match.
func replaceMatch(p piece, out *buffer, last, a, b int, text string) int {
	out.copy(p, last, a)
	var sp span
	if b > 0 {
		_, w := utf8.DecodeLastRuneInString(p.s[:b])
		sp = p.runeSpan(b-w, w)
	}
	out.add(text, sp)
	return b
}

// replaceFound is replaceText for any other pattern.
type replaceFound struct {
	old pattern.Finder
	new string
}

func (n replaceFound) apply(p piece, out *buffer) piece {
	if run, ok := n.old.(pattern.Run); p.s == "" || ok && !run.Any(p.s) {
		return p
	}
	last := -1
	n.old.Find(p.s, func(a, b int) {
		if last < 0 {
			out.reset()
			last = 0
		}
		last = replaceMatch(p, out, last, a, b, n.new)
	})
	if last < 0 {
		return p
	}
	out.copy(p, last, len(p.s))
	return out.piece()
}

// strip removes white space at the ends.
type strip struct{ left, right bool }

func (n strip) apply(p piece, _ *buffer) piece {
	a, b := 0, len(p.s)
	if n.left {
		a = b - len(strings.TrimLeftFunc(p.s, unicode.IsSpace))
	}
	if n.right {
		b = a + len(strings.TrimRightFunc(p.s[a:], unicode.IsSpace))
	}
	return p.slice(a, b)
}

// mapRunes replaces each rune by the runes that f appends; none removes it.
type mapRunes struct {
	f    func(dst []rune, r rune) []rune
	same [utf8.RuneSelf]bool // the runes of ASCII that f leaves alone
}

func newMapRunes(f func(dst []rune, r rune) []rune) *mapRunes {
	n := &mapRunes{f: f}
	var room [4]rune
	for r := range rune(utf8.RuneSelf) {
		to := f(room[:0], r)
		n.same[r] = len(to) == 1 && to[0] == r
	}
	return n
}

func (n *mapRunes) apply(p piece, out *buffer) piece {
	var room [4]rune
	same := 0 // bytes at the start that do not change
	for same < len(p.s) {
		if b := p.s[same]; b < utf8.RuneSelf {
			if !n.same[b] {
				break
			}
			same++
			continue
		}
		r, w := utf8.DecodeRuneInString(p.s[same:])
		if to := n.f(room[:0], r); len(to) != 1 || to[0] != r {
			break
		}
		same += w
	}
	if same == len(p.s) {
		return p
	}
	out.reset()
	out.copy(p, 0, same)
	for i := same; i < len(p.s); {
		r, w := utf8.DecodeRuneInString(p.s[i:])
		for _, to := range n.f(room[:0], r) {
			out.addRune(to, p.runeSpan(i, w))
		}
		i += w
	}
	return out.piece()
}

// lowercase is the simple mapping of each rune, with the one full mapping that Unicode has without context, and with
// what Unicode 16 and 17, which Rust goes by, add to Go's Unicode 15.
func lowercase(dst []rune, r rune) []rune {
	switch {
	case r == 'İ':
		return append(dst, 'i', '\u0307')
	case r == 0x1C89, r >= 0xA7CC && r <= 0xA7DA && r != 0xA7D0 && r != 0xA7D6 && r != 0xA7D8 && r&1 == 0:
		r++
	case r == 0xA7CB:
		r = 0x264
	case r == 0xA7DC:
		r = 0x19B
	case r >= 0x10D50 && r <= 0x10D65:
		r += 0x20
	case r >= 0x16EA0 && r <= 0x16EB8:
		r += 0x1B
	}
	return append(dst, unicode.ToLower(r))
}

// stripAccents removes combining marks, as the Rust library counts them.
func stripAccents() *mapRunes {
	changes := pattern.MarkChanges()
	return newMapRunes(func(dst []rune, r rune) []rune {
		mark := r >= 0x80 && unicode.Is(unicode.M, r)
		if pattern.InRanges(changes, r) {
			mark = !mark
		}
		if mark {
			return dst
		}
		return append(dst, r)
	})
}

// nmt drops control characters and makes other separators spaces, as the SentencePiece rule of this name does.
func nmt(dst []rune, r rune) []rune {
	switch {
	case r >= 1 && r <= 8, r == 0x0B, r >= 0x0E && r <= 0x1F, r == 0x7F, r == 0x8F, r == 0x9F:
		return dst
	case r == '\t', r == '\n', r == '\f', r == '\r', r == 0x1680, r >= 0x200B && r <= 0x200F, r == 0x2028, r == 0x2029,
		r == 0x2581, r == 0xFEFF, r == 0xFFFD:
		return append(dst, ' ')
	}
	return append(dst, r)
}

// byteLevel writes every byte as its rune of the GPT-2 alphabet.
type byteLevel struct{ alphabet *alphabet }

func (n byteLevel) apply(p piece, out *buffer) piece {
	out.reset()
	for i := 0; i < len(p.s); {
		_, w := utf8.DecodeRuneInString(p.s[i:])
		sp := p.runeSpan(i, w)
		for range w {
			out.addRune(n.alphabet.runes[p.s[i]], sp)
			i++
		}
	}
	return out.piece()
}
