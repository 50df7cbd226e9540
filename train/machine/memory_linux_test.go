package machine

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// TestPeakIsOfThisProgram starts this program from a large one: its peak is its own.
func TestPeakIsOfThisProgram(t *testing.T) {
	const key, large = "INSTRUCT_TEST_PRINTS_PEAK", 256 << 20
	if os.Getenv(key) != "" {
		os.Stdout.WriteString(strconv.FormatInt(PeakRSS(), 10))
		os.Exit(0)
	}
	block := make([]byte, large)
	for i := 0; i < large; i += 4096 {
		block[i] = 1
	}
	p := exec.Command(os.Args[0], "-test.run=^TestPeakIsOfThisProgram$")
	p.Env = append(os.Environ(), key+"=1")
	out, err := p.Output()
	if err != nil {
		t.Fatal(err)
	}
	peak, err := strconv.ParseInt(string(out), 10, 64)
	if err != nil || peak < 1<<20 || peak >= large {
		t.Errorf("the peak of a program that a large one started is %q (%v)", out, err)
	}
	if block[4096] != 1 || PeakRSS() < large {
		t.Errorf("the peak of the large one is %d", PeakRSS())
	}
}
