package machine

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// AvailableMemory returns how many bytes this process may still take: what the kernel can give without swapping, or
// what is left of the memory limit of a control group, where that is less.
func AvailableMemory() (int64, bool) {
	have, ok := readFields("/proc/meminfo")["MemAvailable:"]
	if !ok {
		return 0, false
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 1024 * have, true
	}
	return min(1024*have, groupMemory("/sys/fs/cgroup", string(groups))), true
}

// groupMemory returns what the limits of the process's control groups leave, of version 2 and of version 1. groups is
// /proc/self/cgroup, whose lines are number:controllers:path; every parent's limit holds too. In a container the path
// may lead nowhere, and the root is the container's group.
func groupMemory(root, groups string) int64 {
	left := int64(math.MaxInt64)
	for line := range strings.Lines(groups) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		switch part[1] {
		case "":
			left = min(left, limitLeft(root, part[2], "memory.max", "memory.current"))
		case "memory":
			mount := filepath.Join(root, "memory")
			left = min(left, limitLeft(mount, part[2], "memory.limit_in_bytes", "memory.usage_in_bytes"))
		}
	}
	return left
}

// limitLeft returns what the limit of the group at path and those of its parents leave, which are files of these names.
func limitLeft(mount, path, limit, usage string) int64 {
	left := int64(math.MaxInt64)
	for path = filepath.Join("/", path); ; path = filepath.Dir(path) {
		dir := filepath.Join(mount, path)
		most, ok := readNumber(filepath.Join(dir, limit))
		used, also := readNumber(filepath.Join(dir, usage))
		if ok && also {
			// Pages of files that were not used lately are given up before the limit is felt.
			left = min(left, max(0, most-used+readFields(filepath.Join(dir, "memory.stat"))["inactive_file"]))
		}
		if path == "/" {
			return left
		}
	}
}

// ResidentMemory returns the bytes of this process that are in memory now.
func ResidentMemory() int64 {
	text, _ := os.ReadFile("/proc/self/statm")
	if f := strings.Fields(string(text)); len(f) > 1 {
		pages, _ := strconv.ParseInt(f[1], 10, 64)
		return pages * int64(os.Getpagesize())
	}
	return 0
}

// highWater returns the largest resident memory of this program. getrusage has that of the program before exec too,
// which may be a large one.
func highWater() (int64, bool) {
	peak, ok := readFields("/proc/self/status")["VmHWM:"]
	return 1024 * peak, ok
}

// readNumber reads a file that is one number; "max", which means no limit, is none.
func readNumber(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// readFields reads a file of lines that begin with a name and a number; there is nothing where it cannot be read.
func readFields(path string) map[string]int64 {
	text, _ := os.ReadFile(path)
	out := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		if part := strings.Fields(line); len(part) >= 2 {
			if n, err := strconv.ParseInt(part[1], 10, 64); err == nil {
				out[part[0]] = n
			}
		}
	}
	return out
}
