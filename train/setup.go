package train

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// Setup is what a recipe comes to before its first step: rows, a model without its weights, and a plan. Nothing large
// was allocated for it, and nothing written.
type Setup struct {
	Recipe  *recipe.Recipe
	Pool    *kernel.Pool
	Model   *pretrained.Model
	Cursor  *Cursor
	Memory  Memory // that the run will take
	Steps   int    // of the whole run
	rows    *dataset
	resumed string // the checkpoint that the run goes on from, "" at its beginning

	objective   Objective
	preferences *preferences // the objective, where the recipe asks for one of preferences, else nil
}

// SetupOptions are what a setup needs beside its recipe.
type SetupOptions struct {
	Checkpoint  string                        // to go on from, or ""
	Model       string                        // is read in place of the one that the recipe begins with; ""
	SkipHeldOut bool                          // hold rows out, and do not measure them
	Steps       int                           // that are made where max_steps are fewer
	Available   func() (bytes int64, ok bool) // memory that can be had; nil: ask the system
	Large       int64                         // bytes of data of which a part is read where it will do; 0: 256 MB
	Log         io.Writer                     // says how far the reading has come; nil: nothing is said
	Terminal    bool                          // Log is a terminal
}

// NewSetup reads the data, and the model but for its weights, and plans the run. It refuses a run whose memory this
// machine has not. The caller closes it.
func NewSetup(ctx context.Context, r *recipe.Recipe, o SetupOptions) (*Setup, error) {
	s := &Setup{Recipe: r, Pool: kernel.NewPool(r.Threads), resumed: o.Checkpoint}
	err := s.load(ctx, loadOptions{threads: s.Pool.Threads(), resumed: o.Checkpoint, model: o.Model,
		steps: o.Steps, large: o.Large, log: cmp.Or[io.Writer](o.Log, io.Discard), terminal: o.Terminal})
	if err == nil {
		err = s.plan(o)
	}
	if err != nil {
		if s.rows != nil {
			s.rows.close()
		}
		s.Pool.Close()
		return nil, err
	}
	return s, nil
}

// Close gives back the memory of model and rows and ends the workers.
func (s *Setup) Close() {
	s.rows.close()
	s.Model.Close()
	s.Pool.Close()
}

// load reads rows and model.
func (s *Setup) load(ctx context.Context, o loadOptions) (err error) {
	r := s.Recipe
	if s.rows, err = findRows(ctx, r); err != nil {
		return err
	}
	switch {
	case s.resumed != "":
		s.Model, err = pretrained.Outline(s.resumed, "")
	case o.model != "":
		s.Model, err = pretrained.Outline(o.model, "")
	case r.ModelNameOrPath != "":
		s.Model, err = pretrained.Outline(r.ModelNameOrPath, r.ChatTemplate)
	default:
		s.Model, err = fromScratch(ctx, r, s.rows.rows)
	}
	if err != nil {
		return err
	}
	if err := s.chooseDType(); err != nil {
		return err
	}
	if err := s.adapt(); err != nil {
		return err
	}
	if err := s.unfreeze(); err != nil {
		return err
	}
	if err := s.rows.encode(ctx, r, s.Model, o); err != nil {
		return err
	}
	s.keepSystem()
	s.rows.notes = append(s.rows.notes, s.rows.audit().Notes()...)
	if r.AllowUnended {
		return nil
	}
	return s.rows.audit().NeverStops()
}

// keepSystem keeps the system prompt of the rows with the model, which is then asked with it.
func (s *Setup) keepSystem() {
	s.Model.System = s.rows.train.System()
	if s.Model.System != "" {
		s.rows.notes = append(s.rows.notes,
			fmt.Sprintf("the rows' system prompt is kept with the model: %.60q", s.Model.System))
	}
}

// encoder makes examples of rows as the recipe says.
func encoder(m *pretrained.Model, r *recipe.Recipe) *data.Encoder {
	return &data.Encoder{Tokenizer: m.Tokenizer, Template: m.Template, Stop: m.Stop, MaxLength: r.MaxLength,
		ModelLength: m.Config.MaxLength, TrainOnInputs: !r.AssistantOnly}
}

// plan plans the steps and the memory.
func (s *Setup) plan(o SetupOptions) (err error) {
	r := s.Recipe
	if o.SkipHeldOut {
		s.rows.heldOut.Close()
		s.rows.heldOut = &data.Set{}
	}
	order := planOptions(r, s.Model)
	order.Order, order.Whole = s.rows.beginning.order, s.rows.beginning.Rows
	if order.Shares, err = s.shares(); err != nil {
		return err
	}
	share := r.SharePrefix && r.NEFTune == 0
	if share != r.SharePrefix {
		s.rows.notes = append(s.rows.notes, "neftune_noise_alpha: each row has noise of its own, so no prefix is shared")
	}
	lengths, err := s.rows.train.GroupLengths(s.rows.together(), share)
	if err != nil {
		return err
	}
	plan := data.NewPlan(lengths, order)
	s.Cursor = NewCursor(&s.rows.train.Store, plan, r.Accumulation, share)
	s.objective = MaskedMean{}
	if s.rows.answers != nil {
		s.preferences = newPreferences(r, s.rows.answers)
		s.objective = s.preferences
		s.Cursor.prefers(s.preferences)
	}
	s.Steps = countSteps(r, plan)
	d, err := kernel.ParseDType(r.DType)
	if err != nil {
		return err
	}
	if s.Model.Adapter() != nil {
		d = kernel.F32 // what is trained has no copy in fewer bits
	}
	w := Workload{DType: d, Tokens: plan.MaxTokens(), Threads: s.Pool.Threads(),
		Checkpointing: r.Checkpointing, Optim: r.Optim, EMADecay: r.EMADecay}
	if held := s.rows.heldOut; held.Len() > 0 {
		lengths, err := held.GroupLengths(s.rows.together(), r.SharePrefix)
		if err != nil {
			return err
		}
		w.Evaluate = evaluationPlan(lengths, r.BatchSize).MaxTokens()
	}
	if s.preferences != nil && s.preferences.kind.Reference {
		w.Evaluate = max(w.Evaluate, plan.MaxTokens())
	}
	if s.Memory, err = EstimateMemory(s.Model.Model, w); err != nil {
		return err
	}
	advice := fmt.Sprintf("use a smaller per_device_train_batch_size (%d) or max_length (%d)", r.BatchSize, r.MaxLength)
	if !r.Checkpointing {
		advice += ", or gradient_checkpointing: true"
	}
	return s.Memory.Check(o.Available, advice)
}

// planOptions are how the recipe orders the rows.
func planOptions(r *recipe.Recipe, m *pretrained.Model) data.PlanOptions {
	return data.PlanOptions{Rows: r.BatchSize, Packing: r.Packing, Strategy: r.Sampling, Seed: uint64(r.Seed),
		Capacity: r.BatchSize * min(r.MaxLength, m.Config.MaxLength)}
}

// countSteps returns the number of optimizer steps of a run. The last step of an epoch may have fewer micro-batches.
func countSteps(r *recipe.Recipe, plan *data.Plan) int {
	if r.MaxSteps > 0 {
		return r.MaxSteps
	}
	total, per := 0, 0
	for e := 0; float64(e) < r.Epochs; e++ {
		if e == 0 || r.Packing { // only packing makes epochs of unequal length
			per = ceil(len(plan.Epoch(e)), r.Accumulation)
		}
		if rest := r.Epochs - float64(e); rest < 1 {
			total += int(math.Ceil(rest * float64(per)))
		} else {
			total += per
		}
	}
	return max(1, total)
}

func ceil(a, b int) int { return (a + b - 1) / b }

// NewTrainer makes the trainer of the run, once the model has its weights.
func (s *Setup) NewTrainer() (*Trainer, error) {
	return NewTrainer(TrainerOptions{Pool: s.Pool, Model: s.Model.Model, Recipe: s.Recipe, Steps: s.Steps,
		Source: s.Cursor, Capacity: s.Cursor.plan.MaxTokens(), Objective: s.objective})
}

// sources names rows by their indices, most of them at the most; the answers to one prompt are of one row.
func sources(examples *data.Store, rows []int) string {
	const most = 16
	var names []string
	for _, i := range rows[:min(most, len(rows))] {
		e, err := examples.Example(i)
		if err != nil {
			return err.Error()
		}
		if !slices.Contains(names, e.Source) {
			names = append(names, e.Source)
		}
	}
	if n := len(rows) - most; n > 0 {
		names = append(names, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(names, ", ")
}
