package tensorboard

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// TestWriter writes events, cuts the file within a record, and goes on after an earlier step.
func TestWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.out.tfevents.1.test")
	add := func(step int, steps ...int) {
		t.Helper()
		w, err := Open(path, step)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			if err := w.Add(s, []Scalar{{"train/loss", float32(s) / 2}, {"größe", -1}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	steps := func() (all []int64) {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range Decode(text) {
			if i == 0 {
				if e.Version != version || e.Time < 1e9 {
					t.Errorf("the first record is %+v", e)
				}
				continue
			}
			if want := []Scalar{{"train/loss", float32(e.Step) / 2}, {"größe", -1}}; !reflect.DeepEqual(e.Scalars, want) {
				t.Errorf("%+v", e)
			}
			all = append(all, e.Step)
		}
		return all
	}
	add(0, 1, 2, 3, 4)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text[:len(text)-3], 0o644); err != nil {
		t.Fatal(err)
	}
	if got := steps(); !reflect.DeepEqual(got, []int64{1, 2, 3}) {
		t.Errorf("cut short: %v", got)
	}
	add(2, 3, 4, 5)
	if got := steps(); !reflect.DeepEqual(got, []int64{1, 2, 3, 4, 5}) {
		t.Errorf("gone on: %v", got)
	}
	text[14] ^= 1
	if got := Decode(text); got != nil {
		t.Errorf("damaged: %v", got)
	}
}

// TestMasked compares with tensorflow's masked CRC of "123456789", whose CRC-32C is 0xe3069283.
func TestMasked(t *testing.T) {
	c := uint32(0xe3069283)
	want := (c>>15 | c<<17) + 0xa282ead8
	if got := masked([]byte("123456789")); got != want {
		t.Errorf("%x, want %x", got, want)
	}
}

func FuzzDecode(f *testing.F) {
	e := Event{Time: 1, Step: 2, Scalars: []Scalar{{"a", 3}}}
	f.Add(appendRecord(appendRecord(nil, (&Event{Version: version}).encode()), e.encode()))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff0000"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		for _, e := range Decode(b) {
			again = appendRecord(again, e.encode())
		}
		if a, b := len(Decode(again)), len(Decode(b)); a != b {
			t.Errorf("%d events of %d are read again", a, b)
		}
	})
}
