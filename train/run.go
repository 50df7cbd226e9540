package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"instruct/checkpoints"
	"instruct/model/kernel"
	"instruct/train/eval"
	"instruct/train/recipe"
)

// Options are what a run needs beside its recipe.
type Options struct {
	Out      io.Writer  // results
	Log      io.Writer  // progress and notes
	Terminal bool       // Log is a terminal: show a progress bar
	Quiet    bool       // no progress and no notes; what was saved at a stop is said
	Again    string     // the command that goes on with the run when it was stopped; "": said in words
	Width    func() int // columns of the terminal; nil: 80
	Version  string
	Args     []string
	OnStep   func(Metric) // called after each step, may be nil
	staged   *staged      // of a stage
	scratch  bool         // nobody will go on with it: a stop says nothing
	becomes  string       // the folder that output_dir will take the place of; ""
	ledger   string       // a file that the run's record goes on from; ""

	Available func() (bytes int64, ok bool) // memory that can be had; nil: ask the system
	Large     int64                         // as in SetupOptions
}

// ErrInterrupted says that the run was stopped by its context, after saving a checkpoint.
var ErrInterrupted = errors.New("interrupted")

// Result is what a run gives.
type Result struct {
	OutputDir   string
	Steps       int
	Loss        float64 // of the last step
	EvalLoss    float64 // last held-out loss; NaN without held-out rows
	BestLoss    float64
	BestStep    int
	WeightsHash string
	Report      *eval.Report // of the suite, where the data set brings one
	Seconds     float64
}

// run is one run on its way.
type run struct {
	*Setup
	o       Options
	said    io.Writer // what is said in any case
	start   time.Time
	trainer *Trainer
	heldOut *heldOut // nil without held-out rows
	report  *eval.Report
	metrics *metrics
	best    best
	saved   int                      // step of the last checkpoint that is whole
	saving  *saving                  // the one that is being written
	passed  []checkpoints.Checkpoint // newer ones, damaged, that the run went on without
	due     bool                     // the evaluation after the last step was stopped and is to be made
	origin  origin
	unlock  func() // the output folder; nil where it is not locked
	binary  string // sha256 of the program

	reference *reference // of a loss of preferences that needs one, else nil
}

// best is the lowest held-out loss so far; Step 0: none yet.
type best struct {
	Loss  float64 `json:"best_eval_loss"`
	Step  int     `json:"best_step"`
	Since int     `json:"evaluations_since_best,omitempty"` // without a better loss, by early_stopping_threshold
}

// Run trains as the recipe says and returns when the run is done, has failed, or was stopped by ctx; in the last case a
// checkpoint was saved and the error is ErrInterrupted.
func Run(ctx context.Context, r recipe.Recipe, o Options) (*Result, error) {
	if r.Stages != "" {
		return runStages(ctx, r, o)
	}
	o.Log = &logWriter{w: o.Log}
	u := &run{o: o, said: o.Log, start: time.Now()}
	if o.Quiet {
		u.o.Log = io.Discard
	}
	r = r.Resolved()
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if err := kernel.CheckCPU(); err != nil {
		return nil, err
	}
	if err := u.lock(r.OutputDir); err != nil {
		return nil, err
	}
	defer u.release()
	checkpoint, notes, err := findCheckpoint(&r)
	if err != nil {
		return nil, err
	}
	for _, n := range notes {
		fmt.Fprintln(u.said, "note:", n)
	}
	if err := missing(&r, checkpoint != ""); err != nil {
		return nil, err
	}
	if err := checkWhole(checkpoint); err != nil {
		return nil, err
	}
	if err := checkOutput(&r, checkpoint); err != nil {
		return nil, err
	}
	if u.Setup, err = NewSetup(ctx, &r, SetupOptions{Checkpoint: checkpoint, Available: o.Available, Large: o.Large,
		Log: u.o.Log, Terminal: o.Terminal}); err != nil {
		return nil, err
	}
	defer u.close()
	if err := u.begin(ctx); err != nil {
		return nil, err
	}
	if err := u.loop(ctx); err != nil {
		return nil, u.keepModel(err)
	}
	return u.finish(ctx)
}

// begin reads the weights, makes the folder and the graphs, and goes on from the checkpoint, if there is one.
func (u *run) begin(ctx context.Context) (err error) {
	r := u.Recipe
	if err := u.Model.ReadWeights(kernel.F32); err != nil {
		return err
	}
	if u.origin, err = newOrigin(r, u.rows); err != nil {
		return err
	}
	if err := u.checkDisk(); err != nil {
		return err
	}
	if err := u.makeOutput(); err != nil {
		return err
	}
	if err := u.goOnWithLedger(); err != nil {
		return err
	}
	if u.trainer, err = u.NewTrainer(); err != nil {
		return err
	}
	u.trainer.beforeUpdate = u.beforeUpdate
	if held := &u.rows.heldOut.Store; held.Len() > 0 {
		o := heldOutOptions{examples: held, rows: r.BatchSize, share: r.SharePrefix, beside: u.trainer.Graph}
		if u.preferences != nil {
			o.prefers = newPreferences(r, u.rows.heldOutAnswers)
		}
		if u.heldOut, err = newHeldOut(u.Pool, u.Model.Model, o); err != nil {
			return err
		}
	}
	if u.resumed != "" {
		if err := u.restore(u.resumed); err != nil {
			return err
		}
	}
	if err := u.writeManifest(nil); err != nil { // it makes the folder one of a run, which another may replace
		return err
	}
	if u.metrics, err = openMetrics(r.OutputDir, u.trainer.Done.Step, u.due); err != nil {
		return err
	}
	if goesOn(r, u.resumed) {
		if err := u.metrics.fill(u.resumed, u.trainer.Done.Step); err != nil {
			return err
		}
		if err := u.tidy(); err != nil {
			return err
		}
	}
	if slices.Contains(r.ReportTo, "tensorboard") {
		if err := u.metrics.report(r.OutputDir, u.trainer.Done.Step); err != nil {
			return err
		}
	}
	if err := u.describe(); err != nil {
		return err
	}
	if err := u.findReference(ctx); err != nil {
		return err
	}
	return u.askBefore(ctx)
}

// release lets other runs into the output folder.
func (u *run) release() {
	if u.unlock != nil {
		u.unlock()
	}
}

// close gives back what the run took.
func (u *run) close() {
	if err := u.settle(); err != nil {
		fmt.Fprintln(u.said, "note:", err)
	}
	if u.metrics != nil {
		u.metrics.close()
	}
	if u.heldOut != nil {
		u.heldOut.close()
	}
	if u.trainer != nil {
		u.trainer.Close()
	}
	u.Setup.Close()
}

// loop makes the steps that are left.
func (u *run) loop(ctx context.Context) error {
	u.metrics.progress = newProgress(u.o, u.Steps, u.trainer.Done.Step, u.Recipe.LoggingSteps)
	defer u.metrics.done()
	if err := u.evaluateBefore(ctx); err != nil {
		return err
	}
	said := func() {}
	if !u.o.scratch {
		said = u.answerStop(ctx)
	}
	defer said()
	if u.due {
		if stop, err := u.conclude(ctx, said); stop {
			return err
		}
	}
	for !u.over() {
		if ctx.Err() != nil {
			said()
			return u.interrupt()
		}
		if err := u.step(); err != nil {
			return err
		}
		if stop, err := u.conclude(ctx, said); stop {
			return err
		}
	}
	return u.settle()
}

// conclude does what is due after a step. stop: the run ends here, with the error. An evaluation that is stopped
// stays due.
func (u *run) conclude(ctx context.Context, said func()) (stop bool, err error) {
	err = u.afterStep(ctx)
	u.due = errors.Is(err, context.Canceled)
	if u.due {
		said()
		return true, u.interrupt()
	}
	return err != nil, err
}

// step makes one step and reports it.
func (u *run) step() error {
	before := u.Cursor.Place
	s, err := u.trainer.Step()
	if err != nil {
		return u.explain(err, before)
	}
	seconds := s.Time.Seconds()
	row := Metric{Step: u.trainer.Done.Step, Epoch: u.Cursor.Passes(), Loss: &s.Loss, GradNorm: s.GradNorm,
		LearningRate: &s.LearningRate, NumTokens: u.trainer.Done.NumTokens, TrainedTokens: s.Trained,
		WithheldTokens: s.Withheld, TokensPerSec: float64(s.Tokens) / seconds, TrainedPerSec: float64(s.Trained) / seconds}
	if u.preferences != nil {
		row.Rewards = new(u.preferences.rewards())
	}
	if err := u.metrics.add(row); err != nil {
		return u.saveAfter(err)
	}
	if u.o.OnStep != nil {
		u.o.OnStep(row)
	}
	return nil
}

// saveAfter saves where the run stands when something else than training went wrong after a step, such as a full disk
// or a folder that was removed, and says what became of it.
func (u *run) saveAfter(err error) error {
	dir, step := u.Recipe.OutputDir, u.trainer.Done.Step
	failed := os.MkdirAll(dir, 0o755)
	if failed == nil {
		failed = cmp.Or(u.saveCheckpoint(), u.settle())
	}
	switch {
	case failed == nil:
		return fmt.Errorf("%w; the run was saved after step %d, in %s; go on with %s", err, step,
			checkpointDir(u.Recipe, step), u.o.goOn())
	case u.saved > 0:
		return fmt.Errorf("%w; step %d could not be saved either; the last whole checkpoint is %s", err, step,
			checkpointDir(u.Recipe, u.saved))
	}
	return fmt.Errorf("%w; step %d could not be saved either", err, step)
}

// explain names the rows of a step that went wrong, keeps it, and says what to do. before is where the run stood.
func (u *run) explain(err error, before Place) error {
	var bad *nonFiniteError
	if !errors.As(err, &bad) {
		return err
	}
	hint := "a lower learning_rate or a longer warm-up usually helps"
	if u.saved > 0 {
		hint += fmt.Sprintf("; the last whole checkpoint is %s/checkpoint-%d", u.Recipe.OutputDir, u.saved)
	}
	rows := sources(&u.rows.train.Store, bad.rows)
	if dir := u.keepBundle(bad, before); dir != "" {
		hint += fmt.Sprintf("; see the step again: instruct train --replay %s", dir)
	}
	return fmt.Errorf("%w; rows: %s; %s", bad, rows, hint)
}

// afterStep evaluates and saves where the recipe says so.
func (u *run) afterStep(ctx context.Context) error {
	r, step := u.Recipe, u.trainer.Done.Step
	due := func(strategy string, every int) bool {
		last := u.over()
		return strategy == "epoch" && (u.Cursor.EpochStarts() || last) || strategy == "steps" && (step%every == 0 || last)
	}
	save := due(r.SaveStrategy, r.SaveSteps)
	if u.heldOut != nil && due(r.EvalStrategy, r.EvalSteps) {
		better, err := u.evaluate(ctx)
		if err != nil {
			return err
		}
		save = save || better && r.LoadBest || due(r.SaveStrategy, r.SaveSteps)
	}
	if u.explains(step) {
		if err := u.keepExplain(); err != nil {
			return err
		}
	}
	if save {
		return u.saveCheckpoint()
	}
	return nil
}

// keepModel saves the model of a run that made all its steps, whatever went wrong after the last one.
func (u *run) keepModel(err error) error {
	if !u.over() || errors.Is(err, ErrInterrupted) {
		return err
	}
	u.trainer.ema.swap()
	if u.Model.Save(u.Recipe.OutputDir) != nil { // as err says, most likely
		return err
	}
	return fmt.Errorf("%w; all %d steps were made, and the model after the last one is in %s", err, u.trainer.Done.Step,
		u.Recipe.OutputDir)
}

// interrupt saves where the run stands and says how to go on.
func (u *run) interrupt() error {
	u.metrics.done()
	if err := u.settle(); err != nil {
		return err
	}
	step := u.trainer.Done.Step
	if u.o.scratch && step > 0 {
		return cmp.Or(u.saveCheckpoint(), u.settle(), ErrInterrupted)
	}
	if step == 0 && u.o.staged != nil && u.o.staged.number > 1 {
		fmt.Fprintf(u.said, "stopped before the first step of stage %d; the stages before it are done\ngo on with %s\n",
			u.o.staged.number, u.o.goOn())
		return ErrInterrupted
	}
	if step == 0 && u.o.becomes != "" {
		fmt.Fprintf(u.said, "stopped before the first step; %s is as it was\n", u.o.becomes)
		return ErrInterrupted
	}
	if step == 0 {
		fmt.Fprintln(u.said, "stopped before the first step; nothing was saved, start again with --overwrite_output_dir")
		return ErrInterrupted
	}
	if u.saved != step {
		if err := cmp.Or(u.saveCheckpoint(), u.settle()); err != nil {
			return err
		}
	}
	if err := u.recordStop(); err != nil {
		fmt.Fprintln(u.said, "note: the stop is not in the ledger:", err)
	}
	fmt.Fprintf(u.said, "stopped after step %d of %d; saved %s/checkpoint-%d\ngo on with %s\n",
		step, u.Steps, u.Recipe.OutputDir, step, u.o.goOn())
	return ErrInterrupted
}

// finish writes the result of a run that has made all its steps: first the model, which nothing that fails afterwards
// may cost.
func (u *run) finish(ctx context.Context) (*Result, error) {
	u.metrics.done()
	u.sayEarly()
	u.trainer.ema.swap()
	if err := u.Model.Save(u.Recipe.OutputDir); err != nil {
		return nil, err
	}
	if err := u.loadBest(); err != nil {
		return nil, fmt.Errorf("the best checkpoint cannot be loaded: %w; the model after the last step is in %s", err,
			u.Recipe.OutputDir)
	}
	chart := filepath.Join(u.Recipe.OutputDir, chartFile)
	if err := checkpoints.WriteFile(chart, lossChart(u.chartTitle(), u.metrics.rows)); err != nil {
		fmt.Fprintln(u.o.Log, "note: no picture of the loss:", err)
	}
	if err := u.writeManifest(u.result()); err != nil {
		return nil, err
	}
	if u.report == nil {
		return u.result(), nil
	}
	if err := u.askAfter(ctx); err != nil {
		return nil, err
	}
	res := u.result()
	return res, u.writeManifest(res)
}

// chartTitle says what was trained on what.
func (u *run) chartTitle() string {
	r := u.Recipe
	return fmt.Sprintf("%s: %s parameters, %s, learning rate %g", nameOf(u.becomes()), count(u.Model.Size()),
		filepath.Base(strings.Join(r.Dataset, ", ")), r.LearningRate)
}

// result is what the run gave so far.
func (u *run) result() *Result {
	res := &Result{OutputDir: u.Recipe.OutputDir, Steps: u.trainer.Done.Step, EvalLoss: math.NaN(), BestLoss: u.best.Loss,
		BestStep: u.best.Step, WeightsHash: u.Model.WeightsHash()}
	if u.report != nil && u.report.After != nil {
		res.Report = u.report
	}
	for _, m := range u.metrics.rows { // a resumed run may have had no step to make
		if m.Loss != nil {
			res.Loss = *m.Loss
		}
		if m.EvalLoss != nil {
			res.EvalLoss = *m.EvalLoss
		}
	}
	res.Seconds = time.Since(u.start).Seconds()
	return res
}

// loadBest makes the best checkpoint the result in place of the last step, where the recipe says so.
func (u *run) loadBest() error {
	if !u.Recipe.LoadBest || u.best.Step == 0 || u.best.Step == u.trainer.Done.Step {
		return nil
	}
	dir := checkpointDir(u.Recipe, u.best.Step)
	if err := u.Model.Reload(dir); err != nil {
		return err
	}
	fmt.Fprintf(u.o.Log, "loaded the best checkpoint, of step %d\n", u.best.Step)
	return u.Model.Save(u.Recipe.OutputDir)
}
