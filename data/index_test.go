package data

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"instruct/model/kernel/rng"
)

// manyRows are lines of rows with blank lines and long ones between, behind a byte order mark.
func manyRows(name string, n int) string {
	var b strings.Builder
	b.WriteString("\ufeff")
	for i := range n {
		if i%7 == 3 {
			b.WriteString("  \r\n\n")
		}
		answer := strings.Repeat("so ", i%5)
		if i%97 == 50 {
			answer = strings.Repeat("long ", readBuffer/4)
		}
		fmt.Fprintf(&b, `{"prompt":"%s %d","completion":"%sA."}`+"\n", name, i, answer)
	}
	return strings.TrimRight(b.String(), "\n")
}

// indexed makes an index of files.
func indexed(t *testing.T, o Options, paths ...string) *Index {
	t.Helper()
	x, err := NewIndex(t.Context(), paths, o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestIndex: rows that are read alone are those of the whole files, with their lines.
func TestIndex(t *testing.T) {
	paths := []string{write(t, "a.jsonl", manyRows("a", 300)), write(t, "b.ndjson", manyRows("b", 64))}
	rows := load(t, paths...)
	x := indexed(t, Options{}, paths...)
	if x.Rows != len(rows) || len(x.Hashes) != 2 {
		t.Fatalf("the index has %d rows of %d", x.Rows, len(rows))
	}
	r := rng.NewRand(1, "numbers", 0, 0)
	for n := range 30 {
		var numbers []uint32
		for i := range rows {
			if r.Intn(1+n*n) == 0 {
				numbers = append(numbers, uint32(i))
			}
		}
		k := 0
		for row, err := range x.rowsOf(t.Context(), numbers) {
			if err != nil {
				t.Fatal(err)
			}
			want := rows[numbers[k]]
			want.number, want.part = numbers[k], 0
			if !reflect.DeepEqual(row, want) {
				t.Fatalf("row %d is %s %.80v", numbers[k], row.Source, row)
			}
			k++
		}
		if k != len(numbers) {
			t.Errorf("%d of %d rows", k, len(numbers))
		}
	}
}

// TestNoIndex: files of which single rows cannot be read have no index.
func TestNoIndex(t *testing.T) {
	row := `{"prompt":"Q","completion":"A"}`
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(row))
	z.Close()
	for name, text := range map[string]string{
		"array.jsonl": "[" + row + "]", "lines.jsonl": "{\n\"prompt\":\"Q\",\"completion\":\"A\"}",
		"around.jsonl": `{"data":[` + row + `]}`, "rows.json": row, "rows.csv": "prompt,completion\nQ,A\n",
		"utf16.jsonl": "\xff\xfe{\x00", "packed.jsonl": packed.String(), "blank.jsonl": "\n\n",
	} {
		if x, err := NewIndex(t.Context(), []string{write(t, name, text)}, Options{}); x != nil || err != nil {
			t.Errorf("%s: %v, %v", name, x, err)
		}
	}
	path := write(t, "rows.jsonl", row)
	if x := indexed(t, Options{Most: 1}, path); x != nil {
		t.Error("of the first rows of each file there is an index")
	}
	if _, err := NewIndex(t.Context(), []string{path}, Options{Format: "no"}); !isUserError(err) {
		t.Errorf("an unknown format: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	many := write(t, "many.jsonl", strings.Repeat(row+"\n", 3000))
	if _, err := NewIndex(ctx, []string{many}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	x := indexed(t, Options{}, path)
	if err := os.WriteFile(path, []byte("\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, err := range x.rowsOf(t.Context(), []uint32{0}) {
		if !isUserError(err) {
			t.Errorf("a file that was changed: %v", err)
		}
	}
	tree := write(t, "tree.jsonl", strings.Repeat(`{"message_id":"m","role":"prompter","text":"Q"}`+"\n", 2))
	for _, err := range indexed(t, Options{}, tree).rowsOf(t.Context(), []uint32{1}) {
		if !errors.Is(err, errWhole) {
			t.Errorf("messages of trees: %v", err)
		}
	}
}

// sourcesOf are the sources of the examples of a set in an order; nil: its own.
func sourcesOf(t *testing.T, s *Set, order []int) (sources []string) {
	t.Helper()
	if order == nil {
		order = ordered[int](s.Len(), 0, PlanOptions{Strategy: Sequential})
	}
	for _, i := range order {
		e, err := s.Example(i)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, e.Source)
	}
	return sources
}

// TestBeginning: the beginning of an epoch has the order of the whole one, its rows are on the sides that they have
// there, and a longer beginning begins with a shorter one.
func TestBeginning(t *testing.T) {
	var b strings.Builder
	for i := range 500 {
		fmt.Fprintf(&b, `{"prompt":"%s","completion":"A %d."}`+"\n", strings.Repeat("?", 1+i%20), i)
	}
	path := write(t, "rows.jsonl", b.String())
	e := encoder(t, "lessons", byteTokenizer(t))
	x := indexed(t, Options{}, path)
	for _, c := range []struct {
		strategy string
		fraction float64
		length   int
	}{{Random, 0, 200}, {Sequential, 0, 200}, {Random, 0.2, 200}, {Random, 0.2, 30}, {Sequential, 0.2, 30}} {
		e.MaxLength = c.length // of 30, some rows are dropped
		plan := PlanOptions{Rows: 1, Strategy: c.strategy, Seed: 5}
		o := SetOptions{Fraction: c.fraction, Seed: 9}
		train, held, err := e.Sets(t.Context(), Rows(t.Context(), []string{path}, Options{}), o)
		if err != nil {
			t.Fatal(err)
		}
		var before []string
		for _, need := range []int{1, 30, 100} {
			part, heldPart, order, err := e.Beginning(t.Context(), x, plan, need, o)
			if err != nil || part.Len() < need || len(order) != part.Len() {
				t.Fatalf("%+v: %v", c, err)
			}
			got := sourcesOf(t, part, order)
			if c.strategy == Sequential || c.fraction == 0 && c.length == 200 { // nothing is passed over
				whole := slices.Concat(NewPlan(train.Lengths(), plan).Epoch(0)...)
				if want := sourcesOf(t, train, whole[:need]); !slices.Equal(got[:need], want) {
					t.Errorf("%+v: the order is %v, want %v", c, got[:need], want)
				}
			}
			if !slices.Equal(got[:len(before)], before) {
				t.Errorf("%+v: %d rows begin otherwise than fewer", c, need)
			}
			before = got[:need]
			all, allHeld := sourcesOf(t, train, nil), sourcesOf(t, held, nil)
			for _, s := range got {
				if !slices.Contains(all, s) {
					t.Errorf("%+v: %s is not trained on in the whole", c, s)
				}
			}
			for _, s := range sourcesOf(t, heldPart, nil) {
				if !slices.Contains(allHeld, s) {
					t.Errorf("%+v: %s is not held out of the whole", c, s)
				}
			}
		}
		if part, _, _, err := e.Beginning(t.Context(), x, plan, train.Len()+1, o); part != nil || err != nil {
			t.Errorf("%+v: more than an epoch: %v", c, err)
		}
	}
}

// FuzzIndex: the rows of an index are those of the file.
func FuzzIndex(f *testing.F) {
	for _, row := range fuzzRows {
		f.Add([]byte(row + "\n\n" + row))
		f.Add([]byte("\ufeff\r\n" + row + "\r\n \u0085 \n{\n" + row))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "rows.jsonl")
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		o := Options{SkipBadRows: true}
		x, err := NewIndex(t.Context(), []string{path}, o)
		if x == nil || err != nil {
			return
		}
		rows, wholeErr := LoadWith(t.Context(), []string{path}, o)
		var got []Row
		for row, err := range x.rowsOf(t.Context(), ordered[uint32](x.Rows, 0, PlanOptions{Strategy: Sequential})) {
			if errors.Is(err, errWhole) {
				return
			}
			if err != nil && wholeErr == nil {
				t.Fatal(err)
			}
			row.number = 0
			got = append(got, row)
		}
		if wholeErr == nil && !reflect.DeepEqual(got, rows) {
			t.Errorf("%+v\nwant\n%+v", got, rows)
		}
	})
}
