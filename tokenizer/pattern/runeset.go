package pattern

import (
	"slices"
	"strings"
	"unicode"
)

// runeSet is a class of runes on its way into a pattern: ranges, and general categories and scripts by name.
type runeSet struct {
	negated bool
	names   []string // that regexp2 knows as \p{...}, with newerCategories missing there
	ranges  []Range
}

func (s *runeSet) add(lo, hi rune) { s.ranges = append(s.ranges, Range{lo, hi}) }

// addFolded adds an ASCII character and what differs from it in case only.
func (s *runeSet) addFolded(r rune) {
	s.add(r, r)
	low := r | 0x20
	if low < 'a' || low > 'z' {
		return
	}
	s.add(low, low)
	s.add(low-0x20, low-0x20)
	switch low {
	case 'k':
		s.add(0x212A, 0x212A) // the Kelvin sign
	case 's':
		s.add(0x17F, 0x17F) // the long s
	}
}

// addShorthand adds what \s, \d or \w stands for.
func (s *runeSet) addShorthand(c rune, classes *Classes) {
	switch c {
	case 's':
		s.addTable(unicode.White_Space)
	case 'd':
		s.addProperty("Nd")
	case 'w':
		for _, name := range []string{"L", "M", "Nd", "Nl", "Pc"} {
			s.addProperty(name)
		}
		for r := range rune(tableSize) {
			if classes.bits[r]&Word != 0 && !unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc) {
				s.add(r, r)
			}
		}
		s.ranges = joinRanges(s.ranges)
	}
}

func (s *runeSet) addTable(t *unicode.RangeTable) {
	eachRange(t, func(lo, hi, stride rune) {
		if stride == 1 {
			s.add(lo, hi)
			return
		}
		for c := lo; c <= hi; c += stride {
			s.add(c, c)
		}
	})
	s.ranges = joinRanges(s.ranges)
}

// addProperty adds a general category or a script; false if its exact runes are not known.
func (s *runeSet) addProperty(name string) bool {
	_, category := unicode.Categories[name]
	switch {
	case category && !strings.HasPrefix(name, "C"):
	case name == "Han", name == "Hiragana", name == "Katakana", name == "Hangul", name == "Latin", name == "Cyrillic",
		name == "Greek", name == "Arabic", name == "Hebrew", name == "Thai":
	default:
		return false
	}
	switch name { // one rune has moved from Mc to Mn
	case "Mn":
		s.addTable(unicode.Mn)
		s.add(0x1171E, 0x1171E)
	case "Mc":
		s.addTable(unicode.Mc)
		s.remove(0x1171E)
	default:
		s.names = append(s.names, name)
	}
	for key, ranges := range newerCategories() {
		if _, category := unicode.Categories[key]; key == name || category && len(name) == 1 && key[0] == name[0] {
			s.ranges = append(s.ranges, ranges...)
		}
	}
	return true
}

// addSet adds the runes of another set, which may be negated.
func (s *runeSet) addSet(o *runeSet) {
	if o.negated {
		s.ranges = append(s.ranges, o.all()...)
		return
	}
	s.names = append(s.names, o.names...)
	s.ranges = append(s.ranges, o.ranges...)
}

// all gives the runes of the set as ranges, in order and apart.
func (s *runeSet) all() []Range {
	list := slices.Clone(s.ranges)
	for _, name := range s.names {
		var t runeSet
		if c, ok := unicode.Categories[name]; ok {
			t.addTable(c)
		} else {
			t.addTable(unicode.Scripts[name])
		}
		list = append(list, t.ranges...)
	}
	list = joinRanges(list)
	if !s.negated {
		return list
	}
	var others runeSet
	next := rune(0)
	for _, r := range list {
		others.addBetween(next, r.lo-1)
		next = r.hi + 1
	}
	others.addBetween(next, unicode.MaxRune)
	return others.ranges
}

// intersect gives what is in both lists, each of which is in order and apart.
func intersect(a, b []Range) (both []Range) {
	for len(a) > 0 && len(b) > 0 {
		if lo, hi := max(a[0].lo, b[0].lo), min(a[0].hi, b[0].hi); lo <= hi {
			both = append(both, Range{lo, hi})
		}
		if a[0].hi < b[0].hi {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return both
}

// remove takes one rune out of the ranges.
func (s *runeSet) remove(r rune) {
	for i, c := range s.ranges {
		if c.lo <= r && r <= c.hi {
			s.ranges = slices.Delete(s.ranges, i, i+1)
			s.addBetween(c.lo, r-1)
			s.addBetween(r+1, c.hi)
			return
		}
	}
}

// addBetween adds what lies from lo to hi, if anything does; neither is left to be a surrogate, which no text has.
func (s *runeSet) addBetween(lo, hi rune) {
	if lo >= 0xD800 && lo <= 0xDFFF {
		lo = 0xE000
	}
	if hi >= 0xD800 && hi <= 0xDFFF {
		hi = 0xD7FF
	}
	if lo <= hi {
		s.add(lo, hi)
	}
}

// joinRanges sorts ranges and joins those that touch.
func joinRanges(ranges []Range) []Range {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b Range) int { return int(a.lo) - int(b.lo) })
	out := ranges[:0]
	for _, r := range ranges {
		if n := len(out); n > 0 && r.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, r.hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

// pattern writes the set for regexp2.
func (s *runeSet) pattern() string {
	if len(s.names)+len(s.ranges) == 0 { // regexp2 has no empty class
		if s.negated {
			return `[\s\S]`
		}
		return `(?!)`
	}
	var b strings.Builder
	b.WriteByte('[')
	if s.negated {
		b.WriteByte('^')
	}
	for _, name := range s.names {
		b.WriteString(`\p{` + name + `}`)
	}
	for _, r := range joinRanges(s.ranges) {
		b.WriteString(quoteRune(r.lo))
		if r.hi > r.lo {
			b.WriteByte('-')
			b.WriteString(quoteRune(r.hi))
		}
	}
	b.WriteByte(']')
	return b.String()
}

// quoteRune writes a rune so that it stands for itself, in a class and outside.
func quoteRune(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r < ' ' || r == 0x7F:
		const digits = "0123456789abcdef"
		return `\x` + string(digits[r>>4]) + string(digits[r&15])
	case r < 0x80 && !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == ' ' || r == '_'):
		return `\` + string(r)
	}
	return string(r)
}
