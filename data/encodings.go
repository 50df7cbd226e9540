package data

import (
	"bufio"
	"bytes"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// utf16Text is UTF-16 as UTF-8.
type utf16Text struct {
	in     *input
	src    *bufio.Reader
	low    int // which byte of a pair is the lower one
	line   int
	half   rune // a first surrogate, 0: none
	buffer []byte
	err    error
}

// Read implements [io.Reader].
func (t *utf16Text) Read(p []byte) (int, error) {
	for t.err == nil && len(t.buffer) < len(p) {
		t.err = t.unit()
	}
	if len(t.buffer) == 0 {
		return 0, t.err
	}
	n := copy(p, t.buffer)
	t.buffer = append(t.buffer[:0], t.buffer[n:]...)
	return n, nil
}

// unit reads two bytes.
func (t *utf16Text) unit() error {
	var pair [2]byte
	_, err := io.ReadFull(t.src, pair[:])
	if err == io.ErrUnexpectedEOF || (err == io.EOF && t.half != 0) {
		return t.damaged()
	}
	if err != nil {
		return err
	}
	c := rune(pair[t.low]) | rune(pair[1-t.low])<<8
	switch {
	case t.half != 0:
		if c = utf16.DecodeRune(t.half, c); c == utf8.RuneError {
			return t.damaged()
		}
		t.half = 0
	case utf16.IsSurrogate(c) && c < 0xdc00:
		t.half = c
		return nil
	case utf16.IsSurrogate(c):
		return t.damaged()
	case c == '\n':
		t.line++
	}
	t.buffer = utf8.AppendRune(t.buffer, c)
	return nil
}

func (t *utf16Text) damaged() error {
	return mistake("data: %s:%d: the text is damaged UTF-16", t.in.path, t.line)
}

// tableText is the text of a table, checked as it is read. Spreadsheet programs write tables in Windows-1252 too: a
// text is that when no character of it beyond ASCII is UTF-8.
type tableText struct {
	in           *input
	src          *bufio.Reader
	line, column int    // of the first byte of part
	part         []byte // of a character whose end is not read
	ready        []byte // text to give
	beyond       bool   // there was a character beyond ASCII, in UTF-8
	windows      bool   // the text is Windows-1252
	err          error
}

// newTableText is the text of the table that a file is, to be read in place of the file's.
func newTableText(in *input) *bufio.Reader {
	return bufio.NewReaderSize(&tableText{in: in, src: in.text, line: 1, column: 1}, readBuffer)
}

// Read implements [io.Reader].
func (t *tableText) Read(p []byte) (int, error) {
	for len(t.ready) == 0 {
		if t.err != nil {
			return 0, t.err
		}
		t.fill(p)
	}
	n := copy(p, t.ready)
	t.ready = t.ready[n:]
	return n, nil
}

// fill reads some text; p is room for it.
func (t *tableText) fill(p []byte) {
	n, err := t.src.Read(p)
	all := p[:n]
	if len(t.part) > 0 {
		all = append(t.part, all...)
	}
	whole := len(all)
	if err == nil {
		whole -= cutCharacter(all)
	}
	t.part = bytes.Clone(all[whole:])
	t.err = err
	t.check(all[:whole])
}

// check takes whole characters on.
func (t *tableText) check(text []byte) {
	if !t.windows && !utf8.Valid(text) {
		if err := checkUTF8(t.in.path, text, t.line, t.column); t.beyond || beyondASCII(text) {
			t.err = err
			return
		}
		t.windows = true
		line, column := placeFrom(text, firstBeyondASCII(text), t.line, t.column)
		t.in.note("line %d, column %d: the text is not UTF-8; it is read as Windows-1252", line, column)
	}
	start, column := t.line, t.column
	t.line, t.column = placeFrom(text, len(text), t.line, t.column)
	if !t.windows {
		t.beyond = t.beyond || firstBeyondASCII(text) < len(text)
		t.ready = text
		return
	}
	if at := strangeInWindows(text); at >= 0 {
		start, column = placeFrom(text, at, start, column)
		t.err = mistake("data: %s:%d:%d: the text is neither UTF-8 nor Windows-1252 throughout: save it as UTF-8",
			t.in.path, start, column)
		return
	}
	t.ready, _ = charmap.Windows1252.NewDecoder().Bytes(text) // it has a character for every byte
}

// beyondASCII tells whether there is a character beyond ASCII in UTF-8.
func beyondASCII(text []byte) bool {
	for at := firstBeyondASCII(text); at < len(text); at++ {
		if r, _ := utf8.DecodeRune(text[at:]); r >= utf8.RuneSelf && r != utf8.RuneError {
			return true
		}
	}
	return false
}

func firstBeyondASCII(text []byte) int {
	for at, b := range text {
		if b >= utf8.RuneSelf {
			return at
		}
	}
	return len(text)
}

// strangeInWindows finds a byte that Windows-1252 does not have, or that begins a character in UTF-8; -1: none.
func strangeInWindows(text []byte) int {
	for at, b := range text {
		if b < utf8.RuneSelf {
			continue
		}
		r, _ := utf8.DecodeRune(text[at:])
		if r != utf8.RuneError || bytes.IndexByte([]byte{0x81, 0x8d, 0x8f, 0x90, 0x9d}, b) >= 0 {
			return at
		}
	}
	return -1
}

// cutCharacter counts the bytes at the end of a text that are the beginning of a longer character.
func cutCharacter(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}
