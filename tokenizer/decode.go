package tokenizer

import (
	"strings"
	"unicode/utf8"

	"instruct/tokenizer/pattern"
)

// decoderKind names what a decoder does to the list of tokens that it is given.
type decoderKind uint8

const (
	decodeBytes     decoderKind = iota // ByteLevel: all tokens to bytes to one text
	decodeFallback                     // ByteFallback: runs of <0x61> to text
	decodeFuse                         // Fuse: all tokens to one
	decodeStrip                        // Strip: up to start and stop times content off each token's ends
	decodeReplace                      // Replace: content for old in each token
	decodeMeta                         // Metaspace: spaces for marks, none in the first token
	decodeWordPiece                    // WordPiece: a space before each token without the prefix, which is taken off
	decodeSuffix                       // BPEDecoder: spaces for the suffix, none in the last token
)

// decoder is one step from tokens to text. Each step takes a list of tokens and gives a list of tokens; a step that is
// joined comes after one that made all tokens one, and gets this single token in parts.
type decoder struct {
	kind        decoderKind
	old, new    string
	find        pattern.Finder // Replace
	cleanup     bool           // WordPiece: no spaces before punctuation
	start, stop int
	keepFirst   bool // Metaspace: marks in the first token are spaces too
	joined      bool
	alphabet    *alphabet
}

// collects reports that the step needs the whole of a token that comes in parts.
func (d *decoder) collects() bool {
	switch d.kind {
	case decodeFallback, decodeBytes, decodeWordPiece, decodeSuffix:
		return d.joined
	case decodeReplace:
		return d.joined && utf8.RuneCountInString(d.old) != 1
	}
	return false
}

// decoder appends the decoder of a component.
func (b *builder) decoder(c component) {
	d := decoder{joined: b.t.fuses}
	switch c.Type {
	case "ByteLevel":
		d.kind, d.alphabet = decodeBytes, b.alphabet
		b.t.fuses = true
	case "ByteFallback":
		d.kind = decodeFallback
	case "Fuse":
		d.kind = decodeFuse
		b.t.fuses = true
	case "Strip":
		d.kind, d.old = decodeStrip, c.Content
		d.start, d.stop = c.Start, c.Stop
		if utf8.RuneCountInString(d.old) != 1 || d.start < 0 || d.stop < 0 {
			b.fail("tokenizer.json: the Strip decoder takes one character, start and stop, not %q, %d, %d",
				d.old, d.start, d.stop)
		}
	case "Replace":
		b.grow(1, len(c.Content))
		d.kind, d.new, d.find = decodeReplace, c.Content, b.finder(c.Pattern, "Replace pattern")
		if text, ok := d.find.(pattern.Literal); ok {
			d.old = string(text)
		}
	case "Metaspace":
		m := b.metaspace(c)
		d.kind, d.old, d.keepFirst = decodeMeta, m.mark, m.scheme == never
	case "WordPiece":
		d.kind, d.old, d.cleanup = decodeWordPiece, "##", isSet(c.Cleanup, true)
		if c.Prefix != nil {
			d.old = *c.Prefix
		}
	case "BPEDecoder":
		d.kind, d.old = decodeSuffix, "</w>"
		if c.Suffix != nil {
			d.old = *c.Suffix
		}
		if d.old == "" {
			b.fail("tokenizer.json: the BPEDecoder has an empty suffix")
		}
	default:
		b.unknown("decoder", c.Type,
			"Sequence, ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace, WordPiece, BPEDecoder")
	}
	b.t.decoders = append(b.t.decoders, d)
}

// Decode gives the text of ids. With skipSpecial, special tokens are left out. Bytes that are not UTF-8 become U+FFFD.
// An id that the tokenizer does not have is an error.
func (t *Tokenizer) Decode(ids []int32, skipSpecial bool) (string, error) {
	for i, id := range ids {
		if id < 0 || int(id) >= len(t.tokens) {
			return "", mistake("tokenizer: decode: id %d at position %d is not in the vocabulary of %d tokens",
				id, i, len(t.tokens))
		}
	}
	s := t.NewStream(skipSpecial)
	s.out = make([]byte, 0, 5*len(ids))
	for _, id := range ids {
		s.push(id)
	}
	s.flush()
	return string(s.out), nil
}

// Stream decodes one id after another. What it gives, put together, is what Decode gives for all ids at once, so text
// is held back until it cannot change: an incomplete UTF-8 sequence, or a run of byte tokens.
type Stream struct {
	t           *Tokenizer
	skipSpecial bool
	states      []decoderState
	out         []byte
	some        bool // a token was written
}

// decoderState is what a decoder remembers.
type decoderState struct {
	held []byte // not yet passed on
	n    int    // tokens, or stripped characters, so far
	open bool   // Strip has only seen what it strips
}

// NewStream starts decoding one id after another. A Stream is for one goroutine.
func (t *Tokenizer) NewStream(skipSpecial bool) *Stream {
	s := &Stream{t: t, skipSpecial: skipSpecial, states: make([]decoderState, len(t.decoders))}
	for i := range s.states {
		s.states[i].open = true
	}
	return s
}

// Push takes the next id and gives the text that is certain now. An id that the tokenizer does not have gives nothing.
func (s *Stream) Push(id int32) string {
	s.push(id)
	return s.take()
}

// Flush ends the stream and gives the rest of the text.
func (s *Stream) Flush() string {
	s.flush()
	return s.take()
}

func (s *Stream) take() string {
	text := string(s.out)
	s.out = s.out[:0]
	return text
}

func (s *Stream) push(id int32) {
	if id < 0 || int(id) >= len(s.t.tokens) || s.t.tokens[id] == "" || s.skipSpecial && s.t.skipped[id] {
		return
	}
	s.step(0, s.t.decoded[id])
}

// step gives a token to decoder k, or writes it when there are no more.
func (s *Stream) step(k int, token string) {
	if k == len(s.t.decoders) {
		if s.some && len(s.t.decoders) == 0 {
			s.out = append(s.out, ' ')
		}
		s.some = true
		s.out = append(s.out, token...)
		return
	}
	d, st := &s.t.decoders[k], &s.states[k]
	if d.collects() {
		st.held = append(st.held, token...)
		return
	}
	s.apply(k, token)
}

// apply does the step of decoder k.
func (s *Stream) apply(k int, token string) {
	d, st := &s.t.decoders[k], &s.states[k]
	switch d.kind {
	case decodeBytes:
		st.held = d.bytes(st.held, token)
		s.text(k, false)
	case decodeFallback:
		if b, ok := byteToken(token); ok {
			st.held = append(st.held, b)
			return
		}
		s.fallback(k)
		s.step(k+1, token)
	case decodeFuse:
		s.step(k+1, token)
	case decodeStrip:
		if d.joined {
			s.stripPart(k, token)
			return
		}
		s.step(k+1, d.strip(token))
	case decodeReplace:
		s.step(k+1, d.replace(token))
	case decodeWordPiece:
		s.step(k+1, d.wordPiece(token, st.n == 0))
		st.n++
	case decodeSuffix: // what comes last is not known yet
		if st.n > 0 {
			s.step(k+1, strings.ReplaceAll(string(st.held), d.old, " "))
		}
		st.held = append(st.held[:0], token...)
		st.n++
	case decodeMeta:
		with := " "
		if st.n == 0 && !d.keepFirst {
			with = ""
		}
		if !d.joined {
			st.n++
		}
		s.step(k+1, strings.ReplaceAll(token, d.old, with))
	}
}

// flush ends every decoder in turn.
func (s *Stream) flush() {
	for k := range s.t.decoders {
		d, st := &s.t.decoders[k], &s.states[k]
		if d.collects() && len(st.held) > 0 {
			token := string(st.held)
			st.held = st.held[:0]
			s.apply(k, token)
		}
		switch {
		case d.kind == decodeSuffix && st.n > 0:
			s.step(k+1, strings.ReplaceAll(string(st.held), d.old, ""))
		case d.kind == decodeBytes:
			s.text(k, true)
		case d.kind == decodeFallback:
			s.fallback(k)
		case d.kind == decodeStrip && d.joined && len(st.held) > 0:
			// What is held are the last characters, all of them to be stripped, as far as stop allows.
			s.step(k+1, string(st.held[min(d.stop*len(d.old), len(st.held)):]))
			st.held = st.held[:0]
		}
	}
}

// bytes appends the bytes that a token is written for; a token outside the alphabet stands for itself.
func (d *decoder) bytes(dst []byte, token string) []byte {
	n := len(dst)
	dst, ok := d.alphabet.decode(dst, token)
	if !ok {
		dst = append(dst[:n], token...)
	}
	return dst
}

// text passes on what is held as text, all of it if final, else without an incomplete end.
func (s *Stream) text(k int, final bool) {
	st := &s.states[k]
	if len(st.held) == 0 {
		return
	}
	if k+1 == len(s.t.decoders) {
		var rest []byte
		s.out, rest = appendLossy(s.out, st.held, final)
		st.held = append(st.held[:0], rest...)
		return
	}
	out, rest := appendLossy(nil, st.held, final)
	st.held = append(st.held[:0], rest...)
	if len(out) > 0 {
		s.step(k+1, string(out))
	}
}

// fallback passes on a run of byte tokens: its text, or one U+FFFD a byte if it is not UTF-8.
func (s *Stream) fallback(k int) {
	st := &s.states[k]
	if len(st.held) == 0 {
		return
	}
	run := string(st.held)
	st.held = st.held[:0]
	if utf8.ValidString(run) {
		s.step(k+1, run)
		return
	}
	for range len(run) {
		s.step(k+1, replacement)
	}
}
