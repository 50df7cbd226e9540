package tokenizer

import (
	"strings"
	"unicode/utf8"

	"instruct/tokenizer/pattern"
)

// behavior says what becomes of the matches of a splitting pattern.
type behavior uint8

const (
	isolated behavior = iota
	removed
	mergedWithPrevious
	mergedWithNext
	contiguous
)

// cut is the byte range of a part of a piece.
type cut struct{ a, b int }

// preTokenizer splits a piece. It appends the parts' ranges in q to cuts; q is p itself or, where the text changes, the
// piece of out. An empty part is dropped by the caller.
type preTokenizer interface {
	split(p piece, out *buffer, cuts []cut) (q piece, _ []cut)
}

// splitter collects matches and gaps, in order, and turns them into cuts by its behavior.
type splitter struct {
	behavior
	cuts    []cut
	first   int  // where this piece's cuts begin
	matched bool // the last part was a match
	held    bool // mergedWithNext: the last cut is a match that may grow
}

// add takes the next part a to b of the text, which matches the pattern or lies between matches.
func (f *splitter) add(a, b int, match bool) {
	if a < b {
		f.part(a, b, match)
	}
}

// part is add for a part that may be empty, which separates its neighbours.
func (f *splitter) part(a, b int, match bool) {
	grow := false
	switch f.behavior {
	case removed:
		if match {
			return
		}
	case contiguous:
		grow = match == f.matched
	case mergedWithPrevious:
		grow = match && !f.matched
	case mergedWithNext:
		grow = !match && f.held
		f.held = match
	}
	f.matched = match
	if grow && len(f.cuts) > f.first {
		f.cuts[len(f.cuts)-1].b = b
		return
	}
	f.cuts = append(f.cuts, cut{a, b})
}

func newSplitter(b behavior, cuts []cut) splitter {
	return splitter{behavior: b, cuts: cuts, first: len(cuts)}
}

// splitWords splits by one of the known word patterns, which match everything.
type splitWords struct {
	scan     pattern.Scanner
	behavior behavior
	invert   bool
}

func (s splitWords) split(p piece, _ *buffer, cuts []cut) (piece, []cut) {
	if s.behavior == isolated || s.behavior == removed && s.invert {
		for i := 0; i < len(p.s); {
			j := s.scan.Next(p.s, i)
			cuts = append(cuts, cut{i, j})
			i = j
		}
		return p, cuts
	}
	f := newSplitter(s.behavior, cuts)
	for i := 0; i < len(p.s); {
		j := s.scan.Next(p.s, i)
		f.add(i, j, !s.invert)
		i = j
	}
	return p, f.cuts
}

// splitFound splits at each match of a pattern.
type splitFound struct {
	sep      pattern.Finder
	behavior behavior
	invert   bool
}

func (s splitFound) split(p piece, _ *buffer, cuts []cut) (piece, []cut) {
	f := newSplitter(s.behavior, cuts)
	last := 0
	if p.s != "" {
		s.sep.Find(p.s, func(a, b int) {
			f.add(last, a, s.invert)
			f.part(a, b, !s.invert)
			last = b
		})
	}
	f.add(last, len(p.s), s.invert)
	return p, f.cuts
}

// splitLength splits into parts of a number of runes.
type splitLength struct{ n int }

func (s splitLength) split(p piece, _ *buffer, cuts []cut) (piece, []cut) {
	start, n := 0, 0
	for i := range p.s {
		if n == s.n {
			cuts = append(cuts, cut{start, i})
			start, n = i, 0
		}
		n++
	}
	return p, append(cuts, cut{start, len(p.s)})
}

// splitClass splits at the runes of a class: each on its own, or a run of at most most runes (0: any number) as one.
type splitClass struct {
	scan     pattern.Scanner
	bits     uint8
	runs     bool
	most     int
	behavior behavior
	invert   bool
}

func (s splitClass) split(p piece, _ *buffer, cuts []cut) (piece, []cut) {
	f := newSplitter(s.behavior, cuts)
	last := 0
	for i := 0; i < len(p.s); {
		bits, w := s.scan.Class(p.s, i)
		if bits&s.bits == 0 {
			i += w
			continue
		}
		j := i + w
		for n := 1; s.runs && (s.most == 0 || n < s.most); n++ {
			bits, w := s.scan.Class(p.s, j)
			if bits&s.bits == 0 {
				break
			}
			j += w
		}
		f.add(last, i, s.invert)
		f.add(i, j, !s.invert)
		i, last = j, j
	}
	f.add(last, len(p.s), s.invert)
	return p, f.cuts
}

// whitespace keeps the matches of \w+|[^\w\s]+ and drops the rest.
type whitespace struct{ scan pattern.Scanner }

func (s whitespace) split(p piece, _ *buffer, cuts []cut) (piece, []cut) {
	for i := 0; i < len(p.s); {
		bits, w := s.scan.Class(p.s, i)
		j := i + w
		switch {
		case bits&pattern.Word != 0:
			j = s.scan.Run(p.s, j, pattern.Word)
			cuts = append(cuts, cut{i, j})
		case bits&pattern.Space == 0:
			j = s.scan.Until(p.s, j, pattern.Word|pattern.Space)
			cuts = append(cuts, cut{i, j})
		}
		i = j
	}
	return p, cuts
}

// prefixSpace puts a space in front of a piece that has none.
type prefixSpace struct{}

func (prefixSpace) split(p piece, out *buffer, cuts []cut) (piece, []cut) {
	if p.s != "" && p.s[0] != ' ' {
		p = prependTo(p, " ", out)
	}
	return p, append(cuts, cut{0, len(p.s)})
}

// mapBytes writes a piece in the byte alphabet, for pre-tokenizers that come after ByteLevel.
type mapBytes struct{ byteLevel }

func (m mapBytes) split(p piece, out *buffer, cuts []cut) (piece, []cut) {
	p = m.apply(p, out)
	return p, append(cuts, cut{0, len(p.s)})
}

// scheme says where Metaspace puts its mark in front of the text.
type scheme uint8

const (
	always scheme = iota
	first
	never
)

// metaspace writes spaces as a mark and splits before each.
type metaspace struct {
	mark   string
	scheme scheme
	whole  bool // do not split
}

func (m metaspace) split(p piece, out *buffer, cuts []cut) (piece, []cut) {
	lead := p.s != "" && !strings.HasPrefix(p.s, m.mark) && p.s[0] != ' ' &&
		(m.scheme == always || m.scheme == first && p.start() == 0)
	if lead || strings.IndexByte(p.s, ' ') >= 0 {
		out.reset()
		i := 0
		if lead {
			_, i = utf8.DecodeRuneInString(p.s)
			sp := p.runeSpan(0, i)
			out.add(m.mark, sp)
			out.add(p.s[:i], sp)
		}
		for i < len(p.s) {
			j := strings.IndexByte(p.s[i:], ' ')
			if j < 0 {
				out.copy(p, i, len(p.s))
				break
			}
			out.copy(p, i, i+j)
			i += j
			out.add(m.mark, p.runeSpan(i, 1))
			i++
		}
		p = out.piece()
	}
	if m.whole {
		return p, append(cuts, cut{0, len(p.s)})
	}
	return p, m.cut(p.s, cuts)
}

// cut splits before each mark.
func (m metaspace) cut(s string, cuts []cut) []cut {
	for a := 0; a < len(s); {
		b := a
		if strings.HasPrefix(s[a:], m.mark) {
			b += len(m.mark)
		}
		if k := strings.Index(s[b:], m.mark); k >= 0 {
			b += k
		} else {
			b = len(s)
		}
		cuts = append(cuts, cut{a, b})
		a = b
	}
	return cuts
}
