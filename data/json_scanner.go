package data

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// jsonScanner cuts a JSON file into the values that are rows, one after the other, without holding more than one.
type jsonScanner struct {
	in           *input
	text         *bufio.Reader
	line, column int // of the next byte, from 1; columns are characters
	end          [2]int
	rowLine      int // where the row before ended, 0: nowhere
	rows         int
}

// newJSONScanner starts at a line of a file, of which head was read already.
func newJSONScanner(in *input, line int, head []byte) *jsonScanner {
	text := in.text
	if len(head) > 0 {
		text = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(head), in.text), readBuffer)
	}
	return &jsonScanner{in: in, text: text, line: line, column: 1}
}

// aroundRows are the keys under which an object may hold all rows of a file.
var aroundRows = []string{"data", "rows", "train", "examples"}

// read gives the rows of a file: of an array, of objects one after the other, or of an array inside one object.
func (s *jsonScanner) read(yield func(*record) error) error {
	for first := true; ; first = false {
		b, err := s.next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case b == '[' && first:
			s.skip()
			s.rowLine = s.line
			if err := s.elements(yield); err != nil {
				return err
			}
			return s.nothingMore()
		case b != '{' && first:
			return s.noRows()
		}
		line, column := s.line, s.column
		raw, around, err := s.value(first)
		if err != nil {
			return err
		}
		if around != "" {
			return s.inside(raw, around, yield)
		}
		r := s.record(raw, line, column)
		if r.err != nil && !json.Valid(raw) {
			return r.err // where the next object starts is not known
		}
		if err := yield(r); err != nil {
			return err
		}
	}
}

// noRows is the error of a file that is no JSON of rows.
func (s *jsonScanner) noRows() error {
	line, column := s.line, s.column
	raw, _, err := s.value(false)
	if err != nil {
		return err
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(raw, &rows); err != nil {
		return jsonError(s.in.path, raw, line, column, err)
	}
	return mistake("data: %s:%d:%d: expected an array of rows, found null", s.in.path, line, column)
}

// elements gives the rows of an array whose [ was read.
func (s *jsonScanner) elements(yield func(*record) error) error {
	for first := true; ; first = false {
		b, err := s.next()
		if err == nil && b == ']' && first {
			s.skip()
			return nil
		}
		if err != nil {
			return s.cut(err)
		}
		if strings.IndexByte(`{["-0123456789tfn`, b) < 0 {
			return s.unexpected("looking for beginning of value")
		}
		line, column := s.line, s.column
		raw, _, err := s.value(false)
		if err != nil {
			return err
		}
		r := s.record(raw, line, column)
		if r.err != nil && !json.Valid(raw) {
			return r.err
		}
		if err := yield(r); err != nil {
			return err
		}
		switch b, err = s.next(); {
		case err != nil:
			return s.cut(err)
		case b == ']':
			s.skip()
			return nil
		case b != ',':
			return s.unexpected("after array element")
		}
		s.skip()
	}
}

// inside gives the rows of the array in an object whose text before that array is raw.
func (s *jsonScanner) inside(raw []byte, key string, yield func(*record) error) error {
	if err := s.elements(yield); err != nil {
		return err
	}
	line, column := s.line, s.column
	rest, err := s.rest(append(raw, ']'))
	if err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(rest, &all); err != nil {
		return mistake("data: %s:%d:%d: invalid JSON after the rows: %w", s.in.path, line, column, err)
	}
	delete(all, key)
	var others []string
	for name, value := range all {
		if value[0] == '[' && len(value) > 2 {
			others = append(others, name)
		}
	}
	if len(others) > 0 {
		slices.Sort(others)
		s.in.note("the rows are those of %q; not read: %s", key, strings.Join(others, ", "))
	}
	return s.nothingMore()
}

// record is a row. Where rows share a line, its number tells it from the others.
func (s *jsonScanner) record(raw []byte, line, column int) *record {
	s.rows++
	source := sourceLine(s.in.path, line)
	if line == s.rowLine {
		source += fmt.Sprintf(", row %d", s.rows)
	}
	s.rowLine = s.line
	return s.in.jsonRecord(source, raw, line, column)
}

// next skips white space and gives the byte after it, which is not consumed; io.EOF at the end.
func (s *jsonScanner) next() (byte, error) {
	for {
		part, err := s.text.Peek(1)
		if err == io.EOF {
			return 0, err
		}
		if err != nil {
			return 0, s.in.fail(err)
		}
		if strings.IndexByte(" \t\r\n", part[0]) < 0 {
			return part[0], nil
		}
		s.advance(part)
	}
}

// skip consumes one byte that is a character.
func (s *jsonScanner) skip() {
	part, _ := s.text.Peek(1)
	s.advance(part)
	s.end = [2]int{s.line, s.column}
}

// advance consumes bytes that were peeked.
func (s *jsonScanner) advance(part []byte) {
	if lines := bytes.Count(part, []byte("\n")); lines > 0 {
		s.line += lines
		s.column = 1
		s.column += utf8.RuneCount(part[bytes.LastIndexByte(part, '\n')+1:])
	} else {
		s.column += startBytes(part)
	}
	s.text.Discard(len(part))
}

// startBytes counts the characters of a part of a text, which may begin or end inside one.
func startBytes(part []byte) int {
	n := 0
	for _, b := range part {
		if utf8.RuneStart(b) {
			n++
		}
	}
	return n
}

// value reads one value as it is written, up to where its brackets close; whether it is JSON is not checked. With
// wrapped, it may stop behind the [ of an array that holds rows, and says under which key.
func (s *jsonScanner) value(wrapped bool) (raw []byte, around string, err error) {
	v := valueEnd{wrapped: wrapped}
	for {
		if _, err := s.text.Peek(1); err != nil {
			if err == io.EOF && len(raw) > 0 {
				s.end = [2]int{s.line, s.column}
				return raw, "", nil
			}
			return nil, "", s.cut(err)
		}
		part, _ := s.text.Peek(s.text.Buffered())
		n, done := v.scan(part)
		raw = append(raw, part[:n]...)
		s.advance(part[:n])
		if v.array {
			v.array = false
			if key := keyBefore(raw); slices.Contains(aroundRows, key) {
				s.rowLine = s.line
				b, err := s.next()
				if err == nil && b == '{' {
					return raw, key, nil
				}
			}
		}
		if done {
			s.end = [2]int{s.line, s.column}
			return raw, "", nil
		}
	}
}

// rest reads an object on, whose text so far is raw.
func (s *jsonScanner) rest(raw []byte) ([]byte, error) {
	v := valueEnd{depth: 1}
	for {
		if _, err := s.text.Peek(1); err != nil {
			return nil, s.cut(err)
		}
		part, _ := s.text.Peek(s.text.Buffered())
		n, done := v.scan(part)
		raw = append(raw, part[:n]...)
		s.advance(part[:n])
		if done {
			return raw, nil
		}
	}
}

// cut is the error of a file that ends too early, or whose reading failed.
func (s *jsonScanner) cut(err error) error {
	if err != io.EOF {
		return s.in.fail(err)
	}
	return mistake("data: %s:%d:%d: invalid JSON: unexpected end of JSON input", s.in.path, s.end[0], s.end[1])
}

// unexpected is the error of the next character.
func (s *jsonScanner) unexpected(where string) error {
	part, _ := s.text.Peek(utf8.UTFMax)
	c, _ := utf8.DecodeRune(part)
	return mistake("data: %s:%d:%d: invalid JSON: invalid character %q %s", s.in.path, s.line, s.column, c, where)
}

// nothingMore checks that the file ends.
func (s *jsonScanner) nothingMore() error {
	switch _, err := s.next(); err {
	case io.EOF:
		return nil
	case nil:
		return s.unexpected("after top-level value")
	default:
		return err
	}
}

// valueEnd finds the end of a value: where its brackets close.
type valueEnd struct {
	depth           int
	quoted, escaped bool
	scalar          bool // the value is no object, array or string
	wrapped         bool // stop behind an array that is a value of the outermost object
	array           bool // it did
}

// scan reads on and gives how many bytes belong to the value, and whether it ends there.
func (v *valueEnd) scan(part []byte) (n int, done bool) {
	for i, b := range part {
		switch {
		case v.escaped:
			v.escaped = false
		case v.quoted:
			v.escaped = b == '\\'
			v.quoted = b != '"'
			if b == '\n' || (!v.quoted && v.depth == 0) {
				return i + 1, true // no string has a line end: what follows is not looked at
			}
		case b == '"':
			v.quoted = true
		case b == '{' || b == '[':
			v.depth++
			if v.wrapped && b == '[' && v.depth == 2 {
				v.array = true
				return i + 1, false
			}
		case v.depth == 0 && v.scalar && strings.IndexByte(",]} \t\r\n", b) >= 0:
			return i, true
		case b == '}' || b == ']':
			if v.depth--; v.depth <= 0 {
				return i + 1, true
			}
		case v.depth == 0:
			v.scalar = true
		}
	}
	return len(part), false
}

// keyBefore is the key of the array with whose [ an object's text ends.
func keyBefore(raw []byte) string {
	before, ok := bytes.CutSuffix(bytes.TrimSpace(raw[:len(raw)-1]), []byte(":"))
	if !ok {
		return ""
	}
	before, ok = bytes.CutSuffix(bytes.TrimSpace(before), []byte(`"`))
	if !ok {
		return ""
	}
	return string(before[bytes.LastIndexByte(before, '"')+1:])
}

// beginsAroundRows tells whether a line begins an object around the rows of a file.
func beginsAroundRows(line []byte) bool {
	v := valueEnd{wrapped: true}
	for at := 0; ; {
		n, done := v.scan(line[at:])
		at += n
		if done || !v.array {
			return false
		}
		v.array = false
		if slices.Contains(aroundRows, keyBefore(line[:at])) &&
			bytes.HasPrefix(bytes.TrimSpace(line[at:]), []byte("{")) {
			return true
		}
	}
}
