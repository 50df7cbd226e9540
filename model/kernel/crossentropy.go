package kernel

import "instruct/model/kernel/exact"

// CrossEntropy computes, for each of n rows of logits (n, v), losses[i] = log Σ exp(logits) - logit[targets[i]],
// without the weight. When grad, the logits are replaced by weights[i]·(softmax - onehot), the gradient of Σ
// weights·losses. A row with a negative target has loss 0 and gradient 0.
func (p *Pool) CrossEntropy(logits []float32, targets []int32, weights []float32, losses []float64, n, v int,
	grad bool) {
	need(n*v, logits)
	if grad {
		need(n, weights)
	}
	p.ops.crossEntropy = crossEntropyTask{logits, targets[:n], weights, losses[:n], v, grad}
	p.rows(n, 4*v, &p.ops.crossEntropy)
}

type crossEntropyTask struct {
	logits  []float32
	targets []int32
	weights []float32
	losses  []float64
	v       int
	grad    bool
}

func (t *crossEntropyTask) rows(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		x := t.logits[i*t.v : i*t.v+t.v]
		y := t.targets[i]
		if y < 0 {
			t.losses[i] = 0
			if t.grad {
				clear(x)
			}
			continue
		}
		m, target := maxOf(x), x[y]
		var s float32
		if t.grad {
			s = expSum(x, x, m)
			scale(x, t.weights[i]/s)
			x[y] -= t.weights[i]
		} else {
			s = sumExp(x, m)
		}
		t.losses[i] = float64(m) + exact.Log(float64(s)) - float64(target)
	}
}
