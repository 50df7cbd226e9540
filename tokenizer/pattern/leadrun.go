package pattern

import "unicode/utf8"

// runeBits is a set of runes to look up.
type runeBits struct {
	low  [tableSize / 8]uint8 // a bit for each rune below tableSize
	high []Range              // the others
}

// newRuneBits makes a table of ranges that are in order and apart.
func newRuneBits(ranges []Range) *runeBits {
	t := new(runeBits)
	for _, r := range ranges {
		for c := r.lo; c <= r.hi && c < tableSize; c++ {
			t.low[c>>3] |= 1 << (c & 7)
		}
		if r.hi >= tableSize {
			t.high = append(t.high, r)
		}
	}
	return t
}

func (t *runeBits) has(r rune) bool {
	if r < tableSize {
		return t.low[r>>3]>>(r&7)&1 != 0
	}
	for _, h := range t.high {
		if r <= h.hi {
			return r >= h.lo
		}
	}
	return false
}

// at says whether the rune at byte i of s is in the set, and how wide it is: 0 at the end.
func (t *runeBits) at(s string, i int) (in bool, w int) {
	if i >= len(s) {
		return false, 0
	}
	if b := s[i]; b < utf8.RuneSelf {
		return t.low[b>>3]>>(b&7)&1 != 0, 1
	}
	r, w := utf8.DecodeRuneInString(s[i:])
	return t.has(r), w
}

// run gives the end of the runes from byte i of s on that are in the set.
func (t *runeBits) run(s string, i int) int {
	for {
		in, w := t.at(s, i)
		if !in {
			return i
		}
		i += w
	}
}

// findLeadRun finds the matches of a pattern of one class, or of a run of it, with or without one rune of another class
// that it may begin with: such as [\r\n], [一-龥]+ and \s?\p{L}+.
type findLeadRun struct {
	lead *runeBits // nil: none
	set  *runeBits
	one  bool // no run
	src  string
}

// leadRun reads a pattern of that form; false if it has another one.
func leadRun(src string, classes *Classes) (f findLeadRun, ok bool) {
	t := translator{src: src, classes: classes}
	f = findLeadRun{one: true, src: src}
	f.set, ok = t.set()
	if !ok {
		return f, false
	}
	if t.i+1 < len(src) && src[t.i] == '?' {
		t.i++
		f.lead = f.set
		f.set, ok = t.set()
		if !ok {
			return f, false
		}
	}
	if t.i < len(src) && src[t.i] == '+' {
		t.i++
		f.one = false
	}
	return f, t.i == len(src)
}

// set reads a character or a class; false if there is neither.
func (t *translator) set() (*runeBits, bool) {
	if t.i == len(t.src) {
		return nil, false
	}
	var set *runeSet
	var r rune
	switch c := t.src[t.i]; c {
	case '[':
		set = t.class(false)
	case '\\':
		set, r = t.escape()
	case '(', ')', '|', '.', '^', '$', '*', '+', '?', '{':
		return nil, false
	default:
		var w int
		r, w = utf8.DecodeRuneInString(t.src[t.i:])
		t.i += w
	}
	if t.err != nil {
		return nil, false
	}
	if set == nil {
		set = new(runeSet)
		set.add(r, r)
	}
	return newRuneBits(set.all()), true
}

func (f findLeadRun) Source() string { return f.src }

func (f findLeadRun) Find(s string, match func(a, b int)) {
	for i := 0; i < len(s); {
		in, w := f.set.at(s, i)
		start := i
		if f.lead != nil {
			if leads, _ := f.lead.at(s, i); leads {
				if next, nw := f.set.at(s, i+w); next { // with the leading rune, which is tried first
					in, i, w = true, i+w, nw
				}
			}
		}
		i += w
		if !in {
			continue
		}
		if !f.one {
			i = f.set.run(s, i)
		}
		match(start, i)
	}
}
