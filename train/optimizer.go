package train

import (
	"fmt"
	"math"
	"slices"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/ops"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// optimizer is AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) over a model's trained parameters, with the
// gradients divided by the batch's weight and clipped to a global norm in the same pass. With optim: muon the hidden
// matrices are Muon's, each tensor of a checkpoint for itself.
type optimizer struct {
	pool   *kernel.Pool
	model  *model.Model
	params []*ops.Param             // the trained ones
	m, v   map[*ops.Param][]float32 // first and second moments; Muon has no second
	muon   *kernel.Muon             // nil without
	memory *kernel.Memory           // of both
	steps  int                      // steps made
}

func newOptimizer(pool *kernel.Pool, m *model.Model, optim string) (*optimizer, error) {
	o := &optimizer{pool: pool, model: m, params: m.Trained()}
	o.m, o.v = map[*ops.Param][]float32{}, map[*ops.Param][]float32{}
	var err error
	if o.memory, err = kernel.NewMemory(int(momentBytes(m, optim)) / 4); err != nil {
		return nil, fmt.Errorf("train: the moments: %w", err)
	}
	for _, p := range o.params {
		o.m[p] = o.memory.Take(p.Size())
		if !byMuon(m, p, optim) {
			o.v[p] = o.memory.Take(p.Size())
		}
	}
	if optim == "muon" {
		o.muon = kernel.NewMuon(pool.Threads(), o.muonMatrices())
	}
	return o, nil
}

// byMuon says whether Muon trains p: it does with the matrices inside the layers.
func byMuon(m *model.Model, p *ops.Param, optim string) bool {
	return optim == "muon" && m.Hidden(p) && !p.Frozen
}

// momentBytes is the memory of the moments: AdamW's two, Muon's one.
func momentBytes(m *model.Model, optim string) int64 {
	n := 0
	for _, p := range m.Trained() {
		n += kernel.Lines(p.Size())
		if !byMuon(m, p, optim) {
			n += kernel.Lines(p.Size())
		}
	}
	return 4 * int64(n)
}

// close gives the moments' memory back.
func (o *optimizer) close() { o.memory.Close() }

// muonMomentum is what Muon's authors use.
const muonMomentum = 0.95

// tensors lists the moments as the tensors of a checkpoint.
func (o *optimizer) tensors() []checkpoints.Tensor {
	m := split(o.model, func(p *ops.Param) []float32 { return o.m[p] })
	v := split(o.model, func(p *ops.Param) []float32 { return o.v[p] })
	return append(pretrained.Named("exp_avg.", m), pretrained.Named("exp_avg_sq.", v)...)
}

// split lists the buffers that are not nil as the tensors of a checkpoint.
func split(m *model.Model, buffer func(*ops.Param) []float32) []model.Tensor {
	return slices.DeleteFunc(m.Split(buffer), func(t model.Tensor) bool { return len(t.Data) == 0 })
}

// muonMatrices lists Muon's matrices with their gradients and momenta.
func (o *optimizer) muonMatrices() []kernel.MuonMatrix {
	matrices := func(buffer func(*ops.Param) []float32) []model.Tensor {
		return split(o.model, func(p *ops.Param) []float32 {
			if byMuon(o.model, p, "muon") {
				return buffer(p)
			}
			return nil
		})
	}
	values := matrices(func(p *ops.Param) []float32 { return p.Value })
	grads := matrices(func(p *ops.Param) []float32 { return p.Grad })
	momenta := matrices(func(p *ops.Param) []float32 { return o.m[p] })
	var list []kernel.MuonMatrix
	for i, t := range values {
		list = append(list, kernel.MuonMatrix{Value: t.Data, Grad: grads[i].Data, Momentum: momenta[i].Data,
			Rows: t.Shape[0], Cols: t.Shape[1]})
	}
	return list
}

// gradNorm returns the global norm of the summed gradients divided by weight.
func (o *optimizer) gradNorm(weight float64) float64 {
	sum := 0.0
	for _, p := range o.params {
		sum += o.pool.SumSquares(p.Grad)
	}
	return math.Sqrt(sum) / weight
}

// step updates the parameters and sets the gradients to zero. norm is what gradNorm returned.
func (o *optimizer) step(r *recipe.Recipe, rate, norm, weight float64) {
	o.steps++
	scale := 1 / weight
	if r.MaxGradNorm > 0 { // torch.nn.utils.clip_grad_norm_
		scale *= min(1, r.MaxGradNorm/(norm+1e-6))
	}
	args := kernel.AdamWArgs{LR: float32(rate), Beta1: float32(r.Beta1), Beta2: float32(r.Beta2), Eps: float32(r.Epsilon),
		GradScale: float32(scale), Step: o.steps}
	if o.muon != nil {
		o.muon.Step(o.pool, kernel.MuonArgs{LR: float32(rate), Momentum: muonMomentum, WeightDecay: float32(r.WeightDecay),
			GradScale: float32(scale), Steps: r.MuonSteps})
	}
	for _, p := range o.params {
		if o.v[p] == nil {
			continue
		}
		args.WeightDecay = 0
		if p.Decay {
			args.WeightDecay = float32(r.WeightDecay)
		}
		o.pool.AdamW(p.Value, p.Grad, o.m[p], o.v[p], args)
	}
}
