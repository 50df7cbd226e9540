package data

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTextPieces divides texts of every length around some limits: each token but the first is trained once, in
// its order, and the last one of a piece is the first of the next.
func TestTextPieces(t *testing.T) {
	e := encoder(t, "lessons", byteTokenizer(t))
	for _, limit := range []int{2, 3, 8} {
		for n := 1; n < 40; n++ {
			text := strings.Repeat("abcdefg", 6)[:n]
			e.MaxLength = 0
			whole, _, err := e.Encode(Row{Source: "a:1", Text: text})
			if err != nil {
				t.Fatal(err)
			}
			e.MaxLength = limit
			pieces, audit, err := e.EncodeAll(context.Background(), []Row{{Source: "a:1", Text: text}}, 1)
			if err != nil {
				t.Fatal(err)
			}
			got := []int32{pieces[0].IDs[0]}
			for i, p := range pieces {
				if len(p.IDs) > limit || p.IDs[0] != got[len(got)-1] || p.Mask[0] || p.Trained() != len(p.IDs)-1 {
					t.Fatalf("limit %d, %d tokens: piece %d is %v, %v", limit, len(whole.IDs), i, p.IDs, p.Mask)
				}
				got = append(got, p.IDs[1:]...)
			}
			if !slices.Equal(got, whole.IDs) || audit.TrainedTokens != len(whole.IDs)-1 || audit.Truncated != 0 {
				t.Errorf("limit %d: %v, want %v; %+v", limit, got, whole.IDs, audit)
			}
			if many := max(1, audit.Pieces); many != len(pieces) || audit.Examples != 1 {
				t.Errorf("limit %d, %d tokens: %d pieces, audited %d", limit, len(whole.IDs), len(pieces), audit.Pieces)
			}
		}
	}
}

// TestPiecesOfSets: sets keep the pieces of a text together, on one side, beside conversations, which are cut.
func TestPiecesOfSets(t *testing.T) {
	e := encoder(t, "lessons", byteTokenizer(t))
	e.MaxLength = 50
	long := strings.Repeat("Once upon a time. ", 20)
	rows := []Row{{Source: "a:1", Text: long}, {Source: "b:1", Messages: talk("Say much.", long), part: 1},
		{Source: "b:2", Messages: talk("Say it.", "It."), part: 1}}
	train, heldOut, err := e.Sets(t.Context(), RowsOf(rows), SetOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer train.Close()
	if want := train.Audit.Pieces; want != 8 || !slices.Equal(train.Parts, []int{want, 2}) || train.Len() != want+2 ||
		train.Audit.Truncated != 1 || heldOut.Len() != 0 {
		t.Errorf("%d pieces, parts %v of %d examples, %d cut", want, train.Parts, train.Len(), train.Audit.Truncated)
	}
}

func TestTextFiles(t *testing.T) {
	path := write(t, "book.txt", "\ufeffOne.\n\nTwo\r\n")
	rows := load(t, path)
	if len(rows) != 1 || rows[0].Text != "One.\n\nTwo\r\n" || rows[0].Source != path+":1" {
		t.Errorf("rows %+v", rows)
	}
	for text, want := range map[string]string{" \n": "the text is empty", "a\n\xff": ":2:1: the text is not UTF-8"} {
		if _, err := Load(t.Context(), []string{write(t, "bad.txt", text)}, ""); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	dir := filepath.Dir(path)
	for _, x := range []struct{ name, want string }{{"", "book.txt"}, {"b.txt", "b.txt book.txt"},
		{"rows.jsonl", "rows.jsonl"}} { // beside rows a text is no row
		if x.name != "" {
			if err := os.WriteFile(filepath.Join(dir, x.name), []byte("{}"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{dir, filepath.Join(dir, "*")} {
			files, err := Expand([]string{name})
			var names []string
			for _, f := range files {
				names = append(names, filepath.Base(f))
			}
			if got := strings.Join(names, " "); err != nil || got != x.want {
				t.Errorf("%s has %s (%v), want %s", name, got, err, x.want)
			}
		}
	}
}
