package record

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// body is what an entry of the tests says.
type body struct {
	Time   string `json:"time"`
	Author string `json:"author"`
	What   string `json:"what"`
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// enter names everything that lies in a folder.
func enter(t *testing.T, dir, kind string) {
	t.Helper()
	now, err := Hashes(dir, ".")
	if err != nil {
		t.Fatal(err)
	}
	files, err := Changed(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := Append(dir, kind, body{"2026-01-01T00:00:00Z", "me", "<" + kind + ">"}, files); err != nil {
		t.Fatal(err)
	}
}

// folder has three entries, of which the last one says that a file changed and that one is gone.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "a", "first")
	write(t, dir, "sub/b", "text")
	enter(t, dir, "begin")
	write(t, dir, "c", "more")
	enter(t, dir, "round")
	write(t, dir, "a", "second")
	if err := os.Remove(filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	enter(t, dir, "train")
	return dir
}

func all(string) bool { return true }

func verify(t *testing.T, dir string, o AuditOptions) *Audit {
	t.Helper()
	if o.Reads == nil {
		o.Reads = all
	}
	a, err := Verify(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// wrong are the checks that do not hold, as text.
func wrong(a *Audit) string {
	var b strings.Builder
	for _, c := range a.Checks {
		if !c.Holds {
			fmt.Fprintf(&b, "%s|%s|%d\n", c.Name, c.Detail, c.Entry)
		}
	}
	return b.String()
}

// TestAudit: what is recorded holds, and each entry names what changed with it and no more.
func TestAudit(t *testing.T) {
	dir := folder(t)
	a := verify(t, dir, AuditOptions{})
	if !a.Holds || a.Files != 2 || a.Entries != 3 || len(a.Notes) > 0 {
		t.Errorf("%+v", a)
	}
	entries, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	last := &entries[2]
	if len(last.Own) != 1 || last.Own["a"] == "" || len(last.Gone) != 1 || last.Gone[0] != "c" || last.Author != "me" {
		t.Errorf("%+v", last.Head)
	}
	if a.Head != last.Hash() || last.Prev != entries[1].Hash() || entries[0].Prev != none {
		t.Error("the hashes are not those of the lines")
	}
	if a := verify(t, dir, AuditOptions{Head: entries[1].Hash()}); !a.Holds || len(a.Notes) != 1 {
		t.Errorf("an earlier head: %+v", a)
	}
}

// TestAuditFinds changes each bit of each file, and wants the file or the entry named.
func TestAuditFinds(t *testing.T) {
	dir := folder(t)
	ledger, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "sub/b", File} {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range whole {
			bad := bytes.Clone(whole)
			bad[i] ^= 1 << (i % 8)
			write(t, dir, name, string(bad))
			a := verify(t, dir, AuditOptions{})
			want := name + "|"
			if name == File { // the entry is that of the line, or behind it where the line feed is gone
				want = fmt.Sprintf("|%d\n", 1+bytes.Count(whole[:i], []byte("\n")))
			}
			if a.Holds || !strings.Contains(wrong(a), want) {
				t.Fatalf("byte %d of %s was changed, and is not named:\n%s", i, name, wrong(a))
			}
		}
		write(t, dir, name, string(whole))
	}
	lines := strings.SplitAfter(string(ledger), "\n")
	head := hash([]byte(lines[2]))
	for _, c := range []struct {
		name, ledger, want string
		head               string
	}{
		{"the tail is cut", lines[0] + lines[1], "head|no entry has the hash " + head, head},
		{"a line is gone", lines[0] + lines[2], "|entry 2 (train) does not follow what stands before it", ""},
		{"the first line is gone", lines[1] + lines[2], "|entry 1 (round) was not the first one", ""},
		{"two lines change places", lines[1] + lines[0] + lines[2], "|entry 1 (round) was not the first one", ""},
		{"a line comes twice", lines[0] + lines[0], "|entry 2 (begin) does not follow", ""},
		{"a line of nobody", lines[0] + "{}\n" + lines[1], "|entry 2 () was not written by this program", ""},
		{"no chain", "{}\n", "without a chain", ""},
		{"half a line", lines[0] + lines[1][:40], "|entry 2 () is no JSON object", ""},
		{"no line feed", strings.TrimSuffix(string(ledger), "\n"), "|entry 3 (train) is not as it was written", ""},
	} {
		write(t, dir, File, c.ledger)
		if a := verify(t, dir, AuditOptions{Head: c.head}); a.Holds || !strings.Contains(wrong(a), c.want) {
			t.Errorf("%s: want %q in\n%s", c.name, c.want, wrong(a))
		}
	}
	write(t, dir, File, string(ledger))
	write(t, dir, "sub/new", "from elsewhere")
	if a := verify(t, dir, AuditOptions{}); !strings.HasPrefix(wrong(a), "sub/new|no entry names it") {
		t.Errorf("a new file:\n%s", wrong(a))
	}
	nothing := func(string) bool { return false }
	if a := verify(t, dir, AuditOptions{Reads: nothing}); !a.Holds || !strings.Contains(a.Notes[0], "sub/new") {
		t.Errorf("a file that nothing is read from: %+v", a)
	}
	if err := os.Remove(filepath.Join(dir, "sub", "b")); err != nil {
		t.Fatal(err)
	}
	if a := verify(t, dir, AuditOptions{}); !strings.Contains(wrong(a), "sub/b|entry 1 (begin): is gone|1") {
		t.Errorf("a file that is gone:\n%s", wrong(a))
	}
}

// TestOldLedger: the lines of a program that knew no chain stay, and the first entry of a chain has the hash of all of
// them.
func TestOldLedger(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, File, "{\"round\":1}\n{\"round\":2}")
	enter(t, dir, "begin")
	a := verify(t, dir, AuditOptions{})
	if !a.Holds || !strings.Contains(a.Notes[0], "entries 1 to 2 are of an older program") {
		t.Errorf("%+v", a)
	}
	text, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, File, strings.Replace(string(text), `"round":1`, `"round":3`, 1))
	if a := verify(t, dir, AuditOptions{}); !strings.Contains(wrong(a), "|entry 3 (begin) does not follow") {
		t.Errorf("one of them changed:\n%s", wrong(a))
	}
}

// TestOutside: files elsewhere are held against the ledger where they are, and noted where they are not.
func TestOutside(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "run")
	write(t, root, "run/a", "text")
	write(t, root, "rows.jsonl", "rows")
	files := Files{Outside: map[string]string{From(dir, filepath.Join(root, "rows.jsonl")): hash([]byte("rows")),
		"../gone": none}}
	if err := Append(dir, "train", body{}, files); err != nil {
		t.Fatal(err)
	}
	nothing := func(string) bool { return false }
	a := verify(t, dir, AuditOptions{Reads: nothing})
	if !a.Holds || a.Outside != 1 || !strings.Contains(strings.Join(a.Notes, "\n"), "not here, so not read: ../gone") {
		t.Errorf("%+v", a)
	}
	write(t, root, "rows.jsonl", "other rows")
	want := "../rows.jsonl|entry 1 (train): recorded sha256"
	if a := verify(t, dir, AuditOptions{Reads: nothing}); !strings.Contains(wrong(a), want) {
		t.Errorf("%s", wrong(a))
	}
	if a := verify(t, dir, AuditOptions{Reads: nothing, Inside: true}); !a.Holds {
		t.Errorf("%s", wrong(a))
	}
	for _, bad := range []string{dir + "/a", filepath.Join(root, "none"), root} {
		if _, err := Verify(t.Context(), bad, AuditOptions{}); err == nil {
			t.Errorf("%s was audited", bad)
		}
	}
}

// FuzzParse: any bytes give entries that say what is wrong, and that can be written behind.
func FuzzParse(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte("{}\n"))
	line, err := join(struct {
		Prev string `json:"prev"`
		Kind string `json:"kind"`
	}{none, "x"}, body{}, Files{Own: map[string]string{"../a": none}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(line[:len(line)-1], sumStart+hash(line[:len(line)-1])+lineEnd...))
	f.Fuzz(func(t *testing.T, text []byte) {
		entries := parse(text)
		var again []byte
		for i := range entries {
			again = append(again, entries[i].Line...)
			for path := range entries[i].Own {
				if entries[i].Damage == "" && !entries[i].Unchained && !filepath.IsLocal(filepath.FromSlash(path)) {
					t.Errorf("%q leads out of the folder", path)
				}
			}
		}
		if !bytes.Equal(again, text) {
			t.Error("the lines are not the text")
		}
	})
}
