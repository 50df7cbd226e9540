package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"instruct/checkpoints"
)

// File is the ledger's name in its folder.
const File = "ledger.jsonl"

// Files are what an entry says of files: the sha256, in hexadecimal, of what they held when it was written.
type Files struct {
	Gone    []string          `json:"gone,omitempty"`           // of the folder, that the entries before named
	Outside map[string]string `json:"outside_sha256,omitempty"` // what was read elsewhere; paths lead from the folder
	Own     map[string]string `json:"sha256,omitempty"`         // of the folder, where they changed or came
}

// Head is what every entry says of itself. What its kind says more stands beside it in the same JSON object.
type Head struct {
	// Before is the head of a ledger of which this entry says that its last entries were taken out; "" else.
	Before string `json:"head_before"`

	Prev   string `json:"prev"` // sha256 of the line before, with its line feed; zeros where there is none
	Kind   string `json:"kind"` // such as train, round or forget
	Time   string `json:"time"` // RFC 3339, UTC
	Author string `json:"author"`
	Files
}

// Entry is a line of a ledger.
type Entry struct {
	Head
	Number    int    // from 1
	Line      []byte // with its line feed
	Unchained bool   // it was written before ledgers had chains
	Damage    string // in what it is not as it was written; "" for nothing
}

// Hash is what the next entry has as Prev.
func (e *Entry) Hash() string { return hash(e.Line) }

// String names an entry in messages.
func (e *Entry) String() string { return fmt.Sprintf("entry %d (%s)", e.Number, e.Kind) }

func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// none is the Prev of a first entry.
var none = strings.Repeat("0", 2*sha256.Size)

// A line begins with its Prev and ends with the sha256 of all of it before that, so that a changed byte is found in the
// last line too, which no other line has the hash of.
const (
	lineStart = `{"prev":"`
	sumStart  = `,"sum":"`
	lineEnd   = "\"}\n"
	sumLength = len(sumStart) + 2*sha256.Size + len(lineEnd)
)

// Read reads the ledger of a folder, oldest entry first; a folder without one has no entries. What is wrong with an
// entry stands in it.
func Read(dir string) ([]Entry, error) {
	path := filepath.Join(dir, File)
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, mistake("%s is no file", path)
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, mistake("%s: %s", path, checkpoints.Reason(err))
	}
	return parse(text), nil
}

// parse reads the lines of a ledger and checks the chain.
func parse(text []byte) []Entry {
	var all []Entry
	chained := false
	before := 0 // where the bytes begin that the next chained entry has the hash of
	at := 0
	for line := range bytes.Lines(text) {
		e := Entry{Number: len(all) + 1, Line: line}
		if err := json.Unmarshal(line, &e.Head); err != nil {
			e.Damage = "is no JSON object of an entry: " + err.Error()
		}
		e.Unchained = !bytes.HasPrefix(line, []byte(lineStart)) && !hasSum(line)
		switch {
		case e.Damage != "":
		case e.Unchained && chained:
			e.Damage = "was not written by this program: it has no place in the chain"
		case e.Unchained:
		case !hasSum(line) || hash(line[:len(line)-sumLength]) != sumOf(line):
			e.Damage = "is not as it was written: its sum is another"
		case at == 0 && e.Prev != none:
			e.Damage = "was not the first one: lines before it are gone"
		case at > 0 && e.Prev != hash(text[before:at]) && all[len(all)-1].Damage == "":
			e.Damage = "does not follow what stands before it: a line there was changed, taken out or put in"
		default:
			e.Damage = e.Files.wrong()
		}
		if !e.Unchained {
			chained, before = true, at
		}
		at += len(line)
		all = append(all, e)
	}
	return all
}

// hasSum tells whether a line ends with a sum, right or wrong.
func hasSum(line []byte) bool {
	at := len(line) - sumLength
	return at > 0 && bytes.HasPrefix(line[at:], []byte(sumStart)) && bytes.HasSuffix(line, []byte(lineEnd))
}

// sumOf is the sum that a line has.
func sumOf(line []byte) string {
	return string(line[len(line)-len(lineEnd)-2*sha256.Size : len(line)-len(lineEnd)])
}

// wrong refuses names that lead out of the folder.
func (f *Files) wrong() string {
	for path := range f.Own {
		if !filepath.IsLocal(filepath.FromSlash(path)) {
			return fmt.Sprintf("names a file outside its folder, %.80q", path)
		}
	}
	return ""
}

// Append writes an entry behind the others: what body, a struct with time and author, says, and the files. The ledger
// is written whole and renamed, so it never holds half a line. The caller keeps others out of the folder.
func Append(dir, kind string, body any, files Files) error {
	entries, err := Read(dir)
	if err != nil {
		return err
	}
	var text []byte
	from, prev := 0, none
	for i := range entries {
		if !entries[i].Unchained {
			from = len(text)
		}
		text = append(text, entries[i].Line...)
	}
	if len(text) > 0 {
		if text[len(text)-1] != '\n' { // of an older program; never of this one
			text = append(text, '\n')
		}
		prev = hash(text[from:])
	}
	line, err := join(struct {
		Prev string `json:"prev"`
		Kind string `json:"kind"`
	}{prev, kind}, body, files)
	if err != nil {
		return fmt.Errorf("record: %s: %w", kind, err)
	}
	line = append(line[:len(line)-1], sumStart+hash(line[:len(line)-1])+lineEnd...)
	return checkpoints.WriteFile(filepath.Join(dir, File), append(text, line...))
}

// join makes one JSON object of several.
func join(parts ...any) ([]byte, error) {
	line := []byte{'{'}
	for _, p := range parts {
		text, err := json.Marshal(p)
		if err != nil {
			return nil, err
		}
		if len(text) < 2 || text[0] != '{' {
			return nil, fmt.Errorf("%.40q is no object", text)
		}
		if len(line) > 1 && len(text) > 2 {
			line = append(line, ',')
		}
		line = append(line, text[1:len(text)-1]...)
	}
	return append(line, '}'), nil
}

// Author is who does it: the login name where none was given.
func Author(given string) string {
	u, err := user.Current()
	if given == "" && err == nil {
		return u.Username
	}
	return given
}
