package train

import (
	"fmt"
	"math"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/ops"
)

// optimizer is AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) over a model's parameters, with the gradients divided
// by the batch's weight and clipped to a global norm in the same pass.
type optimizer struct {
	pool   *kernel.Pool
	params []*ops.Param
	m, v   map[*ops.Param][]float32 // first and second moments
	memory *kernel.Memory           // of both
	steps  int                      // steps made
}

func newOptimizer(pool *kernel.Pool, m *model.Model) (*optimizer, error) {
	o := &optimizer{pool: pool, params: m.Params, m: map[*ops.Param][]float32{}, v: map[*ops.Param][]float32{}}
	n := 0
	for _, p := range m.Params {
		n += 2 * kernel.Lines(p.Size())
	}
	var err error
	if o.memory, err = kernel.NewMemory(n); err != nil {
		return nil, fmt.Errorf("train: AdamW's moments: %w", err)
	}
	for _, p := range m.Params {
		o.m[p], o.v[p] = o.memory.Take(p.Size()), o.memory.Take(p.Size())
	}
	return o, nil
}

// close gives the moments' memory back.
func (o *optimizer) close() { o.memory.Close() }

// gradNorm returns the global norm of the summed gradients divided by weight.
func (o *optimizer) gradNorm(weight float64) float64 {
	sum := 0.0
	for _, p := range o.params {
		sum += o.pool.SumSquares(p.Grad)
	}
	return math.Sqrt(sum) / weight
}

// step updates the parameters and sets the gradients to zero. norm is what gradNorm returned.
func (o *optimizer) step(r *Recipe, rate, norm, weight float64) {
	o.steps++
	scale := 1 / weight
	if r.MaxGradNorm > 0 { // torch.nn.utils.clip_grad_norm_
		scale *= min(1, r.MaxGradNorm/(norm+1e-6))
	}
	args := kernel.AdamWArgs{LR: float32(rate), Beta1: float32(r.Beta1), Beta2: float32(r.Beta2), Eps: float32(r.Epsilon),
		GradScale: float32(scale), Step: o.steps}
	for _, p := range o.params {
		args.WeightDecay = 0
		if p.Decay {
			args.WeightDecay = float32(r.WeightDecay)
		}
		o.pool.AdamW(p.Value, p.Grad, o.m[p], o.v[p], args)
		p.Refresh(o.pool) // to bfloat16, which every float32 rounds to
	}
}
