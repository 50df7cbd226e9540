package attribute

import "instruct/model/kernel"

// partSize is how many values a worker takes at a time. Sums are of parts, added in their order: the same for any
// number of workers.
const partSize = 1 << 16

func countParts(n int) int { return (n + partSize - 1) / partSize }

// parts is a loop over n values.
type parts struct {
	n  int
	do func(part, lo, hi int)
}

// Run implements kernel.Task.
func (p parts) Run(_, i int) { p.do(i, i*partSize, min(p.n, (i+1)*partSize)) }

// inParts runs do on n values, part by part, on all workers.
func inParts(p *kernel.Pool, n int, do func(part, lo, hi int)) { p.Do(countParts(n), parts{n, do}) }

// sumParts is inParts with a sum of what do gives.
func sumParts(p *kernel.Pool, n int, do func(lo, hi int) float64) (sum float64) {
	all := make([]float64, countParts(n))
	inParts(p, n, func(part, lo, hi int) { all[part] = do(lo, hi) })
	for _, s := range all {
		sum += s
	}
	return sum
}
