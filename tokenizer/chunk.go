package tokenizer

import (
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"instruct/tokenizer/pattern"
)

// chunks says how a text may be encoded in chunks: cut before each space that follows certain visible ASCII characters.
// It exists for a tokenizer whose steps all look at one chunk at a time, so that the tokens of a chunk can be
// remembered together with their ranges and no step has to be done again for a word that has been seen.
type chunks struct {
	before [128]bool    // the characters that a cut may follow
	inner  []normalizer // of a chunk, without what is done once at the ends of a text
	last   []normalizer // of the end of a text: Strip at the right is
	strips bool         // the ends of a text have to hold a letter or digit, so that Strip does not reach over them
	plain  bool         // the first character has to be visible ASCII, since all ranges move if it is removed
}

const (
	chunkSlots  = 1 << 16 // in pairs
	chunkTokens = 6
	chunkBytes  = 26
)

// chunkSlot keeps the tokens of a short chunk.
type chunkSlot struct {
	n, tokens    uint8 // lengths; n 0: empty
	key          [chunkBytes]byte
	starts, ends [chunkTokens]uint8
	ids          [chunkTokens]int32
}

// next gives the end of the chunk that begins at byte i.
func (c *chunks) next(s string, i int) int {
	for i < len(s) && s[i] == ' ' {
		i++
	}
	for {
		k := strings.IndexByte(s[i:], ' ')
		if k < 0 {
			return len(s)
		}
		i += k
		if i > 0 && s[i-1] < utf8.RuneSelf && c.before[s[i-1]] {
			return i
		}
		i++
	}
}

// encodeChunks encodes a part of a text that has no added tokens but normalised ones.
func (t *Tokenizer) encodeChunks(sc *scratch, p piece) {
	c, s := t.chunks, p.s
	if c.plain {
		if rest := strings.TrimLeft(s, " "); rest == "" || rest[0] >= utf8.RuneSelf || !c.before[rest[0]] {
			t.encodePart(sc, p, t.normalizers)
			return
		}
	}
	first, last := c.next(s, 0), len(s)
	if c.strips {
		first, last = c.ends(s, first)
	}
	t.encodePart(sc, p.slice(0, first), t.normalizers)
	for i := first; i < last; {
		j := c.next(s, i)
		t.encodeChunk(sc, p.slice(i, j))
		i = j
	}
	if last < len(s) && first <= last {
		t.encodePart(sc, p.slice(last, len(s)), c.last)
	}
}

// ends gives the end of the first part of a text and the beginning of its last one, each of which has a letter or
// digit; both are the end of the text if there are no two such parts.
func (c *chunks) ends(s string, first int) (end, last int) {
	for first < len(s) && !c.solid(s[:first]) {
		first = c.next(s, first)
	}
	last = len(s)
	for i := len(s) - 1; i > first; i-- {
		if s[i] == ' ' && s[i-1] < utf8.RuneSelf && c.before[s[i-1]] && c.solid(s[i:last]) {
			return first, i
		}
	}
	if !c.solid(s[first:]) {
		return last, last
	}
	return first, first
}

// solid reports whether a text has an ASCII letter or digit.
func (c *chunks) solid(s string) bool {
	for i := range len(s) {
		if b := s[i] | 0x20; s[i] < utf8.RuneSelf && c.before[s[i]] && (b >= 'a' && b <= 'z' || s[i] >= '0' && s[i] <= '9') {
			return true
		}
	}
	return false
}

// encodeChunk encodes a chunk that is not the first.
func (t *Tokenizer) encodeChunk(sc *scratch, p piece) {
	if len(p.s) > chunkBytes {
		t.encodePart(sc, p, t.chunks.inner)
		return
	}
	pair := sc.chunks[chunkHash(p.s)%chunkSlots&^1:]
	slot := &pair[0]
	if !slot.has(p.s) {
		slot = &pair[1]
	}
	if slot.has(p.s) {
		for i := range slot.tokens {
			sc.dst = append(sc.dst, Token{slot.ids[i], p.base + int(slot.starts[i]), p.base + int(slot.ends[i])})
		}
		return
	}
	n := len(sc.dst)
	t.encodePart(sc, p, t.chunks.inner)
	if len(sc.dst)-n <= chunkTokens {
		pair[1] = pair[0]
		pair[0].fill(p, sc.dst[n:])
	}
}

// has reports whether the slot is that of s.
func (c *chunkSlot) has(s string) bool { return int(c.n) == len(s) && string(c.key[:c.n]) == s }

// fill puts a chunk into the slot.
func (c *chunkSlot) fill(p piece, tokens []Token) {
	c.n, c.tokens = uint8(len(p.s)), uint8(len(tokens))
	copy(c.key[:], p.s)
	for i, token := range tokens {
		c.ids[i], c.starts[i], c.ends[i] = token.ID, uint8(token.Start-p.base), uint8(token.End-p.base)
	}
}

// chunkHash mixes the up to chunkBytes bytes of a chunk. Chunks that share a slot only take each other's place.
func chunkHash(s string) uint32 {
	const k = 0x9E3779B97F4A7C15
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	var h uint64
	switch n := len(b); {
	case n >= 8:
		h = binary.LittleEndian.Uint64(b)*k ^ binary.LittleEndian.Uint64(b[n-8:])
		if n > 16 {
			h = h*k ^ binary.LittleEndian.Uint64(b[n-16:])
			h ^= h>>32 ^ binary.LittleEndian.Uint64(b[8:])
		}
	case n >= 4:
		h = uint64(binary.LittleEndian.Uint32(b))<<32 | uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		h = uint64(b[0])<<16 | uint64(b[n/2])<<8 | uint64(b[n-1])
	}
	h = (h ^ uint64(len(s))) * k
	h ^= h >> 29
	return uint32(h * k >> 40)
}

// chunks finds out whether texts may be encoded in chunks.
func (b *builder) chunks() {
	c := &chunks{}
	t := b.t
	if !c.normalizers(t.normalizers) {
		return
	}
	c.visible(t)
	spaces := c.spaces(t)
	if spaces == "" {
		return
	}
	divided := false
	for _, p := range t.preTokenizers {
		var ok, divides bool
		ok, divides, spaces = c.preTokenizer(p, spaces)
		if !ok {
			return
		}
		divided = divided || divides
	}
	if !divided && (t.mark == "" || spaces != t.mark) {
		return
	}
	for _, a := range t.added {
		text := t.decoded[a.ID]
		spaced := strings.ContainsFunc(text, func(r rune) bool { return r == '▁' || unicode.IsSpace(r) })
		if a.Normalized && (a.RStrip || t.trim.on || spaced) {
			return
		}
	}
	t.chunks = c
}

// normalizers sorts the normalizers; false if one of them looks further than a chunk, or makes the end of a word a
// space.
func (c *chunks) normalizers(list []normalizer) bool {
	blank := func(s string) bool { return s != "" && strings.Trim(s, " ▁") == "" }
	solid := func(s string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
	}
	for _, n := range list {
		switch n := n.(type) {
		case prepend:
			continue
		case strip:
			c.strips = true
			c.last = append(c.last, strip{right: n.right})
			continue
		case replaceText:
			if !(strings.Trim(n.old, " ") == "" && blank(n.new)) && !(solid(n.old) && solid(n.new)) {
				return false
			}
		case replaceFound:
			if _, run := n.old.(pattern.Run); !run || !blank(n.new) {
				return false
			}
		case *precompiled:
			c.plain = true
		case *mapRunes, form:
		default:
			return false
		}
		c.inner, c.last = append(c.inner, n), append(c.last, n)
	}
	return true
}

// visible finds the characters that the normalizers leave visible ASCII.
func (c *chunks) visible(t *Tokenizer) {
	sc := t.scratch.New().(*scratch)
	for i := '!'; i <= '~'; i++ {
		s := t.normalize(sc, piece{s: string(i)}, c.inner).s
		c.before[i] = len(s) == 1 && s[0] >= '!' && s[0] <= '~'
	}
}

// lettersOnly leaves cuts after ASCII letters.
func (c *chunks) lettersOnly() {
	for i := range c.before {
		b := i | 0x20
		c.before[i] = c.before[i] && b >= 'a' && b <= 'z'
	}
}

// spaces gives what the normalizers make of spaces: spaces, marks, or both; "" if neither.
func (c *chunks) spaces(t *Tokenizer) string {
	sc := t.scratch.New().(*scratch)
	found := ""
	for n := 1; n < 8; n++ {
		s := t.normalize(sc, piece{s: strings.Repeat(" ", n) + "a"}, c.inner).s
		rest := strings.TrimLeft(s, " ▁")
		if len(rest) != 1 || len(rest) == len(s) {
			return ""
		}
		for _, r := range s[:len(s)-1] {
			if !strings.ContainsRune(found, r) {
				found += string(r)
			}
		}
	}
	return found
}

// preTokenizer says whether a pre-tokenizer, to which spaces come as one of the runes given, looks at one chunk at a
// time, whether it always divides chunks from each other, and what becomes of the spaces.
func (c *chunks) preTokenizer(p preTokenizer, spaces string) (ok, divides bool, _ string) {
	plain := func(b behavior) bool { return b == isolated || b == removed || b == contiguous }
	switch p := p.(type) {
	case splitWords:
		ok = spaces == " " && (p.behavior == isolated || p.behavior == removed && p.invert)
		return ok, ok, spaces
	case splitClass:
		for _, r := range spaces {
			of := p.scan.Classes.Of(r)
			if of&p.bits != 0 && of&p.bits != pattern.Space {
				return false, false, ""
			}
		}
		divides = p.bits == pattern.Space && spaces == " "
		one := p.bits&(p.bits-1) == 0 && p.bits != pattern.Letter
		return plain(p.behavior) && one && (p.bits != pattern.Space || divides), divides, spaces
	case splitFound:
		switch sep := p.sep.(type) {
		case pattern.Literal:
			if string(sep) == spaces {
				divides = plain(p.behavior) || p.behavior == mergedWithNext
				return divides, divides, spaces
			}
			return sep == " " || plain(p.behavior) && !strings.ContainsAny(string(sep), " ▁"), false, spaces
		case pattern.Run:
			ok = plain(p.behavior) && spaces == " "
			return ok, ok && sep.Min == 1, spaces
		}
		if src := p.sep.Source(); src != pattern.CLIP && src != pattern.CLIPEnds {
			return c.localSplit(src, p.behavior, spaces)
		}
		ok = plain(p.behavior) && spaces == " " // what is visible is in a match, and no space is
		return ok, ok, spaces
	case whitespace:
		return spaces == " ", true, spaces
	case prefixSpace:
		return spaces == " ", false, spaces
	case mapBytes:
		return spaces == " ", false, "Ġ"
	case metaspace:
		return p.mark == "▁" && strings.Trim(spaces, " ▁") == "", !p.whole, p.mark
	}
	return false, false, ""
}

// localSplit is preTokenizer for a splitting pattern.
func (c *chunks) localSplit(src string, behavior behavior, spaces string) (ok, divides bool, _ string) {
	ok, whole, letters := pattern.Local(src)
	if spaces != " " || behavior != isolated && behavior != removed {
		plain := behavior == isolated || behavior == removed || behavior == contiguous
		return src == `[0-9][0-9][0-9]` && plain, false, spaces
	}
	if letters && !whole {
		c.lettersOnly()
	}
	return ok, whole || letters, spaces
}
