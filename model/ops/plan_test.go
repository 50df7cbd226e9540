package ops

import (
	"testing"

	"instruct/model/kernel/rng"
)

// TestArena allocates and frees at random and checks that live ranges never overlap and that holes are joined.
func TestArena(t *testing.T) {
	r := rng.NewRand(1, "arena test", 0, 0)
	var a arena
	type block struct{ off, n int }
	var live []block
	for range 5000 {
		if len(live) > 0 && r.Intn(2) == 0 {
			i := r.Intn(len(live))
			a.free(live[i].off, live[i].n)
			live = append(live[:i], live[i+1:]...)
			continue
		}
		n := 1 + r.Intn(300)
		b := block{a.alloc(n), n}
		for _, other := range live {
			if b.off < other.off+other.n && other.off < b.off+b.n {
				t.Fatalf("%v overlaps %v", b, other)
			}
		}
		if b.off%16 != 0 || b.off+b.n > a.size {
			t.Fatalf("%v is not aligned or lies outside the arena of %d", b, a.size)
		}
		live = append(live, b)
	}
	for _, b := range live {
		a.free(b.off, b.n)
	}
	if len(a.holes) != 1 || a.holes[0] != (hole{0, a.size}) {
		t.Errorf("after freeing all, the holes are %v of %d", a.holes, a.size)
	}
}
