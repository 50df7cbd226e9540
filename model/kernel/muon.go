package kernel

import (
	"math"
	"slices"
)

// MuonMatrix is a matrix (Rows, Cols) that Muon trains, with its gradient and its momentum, row-major.
type MuonMatrix struct {
	Value, Grad, Momentum []float32
	Rows, Cols            int
}

// MuonArgs are the numbers of one step.
type MuonArgs struct {
	LR          float32
	Momentum    float32 // 0.95 is usual
	WeightDecay float32
	GradScale   float32 // the gradient is multiplied by it first: one over the batch's weight, and the clipping
	Steps       int     // of the Newton-Schulz iteration; 5 is usual
}

// Muon is the optimizer of hidden matrices (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural
// networks"; torch.optim.Muon with adjust_lr_fn="match_rms_adamw"). It keeps the scratch of its workers.
type Muon struct {
	matrices []MuonMatrix // the largest first, so that the workers end together
	scratch  [][]float32
	step     muonStep
}

// NewMuon makes the optimizer of the matrices for a pool of the given number of workers.
func NewMuon(threads int, matrices []MuonMatrix) *Muon {
	m := &Muon{matrices: slices.Clone(matrices)}
	size := 0
	for _, x := range m.matrices {
		need(x.Rows*x.Cols, x.Value, x.Grad, x.Momentum)
		size = max(size, MuonScratch(x.Rows, x.Cols))
	}
	slices.SortStableFunc(m.matrices, func(a, b MuonMatrix) int { return b.Rows*b.Cols - a.Rows*a.Cols })
	for range threads {
		m.scratch = append(m.scratch, make([]float32, size))
	}
	return m
}

// MuonScratch is the scratch of a worker for a matrix (rows, cols), in float32 values: two of its size and two of its
// shorter side.
func MuonScratch(rows, cols int) int {
	side := min(rows, cols)
	return 2*rows*cols + 2*side*side
}

// Step updates every matrix W from its gradient G, which it then clears:
//
//	M = Momentum·M + s·G,  X = s·G + Momentum·M (Nesterov)
//	W = W·(1 - LR·WeightDecay) - LR·0.2·sqrt(max(Rows, Cols))·orthogonal(X)
//
// with s = GradScale. The factor gives the update the root mean square that AdamW's updates have, so one learning rate
// suits both (Liu et al. 2025, arXiv:2502.16982). A matrix is the work of one worker, so the number of workers cannot
// matter.
func (m *Muon) Step(p *Pool, args MuonArgs) {
	m.step = muonStep{m, p, args}
	p.Do(len(m.matrices), &m.step)
}

type muonStep struct {
	m    *Muon
	p    *Pool
	args MuonArgs
}

func (t *muonStep) Run(w, i int) {
	x, n := &t.m.matrices[i], t.m.matrices[i].Rows*t.m.matrices[i].Cols
	value, grad, momentum := x.Value[:n], x.Grad[:n], x.Momentum[:n]
	scale(grad, t.args.GradScale)
	scale(momentum, t.args.Momentum)
	add(momentum, momentum, grad)
	s := t.m.scratch[w]
	u, s := s[:n], s[n:]
	copy(u, momentum)
	scale(u, t.args.Momentum)
	add(u, u, grad)
	clear(grad)
	u = orthogonal(t.p, w, u, s, x.Rows, x.Cols, t.args.Steps)
	decay := float32(t.args.LR * t.args.WeightDecay)
	if decay != 0 {
		scale(value, 1-decay)
	}
	scale(u, -t.args.LR*0.2*float32(math.Sqrt(float64(max(x.Rows, x.Cols)))))
	add(value, value, u)
}

// orthogonal brings all singular values of x (rows, cols) near one: steps of a quintic Newton-Schulz iteration
//
//	A = X·Xᵀ,  X = a·X + (b·A + c·A²)·X
//
// on X over its Frobenius norm, with Jordan's coefficients; a tall X is taken from its other side. s is scratch for
// another x and two square matrices of the shorter side. The result lies in x or s.
func orthogonal(p *Pool, w int, x, s []float32, rows, cols, steps int) []float32 {
	const a, b, c = 3.4445, -4.7750, 2.0315
	side := min(rows, cols)
	y, g, h := s[:len(x)], s[len(x):len(x)+side*side], s[len(x)+side*side:len(x)+2*side*side]
	scale(x, 1/(float32(math.Sqrt(float64(dot(x, x))))+1e-7))
	for range steps {
		if rows <= cols {
			p.GemmSerial(w, NT, side, side, cols, x, cols, x, cols, g, side, false)
		} else {
			p.GemmSerial(w, TN, side, side, rows, x, cols, x, cols, g, side, false)
		}
		copy(h, g)
		scale(h, b/c)
		p.GemmSerial(w, NN, side, side, side, g, side, g, side, h, side, true) // h = A² + b/c·A
		copy(y, x)
		scale(y, a/c)
		if rows <= cols {
			p.GemmSerial(w, NN, rows, cols, side, h, side, x, cols, y, cols, true)
		} else {
			p.GemmSerial(w, NN, rows, cols, side, x, cols, h, side, y, cols, true)
		}
		scale(y, c)
		x, y = y, x
	}
	return x
}
