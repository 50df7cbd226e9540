package eval

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Kept is what a model gave before, in a file of its own: JSON lines {key, value}, which are only ever appended. A line
// is one write at the end of the file, so two programs may keep at one time; a line that was cut short (a full disk, a
// crash) is passed over. Nil keeps nothing. It is used by one goroutine at a time.
type Kept struct {
	file   *os.File // nil: in memory only
	values map[string]json.RawMessage
	torn   bool  // the file does not end with a line's end
	err    error // of the first write that failed; nothing is written after it
}

// keptLine is a line of the file.
type keptLine struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// OpenKept opens what is kept in dir of the model with this hash ([pretrained.Model.FilesHash]).
func OpenKept(dir, hash string) (*Kept, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, hash+".jsonl"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	k := &Kept{file: f, values: map[string]json.RawMessage{}}
	k.torn = len(text) > 0 && text[len(text)-1] != '\n'
	for line := range bytes.Lines(text) {
		var l keptLine
		if json.Unmarshal(line, &l) == nil && l.Key != "" && l.Value != nil {
			k.values[l.Key] = l.Value
		}
	}
	return k, nil
}

// InMemory keeps for as long as the program runs: for a model whose files are not written yet.
func InMemory() *Kept { return &Kept{values: map[string]json.RawMessage{}} }

// PutAll keeps everything that from has and k has not. Whether that went well, [Kept.Close] tells.
func (k *Kept) PutAll(from *Kept) {
	if k == nil || from == nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(from.values)) {
		if k.values[key] == nil {
			k.Put(key, from.values[key])
		}
	}
}

// Get reads the value of a key into the variable that v points to, if there is one that fits it.
func (k *Kept) Get(key string, v any) bool {
	if k == nil || k.values[key] == nil {
		return false
	}
	return json.Unmarshal(k.values[key], v) == nil
}

// Put keeps a value. Whether that went well, [Kept.Close] tells.
func (k *Kept) Put(key string, v any) {
	if k == nil || k.err != nil {
		return
	}
	value, err := json.Marshal(v)
	if err != nil {
		k.err = err
		return
	}
	if k.file == nil {
		k.values[key] = value
		return
	}
	line, err := json.Marshal(keptLine{key, value})
	if err != nil {
		k.err = err
		return
	}
	if k.torn {
		line = append([]byte{'\n'}, line...)
	}
	if _, k.err = k.file.Write(append(line, '\n')); k.err == nil {
		k.torn = false
		k.values[key] = value
	}
}

// Close closes the file. The error is that of the first write that failed; what was kept before it stays.
func (k *Kept) Close() error {
	if k == nil {
		return nil
	}
	if k.file == nil {
		return k.err
	}
	err := k.file.Close()
	if k.err != nil {
		return k.err
	}
	return err
}

// keptVersion is raised when the same question to the same model may be answered otherwise than by the program before:
// when the bits of decoding or scoring change, or what a value means.
const keptVersion = 2

// keptKey is the key of a question: kind says what is asked, and question is everything beside the model that decides
// the answer, as JSON.
func keptKey(kind string, question any) string {
	text, err := json.Marshal(struct {
		Version  int
		Kind     string
		Question any
	}{keptVersion, kind, question})
	if err != nil {
		panic(fmt.Sprintf("eval: a key that is no JSON: %v", err)) // a defect of the caller
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
