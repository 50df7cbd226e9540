package checkpoints

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDirect asks the system what it does: whole blocks go around the cache, the end does not.
func TestDirect(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := newBlockWriter(f, 1<<30, nil)
	if b.direct == nil {
		t.Skip("the file system of temporary files writes through the cache only")
	}
	if _, err := b.Write(someBytes(2*blockBytes + 5)); err != nil || b.direct == nil || !isDirect(t, f) {
		t.Errorf("around the cache: %v, %v", isDirect(t, f), err)
	}
	if err := b.flush(); err != nil || isDirect(t, f) {
		t.Errorf("still around the cache: %v, %v", isDirect(t, f), err)
	}
}

// isDirect tells whether the system writes a file around its cache.
func isDirect(t *testing.T, f *os.File) bool {
	t.Helper()
	n, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n&unix.O_DIRECT != 0
}

// TestDirectPipe leaves the flag of a pipe alone, which means something else there.
func TestDirectPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if setDirect(w, true) || isDirect(t, w) {
		t.Error("a pipe was given the flag")
	}
}

// TestFileTooLarge lets a file end at every kind of place, as a full disk does: the old one stays, and nothing is left.
func TestFileTooLarge(t *testing.T) {
	const key = "CHECKPOINTS_FILE_LIMIT"
	tensors := []Tensor{{"x", []int{3 * blockBytes / 4}, make([]float32, 3*blockBytes/4)}}
	if limit, err := strconv.ParseUint(os.Getenv(key), 10, 64); err == nil {
		signal.Ignore(unix.SIGXFSZ)
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("error:", WriteSafetensors(os.Getenv(key+"_PATH"), tensors, nil, F32))
		os.Exit(0)
	}
	for _, limit := range []int{0, 1, 4096, blockBytes - 1, blockBytes, blockBytes + 4096, 2*blockBytes + 700,
		3 * blockBytes, 4 * blockBytes} {
		dir := t.TempDir()
		path := filepath.Join(dir, "x.safetensors")
		if err := WriteFile(path, []byte("old")); err != nil {
			t.Fatal(err)
		}
		p := exec.Command(os.Args[0], "-test.run=^TestFileTooLarge$")
		p.Env = append(os.Environ(), key+"="+strconv.Itoa(limit), key+"_PATH="+path)
		out, err := p.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		wantNames(t, dir, "x.safetensors")
		if limit > 3*blockBytes {
			if s, err := OpenSafetensors(path); err != nil || string(out) != "error: <nil>\n" {
				t.Errorf("limit %d: %s, %v", limit, out, err)
			} else {
				s.Close()
			}
			continue
		}
		if !strings.Contains(string(out), "file too large") {
			t.Errorf("limit %d: %s", limit, out)
		}
		wantContent(t, path, "old")
	}
}
