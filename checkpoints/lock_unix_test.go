//go:build unix

package checkpoints

import (
	"os"
	"testing"
)

// TestLock gives a folder to one at a time, and leaves nothing in it.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	unlock, ok, err := Lock(dir)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, ok, err := Lock(dir); ok || err != nil {
		t.Fatalf("locked twice: %v, %v", ok, err)
	}
	unlock()
	unlock, ok, err = Lock(dir)
	if !ok || err != nil {
		t.Fatal("still locked: ", ok, err)
	}
	unlock()
	if list, _ := os.ReadDir(dir); len(list) > 0 {
		t.Errorf("%v is left", list)
	}
	if _, _, err := Lock(dir + "/none"); err == nil {
		t.Error("a folder that is not there was locked")
	}
}
