package grammar

import (
	stdbytes "bytes"
	"slices"
	"sync"
)

// Vocabulary is the tokens of a model by their bytes.
type Vocabulary struct {
	size   int
	most   int               // bytes of the longest token
	tokens []vocabularyToken // in the order of their bytes
}

type vocabularyToken struct {
	id     int32
	bytes  []byte
	common int // bytes that it begins with as the token before it does
}

// NewVocabulary makes the vocabulary of ids below size. of gives the bytes of an id; nil where it has no text, which
// is never allowed.
func NewVocabulary(size int, of func(id int32) []byte) *Vocabulary {
	v := &Vocabulary{size: size}
	for id := range int32(size) {
		if b := of(id); len(b) > 0 {
			v.tokens = append(v.tokens, vocabularyToken{id: id, bytes: b})
			v.most = max(v.most, len(b))
		}
	}
	slices.SortStableFunc(v.tokens, func(a, b vocabularyToken) int { return stdbytes.Compare(a.bytes, b.bytes) })
	for i := range v.tokens[:max(0, len(v.tokens)-1)] {
		a, b := v.tokens[i].bytes, &v.tokens[i+1]
		for b.common < min(len(a), len(b.bytes)) && a[b.common] == b.bytes[b.common] {
			b.common++
		}
	}
	return v
}

// Grammar is a form that answers have. It may be used by several goroutines at once.
type Grammar struct {
	mu         sync.Mutex
	forge      *forge
	root       *expression
	vocabulary *Vocabulary
}

// keptBytes bounds what a grammar keeps of what it worked out.
const keptBytes = 16 << 20

// Matcher is an answer on its way through a grammar. It is for one goroutine at a time.
type Matcher struct {
	grammar *Grammar
	at      *expression
}

// Matcher begins an answer whose tokens are those of a vocabulary; every matcher of a grammar has the same one.
func (g *Grammar) Matcher(v *Vocabulary) *Matcher {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.vocabulary = v
	return &Matcher{g, g.root}
}

// Advance goes on by some bytes of the answer. It is false, and the matcher stays where it is, where they may not
// follow.
func (m *Matcher) Advance(text []byte) bool {
	m.grammar.mu.Lock()
	defer m.grammar.mu.Unlock()
	at := m.at
	for _, c := range text {
		if at = m.grammar.forge.step(at, c); at.kind == nothing {
			return false
		}
	}
	m.at = at
	return true
}

// Complete says that the answer may end here.
func (m *Matcher) Complete() bool { return m.at.nullable }

// Finished says that the answer must end here.
func (m *Matcher) Finished() bool { return m.at.kind == empty }

// Allowed is the tokens that may come next, a bit for each id. It is not to be changed.
func (m *Matcher) Allowed() []uint64 {
	g := m.grammar
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.at.mask == nil {
		g.forge.forget()
		near := g.forge.clip(m.at, g.vocabulary.most)
		if near.mask == nil {
			near.mask = g.forge.allowed(near, g.vocabulary)
			g.forge.kept += 8 * len(near.mask)
		}
		m.at.mask = near.mask
	}
	return m.at.mask
}

// clip forgets bounds that lie further than so many bytes: no token reaches them, and a string that may have 200 more
// characters has the mask of one that may have 199.
func (f *forge) clip(e *expression, most int) *expression {
	switch e.kind {
	case seq:
		return f.pair(f.clip(e.a, most), e.b)
	case repeat:
		high := e.high
		if high > most {
			high = unbounded
		}
		return f.repeat(e.a, min(e.low, most+1), high)
	case either:
		parts := make([]*expression, len(e.of))
		for i, p := range e.of {
			parts[i] = f.clip(p, most)
		}
		return f.either(parts...)
	}
	return e
}

// allowed goes through the tokens in their order: what is known of the beginning of one is known of the next.
func (f *forge) allowed(from *expression, v *Vocabulary) []uint64 {
	mask := make([]uint64, (v.size+63)/64)
	places := []*expression{from} // after so many bytes of the token
	alive := 0                    // bytes of the last token that may follow
	for _, t := range v.tokens {
		if t.common > alive {
			continue
		}
		places = places[:t.common+1]
		at := places[t.common]
		for _, c := range t.bytes[t.common:] {
			if at = f.step(at, c); at.kind == nothing {
				break
			}
			places = append(places, at)
		}
		alive = len(places) - 1
		if at.kind != nothing {
			mask[t.id/64] |= 1 << (t.id % 64)
		}
	}
	return mask
}
