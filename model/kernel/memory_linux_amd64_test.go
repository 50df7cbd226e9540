package kernel

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"
)

// TestMemoryAsksForHugePages reads the flags that the system keeps of a block's pages. It is for amd64 alone, because
// qemu-user drops the advice.
func TestMemoryAsksForHugePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage/enabled"); err != nil {
		t.Skip("this system has no transparent huge pages")
	}
	m, err := NewMemory(4 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip("this system does not show the flags of pages: ", err)
	}
	at := uintptr(unsafe.Pointer(&m.pages[0]))
	var lo, hi uintptr
	for line := range strings.Lines(string(smaps)) {
		if n, _ := fmt.Sscanf(line, "%x-%x ", &lo, &hi); n == 2 {
			continue
		}
		if flags, found := strings.CutPrefix(line, "VmFlags:"); found && lo <= at && at < hi {
			if !strings.Contains(flags+" ", " hg ") {
				t.Errorf("flags of the block:%s want hg among them", flags)
			}
			return
		}
	}
	t.Fatalf("no mapping holds the block at %x", at)
}
