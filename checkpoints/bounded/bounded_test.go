package bounded

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, read := range []func(string) ([]byte, error){ReadFile, ReadInput} {
		if text, err := read(path); err != nil || string(text) != "text" {
			t.Errorf("%q, %v", text, err)
		}
		if _, err := read(filepath.Join(dir, "none")); !os.IsNotExist(err) {
			t.Errorf("of no file: %v", err)
		}
		if _, err := read(dir); err == nil {
			t.Error("a folder was read")
		}
		if _, err := os.Stat("/dev/zero"); err == nil {
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink("/dev/zero", link); err != nil {
				t.Skip("no symbolic link can be made here: ", err)
			}
			if _, err := read(link); err == nil || !strings.Contains(err.Error(), "a device or a pipe") {
				t.Errorf("of a device: %v", err)
			}
		}
	}
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, mostFile+1); err != nil {
		t.Skip("the file system has no sparse files: ", err)
	}
	if _, err := ReadFile(big); err == nil || !strings.Contains(err.Error(), "expected at most") {
		t.Errorf("of a large file: %v", err)
	}
}

func TestNested(t *testing.T) {
	for text, want := range map[string]int{
		"a: [[1]]\nb: {c: [1]}":               0,
		"a:\n  " + strings.Repeat("[", 5):     2,
		strings.Repeat("[]", 50):              0,
		"\n\n" + strings.Repeat("- ", 5):      3,
		strings.Repeat("- a\n", 50):           0,
		"text: '" + strings.Repeat("]", 9):    0,
		"a\n" + strings.Repeat("? ", 9) + "b": 2,
	} {
		if got := Nested([]byte(text), 4); got != want {
			t.Errorf("%.30q: line %d, want %d", text, got, want)
		}
	}
}
