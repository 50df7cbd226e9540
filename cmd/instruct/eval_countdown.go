package main

import (
	"fmt"
	"io"
	"time"
)

// countdown says how many of some things are done and how long the others will take: in place on a terminal, elsewhere
// a line every ten seconds.
type countdown struct {
	w          io.Writer
	inPlace    bool
	what       string
	n, of      int
	kept       int // of n, which took no time; whoever counts sets it
	start, say time.Time
}

func newCountdown(w io.Writer, inPlace bool, what string, of int) *countdown {
	return &countdown{w: w, inPlace: inPlace, what: what, of: of, start: time.Now(), say: time.Now()}
}

func (c *countdown) step() { c.at(c.n+1, c.of) }

// at says that n of so many are done.
func (c *countdown) at(n, of int) {
	c.n, c.of = n, of
	if c.n == c.kept {
		c.start = time.Now()
	}
	pause := 10 * time.Second
	if c.inPlace {
		pause = 200 * time.Millisecond
	}
	if time.Since(c.say) < pause {
		return
	}
	c.say = time.Now()
	left := ""
	if made := c.n - c.kept; made > 0 {
		each := float64(time.Since(c.start)) / float64(made)
		left = fmt.Sprintf(", %v left", time.Duration(each*float64(c.of-c.n)).Round(time.Second))
	}
	end := "\n"
	if c.inPlace {
		end = "\r"
	}
	fmt.Fprintf(c.w, "%s: %d of %d done%s   %s", c.what, c.n, c.of, left, end)
}

func (c *countdown) done() {
	if c.inPlace {
		fmt.Fprintf(c.w, "%79s\r", "")
	}
}
