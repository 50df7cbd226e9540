package data

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/tokenizer"
	"instruct/tokenizer/chat"
)

// fixture gives the path of a shared fixture, or skips the test where there is none.
func fixture(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("INSTRUCT_FIXTURES")
	for root := "."; dir == ""; root = filepath.Join(root, "..") {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			dir = filepath.Join(root, "..", "shared", "fixtures")
		} else if len(root) > 100 {
			t.Fatal("no go.mod above the test")
		}
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the fixture is absent: %v", err)
	}
	return path
}

// write makes a file in a folder of the test.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// load reads a file and fails the test if it cannot.
func load(t testing.TB, paths ...string) []Row {
	t.Helper()
	rows, err := Load(context.Background(), paths, "")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// byteTokenizer has a token for every byte and those of the lessons template.
func byteTokenizer(t testing.TB) *tokenizer.Tokenizer {
	t.Helper()
	tok := tokenizer.Bytes(chat.LessonsTokens()...)
	if err := tok.SetSpecial(tokenizer.Special{EOS: "<|end|>"}); err != nil {
		t.Fatal(err)
	}
	return tok
}

// encoder encodes with a built-in template.
func encoder(t testing.TB, template string, tok *tokenizer.Tokenizer) *Encoder {
	t.Helper()
	tp, err := chat.NewBuiltin(template, tok)
	if err != nil {
		t.Fatal(err)
	}
	return &Encoder{Tokenizer: tok, Template: tp}
}

// fixtureTokenizer loads one of the tokenizers of the fixtures.
func fixtureTokenizer(t testing.TB, name string) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.Load(fixture(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func isUserError(err error) bool {
	var user interface{ UserError() bool }
	return errors.As(err, &user) && user.UserError()
}

// talk makes a conversation of alternating turns, the user's first.
func talk(turns ...string) []chat.Message {
	var out []chat.Message
	for i, turn := range turns {
		out = append(out, chat.Message{Role: []string{"user", "assistant"}[i%2], Content: turn})
	}
	return out
}

// Encode turns one row into an example.
func (e *Encoder) Encode(row Row) (Example, Outcome, error) {
	return e.encodeRow(&row, &encoding{})
}

// rowsOf reads rows from the bytes of a file.
func rowsOf(ctx context.Context, name string, content []byte, f *format) (rows []Row, err error) {
	s, err := sourceOf(name)
	if err != nil {
		return nil, err
	}
	in := &input{path: name, source: s, file: bytes.NewReader(content), size: int64(len(content))}
	if s.text {
		if err := in.openText(bytes.NewReader(content)); err != nil {
			return nil, err
		}
	}
	var bad badRows
	err = in.rows(ctx, f, func(row Row, err error) bool {
		if err != nil {
			bad.add(err)
		} else {
			rows = append(rows, row)
		}
		return true
	})
	if err != nil {
		return nil, bad.before(err)
	}
	return rows, bad.error()
}

// loadNoted reads a file and gives what the user is told, in one text.
func loadNoted(t testing.TB, path string, o Options) (rows []Row, notes string) {
	t.Helper()
	var all []string
	o.Note = func(text string) { all = append(all, text) }
	rows, err := LoadWith(context.Background(), []string{path}, o)
	if err != nil {
		t.Fatal(err)
	}
	return rows, strings.Join(all, "|")
}
