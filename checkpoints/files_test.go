package checkpoints

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fullDisk writes like a disk with n bytes left.
type fullDisk struct {
	w io.Writer
	n int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) <= d.n {
		d.n -= len(p)
		return d.w.Write(p)
	}
	n, _ := d.w.Write(p[:d.n])
	d.n = 0
	return n, &fs.PathError{Op: "write", Path: "tmp", Err: syscall.ENOSPC}
}

// wantNames requires that dir holds exactly these names, hidden ones too.
func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q %v, want %q", path, got, err, want)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	for _, content := range []string{"first", "", "second"} {
		if err := WriteFile(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		wantContent(t, path, content)
	}
	wantNames(t, dir, "x")
	plain := filepath.Join(t.TempDir(), "plain") // the same permissions as any new file
	os.WriteFile(plain, nil, 0o666)
	a, _ := os.Stat(path)
	b, _ := os.Stat(plain)
	if a.Mode() != b.Mode() {
		t.Errorf("mode %v, want %v", a.Mode(), b.Mode())
	}

	wantError(t, WriteFile(filepath.Join(dir, "none", "x"), nil), "none/x", "no such file")
	os.Mkdir(filepath.Join(dir, "folder"), 0o777)
	if err := WriteFile(filepath.Join(dir, "folder"), nil); err == nil {
		t.Error("a folder was replaced by a file")
	}
	wantNames(t, dir, "folder", "x")
}

// TestFullDisk lets the disk fill up at every stage of a safetensors file.
func TestFullDisk(t *testing.T) {
	tensors := []Tensor{{"a", []int{3}, []float32{1, 2, 3}}, {"b", []int{chunkBytes}, make([]float32, chunkBytes)}}
	header, err := encodeHeader(tensors, nil, F32)
	if err != nil {
		t.Fatal(err)
	}
	total := len(header) + 12 + 4*chunkBytes
	for _, room := range []int{0, 4, len(header), len(header) + 12, len(header) + 12 + chunkBytes, total - 1, total} {
		t.Run(fmt.Sprintf("room=%d", room), func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "x.safetensors")
			if err := WriteFile(path, []byte("old")); err != nil {
				t.Fatal(err)
			}
			err := writeAtomic(path, func(w io.Writer) error {
				b := newBlockWriter(&fullDisk{w, room}, int64(chunkBytes), nil)
				return cmp.Or(writeTensors(b, header, tensors, F32), b.flush())
			})
			wantNames(t, dir, "x.safetensors")
			if room == total {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, "x.safetensors", "no space left on device", "make room")
			wantContent(t, path, "old")
		})
	}
}

// saveWith makes a folder with a nested file and a state.json that holds content.
func saveWith(content string) func(string) error {
	return func(tmp string) error {
		if err := os.MkdirAll(filepath.Join(tmp, "a", "b"), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(tmp, "a", "b", "c"), []byte(content), 0o666); err != nil {
			return err
		}
		return WriteFile(filepath.Join(tmp, StateFile), []byte(content))
	}
}

func TestSaveDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "x") // parents are made
	dst := filepath.Join(dir, "checkpoint-1")
	for _, content := range []string{"first", "second"} {
		if err := SaveDir(dst, saveWith(content)); err != nil {
			t.Fatal(err)
		}
		wantNames(t, dir, "checkpoint-1")
		wantContent(t, filepath.Join(dst, "a", "b", "c"), content)
		wantContent(t, filepath.Join(dst, StateFile), content)
	}
	a, _ := os.Stat(dst)
	b, _ := os.Stat(dir)
	if a.Mode() != b.Mode() {
		t.Errorf("mode %v, want %v", a.Mode(), b.Mode())
	}
	t.Chdir(dir)
	if err := SaveDir("checkpoint-2/", saveWith("x")); err != nil {
		t.Fatal(err)
	}
	wantNames(t, dir, "checkpoint-1", "checkpoint-2")
}

func TestSaveDirFails(t *testing.T) {
	full := func(tmp string) error {
		f, err := os.Create(filepath.Join(tmp, StateFile))
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = (&fullDisk{f, 3}).Write([]byte("too much"))
		return fmt.Errorf("write state: %w", err)
	}
	refuse := func(_, _ string) error { return syscall.EIO }
	for _, c := range []struct {
		name   string
		write  func(string) error
		rename func(from, to string) error
		want   error
		user   bool
	}{
		{"disk full", full, os.Rename, syscall.ENOSPC, true},
		{"temporary folder lost", func(tmp string) error { return os.RemoveAll(tmp) }, os.Rename, fs.ErrNotExist, true},
		{"rename fails", saveWith("new"), refuse, syscall.EIO, false},
	} {
		for _, there := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/there=%v", c.name, there), func(t *testing.T) {
				dir := t.TempDir()
				dst := filepath.Join(dir, "checkpoint-1")
				var want []string
				if there {
					if err := SaveDir(dst, saveWith("old")); err != nil {
						t.Fatal(err)
					}
					want = []string{"checkpoint-1"}
				}
				err := saveDir(dst, c.write, c.rename, true)
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), dst) {
					t.Errorf("got %v, want %v and the path", err, c.want)
				}
				if c.user {
					wantError(t, err)
				}
				wantNames(t, dir, want...)
				if there {
					wantContent(t, filepath.Join(dst, "a", "b", "c"), "old")
				}
			})
		}
	}

	t.Run("panic", func(t *testing.T) {
		dir := t.TempDir()
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was lost")
				}
			}()
			SaveDir(filepath.Join(dir, "x"), func(string) error { panic("stop") })
		}()
		wantNames(t, dir)
	})
	t.Run("a file in the way", func(t *testing.T) {
		path := writeTemp(t, "x", []byte("old"))
		wantError(t, SaveDir(path, saveWith("new")), "in the way")
		wantContent(t, path, "old")
	})
	t.Run("root", func(t *testing.T) {
		wantError(t, SaveDir("/", saveWith("new")), "root folder")
	})
	t.Run("hint once", func(t *testing.T) {
		err := SaveDir(filepath.Join(t.TempDir(), "x"), func(tmp string) error {
			return writeAtomic(filepath.Join(tmp, "y"), func(w io.Writer) error {
				_, err := (&fullDisk{w, 0}).Write([]byte("x"))
				return err
			})
		})
		if strings.Count(err.Error(), "make room") != 1 {
			t.Errorf("the hint should stand once: %v", err)
		}
	})
}

// TestKilled kills a process that saves one checkpoint after the other. Whatever is
// listed afterwards must be whole.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("CHECKPOINTS_SAVE_UNTIL_KILLED"); dir != "" {
		for step := 0; ; step = (step + 1) % 4 { // replaces old ones, too
			err := SaveDir(filepath.Join(dir, "checkpoint-"+strconv.Itoa(step)), func(tmp string) error {
				if err := WriteFile(filepath.Join(tmp, StateFile), []byte("{}")); err != nil {
					return err
				}
				n := 5000 + step%2*2*blockBytes/4 // small ones, and some whole blocks
				tensors := []Tensor{{"x", []int{n}, make([]float32, n)}}
				sums := Sums{}
				return cmp.Or(sums.WriteSafetensors(filepath.Join(tmp, weightsFile), tensors, nil, F32), sums.Write(tmp))
			})
			if err == nil {
				err = Rotate(dir, 2)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	listed := 0
	for i := range 8 {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "CHECKPOINTS_SAVE_UNTIL_KILLED="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for _, ok, _ := Latest(dir); !ok; _, ok, _ = Latest(dir) {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(i) * 3 * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
		list, err := List(dir)
		if err != nil {
			t.Fatal(err)
		}
		listed += len(list)
		for _, c := range list {
			s, err := OpenFolder(c.Path)
			if err = cmp.Or(err, CheckSums(c.Path)); err != nil {
				t.Errorf("a listed checkpoint is not whole: %v", err)
				continue
			}
			read(t, s, "x")
			s.Close()
		}
	}
	if listed == 0 {
		t.Error("no checkpoint was ever left: the test showed nothing")
	}
}
