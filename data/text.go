package data

import (
	"bufio"
	"bytes"
	"unicode/utf8"
)

var (
	markUTF8    = []byte("\ufeff")
	markUTF16LE = []byte{0xff, 0xfe}
	markUTF16BE = []byte{0xfe, 0xff}
)

// plainText takes a byte order mark away, and makes UTF-8 of UTF-16. Whether UTF-8 is right is checked by who reads it.
func (in *input) plainText() {
	start, _ := in.text.Peek(3) // a shorter file has no mark; other errors come again
	low := -1
	switch {
	case bytes.HasPrefix(start, markUTF8):
		in.text.Discard(len(markUTF8))
	case bytes.HasPrefix(start, markUTF16LE):
		low = 0
	case bytes.HasPrefix(start, markUTF16BE):
		low = 1
	}
	if low >= 0 {
		in.text.Discard(len(markUTF16LE))
		in.note("the text is UTF-16")
		in.text = bufio.NewReaderSize(&utf16Text{in: in, src: in.text, low: low, line: 1}, readBuffer)
	}
}

// textOf checks that the bytes of a text file are UTF-8, and takes a byte order mark away.
func textOf(path string, data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, markUTF16LE) || bytes.HasPrefix(data, markUTF16BE) {
		return nil, mistake("data: %s is UTF-16: convert it to UTF-8", path)
	}
	data = bytes.TrimPrefix(data, markUTF8)
	return data, checkUTF8(path, data, 1, 1)
}

// checkUTF8 checks a part of a file that starts at a line and column.
func checkUTF8(path string, part []byte, line, column int) error {
	if utf8.Valid(part) {
		return nil
	}
	at := 0
	for at < len(part) {
		r, n := utf8.DecodeRune(part[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	line, column = placeFrom(part, at, line, column)
	return mistake("data: %s:%d:%d: the text is not UTF-8: save it as UTF-8 (iconv -f WINDOWS-1252 -t UTF-8 FILE, "+
		"if that is what it is)", path, line, column)
}

// place gives the line and column, from 1 and in characters, of a byte of a text.
func place(data []byte, at int) (line, column int) {
	at = min(max(at, 0), len(data))
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	return 1 + bytes.Count(data[:start], []byte("\n")), 1 + utf8.RuneCount(data[start:at])
}

// placeFrom is [place] for a part of a text that starts at a line and column.
func placeFrom(part []byte, at, line, column int) (int, int) {
	lines, columns := place(part, at)
	if lines == 1 {
		return line, column + columns - 1
	}
	return line + lines - 1, columns
}
