package pattern

import "unicode"

// Character classes that pre-tokenizers ask for, as bits.
const (
	Letter uint8 = 1 << iota // \p{L}
	Number                   // \p{N}
	Space                    // \s: White_Space
	Upper                    // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
	Lower                    // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
	Mark                     // \p{M}
	Punct                    // \p{P}, and all of ASCII's punctuation and symbols
	Word                     // \w: Alphabetic, M, Nd, Pc, Join_Control
)

// Han is what Mark means in the tables of withHan: \p{Han}.
const Han = Mark

// tableSize covers the basic and the supplementary multilingual plane; what lies above is looked up range by range.
const tableSize = 0x20000

// Classes maps a rune to its class bits.
type Classes struct {
	bits [tableSize]uint8
	han  bool // a table of withHan
}

// classRanges says which Unicode ranges set which bits.
func classRanges() []struct {
	bits   uint8
	ranges []*unicode.RangeTable
} {
	return []struct {
		bits   uint8
		ranges []*unicode.RangeTable
	}{
		{Letter, []*unicode.RangeTable{unicode.L}},
		{Number, []*unicode.RangeTable{unicode.N}},
		{Space, []*unicode.RangeTable{unicode.White_Space}},
		{Upper, []*unicode.RangeTable{unicode.Lu, unicode.Lt, unicode.Lm, unicode.Lo, unicode.M}},
		{Lower, []*unicode.RangeTable{unicode.Ll, unicode.Lm, unicode.Lo, unicode.M}},
		{Mark, []*unicode.RangeTable{unicode.M}},
		{Punct, []*unicode.RangeTable{unicode.P}},
		{Word, []*unicode.RangeTable{unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control}},
	}
}

func NewClasses() *Classes {
	t := new(Classes)
	for _, c := range classRanges() {
		for _, rt := range c.ranges {
			for _, r := range rt.R16 {
				t.set(rune(r.Lo), rune(r.Hi), rune(r.Stride), c.bits)
			}
			for _, r := range rt.R32 {
				t.set(rune(r.Lo), rune(r.Hi), rune(r.Stride), c.bits)
			}
		}
	}
	for _, c := range newerRanges() {
		for _, r := range c.ranges {
			t.set(r.lo, r.hi, 1, c.bits)
		}
	}
	for _, r := range punctuationChanges() {
		for c := r.lo; c <= r.hi; c++ {
			t.bits[c] ^= Punct
		}
	}
	for r := rune('!'); r <= '~'; r++ {
		if t.bits[r]&(Letter|Number) == 0 {
			t.bits[r] |= Punct
		}
	}
	return t
}

func (t *Classes) set(lo, hi, stride rune, bits uint8) {
	for r := lo; r <= hi && r < tableSize; r += stride {
		t.bits[r] |= bits
	}
}

// RustNumbers is t with the numbers that Rust itself, which is of Unicode 17, knows beyond those of Oniguruma.
func (t *Classes) RustNumbers() *Classes {
	more := *t
	more.set(0x11DE0, 0x11DE9, 1, Number)
	more.set(0x16FF4, 0x16FF6, 1, Number)
	return &more
}

// withHan is t for patterns that keep Han apart: its runes are Han, which no other rune is, and neither upper nor lower
// case.
func (t *Classes) withHan() *Classes {
	more := *t
	more.han = true
	for r := range more.bits {
		more.bits[r] &^= Mark
	}
	var han runeSet
	han.addProperty("Han")
	for _, c := range han.all() {
		for r := c.lo; r <= c.hi && r < tableSize; r++ {
			more.bits[r] = more.bits[r]&^(Upper|Lower) | Han
		}
	}
	return &more
}

// Of gives the class bits of r.
func (t *Classes) Of(r rune) uint8 {
	if uint32(r) < tableSize {
		return t.bits[r]
	}
	bits := highClass(r)
	if t.han && bits&Letter != 0 { // all of them are Han
		return bits&^(Upper|Lower) | Han
	}
	if t.han {
		return bits &^ Mark
	}
	return bits
}

// highClass is of for the planes beyond the table, which hold ideographs and variation selectors only.
func highClass(r rune) uint8 {
	switch {
	case unicode.Is(unicode.Lo, r), r >= 0x2EBF0 && r <= 0x2EE5D: // the second range is extension I, of Unicode 15.1
		return Letter | Upper | Lower | Word
	case unicode.Is(unicode.M, r):
		return Mark | Upper | Lower | Word
	}
	return 0
}
