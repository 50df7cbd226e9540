package kernel

// Average: avg = decay·avg + (1-decay)·x, value by value; both have one length.
func (p *Pool) Average(avg, x []float32, decay float64) {
	need(len(avg), x)
	p.ops.average = averageTask{avg, x, float32(decay), float32(1 - decay)}
	p.elements(len(avg), &p.ops.average)
}

type averageTask struct {
	avg, x      []float32
	decay, rest float32
}

func (t *averageTask) rows(_, lo, hi int) {
	var part [1024]float32 // stays in the cache between the passes
	for ; lo < hi; lo += len(part) {
		n := min(len(part), hi-lo)
		avg, x := t.avg[lo:lo+n], part[:n]
		copy(x, t.x[lo:lo+n])
		scale(x, t.rest)
		scale(avg, t.decay)
		add(avg, avg, x)
	}
}

// Swap exchanges the values of a and b; both have one length.
func (p *Pool) Swap(a, b []float32) {
	need(len(a), b)
	p.ops.element = elementTask{swapPart, a, b, nil, 0}
	p.elements(len(a), &p.ops.element)
}

func swapPart(t *elementTask, lo, hi int) {
	for i := lo; i < hi; i++ {
		t.out[i], t.a[i] = t.a[i], t.out[i]
	}
}
