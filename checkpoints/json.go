package checkpoints

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// jsonReader walks over JSON text token by token and keeps the first error.
type jsonReader struct {
	d   *json.Decoder
	err error
}

func newJSONReader(text []byte) *jsonReader {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return &jsonReader{d: d}
}

func (r *jsonReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// broken takes an error of the library.
func (r *jsonReader) broken(err error) {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		r.fail("JSON ends too early")
	} else if err != nil {
		r.fail("JSON: %w", err)
	}
}

// token is the next token; nil after an error.
func (r *jsonReader) token() json.Token {
	if r.err != nil {
		return nil
	}
	t, err := r.d.Token()
	r.broken(err)
	return t
}

// skip passes over a value.
func (r *jsonReader) skip() {
	var skipped json.RawMessage
	r.broken(r.d.Decode(&skipped))
}

// object reads an object and calls value at each key; value must consume the key's value. twice is the error's format
// for a key that occurs again; where it is empty, keys may.
func (r *jsonReader) object(twice string, value func(key string)) {
	if t := r.token(); t != json.Delim('{') {
		r.fail("expected a JSON object, found %v", t)
	}
	seen := map[string]bool{}
	for r.err == nil && r.d.More() {
		key, _ := r.token().(string) // the library takes nothing else there
		if twice != "" && seen[key] {
			r.fail(twice, key)
		}
		seen[key] = true
		if r.err == nil {
			value(key)
		}
	}
	r.token() // the closing brace
}

// naturals reads an array of non-negative integers; key names it.
func (r *jsonReader) naturals(key string) []int {
	if r.token() != json.Delim('[') {
		r.fail("%s is not an array", key)
	}
	list := []int{}
	for r.err == nil && r.d.More() {
		t := r.token()
		n, ok := t.(json.Number)
		if !ok {
			r.fail("%s holds %v, expected integers", key, t)
		}
		v, err := strconv.ParseUint(n.String(), 10, strconv.IntSize-1)
		if err != nil {
			r.fail("%s holds %s, expected integers from 0 to 2^%d-1", key, n, strconv.IntSize-1)
		}
		list = append(list, int(v))
	}
	r.token()
	return list
}
