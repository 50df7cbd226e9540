package checkpoints

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// maxHeader is the largest header that safetensors allows, in bytes.
const maxHeader = 100_000_000

// parseHeader reads the JSON header strictly: no duplicate or unknown keys, no
// fractions, nothing after it but white space.
func (s *Safetensors) parseHeader(header []byte) error {
	if !utf8.Valid(header) {
		return errors.New("header is not UTF-8")
	}
	r := newJSONReader(header)
	r.object("header has %q twice", func(name string) {
		if name == "__metadata__" {
			s.metadata = parseMetadata(r)
			return
		}
		t := parseEntry(r, name)
		s.names = append(s.names, name)
		s.tensors[name] = t
	})
	if r.err != nil {
		return r.err
	}
	if _, err := r.d.Token(); err != io.EOF {
		return errors.New("header has something after its JSON object")
	}
	return nil
}

func parseMetadata(r *jsonReader) map[string]string {
	metadata := map[string]string{}
	r.object("__metadata__ has %q twice", func(key string) {
		text, ok := r.token().(string)
		if !ok {
			r.fail("__metadata__ %q is not a string", key)
		}
		metadata[key] = text
	})
	return metadata
}

// parseEntry reads dtype, shape and place of a tensor and holds them against each other.
func parseEntry(r *jsonReader, name string) stored {
	var t stored
	var offsets []int
	seen := map[string]bool{}
	r.object("%q stands there twice", func(key string) {
		seen[key] = true
		switch key {
		case "dtype":
			dtype, ok := r.token().(string)
			if !ok {
				r.fail("dtype is not a string")
			}
			t.kind = DType(dtype).blockType()
		case "shape":
			t.shape = r.naturals(key)
		case "data_offsets":
			offsets = r.naturals(key)
		default:
			r.fail("unknown key %q, expected dtype, shape, data_offsets", key)
		}
	})
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[key] {
			r.fail("%q is missing", key)
		}
	}
	if len(offsets) != 2 {
		r.fail("data_offsets has %d numbers, expected 2", len(offsets))
	}
	if r.err != nil {
		r.err = fmt.Errorf("header of tensor %q: %w", name, r.err)
		return t
	}
	t.begin = int64(offsets[0])
	t.size = int64(offsets[1]) - t.begin
	if t.kind.size == 0 {
		r.fail("tensor %q: unknown dtype %q", name, t.kind.name)
		return t
	}
	n, ok := mulShape(t.shape, t.kind.size)
	if !ok {
		r.fail("tensor %q: shape %v is too large", name, t.shape)
	}
	if want := int64(n) * int64(t.kind.size); t.size != want {
		r.fail("tensor %q: data_offsets [%d, %d] do not fit %s %v, which takes %d bytes",
			name, offsets[0], offsets[1], t.kind.name, t.shape, want)
	}
	return t
}

// layout sorts the tensors by offset, requires that they follow each other without
// gap or overlap, puts them behind the header, and gives the length of the data in bytes.
func (s *Safetensors) layout() (int64, error) {
	slices.SortStableFunc(s.names, func(a, b string) int {
		x, y := s.tensors[a], s.tensors[b]
		return cmp.Or(cmp.Compare(x.begin, y.begin), cmp.Compare(x.size, y.size))
	})
	var at int64
	for _, name := range s.names {
		t := s.tensors[name]
		if t.begin < at {
			return 0, fmt.Errorf("tensor %q: begins at offset %d, inside the tensor before it, which ends at %d",
				name, t.begin, at)
		}
		if t.begin > at {
			return 0, fmt.Errorf("tensor %q: begins at offset %d, leaving a gap after offset %d", name, t.begin, at)
		}
		at += t.size
		t.begin += s.data
		s.tensors[name] = t
	}
	return at, nil
}
