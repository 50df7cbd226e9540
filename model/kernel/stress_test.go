package kernel

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"instruct/model/kernel/rng"
)

// job is one piece of work with its result on the generic path. run works on a copy of start.
type job struct {
	name        string
	start, want [][]float32
	run         func(p *Pool, x [][]float32) []float32
	result      []float32
	zeroSign    bool // a zero result may have either sign
}

func newJob(name string, x [][]float32, spec func(x [][]float32) []float32,
	run func(p *Pool, x [][]float32) []float32) job {
	j := job{name: name, start: x, want: copies(x), run: run}
	j.result = spec(j.want)
	return j
}

func copies(x [][]float32) [][]float32 {
	out := make([][]float32, len(x))
	for i := range x {
		out[i] = append([]float32(nil), x[i]...)
	}
	return out
}

func (j *job) check(p *Pool) error {
	x := copies(j.start)
	got := j.run(p, x)
	for i, v := range got {
		if !sameBits(v, j.result[i]) && !(j.zeroSign && v == j.result[i]) {
			return fmt.Errorf("%s: result %d is %g, want %g", j.name, i, v, j.result[i])
		}
	}
	for i := range x {
		if at := firstDifference(x[i], j.want[i]); at >= 0 {
			return fmt.Errorf("%s: slice %d, element %d is %g, want %g", j.name, i, at, x[i][at], j.want[i][at])
		}
	}
	return nil
}

func stressJobs() (jobs []job) {
	r := rng.NewRand(3, "stress", 0, 0)
	for _, s := range [][3]int{{1, 100, 300}, {7, 50, 40}, {33, 97, 65}, {130, 150, 210}, {90, 49, 500}} {
		m, n, k := s[0], s[1], s[2]
		for _, f := range []Form{NT, NN, TN} {
			lda, ldb := k, k
			if f == TN {
				lda = m
			}
			if f != NT {
				ldb = n
			}
			x := [][]float32{normals(&r, m*n), normals(&r, m*k), normals(&r, k*n)}
			jobs = append(jobs, newJob(fmt.Sprint("gemm ", f, s), x, func(x [][]float32) []float32 {
				gemmNaive(f, m, n, k, x[1], lda, x[2], ldb, x[0], n, true)
				return nil
			}, func(p *Pool, x [][]float32) []float32 {
				p.Gemm(f, m, n, k, x[1], lda, x[2], ldb, x[0], n, true)
				return nil
			}))
		}
	}
	for _, q := range primitives() {
		s := normals(&r, 4)
		x := make([][]float32, q.slices())
		for i := range x {
			x[i] = normals(&r, 3*259)
			for j := range x[i] {
				if i+1 == q.positive && x[i][j] < 0 {
					x[i][j] = -x[i][j]
				}
			}
		}
		spec := func(x [][]float32) []float32 { return q.call(q.spec, x, s) }
		j := newJob(q.name, x, spec, func(_ *Pool, x [][]float32) []float32 { return q.call(q.fast, x, s) })
		j.zeroSign = q.ignoreSign
		jobs = append(jobs, j)
	}
	return jobs
}

// The kernels keep their bits while the garbage collector and the scheduler stop them all the time: vector and mask
// registers survive. For a minute when INSTRUCT_STRESS is set, else for two seconds.
func TestStress(t *testing.T) {
	last := 2 * time.Second
	if os.Getenv("INSTRUCT_STRESS") != "" {
		last = time.Minute
	}
	was := path
	defer func() { path = was }()
	jobs := stressJobs()
	for _, path = range paths() {
		t.Run(Path(), func(t *testing.T) { stress(t, jobs, last/time.Duration(len(paths()))) })
	}
}

func stress(t *testing.T, jobs []job, last time.Duration) {
	var stop atomic.Bool
	var done atomic.Int64
	var workers, others sync.WaitGroup
	others.Go(func() {
		for !stop.Load() {
			runtime.GC()
		}
	})
	for range runtime.GOMAXPROCS(0) { // more than the processors hold, so that everybody is preempted
		others.Go(func() {
			for !stop.Load() {
				spin := 0
				for i := range 1 << 20 {
					spin += i
				}
				runtime.KeepAlive(spin)
			}
		})
	}
	end := time.Now().Add(last)
	for i := range 3 {
		workers.Go(func() {
			p := NewPool(i + 1)
			defer p.Close()
			r := rng.NewRand(4, "stress", uint64(i), 0)
			for n := 0; time.Now().Before(end) || n < len(jobs); n++ {
				j := &jobs[n%len(jobs)]
				if n >= len(jobs) {
					j = &jobs[r.Intn(len(jobs))]
				}
				if err := j.check(p); err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	workers.Wait()
	stop.Store(true)
	others.Wait()
	t.Logf("%d pieces of work", done.Load())
}
