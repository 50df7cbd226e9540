package ops

import "instruct/model/kernel"

// Adapter is two narrow matrices A and B that are trained beside a matrix W, which is frozen: LoRA (Hu et al. 2021,
// arXiv:2106.09685; reference: PEFT, tuners/lora/layer.py). In the columns of each block it adds to x·Wᵀ
//
//	Scale*(drop(x)·Aᵀ)·Bᵀ
//
// with A (Rank, C) and B (rows of the block, Rank) of the block. The blocks are the tensors that W stacks, those that
// have an adapter; they read the same x, and so share what dropout drops of it.
//
// With magnitudes M (rows of all blocks) it is DoRA (Liu et al. 2024, arXiv:2402.09353; PEFT, tuners/lora/dora.py):
// the columns of a block are then g*(x·Wᵀ + what is above), with g = M/|W + Scale*B·A| of each output, whose norm
// is taken for a constant.
//
// Backward, with h = Scale*drop(x)·Aᵀ, which is computed again, and dh = Scale*dout·B: dB += doutᵀ·h,
// dA += dhᵀ·drop(x), dx += drop(dh·A). With magnitudes dout is g*dout there, for W too, and dM += the column sums
// of dout times what g scales, over the norm.
type Adapter struct {
	A, B    *Param // (blocks*Rank, C), (rows of all blocks, Rank): one block after the other
	M       *Param // (rows of all blocks), or nil
	Rank    int
	Scale   float32
	Blocks  []Block
	Dropout float64 // of x while it trains; 0: none
	Seed    uint64  // of the dropout
	Number  uint64  // of the adapter among those of the model
	Off     *bool   // switched off: W alone counts; shared by all adapters of a model
}

// Block is a range of a matrix's outputs: from From on.
type Block struct{ From, Rows int }

func (a *Adapter) params() []*Param {
	if a.M != nil {
		return []*Param{a.A, a.B, a.M}
	}
	return []*Param{a.A, a.B}
}

// adapter is an Adapter in one op, which runs forward or backward.
type adapter struct {
	*Adapter
	env      *Env
	in, out  int // columns of x and of out
	capacity int
	backward bool

	h, dh []float32 // (N, blocks*Rank), scratch of the arena
	x     []float32 // (N, C) what dropout leaves, scratch of the arena
	u     []float32 // (N, out) what the gains of DoRA scale, scratch of the arena

	gains, norms, sums []float32 // (out) of DoRA; gains are 1 outside the blocks
}

func newAdapter(g *Graph, a *Adapter, in, out int) *adapter {
	o := &adapter{Adapter: a, env: g.Env, in: in, out: out, capacity: g.Capacity}
	if a.M != nil {
		o.gains, o.norms, o.sums = buffer[float32](g, out), buffer[float32](g, out), buffer[float32](g, out)
	}
	return o
}

// width is the width of h.
func (a *adapter) width() int { return len(a.Blocks) * a.Rank }

// drops says whether x is dropped from.
func (a *adapter) drops() bool { return a.Dropout > 0 && a.env.Drops }

// parts are the sizes of h, dh, x and u.
func (a *adapter) parts() [4]int {
	h := kernel.Lines(a.capacity * a.width())
	parts := [4]int{0: h}
	if a.backward {
		parts[1] = h
	}
	if a.drops() {
		parts[2] = kernel.Lines(a.capacity * a.in)
	}
	if a.M != nil {
		parts[3] = kernel.Lines(a.capacity * a.out)
	}
	return parts
}

// scratch is the scratch of an adapter, which may be nil.
func (a *adapter) scratch() int {
	if a == nil {
		return 0
	}
	n := 0
	for _, part := range a.parts() {
		n += part
	}
	return n
}

func (a *adapter) lend(mem []float32) {
	if a == nil {
		return
	}
	parts := a.parts()
	a.h, mem = mem[:parts[0]], mem[parts[0]:]
	a.dh, mem = mem[:parts[1]], mem[parts[1]:]
	a.x, a.u = mem[:parts[2]], mem[parts[2]:]
}

// scales says whether the gains of DoRA count; a may be nil.
func (a *adapter) scales() bool { return a != nil && a.M != nil && !*a.Off }

// drop is what dropout drops of x in the batch at hand.
func (a *adapter) drop() kernel.Drop {
	return kernel.Drop{Rate: a.Dropout, Seed: a.Seed, A: a.Number, B: a.env.Batch.Draw}
}

// low computes h of n rows and returns what dropout left of x.
func (a *adapter) low(x []float32, n int) []float32 {
	p, w := a.env.Pool, a.width()
	if a.drops() {
		p.Dropout(a.x, x, n, a.in, a.drop(), false)
		x = a.x
	}
	p.Gemm(kernel.NT, n, w, a.in, x, a.in, a.A.Value, a.in, a.h, w, false)
	p.Scale(a.h[:n*w], a.Scale)
	return x
}

// each calls do with each block: its first column of h, its first column of out, its rows, and its first row of B.
func (a *adapter) each(do func(h, from, rows, b int)) {
	b := 0
	for i, block := range a.Blocks {
		do(i*a.Rank, block.From, block.Rows, b*a.Rank)
		b += block.Rows
	}
}

// add adds what the adapter gives of n rows x to out. a may be nil.
func (a *adapter) add(x, out []float32, n int) {
	if a == nil || *a.Off {
		return
	}
	a.low(x, n)
	a.each(func(h, from, rows, b int) {
		a.env.Pool.Gemm(kernel.NT, n, rows, a.Rank, a.h[h:], a.width(), a.B.Value[b:], a.Rank, out[from:], a.out, true)
	})
}

// derive adds the gradients of A and B, and that of x to dx unless it is nil.
func (a *adapter) derive(x, dy, dx []float32, n int) {
	p, w := a.env.Pool, a.width()
	x = a.low(x, n)
	a.each(func(h, from, rows, b int) {
		p.Gemm(kernel.TN, rows, a.Rank, n, dy[from:], a.out, a.h[h:], w, a.B.Grad[b:], a.Rank, true)
		p.Gemm(kernel.NN, n, a.Rank, rows, dy[from:], a.out, a.B.Value[b:], a.Rank, a.dh[h:], w, false)
	})
	p.Scale(a.dh[:n*w], a.Scale)
	p.Gemm(kernel.TN, w, a.in, n, a.dh, w, x, a.in, a.A.Grad, a.in, true)
	switch {
	case dx == nil:
	case a.drops():
		p.Gemm(kernel.NN, n, a.in, w, a.dh, w, a.A.Value, a.in, a.x, a.in, false)
		p.Dropout(dx, a.x, n, a.in, a.drop(), true)
	default:
		p.Gemm(kernel.NN, n, a.in, w, a.dh, w, a.A.Value, a.in, dx, a.in, true)
	}
}

// measure computes gains and norms.
func (a *adapter) measure(w *kernel.Weights) {
	for i := range a.gains {
		a.gains[i] = 1
	}
	a.each(func(h, from, rows, b int) {
		norms, m := a.norms[from:from+rows], a.M.Value[b/a.Rank:]
		low := kernel.Low{High: a.B.Value[b:], Low: a.A.Value[h*a.in:], Rank: a.Rank, Scale: a.Scale}
		a.env.Pool.RowNorms(norms, w, from, rows, low)
		for i, norm := range norms {
			a.gains[from+i] = m[i] / norm
		}
	})
}

// deriveGains adds the gradients of the magnitudes and returns the gradient of what the gains scale, which is in u.
func (a *adapter) deriveGains(dy []float32, w *kernel.Weights, n int) []float32 {
	p := a.env.Pool
	a.measure(w)
	clear(a.sums)
	p.ColumnDot(a.sums, dy, a.u, n, a.out)
	a.each(func(_, from, rows, b int) {
		grad := a.M.Grad[b/a.Rank:]
		for i := range rows {
			grad[i] += a.sums[from+i] / a.norms[from+i]
		}
	})
	p.Copy(a.u[:n*a.out], dy[:n*a.out])
	p.ScaleColumns(nil, a.u, a.gains, n, a.out, false)
	return a.u
}

// InitMagnitudes sets the magnitudes to the norms of the weights of each output.
func (a *Adapter) InitMagnitudes(pool *kernel.Pool, w *kernel.Weights) {
	row, none := 0, kernel.Low{}
	for _, block := range a.Blocks {
		pool.RowNorms(a.M.Value[row:], w, block.From, block.Rows, none)
		row += block.Rows
	}
}
