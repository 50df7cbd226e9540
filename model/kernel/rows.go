package kernel

// BiasRows sets each of n rows of out (n, c) to bias (c).
func (p *Pool) BiasRows(out, bias []float32, n, c int) { p.bias(out, bias, n, c, false) }

// AddBias adds bias (c) to each of n rows of out (n, c).
func (p *Pool) AddBias(out, bias []float32, n, c int) { p.bias(out, bias, n, c, true) }

type biasTask struct {
	out, bias []float32
	c         int
	plus      bool
}

func (p *Pool) bias(out, bias []float32, n, c int, plus bool) {
	need(n*c, out)
	need(c, bias)
	p.ops.bias = biasTask{out, bias[:c], c, plus}
	p.rows(n, c, &p.ops.bias)
}

func (t *biasTask) rows(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		row := t.out[i*t.c : i*t.c+t.c]
		if t.plus {
			add(row, row, t.bias)
		} else {
			copy(row, t.bias)
		}
	}
}

// ColumnSum: db += Σ rows of dy (n, c), in the order of the rows. It is the gradient of a bias.
func (p *Pool) ColumnSum(db, dy []float32, n, c int) {
	need(c, db)
	need(n*c, dy)
	p.ops.columnSum = columnSumTask{db, dy, n, c}
	p.columns(n, c, &p.ops.columnSum)
}

type columnSumTask struct {
	db, dy []float32
	n, c   int
}

func (t *columnSumTask) rows(_, lo, hi int) {
	c0, c1 := lo*columnBlock, min(t.c, hi*columnBlock)
	addRows(t.db[c0:c1], t.dy[c0:], t.c, t.n)
}

// Gather: out[i] = w[ids[i]] for n rows of width c. An id outside w panics.
func (p *Pool) Gather(out, w []float32, ids []int32, n, c int) { p.gather(out, w, ids, n, c, false) }

// GatherAdd: out[i] += w[ids[i]] for n rows of width c.
func (p *Pool) GatherAdd(out, w []float32, ids []int32, n, c int) { p.gather(out, w, ids, n, c, true) }

type gatherTask struct {
	out, w []float32
	ids    []int32
	c      int
	plus   bool
}

func (p *Pool) gather(out, w []float32, ids []int32, n, c int, plus bool) {
	need(n*c, out)
	p.ops.gather = gatherTask{out, w, ids[:n], c, plus}
	p.rows(n, c, &p.ops.gather)
}

func (t *gatherTask) rows(_, lo, hi int) {
	c := t.c
	for i := lo; i < hi; i++ {
		at := int(t.ids[i]) * c
		row, src := t.out[i*c:i*c+c], t.w[at:at+c]
		if t.plus {
			add(row, row, src)
		} else {
			copy(row, src)
		}
	}
}

// ScatterAdd: dw[ids[i]] += dy[i] for n rows of width c, i ascending, so that equal ids add up in one order. It is the
// backward of Gather.
func (p *Pool) ScatterAdd(dw, dy []float32, ids []int32, n, c int) {
	need(n*c, dy)
	p.ops.scatter = scatterTask{dw, dy, ids[:n], c}
	p.columns(n, c, &p.ops.scatter)
}

type scatterTask struct {
	dw, dy []float32
	ids    []int32
	c      int
}

func (t *scatterTask) rows(_, lo, hi int) {
	c0, c1 := lo*columnBlock, min(t.c, hi*columnBlock)
	for i, id := range t.ids {
		at := int(id) * t.c
		row := t.dw[at+c0 : at+c1]
		add(row, row, t.dy[i*t.c+c0:i*t.c+c1])
	}
}

// Add: out = a + b. out may be a or b.
func (p *Pool) Add(out, a, b []float32) {
	need(len(out), a, b)
	p.ops.element = elementTask{addPart, out, a, b, 0}
	p.elements(len(out), &p.ops.element)
}

// Scale: x *= s.
func (p *Pool) Scale(x []float32, s float32) {
	p.ops.element = elementTask{scalePart, x, nil, nil, s}
	p.elements(len(x), &p.ops.element)
}

// Copy copies src to dst; both have one length.
func (p *Pool) Copy(dst, src []float32) {
	need(len(dst), src)
	p.ops.element = elementTask{copyPart, dst, src, nil, 0}
	p.elements(len(dst), &p.ops.element)
}

// elementTask is a kernel over single elements.
type elementTask struct {
	run       func(t *elementTask, lo, hi int)
	out, a, b []float32
	s         float32
}

func (t *elementTask) rows(_, lo, hi int)  { t.run(t, lo, hi) }
func addPart(t *elementTask, lo, hi int)   { add(t.out[lo:hi], t.a[lo:hi], t.b[lo:hi]) }
func scalePart(t *elementTask, lo, hi int) { scale(t.out[lo:hi], t.s) }
func copyPart(t *elementTask, lo, hi int)  { copy(t.out[lo:hi], t.a[lo:hi]) }
