package train

import (
	"fmt"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/ops"
	"instruct/model/pretrained"
)

// average is the exponential moving average of the trained weights (ema_decay): it is what a run measures, saves and
// gives, while the weights themselves are trained on. A nil average stands for the weights.
//
// It begins with the first weights. After step n it is d·average + (1-d)·weights with d = min(ema_decay,
// (1+n)/(10+n)), as in TensorFlow's ExponentialMovingAverage and timm: a short run forgets its beginning.
type average struct {
	pool   *kernel.Pool
	model  *model.Model
	params []*ops.Param // the trained ones
	values map[*ops.Param][]float32
	memory *kernel.Memory
	decay  float64
}

// newAverage begins with the weights as they are; with decay 0 there is no average.
func newAverage(pool *kernel.Pool, m *model.Model, decay float64) (*average, error) {
	if decay == 0 {
		return nil, nil
	}
	a := &average{pool: pool, model: m, params: m.Trained(), values: map[*ops.Param][]float32{}, decay: decay}
	var err error
	if a.memory, err = kernel.NewMemory(m.GradBytes() / 4); err != nil {
		return nil, fmt.Errorf("train: the averaged weights: %w", err)
	}
	for _, p := range a.params {
		a.values[p] = a.memory.Take(p.Size())
		pool.Copy(a.values[p], p.Value)
	}
	return a, nil
}

// averageBytes is the memory of the average.
func averageBytes(m *model.Model, decay float64) int64 {
	if decay == 0 {
		return 0
	}
	return int64(m.GradBytes())
}

// step takes in the weights after step n.
func (a *average) step(n int) {
	if a == nil {
		return
	}
	d := min(a.decay, float64(1+n)/float64(10+n))
	for _, p := range a.params {
		a.pool.Average(a.values[p], p.Value, d)
	}
}

// swap puts the average in the place of the weights, or back.
func (a *average) swap() {
	if a == nil {
		return
	}
	for _, p := range a.params {
		a.pool.Swap(p.Value, a.values[p])
	}
}

// during calls do while the model has the averaged weights.
func (a *average) during(do func() error) error {
	a.swap()
	defer a.swap()
	return do()
}

// tensors lists the weights themselves as a checkpoint has them, whose model is the averaged one.
func (a *average) tensors() []checkpoints.Tensor {
	if a == nil {
		return nil
	}
	trained := split(a.model, func(p *ops.Param) []float32 {
		if p.Frozen {
			return nil
		}
		return p.Value
	})
	return pretrained.Named("trained.", trained)
}

func (a *average) close() {
	if a != nil {
		a.memory.Close()
	}
}
