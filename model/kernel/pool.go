package kernel

import (
	"runtime"
	"sync/atomic"
)

// Task is work in numbered parts. Run(worker, i) does part i; worker says whose scratch it may use. Parts run in any
// order, together.
type Task interface{ Run(worker, i int) }

// Pool is a set of workers for one goroutine at a time: the caller is worker 0, the others are helpers that sleep
// between calls. Every kernel is a method of Pool, and its arguments are kept in the Pool, so that a call allocates
// nothing.
type Pool struct {
	workers []worker
	split   splitTask
	gemm    gemmTask
	ops     opTasks
	lowp    lowpTasks

	rounding []float32 // what the next kernel rounds, see Rounding

	// One round of Do. gate = open bit | number of helpers inside; only while it is closed and empty may the caller change
	// the rest.
	gate    atomic.Uint32
	round   atomic.Uint32
	next    atomic.Int64
	n       int64
	task    Task
	failed  atomic.Bool
	failure any
	waiting atomic.Bool
	done    chan struct{}
	closed  atomic.Bool
}

// worker is what belongs to one worker alone.
type worker struct {
	pack   []float32 // packing scratch of the matrix product
	asleep atomic.Bool
	wake   chan struct{}
	_      [64]byte // keeps two workers' flags off one cache line
}

const (
	gateOpen   = 1 << 31
	spinHelper = 3000 // pauses (about 30 ns each) before a helper sleeps
	spinCaller = 4000
)

// NewPool makes a pool of the given number of workers; threads <= 0 means runtime.GOMAXPROCS(0). Close ends its
// helpers.
func NewPool(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{workers: make([]worker, threads), done: make(chan struct{}, 1)}
	for w := 1; w < threads; w++ {
		p.workers[w].wake = make(chan struct{}, 1)
		go p.help(w)
	}
	return p
}

// Threads is the number of workers, the caller included.
func (p *Pool) Threads() int { return len(p.workers) }

// Close ends the helpers. The pool must not be used afterwards.
func (p *Pool) Close() {
	if p.closed.Swap(true) {
		return
	}
	p.round.Add(1)
	p.wakeAll(len(p.workers))
}

// Do runs t.Run(worker, i) for every i in [0, n), each once, and returns when all are done. Who runs what is decided on
// the way. A panic in a part is raised again here, after the other workers have stopped. Do must not be called from
// inside a task.
func (p *Pool) Do(n int, t Task) {
	if n <= 0 {
		return
	}
	if n == 1 || len(p.workers) == 1 {
		for i := range n {
			t.Run(0, i)
		}
		return
	}
	p.task, p.n = t, int64(n)
	p.next.Store(0)
	p.gate.Store(gateOpen)
	p.round.Add(1)
	p.wakeAll(min(n, len(p.workers)))
	p.work(0)
	p.closeGate()
	p.task = nil
	if p.failed.Load() {
		f := p.failure
		p.failed.Store(false)
		p.failure = nil
		panic(f)
	}
}

// work takes parts until none is left. A panic ends the round for everybody.
func (p *Pool) work(w int) {
	defer func() {
		if e := recover(); e != nil {
			p.next.Store(p.n)
			if !p.failed.Swap(true) {
				p.failure = e
			}
		}
	}()
	for {
		i := p.next.Add(1) - 1
		if i >= p.n {
			return
		}
		p.task.Run(w, int(i))
	}
}

// closeGate lets no more helper in and waits for those inside. A helper that has not woken by now is not waited for.
func (p *Pool) closeGate() {
	if p.gate.And(^uint32(gateOpen)) == gateOpen {
		return
	}
	for range spinCaller {
		if p.gate.Load() == 0 {
			return
		}
		pause()
	}
	p.waiting.Store(true)
	if p.gate.Load() == 0 && p.waiting.CompareAndSwap(true, false) {
		return
	}
	<-p.done
}

// enter lets a helper into the open round.
func (p *Pool) enter() bool {
	for {
		g := p.gate.Load()
		if g&gateOpen == 0 {
			return false
		}
		if p.gate.CompareAndSwap(g, g+1) {
			return true
		}
	}
}

// leave is called by a helper that entered; the last one out wakes a caller that fell asleep.
func (p *Pool) leave() {
	if p.gate.Add(^uint32(0)) == 0 && p.waiting.CompareAndSwap(true, false) {
		p.done <- struct{}{}
	}
}

func (p *Pool) wakeAll(n int) {
	for w := 1; w < n; w++ {
		if h := &p.workers[w]; h.asleep.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
	}
}

// help is the life of helper w: spin a bounded time for a new round, then sleep.
func (p *Pool) help(w int) {
	h := &p.workers[w]
	var seen uint32
	for {
		for i := 0; p.round.Load() == seen; i++ {
			if i < spinHelper {
				pause()
				continue
			}
			h.asleep.Store(true)
			if p.round.Load() != seen && h.asleep.CompareAndSwap(true, false) {
				break
			}
			<-h.wake
		}
		if p.closed.Load() {
			return
		}
		seen = p.round.Load()
		if p.enter() {
			p.work(w)
			p.leave()
		}
	}
}

// rowTask is a kernel over rows: rows(worker, lo, hi) does rows [lo, hi).
type rowTask interface{ rows(worker, lo, hi int) }

// splitTask cuts rows into parts of size grain.
type splitTask struct {
	n, grain int
	t        rowTask
}

func (s *splitTask) Run(worker, i int) {
	s.t.rows(worker, i*s.grain, min(s.n, (i+1)*s.grain))
}

// rows runs t over n rows whose cost is about that of moving width floats; parts are large enough to be worth a
// hand-over.
func (p *Pool) rows(n, width int, t rowTask) {
	if n <= 0 {
		return
	}
	const small = 8192 // floats in a part, at least
	grain := max(1, (small+width-1)/max(width, 1), (n+8*len(p.workers)-1)/(8*len(p.workers)))
	p.parts(n, grain, t)
}

// elements runs t over n single elements in parts that are a multiple of 4096.
func (p *Pool) elements(n int, t rowTask) {
	if n <= 0 {
		return
	}
	const part = 4096
	grain := max(2, ((n+part-1)/part+8*len(p.workers)-1)/(8*len(p.workers))) * part
	p.parts(n, grain, t)
}

// parts runs t over n rows or elements in parts of size grain.
func (p *Pool) parts(n, grain int, t rowTask) {
	if out := p.rounding; len(out) > 0 {
		p.rounding = nil
		p.lowp.rounding = roundingTask{t, out, len(out) / n}
		t = &p.lowp.rounding
	}
	if len(p.workers) == 1 || grain >= n {
		t.rows(0, 0, n)
		return
	}
	p.split = splitTask{n, grain, t}
	p.Do((n+grain-1)/grain, &p.split)
}
