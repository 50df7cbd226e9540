package checkpoints

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// SumsFile holds the sha256 of every other file of a folder, a line each, as sha256sum writes and checks them.
const SumsFile = "SHA256SUMS"

// Sums are the sha256, in hexadecimal, of files that were written into one folder, by name. A nil Sums takes none.
type Sums map[string]string

// WriteSums writes [SumsFile] of the files in dir; those of folders in it are not looked at.
func WriteSums(dir string) error { return Sums(nil).Write(dir) }

// Write is [WriteSums] of a folder that the sums are of: only files that have none are read.
func (s Sums) Write(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fileError("read", dir, err)
	}
	var sums bytes.Buffer
	for _, e := range entries {
		if !e.Type().IsRegular() || e.Name() == SumsFile {
			continue
		}
		sum := s[e.Name()]
		if sum == "" {
			if sum, err = HashFile(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, e.Name())
	}
	return WriteFile(filepath.Join(dir, SumsFile), sums.Bytes())
}

// CheckSums reads every file that [SumsFile] of dir names and refuses one that is missing or has another content. A
// folder without sums, which older programs wrote, passes.
func CheckSums(dir string) error {
	path := filepath.Join(dir, SumsFile)
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fileError("read", path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSums+1))
	if err != nil {
		return fileError("read", path, err)
	}
	if len(text) > maxSums {
		return badFile(path, "more than %d bytes, expected a line for each file of the folder", maxSums)
	}
	var lines [][2]string // a sum, and a name
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || len(sum) != 64 || name != filepath.Base(name) || !filepath.IsLocal(name) {
			return badFile(path, "line %d is %.80q, expected a sha256 and the name of a file beside it", len(lines)+1, line)
		}
		lines = append(lines, [2]string{sum, name})
	}
	if len(lines) == 0 {
		return badFile(path, "empty, expected a line for each file of the folder")
	}
	wrong := make([]error, len(lines))
	var files sync.WaitGroup
	open := make(chan bool, runtime.GOMAXPROCS(0)) // no more than that at one time
	for i, line := range lines {
		open <- true
		files.Go(func() {
			wrong[i] = checkSum(filepath.Join(dir, line[1]), line[0])
			<-open
		})
	}
	files.Wait()
	return cmp.Or(wrong...)
}

// checkSum refuses a file that has another sum.
func checkSum(path, sum string) error {
	got, err := HashFile(path)
	if err == nil && got != sum {
		err = badFile(path, "damaged: its sha256 is %s, and was %s when it was written", got, sum)
	}
	return err
}

const maxSums = 1 << 20

// Newest gives the checkpoint of a run with the highest step of those whose files are as they were written, and for
// every newer one what is wrong with it. ok is false when there is none.
func Newest(runDir string) (c Checkpoint, ok bool, damaged []error, err error) {
	list, err := List(runDir)
	for i := len(list) - 1; i >= 0; i-- {
		bad := CheckSums(list[i].Path)
		if bad == nil {
			return list[i], true, damaged, err
		}
		damaged = append(damaged, bad)
	}
	return c, false, damaged, err
}
