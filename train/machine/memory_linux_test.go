package machine

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// TestGroupMemory reads made-up control groups.
func TestGroupMemory(t *testing.T) {
	for _, c := range []struct {
		name, groups string
		files        map[string]string
		want         int64
	}{
		{"none", "0::/\n", nil, math.MaxInt64},
		{"no limit", "0::/a\n", map[string]string{"a/memory.max": "max\n", "a/memory.current": "5\n"}, math.MaxInt64},
		{"limit", "0::/a\n", map[string]string{"a/memory.max": "1000\n", "a/memory.current": "400\n",
			"a/memory.stat": "anon 300\ninactive_file 50\n"}, 650},
		{"the parent's limit is lower", "0::/a/b\n", map[string]string{"a/memory.max": "500\n", "a/memory.current": "400\n",
			"a/b/memory.max": "1000\n", "a/b/memory.current": "100\n"}, 100},
		{"container: the path leads nowhere", "0::/outside/x\n",
			map[string]string{"memory.max": "1000\n", "memory.current": "100\n"}, 900},
		{"version 1", "5:cpu:/x\n4:memory:/a\n", map[string]string{"memory/a/memory.limit_in_bytes": "800\n",
			"memory/a/memory.usage_in_bytes": "300\n"}, 500},
		{"over the limit", "0::/a\n", map[string]string{"a/memory.max": "100\n", "a/memory.current": "400\n"}, 0},
	} {
		root := t.TempDir()
		for name, text := range c.files {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := groupMemory(root, c.groups); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if have, ok := AvailableMemory(); !ok || have <= 0 {
		t.Errorf("this machine has %d bytes of memory (%v)", have, ok)
	}
	if n := ResidentMemory(); n < 1<<20 {
		t.Errorf("this process has %d bytes", n)
	}
}
