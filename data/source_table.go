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
	data, err := textOf(path, data)
	if err != nil {
		return err
	}
	reader := csv.NewReader(bytes.NewReader(data))
	reader.FieldsPerRecord = -1
	var header []string
	for {
		fields, err := reader.Read()
		if err == io.EOF {
			return nil
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			return mistake("data: %s:%d:%d: invalid CSV: %w", path, syntax.Line, syntax.Column, syntax.Err)
		}
		if err != nil {
			return mistake("data: read %s: %w", path, err)
		}
		line, _ := reader.FieldPos(0)
		if header == nil {
			if header, err = columns(path, line, fields); err != nil {
				return err
			}
			continue
		}
		if err := tableRow(path, line, header, fields, yield); err != nil {
			return err
		}
	}
}

// readTSV reads a table with a tab between columns and a line for each row. Quotes mean nothing, except that a field
// may stand in quotes as a whole, with its own quotes doubled.
func readTSV(path string, data []byte, yield func(*record) error) error {
	data, err := textOf(path, data)
	if err != nil {
		return err
	}
	var header []string
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
				if inner := field[1 : len(field)-1]; !strings.Contains(strings.ReplaceAll(inner, `""`, ""), `"`) {
					fields[i] = strings.ReplaceAll(inner, `""`, `"`)
				}
			}
		}
		if header == nil {
			if header, err = columns(path, number, fields); err != nil {
				return err
			}
			continue
		}
		if err := tableRow(path, number, header, fields, yield); err != nil {
			return err
		}
	}
	return nil
}

// columns checks the names of the columns. A name that is a key of some format but for its case is that key: tables
// are headed Question and Answer.
func columns(path string, line int, fields []string) ([]string, error) {
	header := make([]string, len(fields))
	known, seen := map[string]bool{}, map[string]bool{}
	for _, f := range formats() {
		for _, key := range append(slices.Clone(f.required), f.optional...) {
			known[key] = true
		}
	}
	for i, field := range fields {
		header[i] = strings.TrimSpace(field)
		if key := strings.ToLower(header[i]); key != header[i] && known[key] && !slices.Contains(fields, key) {
			header[i] = key
		}
		if seen[header[i]] {
			return nil, mistake("data: %s:%d: the column %q occurs twice", path, line, header[i])
		}
		seen[header[i]] = true
	}
	return header, nil
}

// tableRow gives one row of a table on.
func tableRow(path string, line int, header, fields []string, yield func(*record) error) error {
	r := &record{source: sourceLine(path, line), values: make(map[string]any, len(header))}
	if len(fields) != len(header) {
		return r.errorf("the row has %d columns, but the header %s has %d", len(fields), keyList(header), len(header))
	}
	for i, name := range header {
		r.values[name] = fields[i]
	}
	return yield(r)
}
