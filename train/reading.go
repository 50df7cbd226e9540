package train

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// reading says from time to time how far the reading of a data set has come, where it takes long.
type reading struct {
	total int64                // 0: nothing is said
	say   func(n int64) string // how much that is
	done  atomic.Int64
	start time.Time
	end   chan struct{}
	wait  sync.WaitGroup
}

const (
	quietReading = 2 * time.Second // so long nothing is said
	eachReading  = 5 * time.Second // between lines that are not written over
)

// newReading begins to write to log, until finish. On a terminal there is one line, which is written over.
func newReading(log io.Writer, terminal bool, total int64, say func(n int64) string) *reading {
	p := &reading{total: total, say: say, start: time.Now(), end: make(chan struct{})}
	if total == 0 {
		return p
	}
	every := eachReading
	if terminal {
		every = time.Second
	}
	p.wait.Go(func() {
		said := false
		for next := quietReading; ; next = every {
			select {
			case <-time.After(next):
			case <-p.end:
				if said && terminal {
					fmt.Fprintf(log, "\r%50s\r", "")
				}
				return
			}
			said = true
			if text := p.text(time.Since(p.start)); terminal {
				fmt.Fprintf(log, "\r%-50s", text)
			} else {
				fmt.Fprintln(log, text)
			}
		}
	})
	return p
}

// seen counts a part of a file.
func (p *reading) seen(part []byte) { p.done.Add(int64(len(part))) }

// finish ends it.
func (p *reading) finish() {
	close(p.end)
	p.wait.Wait()
}

// text is how far the reading has come after a time.
func (p *reading) text(d time.Duration) string {
	done := p.done.Load()
	rate := float64(done) / d.Seconds()
	text := "reading " + p.say(p.total)
	if rate < 1 {
		return text
	}
	left := time.Duration(float64(max(p.total-done, 0)) / rate * 1e9)
	return fmt.Sprintf("%s: %s/s, %s left", text, p.say(int64(rate)), left.Round(time.Second))
}

// sizeOf is the size of files in bytes; those that cannot be found have none.
func sizeOf(files []string) (total int64) {
	for _, path := range files {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
	}
	return total
}
