package tokenizer

import (
	"unicode/utf8"
	"unsafe"
)

// span is a byte range of the original text.
type span struct{ start, end int }

// piece is a part of the text on its way through the pipeline. While nothing has changed it (align is nil) byte i of s
// is byte base+i of the original; afterwards align gives, for each byte of s, the original range that it came from.
type piece struct {
	s     string
	base  int
	align []span
}

// slice is the part of p from byte a to byte b.
func (p piece) slice(a, b int) piece {
	if p.align == nil {
		return piece{s: p.s[a:b], base: p.base + a}
	}
	return piece{s: p.s[a:b], align: p.align[a:b]}
}

// origin is the range of the original text behind bytes a to b of p; a < b.
func (p piece) origin(a, b int) (start, end int) {
	if p.align == nil {
		return p.base + a, p.base + b
	}
	return p.align[a].start, p.align[b-1].end
}

// start is where p begins in the original text.
func (p piece) start() int {
	if len(p.align) == 0 {
		return p.base
	}
	return p.align[0].start
}

// runeSpan is the original range of the whole rune of n bytes at byte i of p.
func (p piece) runeSpan(i, n int) span {
	if p.align == nil {
		return span{p.base + i, p.base + i + n}
	}
	return p.align[i]
}

// buffer holds a changed text together with its alignment. Its memory is reused from one text to the next.
type buffer struct {
	b     []byte
	align []span
}

func (t *buffer) reset() { t.b, t.align = t.b[:0], t.align[:0] }

// add appends s, all of it standing for the original range sp.
func (t *buffer) add(s string, sp span) {
	t.b = append(t.b, s...)
	for range len(s) {
		t.align = append(t.align, sp)
	}
}

// addRune appends r, standing for sp.
func (t *buffer) addRune(r rune, sp span) {
	n := len(t.b)
	t.b = utf8.AppendRune(t.b, r)
	for range len(t.b) - n {
		t.align = append(t.align, sp)
	}
}

// copy appends bytes a to b of p, which are whole runes, unchanged.
func (t *buffer) copy(p piece, a, b int) {
	t.b = append(t.b, p.s[a:b]...)
	if p.align != nil {
		t.align = append(t.align, p.align[a:b]...)
		return
	}
	for i := a; i < b; {
		n := 1
		if p.s[i] >= utf8.RuneSelf {
			_, n = utf8.DecodeRuneInString(p.s[i:])
		}
		sp := span{p.base + i, p.base + i + n}
		for range n {
			t.align = append(t.align, sp)
		}
		i += n
	}
}

// piece gives the buffer's text. It is valid until the buffer is reset.
func (t *buffer) piece() piece {
	return piece{s: unsafe.String(unsafe.SliceData(t.b), len(t.b)), align: t.align}
}

// repair fills t with s, each maximal subpart that is not UTF-8 replaced by U+FFFD.
func (t *buffer) repair(s string) piece {
	t.reset()
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			n, _ = badPrefix(s[i:])
		}
		t.addRune(r, span{i, i + n})
		i += n
	}
	return t.piece()
}
