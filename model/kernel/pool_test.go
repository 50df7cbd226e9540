package kernel

import (
	"sync/atomic"
	"testing"
	"time"
)

type countTask struct {
	hits    []atomic.Int32
	workers int
	bad     atomic.Int32
	panicAt int
}

func (t *countTask) Run(w, i int) {
	if w < 0 || w >= t.workers {
		t.bad.Add(1)
	}
	if i == t.panicAt {
		panic("part 7 fails")
	}
	t.hits[i].Add(1)
}

func TestDoRunsEachPartOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 7} {
		p := NewPool(threads)
		for round := range 300 {
			n := round % 50
			task := &countTask{hits: make([]atomic.Int32, n), workers: threads, panicAt: -1}
			p.Do(n, task)
			for i := range task.hits {
				if h := task.hits[i].Load(); h != 1 {
					t.Fatalf("%d threads: part %d of %d ran %d times", threads, i, n, h)
				}
			}
			if task.bad.Load() != 0 {
				t.Fatal("worker number out of range")
			}
			if round%100 == 99 {
				time.Sleep(2 * time.Millisecond) // long enough for the helpers to sleep
			}
		}
		p.Close()
		p.Close()
	}
}

func TestDoRaisesPanic(t *testing.T) {
	for _, threads := range []int{1, 2, 3} {
		p := NewPool(threads)
		for range 20 {
			task := &countTask{hits: make([]atomic.Int32, 100), workers: threads, panicAt: 7}
			func() {
				defer func() {
					if e := recover(); e != "part 7 fails" {
						t.Errorf("%d threads: recovered %v", threads, e)
					}
				}()
				p.Do(100, task)
				t.Error("Do returned")
			}()
		}
		task := &countTask{hits: make([]atomic.Int32, 10), workers: threads, panicAt: -1}
		p.Do(10, task)
		for i := range task.hits {
			if task.hits[i].Load() != 1 {
				t.Fatal("the pool is broken after a panic")
			}
		}
		p.Close()
	}
}

func TestDoAllocatesNothing(t *testing.T) {
	p := NewPool(2)
	defer p.Close()
	task := &countTask{hits: make([]atomic.Int32, 64), workers: 2, panicAt: -1}
	if n := testing.AllocsPerRun(100, func() { p.Do(64, task) }); n != 0 {
		t.Errorf("Do allocates %g times", n)
	}
}
