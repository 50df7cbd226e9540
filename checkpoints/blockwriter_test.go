package checkpoints

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// someBytes are n bytes that do not repeat in a block.
func someBytes(n int) []byte {
	p := make([]byte, n)
	x := uint32(n + 1)
	for i := range p {
		x = x*1664525 + 1013904223
		p[i] = byte(x >> 24)
	}
	return p
}

// folders are those of file systems that write around the cache, and that do not.
func folders(t *testing.T) []string {
	list := []string{t.TempDir()}
	if memory, err := os.MkdirTemp("/dev/shm", "instruct-test-"); err == nil {
		t.Cleanup(func() { os.RemoveAll(memory) })
		list = append(list, memory)
	}
	return list
}

// TestBlockWriter writes files of every kind of end in pieces of several sizes: the bytes and their sum are those that
// were written, whatever size was told, on a slow disk, and where the disk refuses a block.
func TestBlockWriter(t *testing.T) {
	kinds := map[string]func(b *blockWriter){
		"as it comes": func(*blockWriter) {},
		"slow disk":   func(b *blockWriter) { b.slow = slowAfter * 2 },
		"no sum":      func(b *blockWriter) { b.sum = nil },
		"refused":     func(b *blockWriter) { b.block = b.block[1:] }, // not aligned, neither in memory nor in the file
	}
	for _, dir := range folders(t) {
		for _, n := range []int{0, 1, 4095, 4096, 4097, blockBytes - 1, blockBytes, blockBytes + 1, 2*blockBytes + 5000} {
			want := someBytes(n)
			right := sha256.Sum256(want)
			for name, change := range kinds {
				for _, told := range []int{0, n} {
					sum := sha256.New()
					f, err := os.Create(filepath.Join(dir, "x"))
					if err != nil {
						t.Fatal(err)
					}
					b := newBlockWriter(f, int64(told), sum)
					change(b)
					for rest, piece := want, 1; len(rest) > 0; piece = min(7*piece+1, 5<<20) {
						part := rest[:min(piece, len(rest))]
						if k, err := b.Write(part); k != len(part) || err != nil {
							t.Fatalf("%s: wrote %d of %d, %v", name, k, len(part), err)
						}
						rest = rest[len(part):]
					}
					if err := b.flush(); err != nil {
						t.Fatal(err)
					}
					f.Close()
					got, err := os.ReadFile(f.Name())
					if err != nil || !bytes.Equal(got, want) {
						t.Errorf("%s: %d bytes in %s, told %d: %d others, %v", name, n, dir, told, len(got), err)
					}
					if b.sum != nil && !bytes.Equal(sum.Sum(nil), right[:]) {
						t.Errorf("%s: %d bytes in %s, told %d: another sum", name, n, dir, told)
					}
					if b.direct != nil {
						t.Errorf("%s: the end of the file went around the cache", name)
					}
				}
			}
		}
	}
}

// TestSumsWhileWriting takes the sums of safetensors files on the way: they are those of the files, which have the bits
// of the values.
func TestSumsWhileWriting(t *testing.T) {
	nan := math.Float32frombits(0x7fa00001) // a signalling one: copying must not make it quiet
	large := make([]float32, blockBytes/4+77)
	for i := range large {
		large[i] = float32(i) + 0.5
	}
	large[5], large[len(large)-1] = nan, nan
	for _, d := range []DType{F32, BF16} {
		dir := t.TempDir()
		sums := Sums{}
		for name, data := range map[string][]float32{"small": {1, nan}, "large": large, "none": {}} {
			tensors := []Tensor{{"a", []int{len(data)}, data}, {"b", []int{1}, []float32{2}}}
			if err := sums.WriteSafetensors(filepath.Join(dir, name), tensors, nil, d); err != nil {
				t.Fatal(err)
			}
			if sum, err := HashFile(filepath.Join(dir, name)); err != nil || sums[name] != sum {
				t.Errorf("%s: the sum %s of %s was taken, want %s, %v", d, sums[name], name, sum, err)
			}
			if d == F32 {
				s, err := OpenSafetensors(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				sameBits(t, name, read(t, s, "a"), data)
				s.Close()
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "other"), []byte("text"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := sums.Write(dir); err != nil {
			t.Fatal(err)
		}
		text, _ := os.ReadFile(filepath.Join(dir, SumsFile))
		if err := WriteSums(dir); err != nil {
			t.Fatal(err)
		}
		wantContent(t, filepath.Join(dir, SumsFile), string(text))
		if err := CheckSums(dir); err != nil || bytes.Count(text, []byte("\n")) != 4 {
			t.Errorf("%v\n%s", err, text)
		}
	}
}

// TestEncodeF32 holds the bytes of memory against those that the format asks for.
func TestEncodeF32(t *testing.T) {
	values := []float32{1, -2.5, 0, float32(math.Inf(1)), math.Float32frombits(0x7fa00001)}
	want := make([]byte, 4*len(values))
	if err := encodeF32(want, values); err != nil {
		t.Fatal(err)
	}
	if text := "0000803f" + "000020c0" + "00000000" + "0000807f" + "0100a07f"; hex.EncodeToString(want) != text {
		t.Errorf("got %x, want %s", want, text)
	}
	if got, ok := fileBytes(values); ok && !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	if got, _ := fileBytes(nil); len(got) != 0 {
		t.Errorf("no values have %d bytes", len(got))
	}
}

func ExampleSums() {
	dir, _ := os.MkdirTemp("", "")
	defer os.RemoveAll(dir)
	err := SaveDir(filepath.Join(dir, "checkpoint-1"), func(tmp string) error {
		sums := Sums{}
		weights := []Tensor{{"w", []int{2}, []float32{1, 2}}}
		if err := sums.WriteSafetensors(filepath.Join(tmp, "model.safetensors"), weights, nil, F32); err != nil {
			return err
		}
		return sums.Write(tmp)
	})
	fmt.Println(err, CheckSums(filepath.Join(dir, "checkpoint-1")))
	// Output: <nil> <nil>
}
