package data

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// readCSV reads a table of RFC 4180 whose first row names the columns. What is between them, a comma, semicolon, tab or
// bar, is what the first row has most of, or what a line `sep=;` before it says.
func readCSV(in *input, yield func(*record) error) error {
	text := newTableText(in)
	before := 0 // lines
	separator, err := statedSeparator(text)
	if err != nil {
		return in.fail(err)
	}
	if separator != 0 {
		before = 1
	} else {
		separator = likelySeparator(text)
	}
	reader := csv.NewReader(text)
	reader.Comma = separator
	reader.FieldsPerRecord = -1
	reader.ReuseRecord = true
	table := table{path: in.path, yield: yield}
	for {
		fields, err := reader.Read()
		if err == io.EOF {
			return nil
		}
		if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
			r := &record{err: mistake("data: %s:%d:%d: invalid CSV: %w",
				in.path, before+syntax.Line, syntax.Column, syntax.Err)}
			if err := yield(r); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return in.fail(err)
		}
		line, _ := reader.FieldPos(0)
		if err := table.add(before+line, fields); err != nil {
			return err
		}
	}
}

// separators are what may be between columns; of equally many, the first is.
const separators = ",;\t|"

// statedSeparator reads the line with which Excel says what is between columns; 0: there is none.
func statedSeparator(text *bufio.Reader) (rune, error) {
	line, err := text.Peek(16) // sep= with quotes and a line end
	if len(line) == 0 && err != io.EOF {
		return 0, err
	}
	before, _, ended := bytes.Cut(line, []byte("\n"))
	stated := strings.Trim(strings.TrimRight(string(before), "\r"), `"`)
	if !ended || len(stated) != 5 || !strings.EqualFold(stated[:4], "sep=") || !strings.Contains(separators, stated[4:]) {
		return 0, nil
	}
	text.Discard(len(before) + 1)
	return rune(stated[4]), nil
}

// likelySeparator counts outside quotes in the first line that is not blank.
func likelySeparator(text *bufio.Reader) rune {
	start, _ := text.Peek(readBuffer)
	counts := make([]int, len(separators))
	quoted := false
	for _, b := range bytes.TrimLeft(start, "\r\n") {
		if b == '"' {
			quoted = !quoted
		}
		if b == '\n' && !quoted {
			break
		}
		if at := strings.IndexByte(separators, b); at >= 0 && !quoted {
			counts[at]++
		}
	}
	return rune(separators[slices.Index(counts, slices.Max(counts))])
}

// readTSV reads a table with a tab between columns and a line for each row. Quotes mean nothing, except that a field
// may stand in quotes as a whole, with its own quotes doubled.
func readTSV(in *input, yield func(*record) error) error {
	in.text = newTableText(in)
	table := table{path: in.path, yield: yield}
	for number := 1; ; number++ {
		text, err := in.line()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		line := strings.TrimRight(string(text), "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.Split(line, "\t")
		for i, field := range fields {
			if len(field) >= 2 && field[0] == '"' && field[len(field)-1] == '"' {
				inner := field[1 : len(field)-1]
				if !strings.Contains(strings.ReplaceAll(inner, `""`, ""), `"`) {
					fields[i] = strings.ReplaceAll(inner, `""`, `"`)
				}
			}
		}
		if err := table.add(number, fields); err != nil {
			return err
		}
	}
}

// columns checks the names of the columns. A name that is a key of some format but for its case is that key: tables
// are headed Question and Answer.
func columns(path string, line int, fields []string) ([]string, error) {
	header := make([]string, len(fields))
	known := map[string]bool{}
	seen := map[string]bool{}
	for _, f := range formats() {
		for _, key := range append(slices.Clone(f.required), f.optional...) {
			known[key] = true
		}
	}
	for i, field := range fields {
		header[i] = strings.TrimSpace(field)
		if header[i] == "" {
			header[i] = fmt.Sprintf("column %d", i+1)
		}
		key := strings.ToLower(header[i])
		if known[key] && !slices.Contains(fields, key) {
			header[i] = key
		}
		if seen[header[i]] {
			return nil, mistake("data: %s:%d: the column %q occurs twice", path, line, header[i])
		}
		seen[header[i]] = true
	}
	return header, nil
}

// table is what was read of one.
type table struct {
	path   string
	header []string // nil before the first row
	padded bool     // rows may lack their last cells
	yield  func(*record) error
}

// add takes the first row as the header and gives the others on. Rows of empty cells, and empty cells behind the last
// column with a name, are those of a spreadsheet.
func (t *table) add(line int, fields []string) (err error) {
	used := len(fields)
	for used > 0 && strings.TrimSpace(fields[used-1]) == "" {
		used--
	}
	if used == 0 && (len(fields) != 1 || t.header == nil || t.padded) {
		return nil
	}
	if t.header == nil {
		t.header, err = columns(t.path, line, fields[:used])
		return err
	}
	r := &record{source: sourceLine(t.path, line), values: make(map[string]any, len(t.header))}
	if used > len(t.header) || (len(fields) < len(t.header) && !t.padded) {
		r.fail("the row has %d columns, but the header %s has %d",
			len(fields), keyList(t.header), len(t.header))
		return t.yield(r)
	}
	for i, name := range t.header {
		r.values[name] = ""
		if i < len(fields) {
			r.values[name] = fields[i]
		}
	}
	return t.yield(r)
}
