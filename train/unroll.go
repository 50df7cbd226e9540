package train

import (
	"context"
	"io"
	"math"
	"os"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/model/ops"
	"instruct/model/pretrained"
	"instruct/train/machine"
	"instruct/train/recipe"
)

// unroll differentiates what a run gave by the weight of every row in it (docs/explain.md), exactly but for the
// rounding of differences: the run is made again, and an adjoint for each answer is carried back through its steps,
// through AdamW, clipping and schedule. It is what Engstrom et al. 2025 (MAGIC, arXiv:2504.16430) do.
type unroll struct {
	setup   *Setup
	trainer *Trainer
	params  []*ops.Param
	every   int // steps between the states that are kept all the time
	kept    []*snapshot
	part    []*snapshot // the states before the steps of the part at hand; the first is kept all the time
	spare   []*snapshot // what the others are taken into
	sum     [][]float32 // of gradients at the step at hand
	along   [][]float32 // the direction of the differences
	plus    [][]float32 // a gradient along it
	slopes  []float64   // of the rows' losses
	answers []adjoint
	seen    func()
}

// snapshot is where a run stands before a step.
type snapshot struct {
	w, m, v [][]float32
	place   Place
	done    Counters
}

// adjoint is the derivative of an answer's loss by weights and moments at a step, and by the rows so far.
type adjoint struct {
	w, m, v [][]float32
	rows    []float64
	share   float64 // how far the weights were moved for the last difference, as a share of their norm
}

// cannotUnroll is why a run cannot be differentiated, "" where it can.
func (p *Past) cannotUnroll() string {
	r := &p.recipe
	for _, x := range []struct {
		it  bool
		why string
	}{
		{r.Optim != "adamw", "its optimizer is " + r.Optim + ", and only AdamW's steps are differentiated"},
		{r.DType == kernel.BF16.String(), "its products round (dtype bf16), which has no derivative"},
		{r.EMADecay > 0, "its weights are averages (ema_decay)"},
		{r.SmoothingFactor > 0 || r.ZLoss > 0 || r.NEFTune > 0 || r.LoRADropout > 0,
			"label_smoothing_factor, z_loss, neftune_noise_alpha and lora_dropout are not differentiated"},
	} {
		if x.it {
			return x.why
		}
	}
	return ""
}

// Unroll gives, for each of n answers and for each row, by how much the log-probability of the answer would fall, to
// first order, if nothing of the row were trained, and how smooth the run is ([unroll.smoothness]). gradient leaves the
// gradient of answer i's loss in the parameters of the run's model, which has the weights at the end. It takes five
// trainings, and two gradients a step and answer. seen is called UnrollCalls times.
func (p *Past) Unroll(ctx context.Context, n int, gradient func(m *pretrained.Model, pool *kernel.Pool, i int) error,
	seen func()) (scores [][]float64, smooth float64, err error) {
	if why := p.cannotUnroll(); why != "" {
		return nil, 0, mistake("explain %s: method unroll: %s; take trace", p.Dir, why)
	}
	u, err := p.newUnroll(ctx, n, seen)
	if err != nil {
		return nil, 0, err
	}
	defer u.close()
	return u.scores(ctx, p, gradient)
}

// scores makes the run again and goes back through it.
func (u *unroll) scores(ctx context.Context, p *Past, gradient func(*pretrained.Model, *kernel.Pool, int) error) (
	scores [][]float64, smooth float64, err error) {
	if err := u.forward(ctx, p.Steps); err != nil {
		return nil, 0, err
	}
	for i := range u.answers {
		u.clear()
		if err := gradient(u.setup.Model, u.setup.Pool, i); err != nil {
			return nil, 0, err
		}
		a := &u.answers[i]
		a.w, a.m, a.v, a.rows = u.zeros(), u.zeros(), u.zeros(), make([]float64, p.Rows())
		for k, q := range u.params {
			copy(a.w[k], q.Grad)
		}
		scores = append(scores, a.rows)
	}
	if smooth, err = u.smoothness(ctx, len(p.Steps), p.someRows()); err != nil {
		return nil, 0, err
	}
	for at := (len(p.Steps) - 1) / u.every; at >= 0; at-- {
		if err := u.replay(at, min(u.every, len(p.Steps)-at*u.every)); err != nil {
			return nil, 0, err
		}
		for i := len(u.part) - 1; i >= 0; i-- {
			if err := ctx.Err(); err != nil {
				return nil, 0, err
			}
			if err := u.back(u.part[i]); err != nil {
				return nil, 0, err
			}
		}
	}
	return scores, smooth, nil
}

// UnrollCalls is how often [Past.Unroll] calls seen.
func (p *Past) UnrollCalls(answers int) int { return len(p.Steps) * (5 + 2*answers) }

func (p *Past) newUnroll(ctx context.Context, n int, seen func()) (*unroll, error) {
	r := p.recipe.Resolved()
	r.OutputDir, r.Resume = os.TempDir(), ""
	s, err := NewSetup(ctx, &r, SetupOptions{SkipHeldOut: true, Log: io.Discard})
	if err != nil {
		return nil, err
	}
	u := &unroll{setup: s, answers: make([]adjoint, n), seen: seen}
	for i := range u.answers {
		u.answers[i].share = unrollShare
	}
	u.every = int(math.Ceil(math.Sqrt(float64(len(p.Steps)))))
	parts := (len(p.Steps) + u.every - 1) / u.every
	// Of three buffers each: the states, of which the first of a part is counted once, and the adjoints. Of one: weights,
	// gradients and moments, and sum, along and plus.
	need := 4 * int64(trainedValues(s.Model.Model)) * int64(3*(parts+u.every-1)+3*n+7)
	if free, ok := machine.AvailableMemory(); ok && free < need {
		s.Close()
		return nil, mistake("explain %s: method unroll keeps states of the run in memory, %s, and %s can be had; take "+
			"trace, or fewer answers", p.Dir, bytesText(need), bytesText(free))
	}
	if err := s.Model.ReadWeights(kernel.F32); err != nil {
		s.Close()
		return nil, err
	}
	if u.trainer, err = s.NewTrainer(); err != nil {
		s.Close()
		return nil, err
	}
	u.params = s.Model.Trained()
	u.sum, u.along, u.plus, u.slopes = u.zeros(), u.zeros(), u.zeros(), make([]float64, p.Rows())
	return u, nil
}

func (u *unroll) close() {
	u.trainer.Close()
	u.setup.Close()
}

// zeros makes buffers of all parameters.
func (u *unroll) zeros() [][]float32 {
	out := make([][]float32, len(u.params))
	for i, q := range u.params {
		out[i] = make([]float32, q.Size())
	}
	return out
}

func (u *unroll) clear() {
	for _, q := range u.params {
		clear(q.Grad)
	}
}

func (u *unroll) newSnapshot() *snapshot {
	return &snapshot{w: u.zeros(), m: u.zeros(), v: u.zeros()}
}

// take makes a snapshot that of the state at hand, and gives it.
func (u *unroll) take(s *snapshot) *snapshot {
	o := u.trainer.opt
	for i, q := range u.params {
		copy(s.w[i], q.Value)
		copy(s.m[i], o.m[q])
		copy(s.v[i], o.v[q])
	}
	s.place, s.done = u.setup.Cursor.Place, u.trainer.Done
	return s
}

// restore puts the run where a snapshot was taken.
func (u *unroll) restore(s *snapshot) {
	o := u.trainer.opt
	for i, q := range u.params {
		copy(q.Value, s.w[i])
		copy(o.m[q], s.m[i])
		copy(o.v[q], s.v[i])
	}
	u.clear()
	o.steps, u.trainer.Done, u.setup.Cursor.Place = s.done.Step, s.done, s.place
}

// forward makes the run again, which must have the bits of the record, and keeps a state every so many steps.
func (u *unroll) forward(ctx context.Context, record []Metric) error {
	for i := range record {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i%u.every == 0 {
			u.kept = append(u.kept, u.take(u.newSnapshot()))
		}
		s, err := u.trainer.Step()
		if err != nil {
			return err
		}
		now := Metric{Loss: &s.Loss, GradNorm: s.GradNorm, LearningRate: &s.LearningRate, TrainedTokens: s.Trained,
			WithheldTokens: s.Withheld, NumTokens: u.trainer.Done.NumTokens}
		if wrong := differentStep(&record[i], &now); wrong != "" {
			return mistake("explain: made again, step %d differs from the record: %s; `instruct verify` says more", i+1, wrong)
		}
		u.seen()
	}
	return nil
}

// replay makes the steps of a part again and keeps the state before each.
func (u *unroll) replay(at, steps int) error {
	u.restore(u.kept[at])
	u.part = append(u.part[:0], u.kept[at])
	u.seen()
	for i := range steps - 1 {
		if _, err := u.trainer.Step(); err != nil {
			return err
		}
		if i == len(u.spare) {
			u.spare = append(u.spare, u.newSnapshot())
		}
		u.part = append(u.part, u.take(u.spare[i]))
		u.seen()
	}
	return nil
}

// gradients leaves the summed gradient of a step's rows in the parameters, whose values the caller has set, and gives
// each row's loss to rows, times a factor.
func (u *unroll) gradients(s *snapshot, rows []float64, factor float64) (divisor float64, err error) {
	u.clear()
	u.trainer.Done, u.setup.Cursor.Place = s.done, s.place
	_, divisor, err = u.trainer.accumulate(func(b *data.Batch) {
		if b.TrainedTokens == 0 || rows == nil {
			return
		}
		for row, loss := range rowLosses(b, u.trainer.Graph.Logprobs()) {
			rows[row] += float64(factor * loss)
		}
	})
	return divisor, err
}

// back carries the adjoints of all answers back through one step.
func (u *unroll) back(s *snapshot) error {
	u.restore(s)
	divisor, err := u.gradients(s, nil, 0)
	if err != nil {
		return err
	}
	u.seen()
	for i, q := range u.params {
		copy(u.sum[i], q.Grad)
	}
	x := newStepDerivative(u.setup.Recipe, u.trainer.rates.Rate(s.done.Step+1), s.done.Step+1, divisor, norm(u.sum))
	weights := norm(s.w)
	for a := range u.answers {
		if err := u.backOne(&u.answers[a], s, x, weights); err != nil {
			return err
		}
		u.seen()
		u.seen()
	}
	return nil
}

// A difference of two gradients is exact where they are far enough apart for float32 and near enough for a straight
// line, and which length is so hangs on the model. So the weights are moved as far as changes the gradient by
// unrollChange of its norm, as the step before tells, or another try. docs/explain.md has the measurements.
const (
	unrollChange = 2e-3
	unrollShare  = 1e-5 // of the weights' norm, at first
	unrollTries  = 4
)

// backOne carries an adjoint back through one step: through the optimizer by its derivative, and through the gradient
// by a difference of two, which gives the slopes of the rows' losses too.
func (u *unroll) backOne(a *adjoint, s *snapshot, x *stepDerivative, weights float64) error {
	x.back(u.params, s, u.sum, a, u.along)
	length := norm(u.along)
	if length == 0 || x.norm == 0 {
		return nil
	}
	if math.IsNaN(length) || math.IsInf(length, 0) {
		return mistake("explain: method unroll: the derivative at step %d is no number any more: the run is too rough to be "+
			"differentiated; take trace", s.done.Step+1)
	}
	move := 0.0
	for range unrollTries {
		move = float64(a.share * weights / length)
		change, err := u.difference(s, move)
		if err != nil {
			return err
		}
		off := unrollChange * x.norm / max(change, 1e-6*x.norm)
		a.share = min(max(a.share*off, 1e-9), 1e-2)
		if off > 0.2 && off < 5 {
			break
		}
	}
	for row, slope := range u.slopes {
		a.rows[row] -= slope
	}
	for i, q := range u.params {
		for k, minus := range q.Grad {
			a.w[i][k] += float32((float64(u.plus[i][k]) - float64(minus)) / (2 * move))
		}
	}
	return nil
}

// difference leaves the gradients of a step's rows at w + move along in plus, and at w - move along in the parameters,
// and the slopes of the rows' losses in slopes. change is the norm of half the difference.
func (u *unroll) difference(s *snapshot, move float64) (change float64, err error) {
	clear(u.slopes)
	for _, sign := range []float64{1, -1} {
		for i, q := range u.params {
			for k, w := range s.w[i] {
				q.Value[k] = float32(float64(w) + float64(sign*move*float64(u.along[i][k])))
			}
		}
		if _, err := u.gradients(s, u.slopes, sign/(2*move)); err != nil {
			return 0, err
		}
		if sign > 0 {
			for i, q := range u.params {
				copy(u.plus[i], q.Grad)
			}
		}
	}
	for i, q := range u.params {
		for k, minus := range q.Grad {
			d := (float64(u.plus[i][k]) - float64(minus)) / 2
			change += float64(d * d)
		}
	}
	return math.Sqrt(change), nil
}

// norm is the length of a vector.
func norm(parts [][]float32) float64 {
	squares := 0.0
	for _, part := range parts {
		for _, v := range part {
			squares += float64(float64(v) * float64(v))
		}
	}
	return math.Sqrt(squares)
}

// stepDerivative is the derivative of AdamW's step at one state ([kernel.Pool.AdamW] has the formula).
type stepDerivative struct {
	rate, beta1, beta2, eps, decay float64
	bias1, bias2                   float64 // 1 - beta^step
	divisor, limit                 float64 // of the gradients; limit: max_grad_norm, 0: none
	norm                           float64 // of the summed gradient
}

func newStepDerivative(r *recipe.Recipe, rate float64, step int, divisor, norm float64) *stepDerivative {
	x := &stepDerivative{rate: rate, beta1: r.Beta1, beta2: r.Beta2, eps: r.Epsilon, decay: r.WeightDecay,
		divisor: divisor, limit: r.MaxGradNorm, norm: norm}
	p1, p2 := 1.0, 1.0
	for range step {
		p1 *= x.beta1
		p2 *= x.beta2
	}
	x.bias1, x.bias2 = 1-p1, 1-p2
	return x
}

// back turns the adjoint of the state behind the step into that of the state before it, but for what goes through the
// gradient: the adjoint of the summed gradient is left in along. sum is that gradient.
func (x *stepDerivative) back(params []*ops.Param, s *snapshot, sum [][]float32, a *adjoint, along [][]float32) {
	length := x.norm / x.divisor
	clip := 1.0
	if x.limit > 0 {
		clip = min(1, x.limit/(length+1e-6))
	}
	dot := 0.0 // of the gradient and its adjoint
	for i, q := range params {
		decay := 0.0
		if q.Decay {
			decay = x.decay
		}
		for k, raw := range sum[i] {
			g := float64(raw) / x.divisor * clip
			m := float64(x.beta1*float64(s.m[i][k])) + float64((1-x.beta1)*g)
			v := float64(x.beta2*float64(s.v[i][k])) + float64((1-x.beta2)*g*g)
			root := math.Sqrt(v / x.bias2)
			under := root + x.eps
			w := float64(a.w[i][k])
			am := float64(a.m[i][k]) - w*x.rate/(x.bias1*under)
			av := float64(a.v[i][k])
			if root > 0 {
				av += w * x.rate * (m / x.bias1) / (under * under) / (2 * root * x.bias2)
			}
			ag := float64((1-x.beta1)*am) + float64(2*(1-x.beta2)*g*av)
			dot += float64(ag * float64(raw) / x.divisor)
			along[i][k] = float32(ag)
			a.w[i][k] = float32(w * (1 - float64(x.rate*decay)))
			a.m[i][k] = float32(x.beta1 * am)
			a.v[i][k] = float32(x.beta2 * av)
		}
	}
	back := 0.0
	if clip < 1 && length > 0 { // of clipping's own change with the norm
		back = clip / (length + 1e-6) * dot / length
	}
	for i := range along {
		for k, ag := range along[i] {
			raw := float64(sum[i][k]) / x.divisor
			along[i][k] = float32((float64(clip*float64(ag)) - float64(back*raw)) / x.divisor)
		}
	}
}
