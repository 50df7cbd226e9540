package attribute

import (
	"context"
	"fmt"
	"math"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/kernel/exact"
	"instruct/model/ops"
	"instruct/train"
)

// How far the weights are moved for a difference: as far as changes the loss of the answer itself by so many nats to
// first order, but by no more than a share of their norm. Less drowns in the rounding of float32 losses, more leaves
// the straight part; TestTraceSteps has the sweep.
const (
	traceNats  = 0.1
	traceShare = 1e-3
)

// Trace scores every row of the run for each answer: by how many nats the row's steps raised the log-probability of the
// answer, to first order; below 0 it lowered it. It is TracIn (Pruthi et al. 2020, arXiv:2002.08484) in the optimizer's
// metric, without the gradients of rows: at each kept step c, with g the gradient of the answer's loss and
// u = P g, P = 1/(sqrt(v) + eps) of AdamW,
//
//	score_i = sum over visits t of row i  Scale(t) * [L_i(w_c + e u) - L_i(w_c - e u)] / 2e
//
// where c is the kept step nearest to t, and Scale the learning rate by clipping over the step's divisor. Two passes
// forward over the rows take the place of a gradient for each; a row is passed over only at kept steps nearest to
// one of its visits, so a run of one epoch takes two passes for all its kept steps together.
func Trace(ctx context.Context, p *train.Past, answers []data.Example, seen func(done, of int)) ([][]float64, error) {
	weights := visitWeights(p)
	x, err := newTracer(p, weights, seen)
	if err != nil {
		return nil, err
	}
	defer x.close()
	scores := make([][]float64, len(answers))
	for i := range scores {
		scores[i] = make([]float64, p.Rows())
	}
	x.of = len(answers) * 2 * x.losses.Batches()
	for c, kept := range p.Kept {
		if err := x.load(kept); err != nil {
			return nil, err
		}
		for i := range answers {
			slopes, err := x.slopes(ctx, c, &answers[i], 1)
			if err != nil {
				return nil, err
			}
			for row, s := range slopes {
				scores[i][row] += float64(weights[c][row] * s)
			}
		}
	}
	return scores, nil
}

// visitWeights are, for each kept step and row, the summed Scale of the row's visits that are nearest to that step.
func visitWeights(p *train.Past) [][]float64 {
	weights := make([][]float64, len(p.Kept))
	for c := range weights {
		weights[c] = make([]float64, p.Rows())
	}
	for i, rows := range p.Visits() {
		near, scale := 0, p.Scale(i)
		for c, k := range p.Kept {
			if distance(k.Step, i+1) < distance(p.Kept[near].Step, i+1) {
				near = c
			}
		}
		for _, row := range rows {
			weights[near][row] += scale
		}
	}
	return weights
}

func distance(a, b int) int { return max(a-b, b-a) }

// tracer moves the weights of a run's model.
type tracer struct {
	past     *train.Past
	graph    *model.Graph // of gradients
	capacity int
	losses   *train.Losses
	metric   map[string][]float32 // by tensor, 1/(sqrt(v) + eps); nil: plain
	still    [][]float32          // the weights where they stood, by parameter
	done, of int
	seen     func(done, of int)
}

// newTracer makes a tracer for the rows that have a weight at each kept step: of the others no slope is asked.
func newTracer(p *train.Past, weights [][]float64, seen func(done, of int)) (*tracer, error) {
	x := &tracer{past: p, seen: seen}
	if err := p.Model.ReadWeights(kernel.F32); err != nil {
		return nil, err
	}
	var err error
	sets := make([][]int, len(weights))
	for c, of := range weights {
		for row, w := range of {
			if w != 0 {
				sets[c] = append(sets[c], row)
			}
		}
	}
	if x.losses, err = p.NewLosses(sets); err != nil {
		return nil, err
	}
	for _, q := range p.Model.Trained() {
		x.still = append(x.still, make([]float32, q.Size()))
	}
	return x, nil
}

func (x *tracer) close() {
	x.losses.Close()
	if x.graph != nil {
		x.graph.Close()
	}
}

// load puts the model into the state of a kept step, with the optimizer's metric there.
func (x *tracer) load(k train.Kept) error {
	m := x.past.Model
	if err := m.Reload(k.Dir); err != nil {
		return err
	}
	for i, q := range m.Trained() {
		copy(x.still[i], q.Value)
	}
	x.metric = nil
	if k.Moments == "" {
		return nil
	}
	src, err := checkpoints.OpenSafetensors(k.Moments)
	if err != nil {
		return err
	}
	defer src.Close()
	x.metric = map[string][]float32{}
	// v is an average that begins with 0: of 1 - beta2^t of its weight.
	correction := 1 - exact.Pow(x.past.Beta2(), float64(k.MomentsStep))
	for _, t := range m.Split(func(q *ops.Param) []float32 { return q.Value }) {
		name := "exp_avg_sq." + t.Name
		shape, ok := src.Shape(name)
		if !ok {
			continue // frozen, or a matrix of Muon's
		}
		n := 1
		for _, d := range shape {
			n *= d
		}
		if n != len(t.Data) {
			return mistake("explain: %s: %s has shape %v, and the model %v", k.Moments, name, shape, t.Shape)
		}
		v := make([]float32, n)
		if err := src.Read(name, v); err != nil {
			return err
		}
		for i := range v {
			v[i] = float32(1 / (math.Sqrt(float64(v[i])/correction) + x.past.Epsilon()))
		}
		x.metric[t.Name] = v
	}
	return nil
}

// gradient leaves the gradient of an answer's loss in the parameters' Grad.
func (x *tracer) gradient(e *data.Example) error {
	if n := e.Inputs(); n > x.capacity {
		if x.graph != nil {
			x.graph.Close()
		}
		var err error
		if x.graph, err = x.past.Model.NewTraining(x.past.Pool, n, false); err != nil {
			return err
		}
		x.capacity = n
	}
	for _, q := range x.past.Model.Trained() {
		clear(q.Grad)
	}
	_, err := x.graph.Run(batchOf(e))
	return err
}

// batchOf is an example alone.
func batchOf(e *data.Example) model.Batch {
	var b data.Batch
	data.BuildBatch(&b, []data.Example{*e}, []int{0})
	return model.Batch{Tokens: b.Tokens, Positions: b.Positions, Targets: b.Targets, Weights: b.Weights,
		Segments: []model.Segment{model.Segment(b.Segments[0])}}
}

// direction makes u of the gradient, in its place, and returns how far the weights are moved along it.
func (x *tracer) direction() (step float64, err error) {
	own, length, weights := 0.0, 0.0, 0.0
	for _, t := range x.past.Model.Grads() {
		p := x.metric[t.Name]
		for i, g := range t.Data {
			u := g
			if p != nil {
				u = g * p[i]
			}
			own += float64(float64(g) * float64(u))
			length += float64(float64(u) * float64(u))
			t.Data[i] = u
		}
	}
	for _, w := range x.still {
		for _, v := range w {
			weights += float64(float64(v) * float64(v))
		}
	}
	if own == 0 || math.IsNaN(own) || math.IsInf(own, 0) {
		return 0, fmt.Errorf("explain: the gradient of the answer's loss is %v; is its probability 1 already?", own)
	}
	return min(traceNats/own, traceShare*math.Sqrt(weights/length)), nil
}

// move puts the weights a step along u from where they stood.
func (x *tracer) move(step float64) {
	for i, q := range x.past.Model.Trained() {
		for k, w := range x.still[i] {
			q.Value[k] = float32(float64(w) + float64(step*float64(q.Grad[k])))
		}
	}
}

// slopes are the derivatives along u of the losses of the rows that have a weight at kept step c, of the others 0.
// share lengthens or shortens the step.
func (x *tracer) slopes(ctx context.Context, c int, e *data.Example, share float64) ([]float64, error) {
	if err := x.gradient(e); err != nil {
		return nil, err
	}
	step, err := x.direction()
	if err != nil {
		return nil, err
	}
	step = float64(step * share)
	defer x.move(0)
	var sides [2][]float64
	for i, sign := range []float64{1, -1} {
		x.move(sign * step)
		if sides[i], err = x.losses.Measure(ctx, c, x.count); err != nil {
			return nil, err
		}
	}
	slopes := sides[0]
	for row := range slopes {
		slopes[row] = (slopes[row] - sides[1][row]) / (2 * step)
	}
	return slopes, nil
}

// count counts a micro-batch of rows.
func (x *tracer) count() {
	x.done++
	if x.seen != nil {
		x.seen(x.done, x.of)
	}
}
