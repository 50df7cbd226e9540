package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// source is a file type: its extension, and what reads the records of a file one after the other. It stops at the first
// error of yield and returns it. A record that cannot be read, while those after it can, has its error.
type source struct {
	extension string
	text      bool // the file is text
	read      func(in *input, yield func(*record) error) error
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
		{xlsx, false, readXLSX},
		{textFile, true, readTextFile},
	}
}

// knownTypes lists the extensions of the table.
func knownTypes() []string {
	var known []string
	for _, s := range sources() {
		known = append(known, s.extension)
	}
	return known
}

// sourceOf picks the reader of a file.
func sourceOf(path string) (source, error) {
	file, _ := splitSheet(path)
	extension := strings.ToLower(filepath.Ext(unpackedName(file)))
	for _, s := range sources() {
		if s.extension != extension {
			continue
		}
		if !s.text && unpackedName(file) != file {
			return s, mistake("data: %s is packed: unpack it first, as only text is read packed", path)
		}
		return s, nil
	}
	return source{}, mistake("data: %s: the file type %q is unknown; the known ones are %s, "+
		"and text also packed (.gz .zst .xz)",
		path, extension, strings.Join(knownTypes(), " "))
}

// Known tells whether Load reads files of the path's extension.
func Known(path string) bool {
	_, err := sourceOf(path)
	return err == nil || path == stdin
}

// input is an opened file of rows.
type input struct {
	path    string // for messages
	source  source
	text    *bufio.Reader // of a text file, without its byte order mark
	file    io.ReaderAt   // of any other
	sheet   string        // of a workbook, empty: the first
	size    int64         // of file, in bytes
	options Options
	closers []func()
}

const readBuffer = 256 << 10 // bytes

// open opens a file of rows.
func open(path string, o Options) (*input, error) {
	if path == stdin {
		return openStdin(o)
	}
	name, sheet := splitSheet(path)
	file, size, err := openFile(name)
	if err != nil {
		return nil, err
	}
	in := &input{path: path, file: file, size: size, sheet: sheet, options: o}
	in.closers = append(in.closers, func() { file.Close() })
	if in.source, err = sourceOf(path); err == nil && in.source.text {
		err = in.openText(o.watched(file))
	}
	if err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// watched is a file whose parts Seen is told of.
func (o *Options) watched(file io.Reader) io.Reader {
	if o.Seen == nil {
		return file
	}
	return io.TeeReader(file, seenWriter(o.Seen))
}

// seenWriter is a function as a writer.
type seenWriter func(part []byte)

// Write implements [io.Writer].
func (w seenWriter) Write(part []byte) (int, error) {
	w(part)
	return len(part), nil
}

// openText makes the text of a file.
func (in *input) openText(r io.Reader) (err error) {
	if in.text, err = in.unpacked(bufio.NewReaderSize(r, readBuffer)); err != nil {
		return err
	}
	in.plainText()
	return nil
}

// openStdin makes an input of the standard input: JSON where it begins like some, else a table.
func openStdin(o Options) (*input, error) {
	in := &input{path: stdin, options: o}
	r := o.Stdin
	if r == nil {
		r = os.Stdin
	}
	if err := in.openText(r); err != nil {
		return nil, err
	}
	start, err := in.text.Peek(512)
	text := bytes.TrimLeft(start, " \t\r\n")
	name := "rows.csv"
	switch {
	case len(start) == 0 && err == io.EOF:
		return nil, mistake("data: the standard input (-) is empty")
	case len(start) == 0:
		return nil, in.fail(err)
	case bytes.HasPrefix(start, []byte("PAR1")), bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return nil, mistake("data: the standard input (-) is no text: save it as a .parquet or .xlsx file")
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[")):
		name = "rows.jsonl"
	}
	in.source, err = sourceOf(name)
	return in, err
}

// openFile opens a file that is no folder and has bytes.
func openFile(path string) (*os.File, int64, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, mistake("data: %s does not exist", path)
	}
	if err != nil {
		return nil, 0, mistake("data: read %s: %w", path, err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		err = mistake("data: read %s: %w", path, err)
	case info.IsDir():
		err = mistake("data: %s is a folder: name its files", path)
	case info.Mode().IsRegular() && info.Size() == 0:
		err = mistake("data: %s is empty", path)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

func (in *input) close() {
	for _, f := range in.closers {
		f()
	}
}

// note tells the user something about the file.
func (in *input) note(text string, args ...any) {
	if in.options.Note != nil {
		in.options.Note(in.path + ": " + fmt.Sprintf(text, args...))
	}
}

// fail is the error of a file that cannot be read on. An error that is a mistake already stays as it is.
func (in *input) fail(err error) error {
	if _, ok := errors.AsType[userError](err); ok {
		return err
	}
	return mistake("data: read %s: %w", in.path, err)
}

// line reads the next line of a text file, without its line feed; io.EOF after the last one. It is valid until the next
// call.
func (in *input) line() ([]byte, error) {
	line, err := in.text.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		line = bytes.Clone(line)
	}
	for err == bufio.ErrBufferFull {
		var part []byte
		part, err = in.text.ReadSlice('\n')
		line = append(line, part...)
	}
	if err != nil && (err != io.EOF || len(line) == 0) {
		if err != io.EOF {
			err = in.fail(err)
		}
		return nil, err
	}
	return bytes.TrimSuffix(line, []byte("\n")), nil
}

// readFile reads a file as it is.
func readFile(path string) ([]byte, error) {
	file, _, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, mistake("data: read %s: %w", path, err)
	}
	return data, nil
}
