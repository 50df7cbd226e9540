//go:build unix

package checkpoints

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestWriteFileKeepsWhatIsNoFile: a rename would have put a file in the place of a pipe, a link or /dev/null.
func TestWriteFileKeepsWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	read := make(chan string)
	go func() {
		text, err := os.ReadFile(pipe)
		read <- string(text)
		if err != nil {
			t.Error(err)
		}
	}()
	if err := WriteFile(pipe, []byte("through")); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != "through" {
		t.Errorf("the pipe gave %q", got)
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("%v, %v: the pipe is one no more", info.Mode(), err)
	}

	os.Remove(pipe)
	link, file := filepath.Join(dir, "link"), filepath.Join(dir, "file")
	os.WriteFile(file, []byte("old"), 0o600)
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, "new")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v, %v: the link is one no more", info.Mode(), err)
	}
	wantNames(t, dir, "file", "link")
}
