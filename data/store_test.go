package data

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"instruct/model/kernel/rng"
)

// randomExamples are examples of all lengths, some of which begin alike.
func randomExamples(n int) []Example {
	r := rng.NewRand(3, "examples", 0, 0)
	examples := make([]Example, n)
	for i := range examples {
		e := &examples[i]
		e.Source = sourceLine("rows.jsonl", i+1)
		for k := range 10 + r.Intn(40) {
			id := int32(k)
			if k > 9 {
				id = int32(r.Intn(1 << (1 + r.Intn(30))))
			}
			e.IDs, e.Mask = append(e.IDs, id), append(e.Mask, k > 9 && r.Intn(3) > 0)
		}
	}
	return examples
}

// TestStore: what is kept in memory, and in a file, gives the batches of the examples themselves.
func TestStore(t *testing.T) {
	examples := randomExamples(200)
	for _, memory := range []int{0, 1, 5000} {
		dir := t.TempDir()
		s := &Store{Dir: dir, Memory: memory}
		for i := range examples {
			if err := s.Add(&examples[i]); err != nil {
				t.Fatal(err)
			}
		}
		if s.Len() != len(examples) || !slices.Equal(s.Lengths(), Lengths(examples)) {
			t.Fatalf("%d examples of lengths %v", s.Len(), s.Lengths())
		}
		if inFile := s.spool.file != nil; inFile != (memory > 0) {
			t.Errorf("memory %d: a file is there: %v", memory, inFile)
		}
		r := rng.NewRand(4, "batches", 0, 0)
		var got, want Batch
		for n := range 60 {
			idx := make([]int, 1+r.Intn(9))
			for k := range idx {
				idx[k] = r.Intn(len(examples))
			}
			got.Share, want.Share = n%2 == 0, n%2 == 0
			BuildBatch(&want, examples, idx)
			if err := s.Batch(&got, idx); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("memory %d, rows %v: %v\n%+v\nwant\n%+v", memory, idx, err, got, want)
			}
			if saved, err := s.Shared(&Batch{}, [][]int{idx}); err != nil || saved != (&Batch{}).Shared(examples, idx) {
				t.Errorf("rows %v share %d (%v)", idx, saved, err)
			}
		}
		if e, err := s.Example(7); err != nil || e.Source != "rows.jsonl:8" {
			t.Errorf("example 7 is of %q (%v)", e.Source, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("memory %d: %v is left (%v)", memory, left, err)
		}
	}
	var none *Store
	if none.Len() != 0 || none.Lengths() != nil || none.Close() != nil {
		t.Error("no store has examples")
	}
}

// TestStoreErrors: a file that cannot be made or written is one message that says where and why.
func TestStoreErrors(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	s := &Store{Dir: dir, Memory: 1}
	err := s.Add(&randomExamples(1)[0])
	want := "data: the tokens of a large data set are kept in a file in " + dir + " while it is trained on, " +
		"0 MB so far: no such file or directory; make room there, or set another output_dir"
	if !isUserError(err) || !errors.Is(err, fs.ErrNotExist) || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
	s = &Store{Dir: t.TempDir(), Memory: 1}
	if err := s.Add(&randomExamples(1)[0]); err != nil {
		t.Fatal(err)
	}
	s.spool.file.Close() // as a disk that is gone
	if _, err := s.Example(0); !isUserError(err) {
		t.Errorf("%v", err)
	}
}

// FuzzStore: every example is read as it was written.
func FuzzStore(f *testing.F) {
	f.Add([]byte("\x01\x00\xff\xff\xff\x7f\x02\x01"), "rows.jsonl:1")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, bytes []byte, source string) {
		want := Example{IDs: []int32{}, Mask: []bool{}, Source: source}
		for chunk := range slices.Chunk(bytes, 4) {
			id := int32(0)
			for _, b := range chunk {
				id = id<<8 | int32(b)
			}
			want.IDs, want.Mask = append(want.IDs, id&0x7fffffff), append(want.Mask, id < 0)
		}
		got := Example{IDs: []int32{5, 6}, Mask: []bool{true, true}, Source: "before"}
		got.Source = string(readExample(&got, appendExample(nil, &want)))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nwant\n%+v", got, want)
		}
	})
}
