package model

import (
	"slices"

	"instruct/model/kernel"
	"instruct/model/ops"
)

// worthSharing is how many tokens a common beginning must have to be read once for several sequences. Every piece that
// a sequence's cache lies in costs a call of the matrix product per layer, head and token.
const worthSharing = 16

// cachedRun is tokens whose keys and values lie, or will lie, in consecutive rows of the cache. The runs from the root
// down to one of them are the beginning of a sequence; those below it are its continuations.
type cachedRun struct {
	parent   *cachedRun
	children []*cachedRun
	ids      []int32
	said     []Said // of each of ids, where keeps is not 0; the first token of all has none
	keeps    int    // likeliest tokens that said names, and one
	read     int    // of ids, from the first on, are in the cache
	start    int    // its first row
	room     int    // rows
	users    int    // sequences that go through it
	used     int    // when the last sequence that went through it ended
}

// runCache says which rows of the cache hold what: beginnings that sequences share are held once, and what sequences
// have left behind is held until its room is needed, the least recently used first.
type runCache struct {
	rows  *ops.Cache
	limit int // most rows
	root  cachedRun
	runs  []*cachedRun // all but the root, by their first row
	clock int
}

// match finds the longest beginning of ids, less its last token, that is held or about to be read, with so much said of
// its tokens: the first n tokens of at, and all of the runs above it.
func (c *runCache) match(ids []int32, keeps int) (at *cachedRun, n, total int) {
	at = &c.root
	ids = ids[:len(ids)-1] // the last one is always read, for its logits
	for {
		var best *cachedRun
		longest := 0
		for _, r := range at.children {
			if same := common(r.ids, ids); same > longest && r.keeps >= keeps {
				best, longest = r, same
			}
		}
		if best == nil || longest < min(worthSharing, len(best.ids)) {
			break
		}
		at, n, total, ids = best, longest, total+longest, ids[longest:]
		if n < len(best.ids) {
			break
		}
	}
	if total < worthSharing {
		return &c.root, 0, 0
	}
	return at, n, total
}

// common is how many tokens a and b have in common at their beginning.
func common(a, b []int32) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// open makes a run for a sequence of the given tokens, of which the beginning that is held is not in the run itself:
// shared is its length. room is for all positions that the sequence may have, keeps for what is to be said of them. It
// returns nil when the sequence has to wait, for room or until its beginning has been read for another one.
func (c *runCache) open(ids []int32, room, keeps int) (r *cachedRun, shared int) {
	at, n, shared := c.match(ids, keeps)
	if n > at.read {
		return nil, 0
	}
	var first Said
	if keeps > 0 && shared > 0 { // the last token is read again, for the logits that say something of the next one
		first = at.said[n-1]
		n, shared = n-1, shared-1
		if n == 0 {
			at = at.parent
			n = len(at.ids)
		}
	}
	if n < len(at.ids) {
		at = c.split(at, n)
	}
	c.use(at, 1)
	start, ok := c.find(room-shared, at)
	if !ok {
		c.use(at, -1)
		return nil, 0
	}
	r = &cachedRun{parent: at, start: start, room: room - shared, ids: make([]int32, 0, room-shared), keeps: keeps,
		users: 1}
	r.ids = append(r.ids, ids[shared:]...)
	if keeps > 0 {
		r.said = make([]Said, len(r.ids), room-shared)
		r.said[0] = first
	}
	at.children = append(at.children, r)
	c.insert(r)
	return r, shared
}

// known is what is said of the tokens above r and of its first one; of the first token of all nothing is.
func (c *runCache) known(r *cachedRun) []Said {
	said := r.said[:1:1]
	for r = r.parent; r != &c.root; r = r.parent {
		said = append(r.said[:len(r.ids):len(r.ids)], said...)
	}
	return said[1:]
}

// close says that r's sequence has ended. What it has read is held on.
func (c *runCache) close(r *cachedRun) {
	r.cut(r.read)
	c.use(r, -1)
	if r.read == 0 {
		c.remove(r)
	}
}

// cut forgets what follows on the first n tokens of r.
func (r *cachedRun) cut(n int) {
	r.ids, r.said, r.read, r.room = r.ids[:n], r.said[:min(n, len(r.said))], n, n
}

// use counts one sequence more or less in r and the runs above it.
func (c *runCache) use(r *cachedRun, by int) {
	c.clock++
	for ; r != &c.root; r = r.parent {
		r.users += by
		r.used = c.clock
	}
}

// split gives the first n tokens of r a run of their own, above r. Where nobody needs the others and they are few, they
// are forgotten instead, so that what follows lies right behind the first n.
func (c *runCache) split(r *cachedRun, n int) *cachedRun {
	if r.users == 0 && len(r.children) == 0 && len(r.ids)-n < worthSharing {
		r.cut(n)
		return r
	}
	head := &cachedRun{parent: r.parent, children: []*cachedRun{r}, ids: r.ids[:n:n], read: n, start: r.start, room: n,
		users: r.users, used: r.used, keeps: r.keeps}
	if r.keeps > 0 {
		head.said, r.said = r.said[:n:n], r.said[n:]
	}
	siblings := r.parent.children
	siblings[slices.Index(siblings, r)] = head
	r.parent, r.ids = head, r.ids[n:]
	r.read, r.start, r.room = r.read-n, r.start+n, r.room-n
	c.insert(head)
	return head
}

// find finds n rows that are free, right behind at where it can. What nobody uses makes room, then what is in use moves
// together, then the cache grows.
func (c *runCache) find(n int, at *cachedRun) (start int, ok bool) {
	for {
		if start, ok := c.gap(n, at); ok {
			return start, true
		}
		if !c.evict() {
			break
		}
	}
	taken := 0
	for _, r := range c.runs {
		taken += r.room
	}
	if taken+n > c.limit {
		return 0, false
	}
	if taken+n > c.rows.Rows() {
		c.rows.Grow(min(c.limit, max(taken+n, 2*c.rows.Rows())))
	}
	c.compact()
	return taken, true
}

// gap finds n rows between the runs.
func (c *runCache) gap(n int, at *cachedRun) (start int, ok bool) {
	for i := range len(c.runs) + 1 {
		lo, hi := 0, c.rows.Rows()
		if i > 0 {
			lo = c.runs[i-1].start + c.runs[i-1].room
		}
		if i < len(c.runs) {
			hi = c.runs[i].start
		}
		if hi-lo < n {
			continue
		}
		if i > 0 && c.runs[i-1] == at {
			return lo, true
		}
		if !ok {
			start, ok = lo, true
		}
	}
	return start, ok
}

// evict forgets the run that has not been used for the longest time.
func (c *runCache) evict() bool {
	var oldest *cachedRun
	for _, r := range c.runs {
		if r.users == 0 && len(r.children) == 0 && (oldest == nil || r.used < oldest.used) {
			oldest = r
		}
	}
	if oldest != nil {
		c.remove(oldest)
	}
	return oldest != nil
}

// forget forgets all that nobody uses.
func (c *runCache) forget() {
	for c.evict() {
	}
}

// compact moves all runs to the front.
func (c *runCache) compact() {
	at := 0
	for _, r := range c.runs {
		if r.start != at {
			c.rows.Move(at, r.start, r.read)
			r.start = at
		}
		at += r.room
	}
}

func (c *runCache) insert(r *cachedRun) {
	i, _ := slices.BinarySearchFunc(c.runs, r.start, func(a *cachedRun, start int) int {
		return a.start - start
	})
	c.runs = slices.Insert(c.runs, i, r)
}

func (c *runCache) remove(r *cachedRun) {
	c.runs = slices.DeleteFunc(c.runs, func(other *cachedRun) bool { return other == r })
	siblings := &r.parent.children
	*siblings = slices.DeleteFunc(*siblings, func(other *cachedRun) bool { return other == r })
}

// place appends the rows of the cache that hold what was read of r's sequence; runs that touch become one.
func (c *runCache) place(to []kernel.Run, r *cachedRun) []kernel.Run {
	if r == &c.root {
		return to
	}
	to = c.place(to, r.parent)
	if last := len(to) - 1; last >= 0 && to[last].Start+to[last].Len == r.start {
		to[last].Len += r.read
		return to
	}
	return append(to, kernel.Run{Start: r.start, Len: r.read})
}
