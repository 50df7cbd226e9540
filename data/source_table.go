package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
)

// readCSV reads a table of RFC 4180 whose first row names the columns.
func readCSV(path string, data []byte, yield func(*record) error) error {
	reader := csv.NewReader(bytes.NewReader(data))
	reader.FieldsPerRecord = -1
	table := table{path: path, yield: yield}
	for {
		fields, err := reader.Read()
		if err == io.EOF {
			return nil
		}
		if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
			return mistake("data: %s:%d:%d: invalid CSV: %w", path, syntax.Line, syntax.Column, syntax.Err)
		}
		if err != nil {
			return mistake("data: read %s: %w", path, err)
		}
		line, _ := reader.FieldPos(0)
		if err := table.add(line, fields); err != nil {
			return err
		}
	}
}

// readTSV reads a table with a tab between columns and a line for each row. Quotes mean nothing, except that a field
// may stand in quotes as a whole, with its own quotes doubled.
func readTSV(path string, data []byte, yield func(*record) error) error {
	table := table{path: path, yield: yield}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimRight(line, "\r\n")
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
	return nil
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
	yield  func(*record) error
}

// add takes the first row as the header and gives the others on.
func (t *table) add(line int, fields []string) (err error) {
	if t.header == nil {
		t.header, err = columns(t.path, line, fields)
		return err
	}
	r := &record{source: sourceLine(t.path, line), values: make(map[string]any, len(t.header))}
	if len(fields) != len(t.header) {
		return r.errorf("the row has %d columns, but the header %s has %d",
			len(fields), keyList(t.header), len(t.header))
	}
	for i, name := range t.header {
		r.values[name] = fields[i]
	}
	return t.yield(r)
}
