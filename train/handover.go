package train

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"instruct/checkpoints"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train/recipe"
)

// A run is handed over as a folder that needs nothing of this program: the model, the tokens of its rows, the moments
// of the optimizer, and a plan of the steps that are left, each with its rows and its learning rate, so that no order
// and no schedule has to be made again. What came of it is a folder beside them, which [TakeBack] reads.
const (
	handoverModel  = "model"         // a Hugging Face folder
	handoverData   = "train.parquet" // see data.Store.WriteTokens
	handoverPlan   = "plan.jsonl"    // a handoverStep a line
	handoverConfig = "handover.json" // a handover
	handoverResult = "result"        // what continue.py writes: model, moments, metrics
)

// handoverFiles are what goes with every run: the script that goes on, and configurations.
//
//go:embed handover
var handoverFiles embed.FS

// handover is handover.json: what the script needs of the recipe, and what the run is.
type handover struct {
	Step        int     `json:"step"` // steps that were made before
	Steps       int     `json:"steps"`
	Beta1       float64 `json:"adam_beta1"`
	Beta2       float64 `json:"adam_beta2"`
	Epsilon     float64 `json:"adam_epsilon"`
	WeightDecay float64 `json:"weight_decay"`
	MaxGradNorm float64 `json:"max_grad_norm"`
	Rows        int     `json:"rows"` // of a micro-batch

	Checkpoint  string          `json:"checkpoint"`     // that was handed over
	WeightsHash string          `json:"weights_sha256"` // of its model
	State       json.RawMessage `json:"state"`          // its state.json
}

// handoverStep is a line of plan.jsonl: a step that is left.
type handoverStep struct {
	Step   int     `json:"step"` // from 1
	Rate   float64 `json:"learning_rate"`
	Epoch  float64 `json:"epoch"`   // passes over the data when it is made
	Rows   []int   `json:"rows"`    // of train.parquet, from 0
	Tokens int     `json:"trained"` // trained tokens, by which the sum of losses is divided

	After Place    `json:"after"` // where the run then stands in its data
	Done  Counters `json:"done"`
}

// cannotHandOver names what the script cannot go on with, "" where there is nothing.
func cannotHandOver(r *recipe.Recipe, m *pretrained.Model) string {
	for _, c := range []struct {
		it   bool
		what string
	}{
		{m.Adapter() != nil, "an adapter: merge it, or train it on here"},
		{r.Optim == "muon", "optim: muon, which it has no optimizer for"},
		{r.Freezes(), "unfreeze_layers or unfrozen_parameters, which it does not know"},
		{r.SmoothingFactor > 0 || r.NEFTune > 0 || r.ZLoss > 0 || r.EMADecay > 0,
			"label_smoothing_factor, neftune_noise_alpha, z_loss or ema_decay, which it does not know"},
		{len(r.DropRows) > 0, "drop_rows, which it does not know"},
		{r.LossType != recipe.NLL, "loss_type: " + r.LossType + ", a loss of preferences"},
	} {
		if c.it {
			return c.what
		}
	}
	return ""
}

// HandOver writes the folder out with which another program goes on with the run of a folder (its last checkpoint) or
// of a checkpoint. It appears whole or not at all. said is told notes.
func HandOver(ctx context.Context, path, out string, said io.Writer) error {
	dir, st, err := readCheckpoint(path)
	if err != nil {
		return err
	}
	r := st.Recipe
	u := &run{o: Options{Log: io.Discard}}
	if u.Setup, err = NewSetup(ctx, &r, SetupOptions{Checkpoint: dir, SkipHeldOut: true}); err != nil {
		return err
	}
	defer u.Setup.Close()
	if what := cannotHandOver(&r, u.Model); what != "" {
		return mistake("hand over %s: its run has %s", dir, what)
	}
	if u.origin, err = newOrigin(&r, u.rows); err != nil {
		return err
	}
	if err := u.sameRun(st, dir); err != nil {
		return err
	}
	if st.Counters.Step >= u.Steps {
		return mistake("hand over %s: all %d steps of its run are made; hand over an earlier checkpoint, or its model with "+
			"--to hf", dir, u.Steps)
	}
	if err := u.Model.ReadWeights(kernel.F32); err != nil {
		return err
	}
	if r.DType == kernel.BF16.String() {
		fmt.Fprintln(said, "note: the run has dtype: bf16; the script computes in float32, or as accelerate's "+
			"mixed_precision says")
	}
	return checkpoints.NewDir(out, func(tmp string) error { return u.handOver(tmp, dir, st) })
}

// readCheckpoint reads state.json of a checkpoint, or of the last one of a run.
func readCheckpoint(path string) (dir string, st *state, err error) {
	dir = path
	if c, ok, err := checkpoints.Latest(path); err != nil {
		return "", nil, err
	} else if ok {
		dir = c.Path
	}
	text, err := os.ReadFile(filepath.Join(dir, checkpoints.StateFile))
	if err != nil {
		return "", nil, mistake("hand over %s: it is no checkpoint and has none (%s); a run has them with save_steps", path,
			checkpoints.Reason(err))
	}
	if err := checkWhole(dir); err != nil {
		return "", nil, err
	}
	if err := checkpoints.CheckSums(dir); err != nil {
		return "", nil, mistake("hand over %s: %w", path, err)
	}
	st = &state{Recipe: recipe.Default()}
	if err := json.Unmarshal(text, st); err != nil {
		return "", nil, mistake("hand over %s: %s: %v", path, checkpoints.StateFile, err)
	}
	return dir, st, nil
}

// handOver fills the folder.
func (u *run) handOver(out, dir string, st *state) error {
	model := filepath.Join(out, handoverModel)
	if err := os.Mkdir(model, 0o777); err != nil {
		return err
	}
	if err := u.Model.Save(model); err != nil {
		return err
	}
	if err := checkpoints.CopyFile(filepath.Join(dir, optimizerFile), filepath.Join(out, optimizerFile)); err != nil {
		return err
	}
	rows, err := os.Create(filepath.Join(out, handoverData))
	if err != nil {
		return err
	}
	trained, err := u.rows.train.WriteTokens(rows)
	if err = errors.Join(err, rows.Close()); err != nil {
		return err
	}
	plan, err := u.stepsLeft(st, trained)
	if err != nil {
		return err
	}
	if err := checkpoints.WriteFile(filepath.Join(out, handoverPlan), plan); err != nil {
		return err
	}
	text, err := json.Marshal(st)
	if err != nil {
		return err
	}
	r := u.Recipe
	err = writeJSON(filepath.Join(out, handoverConfig), handover{Step: st.Counters.Step, Steps: u.Steps, Beta1: r.Beta1,
		Beta2: r.Beta2, Epsilon: r.Epsilon, WeightDecay: r.WeightDecay, MaxGradNorm: r.MaxGradNorm, Rows: r.BatchSize,
		Checkpoint: dir, WeightsHash: u.Model.WeightsHash(), State: text})
	if err != nil {
		return err
	}
	return u.writeScripts(out, st)
}

// stepsLeft is plan.jsonl.
func (u *run) stepsLeft(st *state, trained []int) ([]byte, error) {
	rates, err := u.Recipe.Schedule(u.Steps)
	if err != nil {
		return nil, mistake("%w", err)
	}
	u.Cursor.Place = st.Place
	lengths, done := u.rows.train.Lengths(), st.Counters
	var out bytes.Buffer
	for done.Step < u.Steps {
		step := handoverStep{Step: done.Step + 1, Rate: rates.Rate(done.Step + 1)}
		batches := u.Cursor.upcoming()
		for _, rows := range batches {
			step.Rows = append(step.Rows, rows...)
		}
		for _, row := range step.Rows {
			step.Tokens += trained[row]
			done.NumTokens += int(lengths[row])
		}
		u.Cursor.moveOn(len(batches))
		done.Step++
		done.TrainedTokens += step.Tokens
		step.After, step.Done, step.Epoch = u.Cursor.Place, done, u.Cursor.Passes()
		text, err := json.Marshal(step)
		if err != nil {
			return nil, err
		}
		out.Write(append(text, '\n'))
	}
	return out.Bytes(), nil
}

// writeScripts writes the files that are the same for every run, but for a few numbers in sft.yaml.
func (u *run) writeScripts(out string, st *state) error {
	r := u.Recipe
	fill := strings.NewReplacer("{steps}", fmt.Sprint(u.Steps-st.Counters.Step),
		"{learning_rate}", fmt.Sprint(r.LearningRate), "{scheduler}", r.Scheduler,
		"{rows}", fmt.Sprint(r.BatchSize), "{accumulation}", fmt.Sprint(r.Accumulation),
		"{weight_decay}", fmt.Sprint(r.WeightDecay), "{max_length}", fmt.Sprint(r.MaxLength), "{seed}", fmt.Sprint(r.Seed))
	return fs.WalkDir(handoverFiles, "handover", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := handoverFiles.ReadFile(path)
		if err != nil {
			return err
		}
		name := d.Name()
		if name == "sft.yaml" {
			text = []byte(fill.Replace(string(text)))
		}
		return checkpoints.WriteFile(filepath.Join(out, name), text)
	})
}
