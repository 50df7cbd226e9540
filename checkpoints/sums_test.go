package checkpoints

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// summed is a folder of two files and their sums.
func summed(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{StateFile: "{}", "a": "some text"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteSums(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestSums finds every flipped bit of every file, and a file that is gone.
func TestSums(t *testing.T) {
	dir := summed(t, t.TempDir())
	if err := CheckSums(dir); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, SumsFile))
	want := "b94f6f125c79e3a5ffaa826f584c10d52ada669e6762051b826b55776d05aed2  a\n" + // printf 'some text' | sha256sum
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a  state.json\n"
	if string(text) != want {
		t.Errorf("sums %q, want %q", text, want)
	}
	for _, name := range []string{"a", StateFile, SumsFile} {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range whole {
			for bit := range 8 {
				bad := append([]byte(nil), whole...)
				bad[i] ^= 1 << bit
				os.WriteFile(path, bad, 0o666)
				if err := CheckSums(dir); err == nil {
					t.Fatalf("%s: bit %d of byte %d was flipped and not found", name, bit, i)
				}
			}
		}
		os.WriteFile(path, whole, 0o666)
	}
	os.WriteFile(filepath.Join(dir, SumsFile), []byte(strings.ReplaceAll(want, "  a\n", "  ../a\n")), 0o666)
	wantError(t, CheckSums(dir), SumsFile, "line 1", "the name of a file beside it")
	os.WriteFile(filepath.Join(dir, SumsFile), nil, 0o666)
	wantError(t, CheckSums(dir), "empty")
	os.WriteFile(filepath.Join(dir, SumsFile), []byte(want), 0o666)
	os.Remove(filepath.Join(dir, "a"))
	wantError(t, CheckSums(dir), "a", "no such file")
	if err := CheckSums(t.TempDir()); err != nil {
		t.Errorf("a folder without sums: %v", err)
	}
}

// TestNewest goes back to the newest checkpoint that is as it was written, and names the damaged ones.
func TestNewest(t *testing.T) {
	run := t.TempDir()
	if _, ok, damaged, err := Newest(run); ok || damaged != nil || err != nil {
		t.Fatal("a checkpoint in an empty folder")
	}
	for _, step := range []string{"3", "6", "9"} {
		summed(t, filepath.Join(run, "checkpoint-"+step))
	}
	for _, want := range []int{9, 6, 3} {
		c, ok, damaged, err := Newest(run)
		if err != nil || !ok || c.Step != want || len(damaged) != (9-want)/3 {
			t.Fatalf("step %d, %v, damaged %v, %v; want step %d", c.Step, ok, damaged, err, want)
		}
		os.WriteFile(filepath.Join(c.Path, "a"), []byte("another text"), 0o666)
	}
	if _, ok, damaged, _ := Newest(run); ok || len(damaged) != 3 {
		t.Errorf("of three damaged checkpoints: %v, %v", ok, damaged)
	} else {
		wantError(t, damaged[0], "checkpoint-9", "damaged")
	}
}
