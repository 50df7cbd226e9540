package checkpoints

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
)

// readAll opens file with open and reads every tensor. The error is that of open or of the
// first Read; other is a breach of what a Source promises.
func readAll[S Source](open func([]byte) (S, error), file []byte) (err, other error) {
	s, err := open(file)
	if err != nil {
		return err, nil
	}
	for _, name := range s.Names() {
		shape, ok := s.Shape(name)
		if !ok {
			return nil, fmt.Errorf("%q is listed but has no shape", name)
		}
		n, ok := mulShape(shape, 1)
		if !ok || n > 64*len(file) {
			return nil, fmt.Errorf("%q of shape %v cannot be in a file of %d bytes", name, shape, len(file))
		}
		if e := s.Read(name, make([]float32, n)); e != nil && err == nil {
			err = e
		}
	}
	return err, s.Close()
}

// wellBehaved requires a valid read or a user's error of bounded length.
func wellBehaved[S Source](t *testing.T, open func([]byte) (S, error), file []byte) (valid bool) {
	t.Helper()
	err, other := readAll(open, file)
	if other != nil {
		t.Fatal(other)
	}
	if err != nil {
		var user userError
		if !errors.As(err, &user) || len(err.Error()) > 1000 {
			t.Fatalf("not a clear error: %v", err)
		}
	}
	return err == nil
}

func FuzzSafetensors(f *testing.F) {
	f.Add(smallSafetensors())
	f.Add(safetensorsBytes(`{}`, 0))
	f.Add(safetensorsBytes(`{"t":{"dtype":"F16","shape":[0,3],"data_offsets":[0,0]}}  `, 0))
	f.Fuzz(func(t *testing.T, file []byte) { wellBehaved(t, openBytes, file) })
}

func FuzzGGUF(f *testing.F) {
	f.Add(smallGGUF())
	f.Add(newGGUFBuilder(2, 0, 0).Bytes())
	if reference, err := os.ReadFile("testdata/quants.gguf"); err == nil {
		f.Add(reference[:2048])
	}
	f.Fuzz(func(t *testing.T, file []byte) { wellBehaved(t, openGGUFBytes, file) })
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata":{"total_size":8},"weight_map":{"a":"m-1","b":"m-2"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		names, files, err := parseIndex(text)
		if err == nil && len(names) != len(files) {
			t.Fatalf("%d names, %d files", len(names), len(files))
		}
	})
}

// mutate changes a copy of file: bytes overwritten, cut out, doubled, the end cut off,
// or an 8-byte number made huge.
func mutate(r *rand.Rand, file []byte) []byte {
	m := append([]byte{}, file...)
	for range 1 + r.IntN(3) {
		if len(m) == 0 {
			break
		}
		at := r.IntN(len(m))
		n := min(1+r.IntN(16), len(m)-at)
		switch r.IntN(6) {
		case 0:
			m[at] ^= 1 << r.IntN(8)
		case 1:
			m[at] = byte(r.Uint32())
		case 2:
			m = append(m[:at], m[at+n:]...)
		case 3:
			m = append(m[:at+n], append(append([]byte{}, m[at:at+n]...), m[at+n:]...)...)
		case 4:
			m = m[:at]
		case 5:
			for i := range min(8, len(m)-at) {
				m[at+i] = 0xff >> (i / 7) // 2^63-1
			}
		}
	}
	return m
}

// TestMutations damages small files in a thousand ways each: every one is read or refused
// clearly, and none makes the reader ask for more than a little memory.
func TestMutations(t *testing.T) {
	const limit = 1 << 20 // bytes, for files of less than 1 KB
	try := func(t *testing.T, file []byte, valid func([]byte) bool) {
		r := rand.New(rand.NewPCG(3, 4))
		if !valid(file) {
			t.Fatal("the file is not valid before it is damaged")
		}
		good := 0
		for i := range 1000 {
			m := mutate(r, file)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if valid(m) {
				good++
			}
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > limit {
				t.Errorf("mutation %d took %d bytes of memory", i, used)
			}
		}
		t.Logf("%d of 1000 still valid", good)
		if good == 1000 {
			t.Error("no mutation was noticed")
		}
	}
	t.Run("safetensors", func(t *testing.T) {
		file := safetensorsBytes(`{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},`+
			`"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},"c":{"dtype":"F16","shape":[],"data_offsets":[32,34]}}`, 34)
		try(t, file, func(m []byte) bool { return wellBehaved(t, openBytes, m) })
	})
	t.Run("gguf", func(t *testing.T) {
		try(t, smallGGUF(), func(m []byte) bool { return wellBehaved(t, openGGUFBytes, m) })
	})
}
