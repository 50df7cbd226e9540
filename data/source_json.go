package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readJSONL reads one object a line; blank lines are skipped. A file of this name whose first line is only the
// beginning of a value, or holds several rows, is read as JSON.
func readJSONL(in *input, yield func(*record) error) error {
	first := true
	for number := 1; ; number++ {
		line, err := in.line()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		text := bytes.TrimSpace(line)
		if len(text) == 0 {
			continue
		}
		if first && spansLines(text) {
			return newJSONScanner(in, number, append(bytes.Clone(line), '\n')).read(yield)
		}
		first = false
		if err := yield(in.jsonRecord(sourceLine(in.path, number), line, number, 1)); err != nil {
			return err
		}
	}
}

// spansLines tells whether the first line of a file is an array, the beginning of an object, or an object around rows.
func spansLines(line []byte) bool {
	if line[0] == '[' {
		return true
	}
	last := line[len(line)-1]
	return line[0] == '{' && (last == '{' || last == '[' || last == ',' || beginsAroundRows(line))
}

// jsonRecord reads an object that starts at a line and column.
func (in *input) jsonRecord(source string, raw []byte, line, column int) *record {
	r := &record{source: source, raw: raw}
	if r.err = checkUTF8(in.path, raw, line, column); r.err != nil {
		return r
	}
	if at, wrong := (&jsonKeys{text: raw}).check(); wrong != "" {
		line, column = placeFrom(raw, at, line, column)
		r.err = mistake("data: %s:%d:%d: %s", in.path, line, column, wrong)
		return r
	}
	if err := json.Unmarshal(raw, &r.values); err != nil {
		r.err = jsonError(in.path, raw, line, column, err)
	}
	return r
}

// readJSON reads an array of objects, objects one after the other, or an object around such an array.
func readJSON(in *input, yield func(*record) error) error {
	return newJSONScanner(in, 1, nil).read(yield)
}

// jsonError places an error of encoding/json, whose offsets count in a part of a file that starts at a line and column.
func jsonError(path string, part []byte, line, column int, err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at := int(syntax.Offset) - 1 // the offset counts the offending byte
		message := syntax.Error()
		switch {
		case strings.HasPrefix(message, "unexpected end"):
			at = len(bytes.TrimRight(part, "\r\n"))
		case at >= 0 && at < len(part) && part[at] >= utf8.RuneSelf:
			// The library quotes the first byte as if it were the character.
			r, _ := utf8.DecodeRune(part[at:])
			message = strings.Replace(message, strconv.QuoteRune(rune(part[at])), strconv.QuoteRune(r), 1)
		}
		line, column = placeFrom(part, at, line, column)
		return mistake("data: %s:%d:%d: invalid JSON: %s", path, line, column, message)
	}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		line, column = placeFrom(part, int(mismatch.Offset)-1, line, column)
		expected := "an object"
		switch {
		case mismatch.Type.Kind() == reflect.Slice:
			expected = "an array of rows"
		case strings.HasPrefix(mismatch.Value, "number "):
			expected = "a number that fits"
		}
		return mistake("data: %s:%d:%d: expected %s, found %s", path, line, column, expected, mismatch.Value)
	}
	return mistake("data: %s:%d: %w", path, line, err)
}
