package kernel

import "instruct/model/kernel/exact"

// LossTerms are what is added to the cross-entropy of a row of V logits x with target y, log Σ exp(x) - x[y]:
//
//	Smoothing·(x[y] - mean(x)) + Z·(log Σ exp(x))²
//
// The first makes it label smoothing as transformers' label_smoothing_factor is (Szegedy et al. 2016): of the target's
// probability, Smoothing is spread over all tokens. The second is the z-loss of PaLM (Chowdhery et al. 2022), which
// keeps the logits from drifting; Z is 1e-4 there and for OLMo.
type LossTerms struct{ Smoothing, Z float64 }

// CrossEntropy computes, for each of n rows of logits (n, v), losses[i] = log Σ exp(logits) - logit[targets[i]],
// without the weight. When grad, the logits are replaced by weights[i]·(softmax - onehot), the gradient of Σ
// weights·losses. A row with a negative target has loss 0 and gradient 0.
func (p *Pool) CrossEntropy(logits []float32, targets []int32, weights []float32, losses []float64, n, v int,
	grad bool) {
	p.CrossEntropyWith(LossTerms{}, nil, logits, targets, weights, losses, n, v, grad)
}

// CrossEntropyWith is [Pool.CrossEntropy] with terms whose values, without the weight, are in added, which may be nil
// without terms. The gradients are of the sum.
func (p *Pool) CrossEntropyWith(terms LossTerms, added []float64, logits []float32, targets []int32, weights []float32,
	losses []float64, n, v int, grad bool) {
	need(n*v, logits)
	if grad {
		need(n, weights)
	}
	if terms != (LossTerms{}) {
		added = added[:n]
	}
	p.ops.crossEntropy = crossEntropyTask{logits, targets[:n], weights, losses[:n], v, grad, terms, added}
	p.rows(n, 4*v, &p.ops.crossEntropy)
}

type crossEntropyTask struct {
	logits  []float32
	targets []int32
	weights []float32
	losses  []float64
	v       int
	grad    bool
	terms   LossTerms
	added   []float64
}

func (t *crossEntropyTask) rows(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		x := t.logits[i*t.v : i*t.v+t.v]
		y := t.targets[i]
		switch {
		case y < 0:
			t.losses[i] = 0
			if t.terms != (LossTerms{}) {
				t.added[i] = 0
			}
			if t.grad {
				clear(x)
			}
		case t.terms != (LossTerms{}):
			t.row(i, x, y)
		default:
			m, target := maxOf(x), x[y]
			var s float64
			if t.grad {
				s = expSumLong(x, m)
				scale(x, t.weights[i]/float32(s))
				x[y] -= t.weights[i]
			} else {
				s = sumExpLong(x, m)
			}
			t.losses[i] = float64(m) + exact.Log(s) - float64(target)
		}
	}
}

// row is a row with terms. Its gradient is w·(softmax·(1 + 2·Z·log Σ exp) - (1-Smoothing)·onehot - Smoothing/V).
func (t *crossEntropyTask) row(i int, x []float32, y int32) {
	m, target, mean := maxOf(x), float64(x[y]), 0.0
	if t.terms.Smoothing > 0 {
		mean = float64(sum(x)) / float64(t.v)
	}
	var s float64
	if t.grad {
		s = expSumLong(x, m)
	} else {
		s = sumExpLong(x, m)
	}
	lse := float64(m) + exact.Log(s)
	t.losses[i] = lse - target
	t.added[i] = float64(t.terms.Smoothing*(target-mean)) + float64(t.terms.Z*float64(lse*lse))
	if !t.grad {
		return
	}
	w := float64(t.weights[i])
	scale(x, float32(float64(w*(1+float64(2*float64(t.terms.Z*lse))))/s))
	x[y] -= float32(w * (1 - t.terms.Smoothing))
	if each := float32(float64(w*t.terms.Smoothing) / float64(t.v)); each != 0 {
		for j := range x {
			x[j] -= each
		}
	}
}
