package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// source is a file type: its extension, and what reads the records of a file one after the other. It stops at the first
// error of yield and returns it.
type source struct {
	extension string
	text      bool // the file is UTF-8
	read      func(path string, data []byte, yield func(*record) error) error
}

// sources is the table of the file types.
func sources() []source {
	return []source{
		{".jsonl", true, readJSONL},
		{".ndjson", true, readJSONL},
		{".json", true, readJSON},
		{".csv", true, readCSV},
		{".tsv", true, readTSV},
		{".parquet", false, readParquet},
	}
}

// Load reads the rows of several files in order. The type of a file follows from its extension (.jsonl, .json, .csv,
// .tsv, .parquet). The format is the named one, such as "messages" or "alpaca", or, when format is empty or "auto",
// found from the keys of each row; that of a file's first row is kept where it fits. Errors name path:line.
func Load(ctx context.Context, paths []string, format string) ([]Row, error) {
	named, err := formatNamed(format)
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, mistake("data: no data set is named")
	}
	var rows []Row
	for _, path := range paths {
		data, err := readFile(path)
		if err != nil {
			return nil, err
		}
		more, err := readRows(ctx, path, data, named)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// readRows reads the rows of one file; f is nil when the format is to be detected.
func readRows(ctx context.Context, path string, data []byte, f *format) ([]Row, error) {
	s, err := sourceOf(path)
	if err == nil && s.text {
		data, err = textOf(path, data)
	}
	if err != nil {
		return nil, err
	}
	var rows []Row
	choice := choice{named: f}
	err = s.read(path, data, func(r *record) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("data: load %s: %w", path, err)
		}
		if r.values == nil {
			return r.errorf("expected an object, found null")
		}
		more, err := choice.rows(r)
		rows = append(rows, more...)
		return err
	})
	if err == nil {
		var more []Row
		more, err = choice.trees.rows()
		rows = append(rows, more...)
	}
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, mistake("data: %s has no rows", path)
	}
	return rows, nil
}

// sourceOf picks the reader of a file.
func sourceOf(path string) (source, error) {
	extension := strings.ToLower(filepath.Ext(path))
	var known []string
	for _, s := range sources() {
		if s.extension == extension {
			return s, nil
		}
		known = append(known, s.extension)
	}
	return source{}, mistake("data: %s: the file type %q is unknown; the known ones are %s",
		path, extension, strings.Join(known, " "))
}

// readFile reads a file as it is.
func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, mistake("data: %s does not exist", path)
	case err != nil:
		if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
			return nil, mistake("data: %s is a folder: name its files", path)
		}
		return nil, mistake("data: read %s: %w", path, err)
	case len(data) == 0:
		return nil, mistake("data: %s is empty", path)
	}
	return data, nil
}

// textOf checks that the bytes of a text file are UTF-8, and takes a byte order mark away.
func textOf(path string, data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return nil, mistake("data: %s is UTF-16: convert it to UTF-8", path)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if utf8.Valid(data) {
		return data, nil
	}
	at := 0
	for at < len(data) {
		r, n := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	line, column := place(data, at)
	return nil, mistake("data: %s:%d:%d: the text is not UTF-8", path, line, column)
}

// place gives the line and column, from 1 and in characters, of a byte of a text.
func place(data []byte, at int) (line, column int) {
	at = min(max(at, 0), len(data))
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	return 1 + bytes.Count(data[:start], []byte("\n")), 1 + utf8.RuneCount(data[start:at])
}

func sourceLine(path string, line int) string { return fmt.Sprintf("%s:%d", path, line) }

// Known tells whether Load reads files of the path's extension.
func Known(path string) bool {
	_, err := sourceOf(path)
	return err == nil
}
