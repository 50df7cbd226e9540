package kernel

// MaxTaps bounds the taps of a short convolution.
const MaxTaps = 8

// ShortConv is a causal convolution of each column with a few taps of its own, between two gates (LFM2). With row i
// of bcx (n, 3c) in thirds b, g, x and u = b·x,
//
//	out[i] = g · Σ_k w[:, taps-1-k] · u[at[i, k]]
//
// at (n, taps) names the rows of u at this position and k positions before it, -1 where there is none; w is (c, taps),
// out (n, c).
func (p *Pool) ShortConv(out, bcx, w []float32, at []int32, n, c, taps int) {
	need(n*c, out)
	need(3*n*c, bcx)
	need(c*taps, w)
	p.ops.conv = shortConvTask{run: convRows, out: out, bcx: bcx, w: w, at: at, n: n, c: c, taps: taps}
	p.rows(n, 8*c, &p.ops.conv)
}

// ShortConvCached is ShortConv with u of all positions in a cache (rows, c), whose rows at names; it puts those of the
// rows at hand there first.
func (p *Pool) ShortConvCached(out, bcx, w, cache []float32, at []int32, n, c, taps int) {
	need(n*c, out)
	need(3*n*c, bcx)
	need(c*taps, w)
	p.ops.conv = shortConvTask{run: gateRows, u: cache, bcx: bcx, at: at, n: n, c: c, taps: taps}
	p.rows(n, 3*c, &p.ops.conv)
	p.ops.conv = shortConvTask{run: convRows, out: out, u: cache, bcx: bcx, w: w, at: at, n: n, c: c, taps: taps}
	p.rows(n, 8*c, &p.ops.conv)
}

// ShortConvBackward sets dbcx (n, 3c), unless it is nil, and adds to dw (c, taps), unless it is nil, in the order of
// the rows.
func (p *Pool) ShortConvBackward(dbcx, dw, dout, bcx, w []float32, at []int32, n, c, taps int) {
	if taps > MaxTaps {
		panic("kernel: ShortConv has too many taps")
	}
	need(3*n*c, bcx)
	need(n*c, dout)
	p.ops.conv = shortConvTask{run: convGradColumns, out: dbcx, dw: dw, dout: dout, bcx: bcx, w: w, at: at, n: n, c: c,
		taps: taps}
	p.columns(n, c, &p.ops.conv)
}

type shortConvTask struct {
	run                      func(t *shortConvTask, lo, hi int)
	out, dw, dout, u, bcx, w []float32 // u nil: it is made of bcx
	at                       []int32
	n, c, taps               int
}

func (t *shortConvTask) rows(_, lo, hi int) { t.run(t, lo, hi) }

// gateRows leaves u of rows in the cache.
func gateRows(t *shortConvTask, lo, hi int) {
	c := t.c
	for i := lo; i < hi; i++ {
		row, to := t.bcx[3*i*c:], int(t.at[i*t.taps])*c
		mulScale(t.u[to:to+c], row[:c], row[2*c:3*c], 1)
	}
}

// input is u at column j of a row.
func (t *shortConvTask) input(row, j int) float32 {
	if t.u != nil {
		return t.u[row*t.c+j]
	}
	return t.bcx[3*row*t.c+j] * t.bcx[(3*row+2)*t.c+j]
}

// convolve is the sum at column j of row i.
func (t *shortConvTask) convolve(i, j int) float32 {
	w, at := t.w[j*t.taps:(j+1)*t.taps], t.at[i*t.taps:(i+1)*t.taps]
	var v float32
	for k, row := range at {
		if row >= 0 {
			v += float32(w[len(w)-1-k] * t.input(int(row), j))
		}
	}
	return v
}

func convRows(t *shortConvTask, lo, hi int) {
	c := t.c
	for i := lo; i < hi; i++ {
		out, gate := t.out[i*c:(i+1)*c], t.bcx[(3*i+1)*c:(3*i+2)*c]
		for j := range out {
			out[j] = gate[j] * t.convolve(i, j)
		}
	}
}

func convGradColumns(t *shortConvTask, lo, hi int) {
	for block := lo; block < hi; block++ {
		from, to := block*columnBlock, min(t.c, (block+1)*columnBlock)
		t.gradWeights(from, to)
		if t.out != nil {
			t.gradInputs(from, to)
		}
	}
}

// gradWeights adds to dw of columns [from, to).
func (t *shortConvTask) gradWeights(from, to int) {
	if t.dw == nil {
		return
	}
	var sum [columnBlock * MaxTaps]float64
	for i := range t.n {
		for k, row := range t.at[i*t.taps : (i+1)*t.taps] {
			if row < 0 {
				continue
			}
			for j := from; j < to; j++ {
				dv := t.dout[i*t.c+j] * t.bcx[(3*i+1)*t.c+j]
				sum[(j-from)*MaxTaps+k] += float64(float64(dv) * float64(t.input(int(row), j)))
			}
		}
	}
	for j := from; j < to; j++ {
		for k := range t.taps {
			t.dw[(j+1)*t.taps-1-k] += float32(sum[(j-from)*MaxTaps+k])
		}
	}
}

// gradInputs sets columns [from, to) of the thirds of dbcx. The gradient of u stands in the last third at first.
func (t *shortConvTask) gradInputs(from, to int) {
	c := t.c
	for i := range t.n {
		clear(t.out[(3*i+2)*c+from : (3*i+2)*c+to])
	}
	for i := range t.n {
		for k, row := range t.at[i*t.taps : (i+1)*t.taps] {
			if row < 0 {
				continue
			}
			du := t.out[(3*int(row)+2)*c:]
			for j := from; j < to; j++ {
				dv := t.dout[i*c+j] * t.bcx[(3*i+1)*c+j]
				du[j] += float32(dv * t.w[(j+1)*t.taps-1-k])
			}
		}
	}
	for i := range t.n {
		row, d := t.bcx[3*i*c:], t.out[3*i*c:]
		for j := from; j < to; j++ {
			du := d[2*c+j]
			d[j], d[c+j], d[2*c+j] = du*row[2*c+j], t.dout[i*c+j]*t.convolve(i, j), du*row[j]
		}
	}
}
