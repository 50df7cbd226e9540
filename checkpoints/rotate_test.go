package checkpoints

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// runWith makes a run folder with whole checkpoints of these steps.
func runWith(t *testing.T, steps ...int) string {
	t.Helper()
	dir := t.TempDir()
	for _, n := range steps {
		if err := SaveDir(filepath.Join(dir, fmt.Sprintf("checkpoint-%d", n)), saveWith("{}")); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func steps(t *testing.T, dir string) []int {
	t.Helper()
	list, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, c := range list {
		if want := filepath.Join(dir, fmt.Sprintf("checkpoint-%d", c.Step)); c.Path != want {
			t.Errorf("path %s, want %s", c.Path, want)
		}
		got = append(got, c.Step)
	}
	return got
}

// bystanders adds what looks like checkpoints but is none, and gives their paths.
func bystanders(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	for _, name := range []string{"checkpoint-", "checkpoint-x", "checkpoint-01", "checkpoint--1", "checkpoint-+1",
		"checkpoint-1.old",
		"xcheckpoint-1", ".checkpoint-7.tmp-abc", "checkpoint-99999999999999999999", "logs"} {
		path := filepath.Join(dir, name)
		if err := saveWith("{}")(path); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	broken := filepath.Join(dir, "checkpoint-1") // no state.json
	folder := filepath.Join(dir, "checkpoint-2") // state.json is a folder
	os.MkdirAll(filepath.Join(folder, StateFile), 0o777)
	os.MkdirAll(broken, 0o777)
	file := filepath.Join(dir, "checkpoint-3")
	os.WriteFile(file, nil, 0o666)
	elsewhere := t.TempDir()
	saveWith("{}")(elsewhere)
	link := filepath.Join(dir, "checkpoint-4")
	if err := os.Symlink(elsewhere, link); err != nil {
		t.Skip("no symbolic links: ", err)
	}
	return append(paths, broken, folder, file, link, filepath.Join(elsewhere, StateFile))
}

func TestList(t *testing.T) {
	dir := runWith(t, 100, 9, 20, 0)
	bystanders(t, dir)
	if got := steps(t, dir); !slices.Equal(got, []int{0, 9, 20, 100}) {
		t.Errorf("steps %v, want 0 9 20 100", got)
	}
	if c, ok, err := Latest(dir); !ok || err != nil || c.Step != 100 {
		t.Errorf("latest %v %v %v, want 100", c, ok, err)
	}
	if c, ok, err := Latest(t.TempDir()); ok || err != nil {
		t.Errorf("latest of an empty run: %v %v %v", c, ok, err)
	}
	if got := steps(t, filepath.Join(dir, "none")); len(got) != 0 {
		t.Errorf("steps %v in no folder", got)
	}
	_, err := List(filepath.Join(dir, "checkpoint-3"))
	wantError(t, err, "checkpoint-3")
}

func TestRotate(t *testing.T) {
	for _, c := range []struct {
		name    string
		there   []int
		keep    int
		protect []int
		want    []int
	}{
		{"no limit", []int{10, 20, 30}, 0, nil, []int{10, 20, 30}},
		{"negative", []int{10, 20, 30}, -1, nil, []int{10, 20, 30}},
		{"room left", []int{10, 20}, 3, nil, []int{10, 20}},
		{"oldest go", []int{9, 10, 100, 20}, 2, nil, []int{20, 100}},
		{"one", []int{10, 20, 30}, 1, nil, []int{30}},
		{"best counts", []int{10, 20, 30, 40}, 2, []int{10}, []int{10, 40}},
		{"best and newest both stay", []int{10, 20, 30}, 1, []int{10}, []int{10, 30}},
		{"best is newest", []int{10, 20, 30}, 1, []int{30}, []int{30}},
		{"several", []int{10, 20, 30, 40}, 1, []int{20, 10}, []int{10, 20, 40}},
		{"protected is not there", []int{10, 20}, 1, []int{15}, []int{20}},
		{"nothing there", nil, 1, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := runWith(t, c.there...)
			others := bystanders(t, dir)
			if err := Rotate(dir, c.keep, c.protect...); err != nil {
				t.Fatal(err)
			}
			if got := steps(t, dir); !slices.Equal(got, c.want) {
				t.Errorf("left %v, want %v", got, c.want)
			}
			for _, n := range c.there {
				gone := !slices.Contains(c.want, n)
				if path := filepath.Join(dir, fmt.Sprintf("checkpoint-%d", n)); exists(path) == gone {
					t.Errorf("%s: there=%v", path, !gone)
				}
			}
			for _, path := range others {
				if _, err := os.Lstat(path); err != nil {
					t.Errorf("a bystander was deleted: %v", err)
				}
			}
		})
	}
}
