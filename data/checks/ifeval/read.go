package ifeval

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// userError marks a mistake in the user's file.
type userError struct{ error }

// UserError reports that the mistake lies in the user's input.
func (userError) UserError() bool { return true }

// Unwrap gives the wrapped error.
func (e userError) Unwrap() error { return e.error }

// ReadFile reads tests from a file.
func ReadFile(path string) ([]Test, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("ifeval: %w", err)
	}
	defer f.Close()
	return Read(path, f)
}

// Read reads tests, one JSON object a line: key, prompt, instruction_id_list and kwargs, one object of kwargs for each
// instruction. Blank lines are skipped. An unknown instruction, or a kwarg that is unknown, missing or of the wrong
// type, is an error that begins with path and line; what the reference would draw by chance must be given.
func Read(path string, r io.Reader) ([]Test, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("ifeval: read %s: %w", path, err)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	var tests []Test
	var s shared
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		test, err := parse(line, &s)
		if err != nil {
			return nil, userError{fmt.Errorf("ifeval: %s:%d: %w", path, number, err)}
		}
		tests = append(tests, *test)
	}
	if len(tests) == 0 {
		return nil, userError{fmt.Errorf("ifeval: %s:1: expected one test a line, found none", path)}
	}
	return tests, nil
}

// parse reads one line.
func parse(line []byte, s *shared) (*Test, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("the line is not UTF-8")
	}
	var row map[string]json.RawMessage
	err := json.Unmarshal(line, &row)
	if err != nil {
		var wrongType *json.UnmarshalTypeError
		if errors.As(err, &wrongType) {
			return nil, fmt.Errorf("expected an object, found %s", wrongType.Value)
		}
		return nil, fmt.Errorf("invalid JSON: %w", err)
	}
	if row == nil {
		return nil, errors.New("expected an object, found null")
	}
	var test Test
	var ids []string
	var kwargs []json.RawMessage
	for _, f := range []struct {
		name, expected string
		into           any
	}{
		{"key", "a whole number", &test.Key},
		{"prompt", "a text", &test.Prompt},
		{"instruction_id_list", "a list of instruction ids", &ids},
		{"kwargs", "a list of objects, one for each instruction", &kwargs},
	} {
		raw, ok := row[f.name]
		if !ok {
			return nil, fmt.Errorf("%s is missing: expected %s", f.name, f.expected)
		}
		if string(raw) == "null" || json.Unmarshal(raw, f.into) != nil {
			return nil, fmt.Errorf("%s: expected %s, found %s", f.name, f.expected, shorten(raw))
		}
	}
	if len(ids) == 0 || len(ids) != len(kwargs) {
		return nil, fmt.Errorf("expected at least one instruction and as many kwargs, found %d instructions and %d kwargs",
			len(ids), len(kwargs))
	}
	for i, id := range ids {
		in, err := instruction(id, kwargs[i], s)
		if err != nil {
			return nil, fmt.Errorf("instruction %d: %w", i+1, err)
		}
		test.Instructions = append(test.Instructions, *in)
	}
	return &test, nil
}

func instruction(id string, kwargs json.RawMessage, s *shared) (*Instruction, error) {
	for _, k := range kinds {
		if k.id != id {
			continue
		}
		settings := newSettings(kwargs, s)
		check := k.build(settings)
		err := settings.finish()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		return &Instruction{ID: id, check: check}, nil
	}
	return nil, fmt.Errorf("unknown instruction id %q: expected one of %q", id, Kinds())
}
