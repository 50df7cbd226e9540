package data

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPlaces: names of rows mean the rows of the file whose path they end with, and what cannot be withheld is refused
// by name.
func TestPlaces(t *testing.T) {
	list := write(t, "rows.txt", "b.jsonl:3\n\n  a.jsonl:2 \n")
	p, err := ReadPlaces([]string{"x/a.jsonl:1", "@" + list, "./x/a.jsonl:7", "b.jsonl:9"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range []struct {
		source string
		held   bool
		left   string
	}{{"x/a.jsonl:1", false, ""}, {"x/a.jsonl:2", false, ""}, {"x/a.jsonl:3", false, ""}, {"/y/b.jsonl:3", false, ""},
		{"x/a.jsonl:7", true, ""}, {"/y/b.jsonl:9", false, "too long"}} {
		if p.withholds(row.source, row.held, row.left) {
			got = append(got, row.source)
		}
	}
	if want := []string{"x/a.jsonl:1", "x/a.jsonl:2", "/y/b.jsonl:3", "/y/b.jsonl:9"}; !slices.Equal(got, want) {
		t.Errorf("withheld are %q, want %q", got, want)
	}
	if _, err := p.Check(false); err == nil || !strings.Contains(err.Error(), "x/a.jsonl:7 is held out") {
		t.Errorf("error is %v", err)
	}
	if got := p.Names(); !slices.Equal(got, []string{"a.jsonl:1", "b.jsonl:3", "a.jsonl:2", "a.jsonl:7", "b.jsonl:9"}) {
		t.Errorf("names are %q", got)
	}
}

func TestPlacesRefused(t *testing.T) {
	for _, x := range []struct{ names, want string }{
		{"a.jsonl", "names no row"}, {"a.jsonl:0", "names no row"}, {":3", "names no row"},
		{"@" + filepath.Join(t.TempDir(), "none"), "no such file"},
		{"@" + write(t, "list", "a.jsonl:1\nten\n"), "list:2: \"ten\""},
	} {
		_, err := ReadPlaces([]string{x.names})
		if err == nil || !isUserError(err) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: error is %v", x.names, err)
		}
	}
	p, err := ReadPlaces([]string{"a.jsonl:1", "c.jsonl:4"})
	if err != nil {
		t.Fatal(err)
	}
	p.withholds("x/a.jsonl:1", false, "")
	p.withholds("y/a.jsonl:1", false, "")
	_, err = p.Check(false)
	for _, want := range []string{"a.jsonl:1 may be of x/a.jsonl or of y/a.jsonl", "c.jsonl:4 is no row of the data set"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	p, _ = ReadPlaces([]string{"a.jsonl:90"})
	p.withholds("x/a.jsonl:1", false, "")
	if notes, err := p.Check(true); err != nil || len(notes) != 1 {
		t.Errorf("of a part of the rows: %v, %v", notes, err)
	}
}

// FuzzPlaces: a list of names is read, or refused by one error that names the file; what is read has the form.
func FuzzPlaces(f *testing.F) {
	f.Add("a.jsonl:1\nx/b c.parquet:12\n")
	f.Add("a:b:3\r\n\n:4")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		list := filepath.Join(dir, "list")
		if err := os.WriteFile(list, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := ReadPlaces([]string{"@" + list})
		if err != nil {
			if !isUserError(err) || !strings.Contains(err.Error(), "list:") {
				t.Fatalf("%v is no user error, or does not name the line", err)
			}
			return
		}
		for _, name := range p.Names() {
			if file, line := cutPlace(name); file == "" || line == "" || !p.withholds(name, false, "") {
				t.Fatalf("%q is not withheld", name)
			}
		}
	})
}
