package tokenizer

import (
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"instruct/tokenizer/pattern"
)

// form is a Unicode normal form. The alignment of what changes follows the Rust crate unicode-normalization-alignments:
// a decomposition keeps the range of its rune, a composition keeps the range of its first rune only.
type form struct {
	form    norm.Form
	compose bool
	marks   []pattern.Range // changes to what is a combining mark
	whole   []pattern.Range // runes that are not decomposed
}

func newForm(f norm.Form) form {
	return form{f, f == norm.NFC || f == norm.NFKC, pattern.MarkChanges(), pattern.Undecomposed()}
}

// change is a rune of the new text with what the Rust library calls its change: 0 replaces one old rune, 1 is inserted,
// -n replaces one and removes the n after it.
type change struct {
	r      rune
	ccc    uint8
	change int
}

func (n form) apply(p piece, out *buffer) piece {
	if n.form.IsNormalString(p.s) {
		return p
	}
	out.reset()
	var room [64]change
	changes := room[:0]
	for i := 0; i < len(p.s); {
		q := n.form.QuickSpanString(p.s[i:])
		out.copy(p, i, i+q)
		i += q
		if i == len(p.s) {
			break
		}
		end := n.segment(p.s, i)
		changes = n.decompose(changes[:0], p.s[i:end])
		if n.compose {
			changes = n.compositions(changes)
		}
		out.transform(p, i, changes)
		i = end
	}
	return out.piece()
}

// segment gives the end of the run of runes from i on that may interact with each other.
func (n form) segment(s string, i int) int {
	for first := true; i < len(s); first = false {
		props := n.form.PropertiesString(s[i:])
		if !first && props.BoundaryBefore() {
			break
		}
		i += max(props.Size(), 1)
	}
	return i
}

// decompose appends the decomposition of s in canonical order.
func (n form) decompose(dst []change, s string) []change {
	d := norm.NFD
	if n.form == norm.NFKC || n.form == norm.NFKD {
		d = norm.NFKD
	}
	for i := 0; i < len(s); {
		r, w := utf8.DecodeRuneInString(s[i:])
		if pattern.InRanges(n.whole, r) {
			dst = append(dst, change{r: r})
		} else if hangul := r - 0xAC00; hangul >= 0 && hangul < 11172 {
			dst = append(dst, change{r: 0x1100 + hangul/588}, change{r: 0x1161 + hangul%588/28, change: 1})
			if t := hangul % 28; t != 0 {
				dst = append(dst, change{r: 0x11A7 + t, change: 1})
			}
		} else if parts := d.PropertiesString(s[i:]).Decomposition(); parts != nil {
			for k := 0; k < len(parts); {
				r, w := utf8.DecodeRune(parts[k:])
				dst = append(dst, change{r, n.combiningClass(r, d.Properties(parts[k:])), min(k, 1)})
				k += w
			}
		} else {
			dst = append(dst, change{r, n.combiningClass(r, d.PropertiesString(s[i:])), 0})
		}
		i += w
	}
	for i := 0; i < len(dst); {
		j := i + 1
		if dst[i].ccc != 0 {
			for j < len(dst) && dst[j].ccc != 0 {
				j++
			}
			slices.SortStableFunc(dst[i:j], func(a, b change) int { return int(a.ccc) - int(b.ccc) })
		}
		i = j
	}
	return dst
}

// compositions joins what can be joined, in place (Unicode 15, section 3.11, D117).
func (n form) compositions(c []change) []change {
	out := c[:0]
	starter, lastCCC := -1, -1
	for _, ch := range c {
		if starter >= 0 && (lastCCC < int(ch.ccc) || lastCCC == -1) {
			if r, ok := n.composePair(out[starter].r, ch.r); ok {
				out[starter].r = r
				out[starter].change += ch.change - 1
				continue
			}
		}
		if ch.ccc == 0 {
			starter, lastCCC = len(out), -1
		} else {
			lastCCC = int(ch.ccc)
		}
		out = append(out, ch)
	}
	return out
}

// composePair gives the primary composite of a and b.
func (n form) composePair(a, b rune) (rune, bool) {
	var room [2 * utf8.UTFMax]byte
	two := utf8.AppendRune(utf8.AppendRune(room[:0], a), b)
	var into [2 * utf8.UTFMax]byte
	one := norm.NFC.Append(into[:0], two...)
	r, w := utf8.DecodeRune(one)
	return r, w == len(one) && !pattern.InRanges(n.whole, r)
}

// combiningClass is the canonical combining class of r. Marks that the Rust library's older tables do not have are 0.
func (n form) combiningClass(r rune, props norm.Properties) uint8 {
	if ccc := props.CCC(); ccc != 0 && !pattern.InRanges(n.marks, r) {
		return ccc
	}
	return 0
}

// transform appends changes that take the place of the text of p from byte i on.
func (t *buffer) transform(p piece, i int, changes []change) {
	var last span
	for _, c := range changes {
		if c.change > 0 {
			if i > 0 {
				_, w := utf8.DecodeLastRuneInString(p.s[:i])
				last = p.runeSpan(i-w, w)
			}
			t.addRune(c.r, last)
			continue
		}
		if i == len(p.s) { // only after a rune at the very start was removed without a trace
			t.addRune(c.r, last)
			continue
		}
		_, w := utf8.DecodeRuneInString(p.s[i:])
		last = p.runeSpan(i, w)
		t.addRune(c.r, last)
		for k := c.change; k <= 0 && i < len(p.s); k++ {
			_, w := utf8.DecodeRuneInString(p.s[i:])
			i += w
		}
	}
}
