package train

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/train/recipe"
)

// Past is a run that was made: its rows, the steps that led to its model, and the weights that it kept on the way.
type Past struct {
	*Setup
	Dir     string
	Steps   []Metric
	Kept    []Kept  // in the order of their steps; the last is the run's model
	Seconds float64 // that the run took
	Notes   []string
	recipe  recipe.Recipe // as it was, where Setup.Recipe reads the run's own model
}

// Kept is weights that a run kept after a step.
type Kept struct {
	Step        int
	Dir         string // of the model or the adapter
	Moments     string // the optimizer's file of the nearest step that has one, "" where none has
	MomentsStep int
}

// OpenPast reads a run that is finished, its data among it, and makes sure that they are those that it was trained on.
// The model has no weights yet. threads is as in a recipe, whose value is taken for 0. The caller closes it.
func OpenPast(ctx context.Context, dir string, threads int, log io.Writer, terminal bool) (*Past, error) {
	p := &Past{Dir: dir, recipe: recipe.Default()}
	var record Manifest
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, mistake("explain %s: %s; name the folder of a run", dir, checkpoints.Reason(err))
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return nil, mistake("explain %s: %s: %v", dir, manifestFile, err)
	}
	if _, err := p.recipe.Read(filepath.Join(dir, recipeFile)); err != nil {
		return nil, mistake("explain %s: %w", dir, err)
	}
	p.recipe.Threads = cmp.Or(threads, p.recipe.Threads)
	if why := p.cannotExplain(&record); why != "" {
		return nil, mistake("explain %s: %s", dir, why)
	}
	if p.Steps, err = readSteps(filepath.Join(dir, metricsFile), 0); err != nil {
		return nil, mistake("explain: %w", err)
	}
	if p.recipe.LoadBest && record.BestStep > 0 && record.BestStep < len(p.Steps) {
		p.Steps = p.Steps[:record.BestStep]
	}
	p.Seconds = record.Seconds
	r := p.recipe.Resolved()
	r.OutputDir = os.TempDir() // nothing is written but tokens that do not fit the memory
	p.Setup, err = NewSetup(ctx, &r, SetupOptions{Model: dir, SkipHeldOut: true, Log: log, Terminal: terminal})
	if err != nil {
		return nil, err
	}
	if now := p.rows.audit().Hash; now != record.DataHash {
		p.Close()
		return nil, mistake("explain %s: its data, tokenizer or template are not those that it was trained on (hash of ids "+
			"and mask %.12s, recorded %.12s); `instruct verify %[1]s --steps 1` names what differs", dir, now, record.DataHash)
	}
	p.findKept()
	p.note()
	return p, nil
}

// cannotExplain is why the rows of a run cannot be told apart, "" where they can.
func (p *Past) cannotExplain(record *Manifest) string {
	switch _, prefers := p.recipe.Preference(); {
	case record.Finished == "":
		return "it is not finished; go on with it first (--resume_from_checkpoint true)"
	case p.recipe.Stages != "":
		return "it was trained in stages; name a stage's folder that has a recipe of its own, such as " +
			filepath.Join(p.Dir, stageName(1))
	case prefers:
		return "its loss is of preferences (loss_type " + p.recipe.LossType + "), where a row has no loss of its own"
	}
	return ""
}

// findKept finds the weights of the run: what it kept for this, its checkpoints, and its model.
func (p *Past) findKept() {
	add := func(step int, dir string) {
		if step < 1 || step > len(p.Steps) || slices.ContainsFunc(p.Kept, func(k Kept) bool { return k.Step == step }) {
			return
		}
		p.Kept = append(p.Kept, Kept{Step: step, Dir: dir})
	}
	var moments []Kept
	for _, dir := range []string{p.Dir, filepath.Join(p.Dir, explainDir)} {
		list, _ := checkpoints.List(dir)
		for _, c := range list {
			if err := checkpoints.CheckSums(c.Path); err != nil {
				p.Notes = append(p.Notes, fmt.Sprintf("a checkpoint is passed over: %v", err))
				continue
			}
			add(c.Step, c.Path)
			if path := filepath.Join(c.Path, optimizerFile); fileThere(path) {
				moments = append(moments, Kept{Moments: path, MomentsStep: c.Step})
			}
		}
	}
	add(len(p.Steps), p.Dir)
	slices.SortFunc(p.Kept, func(a, b Kept) int { return a.Step - b.Step })
	for i := range p.Kept {
		k, best := &p.Kept[i], math.MaxInt
		for _, m := range moments {
			if d := max(k.Step-m.MomentsStep, m.MomentsStep-k.Step); d < best {
				best, k.Moments, k.MomentsStep = d, m.Moments, m.MomentsStep
			}
		}
	}
}

func fileThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// note says what of the run the scores leave out.
func (p *Past) note() {
	r := &p.recipe
	for _, x := range []struct {
		it   bool
		text string
	}{
		{len(p.Kept) == 1, "only the weights at the end were kept, so every row is judged by them; `explain: true` in the " +
			"recipe keeps some of each part of the run"},
		{r.Optim == "muon", "Muon's steps are no linear function of the gradients: the scores of its matrices are an " +
			"order, and no nats"},
		{r.EMADecay > 0, "the weights are averages (ema_decay), and the scores those of the weights under them"},
		{r.SmoothingFactor > 0 || r.ZLoss > 0 || r.NEFTune > 0, "a row's loss is its cross-entropy, without " +
			"label_smoothing_factor, z_loss and neftune_noise_alpha"},
		{r.LoRADropout > 0, "lora_dropout: the scores are those of the whole adapter"},
	} {
		if x.it {
			p.Notes = append(p.Notes, x.text)
		}
	}
}

// Base is the path of the model that the run tuned, "" where it made one.
func (p *Past) Base() string { return p.recipe.ModelNameOrPath }

// Beta2 and Epsilon are those of the run's optimizer.
func (p *Past) Beta2() float64   { return p.recipe.Beta2 }
func (p *Past) Epsilon() float64 { return p.recipe.Epsilon }

// Seed is the run's.
func (p *Past) Seed() uint64 { return uint64(p.recipe.Seed) }

// Epochs is how often the rows were passed over.
func (p *Past) Epochs() float64 { return p.Steps[len(p.Steps)-1].Epoch }

// Rows is the number of rows that were trained on, as examples: those of a long text are its pieces.
func (p *Past) Rows() int { return p.rows.train.Len() }

// Row is one of them.
func (p *Past) Row(i int) (data.Example, error) { return p.rows.train.Example(i) }

// DataRows gives the rows of the run's files, as they are read.
func (p *Past) DataRows(ctx context.Context) iter.Seq2[data.Row, error] {
	o := p.rows.options(&p.recipe)
	o.Note = nil // it was said
	return source(ctx, p.recipe.Dataset, o, p.rows.rows)
}

// Visits are the rows of every step.
func (p *Past) Visits() [][]int {
	c := *p.Cursor
	c.Place = Place{}
	visits := make([][]int, len(p.Steps))
	for i := range visits {
		batches := c.upcoming()
		visits[i] = slices.Concat(batches...)
		c.moveOn(len(batches))
	}
	return visits
}

// Scale is what step i (from 0) multiplied the gradient of a row's summed loss with, in the optimizer's metric: the
// learning rate, by the factor of clipping, over the divisor of the step (docs/explain.md).
func (p *Past) Scale(i int) float64 {
	m := p.Steps[i]
	clip := 1.0
	if p.recipe.MaxGradNorm > 0 {
		clip = min(1, p.recipe.MaxGradNorm/(m.GradNorm+1e-6))
	}
	return *m.LearningRate * clip / float64(m.TrainedTokens+m.WithheldTokens)
}

// Without trains the run again in a folder of its own, with more rows withheld, and all else as it was.
func (p *Past) Without(ctx context.Context, rows []string, dir string, o Options) (*Result, error) {
	r := p.recipe
	r.DropRows = slices.Concat(r.DropRows, rows)
	r.OutputDir, r.Resume, r.Overwrite, r.Explain = dir, "", false, false
	r.ExplainDType = recipe.Default().ExplainDType
	if !r.LoadBest {
		r.SaveStrategy, r.SaveSteps = "no", 0
		if r.StopPatience == 0 {
			r.EvalStrategy, r.EvalSteps = "no", 0
		}
	}
	o.scratch = true
	return Run(ctx, r, o)
}
