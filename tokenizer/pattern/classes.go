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

// classTables says which Unicode tables make a class.
func classTables() map[uint8][]*unicode.RangeTable {
	return map[uint8][]*unicode.RangeTable{
		Letter: {unicode.L},
		Number: {unicode.N},
		Space:  {unicode.White_Space},
		Upper:  {unicode.Lu, unicode.Lt, unicode.Lm, unicode.Lo, unicode.M},
		Lower:  {unicode.Ll, unicode.Lm, unicode.Lo, unicode.M},
		Mark:   {unicode.M},
		Punct:  {unicode.P},
		Word: {
			unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control,
		},
	}
}

// newerClasses are the classes of what newerCategories adds.
func newerClasses() map[string]uint8 {
	return map[string]uint8{
		"Lu": Letter | Upper | Word,
		"Ll": Letter | Lower | Word,
		"Lm": Letter | Upper | Lower | Word,
		"Lo": Letter | Upper | Lower | Word,
		"Nd": Number | Word,
		"Mn": Mark | Upper | Lower | Word,
		"Mc": Mark | Upper | Lower | Word,
	}
}

// NewClasses makes the table of Unicode 16, by which Oniguruma splits.
func NewClasses() *Classes {
	t := new(Classes)
	for bits, tables := range classTables() {
		for _, table := range tables {
			eachRange(table, func(lo, hi, stride rune) { t.set(lo, hi, stride, bits) })
		}
	}
	newer := newerCategories()
	for name, bits := range newerClasses() {
		for _, r := range newer[name] {
			t.set(r.lo, r.hi, 1, bits)
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

// eachRange gives the ranges of a table.
func eachRange(t *unicode.RangeTable, take func(lo, hi, stride rune)) {
	for _, r := range t.R16 {
		take(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range t.R32 {
		take(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
}

// highClass is Of for the planes beyond the table, which hold ideographs and variation selectors only.
func highClass(r rune) uint8 {
	switch {
	case unicode.Is(unicode.Lo, r), r >= 0x2EBF0 && r <= 0x2EE5D: // the second range is extension I, of Unicode 15.1
		return Letter | Upper | Lower | Word
	case unicode.Is(unicode.M, r):
		return Mark | Upper | Lower | Word
	}
	return 0
}
