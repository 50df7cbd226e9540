package train

import (
	"fmt"
	"iter"
	"time"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/ops"
	"instruct/train/recipe"
	"instruct/train/schedule"
)

// Source gives the micro-batches of one step after the other. After an error there are no more.
type Source interface {
	Next() iter.Seq2[*data.Batch, error]
}

// Counters say how far a run has come.
type Counters struct {
	Step          int `json:"step"` // optimizer steps made
	NumTokens     int `json:"num_tokens"`
	TrainedTokens int `json:"trained_tokens"`
}

// Trainer makes optimizer steps.
type Trainer struct {
	Graph  *model.Graph
	Done   Counters
	feed   feed
	opt    *optimizer
	ema    *average // nil without
	recipe *recipe.Recipe
	rates  schedule.Schedule
	source Source

	beforeUpdate func() error // is called in each step before a weight or moment changes; may be nil
	made         []microLoss  // of the step at hand, one a micro-batch
}

// microLoss is the loss of a micro-batch, summed, and what it adds to the divisor of its step's loss.
type microLoss struct{ sum, divisor float64 }

// TrainerOptions say what is trained, on what and how.
type TrainerOptions struct {
	Pool      *kernel.Pool
	Model     *model.Model   // with its weights
	Recipe    *recipe.Recipe // optimizer, schedule, dtype, average and gradient_checkpointing are taken from it
	Steps     int            // of the whole run, for the schedule
	Source    Source
	Capacity  int // most positions of a micro-batch
	Objective Objective
	Above     int // first layer that runs: batches have what the layers below it give; 0: all of them
}

// NewTrainer builds the graph and the optimizer's state. The caller closes it.
func NewTrainer(o TrainerOptions) (*Trainer, error) {
	o.Model.Rounds = o.Recipe.DType == kernel.BF16.String() && o.Model.Adapter() == nil
	rates, err := o.Recipe.Schedule(o.Steps)
	if err != nil {
		return nil, mistake("%w", err)
	}
	g, err := o.graph()
	if err != nil {
		return nil, err
	}
	opt, err := newOptimizer(o.Pool, o.Model, o.Recipe.Optim)
	if err != nil {
		g.Close()
		return nil, err
	}
	ema, err := newAverage(o.Pool, o.Model, o.Recipe.EMADecay)
	if err != nil {
		opt.close()
		g.Close()
		return nil, err
	}
	terms := kernel.LossTerms{Smoothing: o.Recipe.SmoothingFactor, Z: o.Recipe.ZLoss}
	noise := ops.Noise{Alpha: o.Recipe.NEFTune, Seed: uint64(o.Recipe.Seed)}
	return &Trainer{Graph: g, feed: feed{graph: g, objective: o.Objective, terms: terms, noise: noise}, opt: opt, ema: ema,
		recipe: o.Recipe, rates: rates, source: o.Source}, nil
}

// graph builds the graph.
func (o *TrainerOptions) graph() (*model.Graph, error) {
	if o.Above > 0 {
		return o.Model.NewUpper(o.Pool, o.Capacity, o.Above)
	}
	return o.Model.NewTraining(o.Pool, o.Capacity, o.Recipe.Checkpointing)
}

// Close gives the trainer's memory back; the model stays.
func (t *Trainer) Close() {
	t.ema.close()
	t.opt.close()
	t.Graph.Close()
}

// tensors is what a checkpoint holds of the trainer beside the model.
func (t *Trainer) tensors() []checkpoints.Tensor { return append(t.opt.tensors(), t.ema.tensors()...) }

// StepResult is what one step was.
type StepResult struct {
	Loss         float64 // the objective's, divided
	GradNorm     float64 // before clipping
	LearningRate float64
	Tokens       int
	Trained      int           // tokens
	Withheld     int           // tokens that are not trained since their rows are withheld
	Time         time.Duration // of all
	Update       time.Duration // of the norm and the optimizer
}

// Step makes one optimizer step: gradients of the summed losses of its micro-batches are accumulated, divided once,
// clipped, and applied.
func (t *Trainer) Step() (StepResult, error) {
	start := time.Now()
	var s StepResult
	var last *data.Batch
	sum, divisor, err := t.accumulate(func(b *data.Batch) {
		s.Tokens += b.RowTokens
		s.Trained += b.TrainedTokens
		s.Withheld += b.WithheldTokens
		last = b
	})
	if err != nil {
		return s, err
	}
	update := time.Now()
	s.GradNorm = t.opt.gradNorm(divisor)
	if !finite(s.GradNorm) {
		return s, t.nonFinite("gradient norm", s.GradNorm, last)
	}
	s.LearningRate = t.rates.Rate(t.Done.Step + 1)
	if t.beforeUpdate != nil {
		if err := t.beforeUpdate(); err != nil {
			return s, err
		}
	}
	t.opt.step(t.recipe, s.LearningRate, s.GradNorm, divisor)
	t.Done.Step++
	t.ema.step(t.Done.Step)
	t.Done.NumTokens += s.Tokens
	t.Done.TrainedTokens += s.Trained
	s.Loss = sum / divisor
	s.Update = time.Since(update)
	s.Time = time.Since(start)
	return s, nil
}

// accumulate adds the gradients of the next step's micro-batches, and gives their summed loss with what it is to be
// divided by. each is told of a micro-batch when the graph has run on it.
func (t *Trainer) accumulate(each func(*data.Batch)) (sum, divisor float64, err error) {
	t.feed.drawn = uint64(t.Done.Step) << 16
	t.feed.noise.Step = uint64(t.Done.Step)
	t.made = t.made[:0]
	for b, err := range t.source.Next() {
		if err != nil {
			return 0, 0, err
		}
		t.feed.drawn++
		loss, d, err := t.feed.run(b)
		if err != nil {
			return 0, 0, fmt.Errorf("step %d: %w", t.Done.Step+1, err)
		}
		t.made = append(t.made, microLoss{loss, d})
		each(b)
		if !finite(loss) {
			return 0, 0, t.nonFinite("loss", loss, b)
		}
		sum += loss
		divisor += d
	}
	return sum, divisor, nil
}

func (t *Trainer) nonFinite(what string, v float64, b *data.Batch) error {
	return &nonFiniteError{step: t.Done.Step + 1, what: what, value: v, rows: t.feed.badRows(b)}
}

// nonFiniteError says that a loss or gradient is no number.
type nonFiniteError struct {
	step  int
	what  string
	value float64
	rows  []int // the rows of the micro-batch that may be to blame, as indices of examples
}

func (e *nonFiniteError) Error() string {
	return fmt.Sprintf("step %d: the %s is %v", e.step, e.what, e.value)
}

// feed hands micro-batches to a graph in the model's terms, without copying the tokens.
type feed struct {
	graph     *model.Graph
	objective Objective
	segments  []model.Segment
	terms     kernel.LossTerms // of the loss that is trained
	noise     ops.Noise
	drawn     uint64 // number of the micro-batch in the run
}

// run runs the graph on a micro-batch and returns its summed loss with what it is to be divided by.
func (f *feed) run(b *data.Batch) (loss, divisor float64, err error) {
	f.segments = f.segments[:0]
	for _, s := range b.Segments {
		f.segments = append(f.segments, model.Segment(s))
	}
	if b.TrainedTokens == 0 && b.WithheldTokens > 0 {
		return 0, f.objective.Divisor(b), nil // all its rows are withheld
	}
	f.noise.Rows = b.Rows
	loss, err = f.graph.Run(model.Batch{Tokens: b.Tokens, Positions: b.Positions, Targets: b.Targets, Weights: b.Weights,
		Soft: model.Soft(b.Soft), Hidden: b.Hidden, Segments: f.segments, Weigh: f.objective.Weigh(b),
		Terms: f.terms, Noise: f.noise, Draw: f.drawn})
	return loss, f.objective.Divisor(b), err
}

// rowLosses gives each row of a micro-batch with the summed loss of its tokens, in nats.
func rowLosses(b *data.Batch, logprobs []float64) iter.Seq2[int, float64] {
	return func(yield func(int, float64) bool) {
		for i, s := range b.Segments {
			if b.Rows[i] < 0 {
				continue // a prefix that the rows share
			}
			loss := 0.0
			for _, x := range logprobs[s.Start:s.End] {
				loss -= x
			}
			if !yield(b.Rows[i], loss) {
				return
			}
		}
	}
}

// badRows lists the rows of the last micro-batch whose losses are no numbers, or all its rows where each loss is one.
func (f *feed) badRows(b *data.Batch) []int {
	var bad, all []int
	for row, loss := range rowLosses(b, f.graph.Logprobs()) {
		all = append(all, row)
		if !finite(loss) {
			bad = append(bad, row)
		}
	}
	if bad == nil {
		return all
	}
	return bad
}
