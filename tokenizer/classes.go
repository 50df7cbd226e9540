package tokenizer

import "unicode"

// Character classes that pre-tokenizers ask for, as bits.
const (
	classLetter uint8 = 1 << iota // \p{L}
	classNumber                   // \p{N}
	classSpace                    // \s: White_Space
	classUpper                    // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
	classLower                    // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
	classMark                     // \p{M}
	classPunct                    // \p{P}, and all of ASCII's punctuation and symbols
	classWord                     // \w: Alphabetic, M, Nd, Pc, Join_Control
)

// classHan is what classMark means in the tables of withHan: \p{Han}.
const classHan = classMark

// tableSize covers the basic and the supplementary multilingual plane; what lies above is looked up range by range.
const tableSize = 0x20000

// classTable maps a rune to its class bits.
type classTable struct {
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
		{classLetter, []*unicode.RangeTable{unicode.L}},
		{classNumber, []*unicode.RangeTable{unicode.N}},
		{classSpace, []*unicode.RangeTable{unicode.White_Space}},
		{classUpper, []*unicode.RangeTable{unicode.Lu, unicode.Lt, unicode.Lm, unicode.Lo, unicode.M}},
		{classLower, []*unicode.RangeTable{unicode.Ll, unicode.Lm, unicode.Lo, unicode.M}},
		{classMark, []*unicode.RangeTable{unicode.M}},
		{classPunct, []*unicode.RangeTable{unicode.P}},
		{classWord, []*unicode.RangeTable{unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control}},
	}
}

func newClassTable() *classTable {
	t := new(classTable)
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
			t.bits[c] ^= classPunct
		}
	}
	for r := rune('!'); r <= '~'; r++ {
		if t.bits[r]&(classLetter|classNumber) == 0 {
			t.bits[r] |= classPunct
		}
	}
	return t
}

func (t *classTable) set(lo, hi, stride rune, bits uint8) {
	for r := lo; r <= hi && r < tableSize; r += stride {
		t.bits[r] |= bits
	}
}

// rustNumbers is t with the numbers that Rust itself, which is of Unicode 17, knows beyond those of Oniguruma.
func (t *classTable) rustNumbers() *classTable {
	more := *t
	more.set(0x11DE0, 0x11DE9, 1, classNumber)
	more.set(0x16FF4, 0x16FF6, 1, classNumber)
	return &more
}

// withHan is t for patterns that keep Han apart: its runes are classHan, which no other rune is, and neither upper nor lower
// case.
func (t *classTable) withHan() *classTable {
	more := *t
	more.han = true
	for r := range more.bits {
		more.bits[r] &^= classMark
	}
	var han runeSet
	han.addProperty("Han")
	for _, c := range han.all() {
		for r := c.lo; r <= c.hi && r < tableSize; r++ {
			more.bits[r] = more.bits[r]&^(classUpper|classLower) | classHan
		}
	}
	return &more
}

// of gives the class bits of r.
func (t *classTable) of(r rune) uint8 {
	if uint32(r) < tableSize {
		return t.bits[r]
	}
	bits := highClass(r)
	if t.han && bits&classLetter != 0 { // all of them are Han
		return bits&^(classUpper|classLower) | classHan
	}
	if t.han {
		return bits &^ classMark
	}
	return bits
}

// highClass is of for the planes beyond the table, which hold ideographs and variation selectors only.
func highClass(r rune) uint8 {
	switch {
	case unicode.Is(unicode.Lo, r), r >= 0x2EBF0 && r <= 0x2EE5D: // the second range is extension I, of Unicode 15.1
		return classLetter | classUpper | classLower | classWord
	case unicode.Is(unicode.M, r):
		return classMark | classUpper | classLower | classWord
	}
	return 0
}
