package train

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"instruct/data"
	"instruct/model"
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
	SkipHeldOut bool                          // hold rows out, and do not measure them
	Available   func() (bytes int64, ok bool) // memory that can be had; nil: ask the system
}

// NewSetup reads the data, and the model but for its weights, and plans the run. It refuses a run whose memory this
// machine has not. The caller closes it.
func NewSetup(ctx context.Context, r *recipe.Recipe, o SetupOptions) (*Setup, error) {
	s := &Setup{Recipe: r, Pool: kernel.NewPool(r.Threads), resumed: o.Checkpoint}
	err := s.load(ctx)
	if err == nil {
		err = s.plan(o)
	}
	if err != nil {
		s.Pool.Close()
		return nil, err
	}
	return s, nil
}

// Close gives back the model's memory and ends the workers.
func (s *Setup) Close() {
	s.Model.Close()
	s.Pool.Close()
}

// load reads rows and model.
func (s *Setup) load(ctx context.Context) (err error) {
	r := s.Recipe
	if s.rows, err = loadRows(ctx, r); err != nil {
		return err
	}
	switch {
	case s.resumed != "":
		s.Model, err = pretrained.Outline(s.resumed, "")
	case r.ModelNameOrPath != "":
		s.Model, err = pretrained.Outline(r.ModelNameOrPath, r.ChatTemplate)
	default:
		s.Model, err = fromScratch(ctx, r, s.rows.train)
	}
	if err != nil {
		return err
	}
	s.keepSystem()
	err = s.encode(ctx)
	if err == nil && !r.AllowUnended {
		err = s.rows.audit.NeverStops()
	}
	return err
}

// encode makes examples of the rows.
func (s *Setup) encode(ctx context.Context) error {
	e := encoder(s.Model, s.Recipe)
	if _, ok := s.Recipe.Preference(); ok {
		return s.rows.encodeAnswers(ctx, e, s.Recipe, s.Pool.Threads(), s.Model.Config.Vocab)
	}
	return s.rows.encode(ctx, e, s.Pool.Threads(), s.Model.Config.Vocab)
}

// keepSystem keeps the system prompt of the rows with the model, which is then asked with it.
func (s *Setup) keepSystem() {
	s.Model.System = data.CommonSystem(s.rows.train)
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
func (s *Setup) plan(o SetupOptions) error {
	r := s.Recipe
	if o.SkipHeldOut {
		s.rows.heldOut = nil
	}
	lengths := data.GroupLengths(s.rows.examples, s.rows.together(), r.SharePrefix)
	plan := data.NewPlan(lengths, data.PlanOptions{Rows: r.BatchSize, Packing: r.Packing,
		Capacity: r.BatchSize * min(r.MaxLength, s.Model.Config.MaxLength), Strategy: r.Sampling, Seed: uint64(r.Seed)})
	s.Cursor = NewCursor(s.rows.examples, plan, r.Accumulation, r.SharePrefix)
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
	w := Workload{DType: d, Tokens: plan.MaxTokens(), Threads: s.Pool.Threads(),
		Checkpointing: r.Checkpointing, Optim: r.Optim}
	if len(s.rows.heldOut) > 0 {
		lengths := data.GroupLengths(s.rows.heldOut, s.rows.together(), r.SharePrefix)
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
func sources(examples []data.Example, rows []int) string {
	const most = 16
	var names []string
	for _, i := range rows[:min(most, len(rows))] {
		if name := examples[i].Source; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if n := len(rows) - most; n > 0 {
		names = append(names, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(names, ", ")
}

// checkIDs makes sure that the model has every token of the examples.
func checkIDs(examples []data.Example, vocab int) error {
	for i := range examples {
		if err := model.CheckIDs(examples[i].IDs, vocab); err != nil {
			return mistake("%s: %w", examples[i].Source, err)
		}
	}
	return nil
}
