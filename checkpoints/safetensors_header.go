package checkpoints

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxHeader is the largest header that safetensors allows, in bytes.
const maxHeader = 100_000_000

// entry is one tensor of a safetensors header; begin and end are byte offsets into the data.
type entry struct {
	name       string
	dtype      DType
	shape      []int
	begin, end int64
}

// parseHeader reads the JSON header strictly: no duplicate or unknown keys, no
// fractions, nothing after it but white space. The entries come in file order.
func parseHeader(header []byte) (entries []entry, metadata map[string]string, err error) {
	if !utf8.Valid(header) {
		return nil, nil, errors.New("header is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(header))
	d.UseNumber()
	seen := map[string]bool{}
	err = object(d, func(name string) error {
		if seen[name] {
			return fmt.Errorf("header has %q twice", name)
		}
		seen[name] = true
		if name == "__metadata__" {
			metadata = map[string]string{}
			return parseMetadata(d, metadata)
		}
		e, err := parseEntry(d, name)
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, nil, errors.New("header has something after its JSON object")
	}
	return entries, metadata, nil
}

func parseMetadata(d *json.Decoder, metadata map[string]string) error {
	return object(d, func(key string) error {
		if _, dup := metadata[key]; dup {
			return fmt.Errorf("__metadata__ has %q twice", key)
		}
		v, err := d.Token()
		if err != nil {
			return jsonError(err)
		}
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("__metadata__ %q is not a string", key)
		}
		metadata[key] = s
		return nil
	})
}

func parseEntry(d *json.Decoder, name string) (entry, error) {
	e := entry{name: name, shape: []int{}}
	var offsets []int
	seen := map[string]bool{}
	err := object(d, func(key string) (err error) {
		if seen[key] {
			return fmt.Errorf("%q stands there twice", key)
		}
		seen[key] = true
		switch key {
		case "dtype":
			v, err := d.Token()
			if err != nil {
				return jsonError(err)
			}
			s, ok := v.(string)
			if !ok {
				return errors.New("dtype is not a string")
			}
			e.dtype = DType(s)
			return nil
		case "shape":
			e.shape, err = naturals(d, key)
			return err
		case "data_offsets":
			offsets, err = naturals(d, key)
			return err
		}
		return fmt.Errorf("unknown key %q, expected dtype, shape, data_offsets", key)
	})
	if err != nil {
		return e, fmt.Errorf("header of tensor %q: %w", name, err)
	}
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[key] {
			return e, fmt.Errorf("header of tensor %q: %q is missing", name, key)
		}
	}
	if len(offsets) != 2 {
		return e, fmt.Errorf("header of tensor %q: data_offsets has %d numbers, expected 2", name, len(offsets))
	}
	e.begin, e.end = int64(offsets[0]), int64(offsets[1])
	return e, e.check()
}

// check holds the offsets against dtype and shape.
func (e entry) check() error {
	size := e.dtype.Size()
	if size == 0 {
		return fmt.Errorf("tensor %q: unknown dtype %q", e.name, e.dtype)
	}
	n, ok := mulShape(e.shape, size)
	if !ok {
		return fmt.Errorf("tensor %q: shape %v is too large", e.name, e.shape)
	}
	if e.end < e.begin || e.end-e.begin != int64(n)*int64(size) {
		return fmt.Errorf("tensor %q: data_offsets [%d, %d] do not fit %s %v, which takes %d bytes",
			e.name, e.begin, e.end, e.dtype, e.shape, int64(n)*int64(size))
	}
	return nil
}

// layout sorts the entries by offset, requires that they follow each other without
// gap or overlap, and gives the length of the data in bytes.
func layout(entries []entry) (int64, error) {
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	var at int64
	for _, e := range entries {
		if e.begin < at {
			return 0, fmt.Errorf("tensor %q: begins at offset %d, inside the tensor before it, which ends at %d",
				e.name, e.begin, at)
		}
		if e.begin > at {
			return 0, fmt.Errorf("tensor %q: begins at offset %d, leaving a gap after offset %d", e.name, e.begin, at)
		}
		at = e.end
	}
	return at, nil
}

// object reads a JSON object and calls value at each key; value must consume the key's value.
func object(d *json.Decoder, value func(key string) error) error {
	t, err := d.Token()
	if err != nil {
		return jsonError(err)
	}
	if t != json.Delim('{') {
		return fmt.Errorf("expected a JSON object, found %v", t)
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return jsonError(err)
		}
		key, ok := t.(string)
		if !ok {
			return fmt.Errorf("expected a JSON key, found %v", t)
		}
		if err := value(key); err != nil {
			return err
		}
	}
	_, err = d.Token() // the closing brace
	return jsonError(err)
}

// naturals reads an array of non-negative integers.
func naturals(d *json.Decoder, key string) ([]int, error) {
	t, err := d.Token()
	if err != nil {
		return nil, jsonError(err)
	}
	if t != json.Delim('[') {
		return nil, fmt.Errorf("%s is not an array", key)
	}
	list := []int{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, jsonError(err)
		}
		n, ok := t.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%s holds %v, expected integers", key, t)
		}
		v, err := strconv.ParseUint(n.String(), 10, strconv.IntSize-1)
		if err != nil {
			return nil, fmt.Errorf("%s holds %s, expected integers from 0 to 2^%d-1", key, n, strconv.IntSize-1)
		}
		list = append(list, int(v))
	}
	_, err = d.Token()
	return list, jsonError(err)
}

// jsonError says that the header's JSON is broken.
func jsonError(err error) error {
	if err == nil {
		return nil
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("JSON ends too early")
	}
	return fmt.Errorf("JSON: %w", err)
}
