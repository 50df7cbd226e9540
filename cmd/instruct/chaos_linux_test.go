package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// mount mounts a small disk in memory on a folder, until the test ends; ok is false where that is not allowed.
func (c *chaos) mount(dir string) (ok bool) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		c.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		fmt.Println("chaos: no disk that fills:", err)
		return false
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() {
		if err := syscall.Unmount(path, 0); err != nil {
			c.Error(err)
		}
	})
	return true
}

// full lets a run fill its disk: it ends with one message, and goes on when there is room.
func (c *chaos) full(disk string) {
	size := func(kilobytes int) {
		if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%dk", kilobytes)); err != nil {
			c.Fatal(err)
		}
	}
	size(64 + c.rand.IntN(1200))
	dir := filepath.Join(disk, "run")
	code, log := c.wait(c.start(dir), 0, 0)
	if !slices.Contains([]int{exitDone, exitFailed, exitMistake}, code) ||
		code != exitDone && strings.Count(log, "instruct: ") != 1 ||
		strings.Contains(log, "goroutine ") || strings.Contains(log, "internal error") {
		c.Errorf("on a disk that fills: exit %d\n%s", code, log)
	}
	c.count["disks that were full"]++
	size(16 << 10)
	if code, log = c.wait(c.start(dir), 0, 0); code != exitDone {
		c.Errorf("after a full disk: exit %d\n%s", code, log)
		return
	}
	c.ended(dir)
}
