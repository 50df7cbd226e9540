package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/kernel/exact"
)

// Options are what a run needs beside its recipe.
type Options struct {
	Out      io.Writer // results
	Log      io.Writer // progress and notes
	Terminal bool      // Log is a terminal: show a progress bar
	Quiet    bool      // no progress
	Version  string
	Args     []string
	OnStep   func(Metric) // called after each step, may be nil

	Available func() (bytes int64, ok bool) // memory that can be had; nil: ask the system
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
	Lessons     *LessonsReport // of the embedded default
	Seconds     float64
}

// trainer is one run.
type trainer struct {
	r        *Recipe
	o        Options
	pool     *kernel.Pool
	assets   *Assets
	set      *dataset
	dataHash string
	plan     *data.Plan
	total    int // steps
	perEpoch int // micro-batches of the epoch at hand
	graph    *model.Graph
	eval     *evaluator // nil without held-out rows
	opt      *optimizer
	memory   memoryEstimate
	sched    schedule
	b        batcher
	st       state
	saved    int // step of the last checkpoint
	metrics  *metrics
	progress progress
}

// Run trains as the recipe says and returns when the run is done, has failed, or was stopped by ctx; in the last case a
// checkpoint was saved and the error is ErrInterrupted.
func Run(ctx context.Context, r Recipe, o Options) (*Result, error) {
	start := time.Now()
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if err := kernel.CheckCPU(); err != nil {
		return nil, err
	}
	checkpoint, err := findCheckpoint(&r)
	if err != nil {
		return nil, err
	}
	t := &trainer{r: &r, o: o, pool: kernel.NewPool(r.Threads)}
	defer t.pool.Close()
	if err := t.load(ctx, checkpoint); err != nil {
		return nil, err
	}
	if err := t.planRun(); err != nil {
		return nil, err
	}
	defer t.close()
	if err := t.assets.ReadWeights(); err != nil {
		return nil, err
	}
	if err := prepareOutput(&r, checkpoint); err != nil {
		return nil, err
	}
	if err := t.prepare(checkpoint); err != nil {
		return nil, err
	}
	var before []bool
	if t.set.lessons && checkpoint == "" {
		fmt.Fprintf(o.Log, "asking the untrained model %d held-out instructions\n", len(t.set.evalRows))
		if before, err = t.answerLessons(ctx, nil); err != nil {
			return nil, err
		}
	}
	if err := t.writeManifest(start, nil); err != nil {
		return nil, err
	}
	if err := t.loop(ctx); err != nil {
		return nil, err
	}
	res, err := t.finish(ctx, before)
	if err != nil {
		return nil, err
	}
	res.Seconds = time.Since(start).Seconds()
	return res, t.writeManifest(start, res)
}

// load reads the data, and the model but for its weights.
func (t *trainer) load(ctx context.Context, checkpoint string) (err error) {
	if t.set, err = loadRows(ctx, t.r); err != nil {
		return err
	}
	switch {
	case checkpoint != "":
		t.assets, err = LoadForText(checkpoint, "")
	case t.r.ModelNameOrPath != "":
		t.assets, err = LoadForText(t.r.ModelNameOrPath, t.r.ChatTemplate)
	default:
		if t.assets, err = t.make(ctx); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if err := t.set.encode(ctx, t.assets.Encoder(t.r.MaxLength, !t.r.AssistantOnly), t.pool.Threads()); err != nil {
		return t.assets.LengthHint(err, t.r.MaxLength)
	}
	for _, examples := range [][]data.Example{t.set.train, t.set.heldOut} {
		for _, e := range examples {
			if err := model.CheckIDs(e.IDs, t.assets.Model.Config.Vocab); err != nil {
				return mistake("%s: %w", e.Source, err)
			}
		}
	}
	t.dataHash = t.set.audit.Hash
	return nil
}

// planRun plans the run, and refuses one whose memory this machine has not. Nothing large was allocated and nothing written
// before.
func (t *trainer) planRun() (err error) {
	r := t.r
	t.plan = data.NewPlan(data.Lengths(t.set.train), data.PlanOptions{Rows: r.BatchSize, Packing: r.Packing,
		Capacity: r.BatchSize * t.maxLength(), Strategy: r.Sampling, Seed: uint64(r.Seed)})
	t.total = t.countSteps()
	t.sched = newSchedule(r, t.total)
	t.b = newBatcher(t.set.train, r.SharePrefix)
	evaluate := 0
	if len(t.set.heldOut) > 0 {
		evaluate = evaluationPlan(t.set.heldOut, r.BatchSize).MaxTokens()
	}
	d, err := kernel.ParseDType(r.DType)
	if err != nil {
		return err
	}
	t.memory, err = estimateMemory(t.assets.Model, d, t.plan.MaxTokens(), evaluate, t.pool.Threads(), r.Checkpointing, r.Optim)
	if err != nil {
		return err
	}
	advice := fmt.Sprintf("use a smaller per_device_train_batch_size (%d) or max_length (%d)", r.BatchSize, r.MaxLength)
	if !r.Checkpointing {
		advice += ", or gradient_checkpointing: true"
	}
	return t.memory.check(t.o.Available, advice)
}

// prepare builds the graphs and goes on from checkpoint, if there is one.
func (t *trainer) prepare(checkpoint string) (err error) {
	r := t.r
	if r.DType == kernel.BF16.String() {
		if err := t.assets.Model.CopyToBF16(t.pool); err != nil {
			return err
		}
	}
	if t.graph, err = t.assets.Model.NewTraining(t.pool, t.plan.MaxTokens(), r.Checkpointing); err != nil {
		return err
	}
	if len(t.set.heldOut) > 0 {
		if t.eval, err = newEvaluator(t.pool, t.assets.Model, t.set.heldOut, r.BatchSize, r.SharePrefix, t.graph); err != nil {
			return err
		}
	}
	if t.opt, err = newOptimizer(t.pool, t.assets.Model, r.Optim); err != nil {
		return err
	}
	if checkpoint != "" {
		if err := t.restore(checkpoint); err != nil {
			return err
		}
	}
	if t.metrics, err = openMetrics(r.OutputDir, t.st.Step); err != nil {
		return err
	}
	t.describe(checkpoint)
	return nil
}

// close gives back what the run took.
func (t *trainer) close() {
	if t.metrics != nil {
		t.metrics.close()
	}
	if t.opt != nil {
		t.opt.close()
	}
	if t.eval != nil {
		t.eval.graph.Close()
	}
	if t.graph != nil {
		t.graph.Close()
	}
	t.assets.Model.Close()
}

func (t *trainer) maxLength() int { return min(t.r.MaxLength, t.assets.Model.Config.MaxLength) }

// countSteps returns the number of optimizer steps of the run. The last step of an epoch may have fewer micro-batches.
func (t *trainer) countSteps() int {
	if t.r.MaxSteps > 0 {
		return t.r.MaxSteps
	}
	total, per := 0, 0
	for e := 0; float64(e) < t.r.Epochs; e++ {
		if e == 0 || t.r.Packing { // only packing makes epochs of unequal length
			per = ceil(len(t.plan.Epoch(e)), t.r.Accumulation)
		}
		if rest := t.r.Epochs - float64(e); rest < 1 {
			total += int(math.Ceil(rest * float64(per)))
		} else {
			total += per
		}
	}
	return max(1, total)
}

func ceil(a, b int) int { return (a + b - 1) / b }

// loop makes the steps that are left.
func (t *trainer) loop(ctx context.Context) error {
	t.progress = newProgress(t.o, t.total, t.st.Step, t.r.LoggingSteps)
	defer t.progress.done()
	for t.st.Step < t.total {
		batches := t.plan.Epoch(t.st.Epoch)
		t.perEpoch = len(batches)
		for t.st.Position < len(batches) && t.st.Step < t.total {
			if ctx.Err() != nil {
				return t.interrupt()
			}
			end := min(t.st.Position+t.r.Accumulation, len(batches))
			if err := t.step(batches[t.st.Position:end]); err != nil {
				return err
			}
			t.st.Position = end
			epochEnd := end == len(batches)
			if epochEnd {
				t.st.Epoch, t.st.Position = t.st.Epoch+1, 0
			}
			if err := t.afterStep(ctx, epochEnd || t.st.Step == t.total); err != nil {
				if errors.Is(err, context.Canceled) {
					return t.interrupt()
				}
				return err
			}
			if epochEnd {
				break
			}
		}
	}
	return nil
}

// epoch returns the passes over the data made so far.
func (t *trainer) epoch() float64 {
	if t.st.Position == 0 {
		return float64(t.st.Epoch)
	}
	return float64(t.st.Epoch) + float64(t.st.Position)/float64(t.perEpoch)
}

// step makes one optimizer step from micro-batches: gradients of the summed loss are accumulated, divided once by the
// number of trained tokens, clipped, and applied.
func (t *trainer) step(batches [][]int) error {
	start := time.Now()
	sum, weight, tokens := 0.0, 0.0, 0
	for _, idx := range batches {
		b, d := t.b.build(idx)
		s, err := t.graph.Run(b)
		if err != nil {
			return fmt.Errorf("step %d: %w", t.st.Step+1, err)
		}
		if !finite(s) {
			return t.nonFinite("loss", s, d)
		}
		sum += s
		weight += float64(d.TrainedTokens)
		tokens += d.RowTokens
	}
	norm := t.opt.gradNorm(weight)
	if !finite(norm) {
		_, d := t.b.build(batches[len(batches)-1])
		return t.nonFinite("gradient norm", norm, d)
	}
	rate := t.sched.rate(t.st.Step + 1)
	if err := t.opt.step(t.r, rate, norm, weight); err != nil {
		return fmt.Errorf("step %d: %w", t.st.Step+1, err)
	}
	t.st.Step++
	t.st.NumTokens += tokens
	t.st.TrainedTokens += int(weight)
	loss, seconds := sum/weight, time.Since(start).Seconds()
	row := Metric{Step: t.st.Step, Epoch: t.epochAfter(len(batches)), Loss: &loss, GradNorm: norm, LearningRate: &rate, NumTokens: t.st.NumTokens,
		TrainedTokens: int(weight), TokensPerSec: float64(tokens) / seconds, TrainedPerSec: weight / seconds}
	if err := t.metrics.add(row); err != nil {
		return err
	}
	t.progress.step(row)
	if t.o.OnStep != nil {
		t.o.OnStep(row)
	}
	return nil
}

func (t *trainer) epochAfter(batches int) float64 {
	return float64(t.st.Epoch) + float64(t.st.Position+batches)/float64(t.perEpoch)
}

// nonFinite reports a loss or gradient that is no number, with the rows of the micro-batch.
func (t *trainer) nonFinite(what string, v float64, b *data.Batch) error {
	hint := "a lower learning_rate or a longer warm-up usually helps"
	if t.saved > 0 {
		hint += fmt.Sprintf("; the last whole checkpoint is %s/checkpoint-%d", t.r.OutputDir, t.saved)
	}
	return fmt.Errorf("step %d: the %s is %v; rows: %s; %s", t.st.Step+1, what, v, badRows(t.graph, b, t.set.train), hint)
}

// badRows names the rows of a micro-batch whose log-probabilities are no numbers, or all its rows where each is one.
func badRows(g *model.Graph, b *data.Batch, examples []data.Example) string {
	const most = 16
	var bad, all []string
	logprobs := g.Logprobs()
	for i, s := range b.Segments {
		if b.Rows[i] < 0 {
			continue // a prefix that the rows share
		}
		source := examples[b.Rows[i]].Source
		all = append(all, source)
		sum := 0.0
		for _, l := range logprobs[s.Start:s.End] {
			sum += l
		}
		if !finite(sum) {
			bad = append(bad, source)
		}
	}
	if bad == nil {
		bad = all
	}
	if n := len(bad) - most; n > 0 {
		bad = append(bad[:most:most], fmt.Sprintf("and %d more", n))
	}
	return strings.Join(bad, ", ")
}

// afterStep evaluates and saves where the recipe says so.
func (t *trainer) afterStep(ctx context.Context, epochEnd bool) error {
	due := func(strategy string, every int) bool {
		return strategy == "epoch" && epochEnd || strategy == "steps" && (t.st.Step%every == 0 || t.st.Step == t.total)
	}
	save := due(t.r.SaveStrategy, t.r.SaveSteps)
	if t.eval != nil && due(t.r.EvalStrategy, t.r.EvalSteps) {
		t.progress.note("evaluating")
		loss, err := t.eval.loss(ctx)
		if err != nil {
			return fmt.Errorf("evaluation after step %d: %w", t.st.Step, err)
		}
		row := Metric{Step: t.st.Step, Epoch: t.epoch(), EvalLoss: &loss, EvalTokens: t.eval.trained}
		if p := exact.Exp(loss); finite(p) {
			row.EvalPerplexity = p
		}
		if err := t.metrics.add(row); err != nil {
			return err
		}
		t.progress.evaluation(row)
		if t.st.BestStep == 0 || loss < t.st.BestLoss {
			t.st.BestLoss, t.st.BestStep = loss, t.st.Step
			save = save || t.r.LoadBest
		}
	}
	if save {
		return t.saveCheckpoint()
	}
	return nil
}

// interrupt saves where the run stands and says how to go on.
func (t *trainer) interrupt() error {
	t.progress.done()
	if t.st.Step == 0 {
		fmt.Fprintln(t.o.Log, "stopped before the first step; nothing was saved, start again with --overwrite_output_dir")
		return ErrInterrupted
	}
	if t.saved != t.st.Step {
		if err := t.saveCheckpoint(); err != nil {
			return err
		}
	}
	fmt.Fprintf(t.o.Log, "stopped after step %d of %d; saved %s/checkpoint-%d\ngo on with the same command and --resume_from_checkpoint true\n",
		t.st.Step, t.total, t.r.OutputDir, t.st.Step)
	return ErrInterrupted
}
