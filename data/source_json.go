package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readJSONL reads one object a line; blank lines are skipped.
func readJSONL(path string, data []byte, yield func(*record) error) error {
	for number := 1; len(data) > 0; number++ {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		r := &record{source: sourceLine(path, number), raw: line}
		if err := json.Unmarshal(line, &r.values); err != nil {
			return jsonError(path, line, number-1, 0, err)
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

// readJSON reads an array of objects. A file of one object a line under this name is read too.
func readJSON(path string, data []byte, yield func(*record) error) error {
	text := bytes.TrimLeft(data, " \t\r\n")
	if bytes.HasPrefix(text, []byte("{")) {
		if json.Valid(text) && bytes.Count(bytes.TrimSpace(text), []byte("\n")) > 0 {
			line, column := place(data, len(data)-len(text))
			return mistake("data: %s:%d:%d: expected an array of rows, found one object: put [ and ] around it, "+
				"or write one object a line", path, line, column)
		}
		return readJSONL(path, data, yield)
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(data, &rows); err != nil {
		return jsonError(path, data, 0, 0, err)
	}
	// The elements lie in the file one after the other: each is the next occurrence of its own bytes.
	at, line := 0, 1
	for _, row := range rows {
		next := at + bytes.Index(data[at:], row)
		line += bytes.Count(data[at:next], []byte("\n"))
		r := &record{source: sourceLine(path, line), raw: row}
		if err := json.Unmarshal(row, &r.values); err != nil {
			return jsonError(path, data, 0, next, err)
		}
		if err := yield(r); err != nil {
			return err
		}
		line += bytes.Count(row, []byte("\n"))
		at = next + len(row)
	}
	return nil
}

// jsonError places an error of encoding/json, whose offsets count from base in a part of a file that has some lines
// before it.
func jsonError(path string, part []byte, before, base int, err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at := base + int(syntax.Offset) - 1 // the offset counts the offending byte
		message := syntax.Error()
		switch {
		case strings.HasPrefix(message, "unexpected end"):
			at = len(bytes.TrimRight(part, "\r\n"))
		case at >= 0 && at < len(part) && part[at] >= utf8.RuneSelf:
			// The library quotes the first byte as if it were the character.
			r, _ := utf8.DecodeRune(part[at:])
			message = strings.Replace(message, strconv.QuoteRune(rune(part[at])), strconv.QuoteRune(r), 1)
		}
		line, column := place(part, at)
		return mistake("data: %s:%d:%d: invalid JSON: %s", path, before+line, column, message)
	}
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		line, column := place(part, base+int(mismatch.Offset)-1)
		expected := "an object"
		switch {
		case mismatch.Type.Kind() == reflect.Slice:
			expected = "an array of rows"
		case strings.HasPrefix(mismatch.Value, "number "):
			expected = "a number that fits"
		}
		return mistake("data: %s:%d:%d: expected %s, found %s", path, before+line, column, expected, mismatch.Value)
	}
	return mistake("data: %s:%d: %w", path, before+1, err)
}
