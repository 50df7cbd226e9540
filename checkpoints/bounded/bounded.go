// Package bounded reads the small files that come with models and data, of which nobody vouches: a device without an
// end, a pipe that nobody writes to, or a text of a million brackets costs a message and no memory.
package bounded

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

const (
	mostFile  = 256 << 20 // bytes; the largest tokenizer.json has a seventh of it
	mostInput = 16 << 20  // of a pipe
)

var errIrregular = errors.New("it is a device or a pipe, expected a file")

// ReadFile reads a file of a folder, which must be a regular one.
func ReadFile(path string) ([]byte, error) { return read(path, false) }

// ReadInput reads a file that a person named, which may be a pipe, as a shell's <(command) is.
func ReadInput(path string) ([]byte, error) { return read(path, true) }

func read(path string, pipes bool) ([]byte, error) {
	info, err := os.Stat(path) // opening a pipe would wait for its writer
	if err != nil {
		return nil, err
	}
	fail := func(err error) ([]byte, error) { return nil, &fs.PathError{Op: "read", Path: path, Err: err} }
	most := int64(mostFile)
	if kind := info.Mode().Type(); kind != 0 && !info.IsDir() {
		if !pipes || kind&fs.ModeNamedPipe == 0 {
			return fail(errIrregular)
		}
		most = mostInput
	}
	if info.Size() > most {
		return fail(fmt.Errorf("it has %d bytes, expected at most %d", info.Size(), most))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var text bytes.Buffer
	text.Grow(int(min(info.Size(), most)) + bytes.MinRead)
	if _, err := text.ReadFrom(io.LimitReader(f, most+1)); err != nil {
		return nil, err
	}
	if int64(text.Len()) > most {
		return fail(fmt.Errorf("it has more than %d bytes", most))
	}
	return text.Bytes(), nil
}

// Nested gives the line, from 1, in which a text of YAML or JSON opens more brackets, or more lists in one line, than
// most; 0: nowhere. Brackets in quoted text count too, but are closed there as a rule.
func Nested(text []byte, most int) (line int) {
	depth, dashes := 0, 0
	line = 1
	for i, c := range text {
		switch c {
		case '\n':
			line, dashes = line+1, 0
		case '[', '{':
			depth++
		case ']', '}':
			depth = max(0, depth-1)
		case '-', '?':
			if i+1 < len(text) && text[i+1] == ' ' {
				dashes++
			}
		case '"', '\'':
			dashes = 0
		}
		if depth > most || dashes > most {
			return line
		}
	}
	return 0
}
