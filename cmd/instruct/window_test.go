package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// window is a terminal in tmux in which the program runs.
type window struct {
	*testing.T
	tmux, socket string
}

// newWindow runs a command of the program in a terminal, in the current folder.
func newWindow(t *testing.T, command string) *window {
	t.Helper()
	tmux, err := exec.LookPath("tmux")
	if err != nil {
		t.Skip("drives a terminal with tmux, which is not installed here")
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := &window{T: t, tmux: tmux, socket: filepath.Join(t.TempDir(), "s")}
	w.run("new-session", "-d", "-s", "w", "-x", "120", "-y", "40", "-c", dir, "-e", "EDITOR=sh "+dir+"/editor.sh",
		"-e", "INSTRUCT_TEST_IS_COMMAND=1", binary+" "+command+"; echo finished; sleep 60")
	t.Cleanup(func() { _ = exec.Command(tmux, "-S", w.socket, "kill-server").Run() })
	return w
}

func (w *window) run(args ...string) string {
	w.Helper()
	out, err := exec.Command(w.tmux, append([]string{"-S", w.socket, "-f", "/dev/null"}, args...)...).CombinedOutput()
	if err != nil {
		w.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// keys presses keys by their names, or with -l those of a text.
func (w *window) keys(keys ...string) { w.run(append([]string{"send-keys", "-t", "w"}, keys...)...) }

// wait waits until the window shows a text.
func (w *window) wait(want string) {
	w.Helper()
	for range 300 {
		if strings.Contains(w.run("capture-pane", "-p", "-t", "w"), want) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.Fatalf("%q does not come up:\n%s", want, w.run("capture-pane", "-p", "-t", "w"))
}

// say types a line, and waits for what it leads to.
func (w *window) say(line, want string) {
	w.Helper()
	w.keys("-l", line)
	w.keys("Enter")
	w.wait(want)
}
