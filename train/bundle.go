package train

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model/kernel"
	"instruct/train/machine"
	"instruct/train/recipe"
)

// bundleFile is what a bundle holds beside the files of a checkpoint: the step whose loss or gradient is no number.
const bundleFile = "step.json"

// bundleName is the name of a bundle in the folder of its run.
var bundleName = regexp.MustCompile(`^nan-step-[0-9]+$`)

// bundle is step.json. The folder around it is a checkpoint of the state before the step.
type bundle struct {
	Version      string       `json:"version"`
	Kernels      string       `json:"kernels"`
	Threads      int          `json:"threads"`
	Step         int          `json:"step"`
	Steps        int          `json:"steps"` // of the run, for the learning rate
	What         string       `json:"what"`  // is no number: loss or gradient norm
	Value        number       `json:"value"`
	MicroBatches []bundleMade `json:"micro_batches"` // of the step
}

// bundleMade is a micro-batch, and what became of it.
type bundleMade struct {
	Loss    *number     `json:"loss_sum,omitempty"` // nil: the step ended before it
	Divisor float64     `json:"divisor,omitempty"`
	Rows    []bundleRow `json:"rows"`
}

// bundleRow is an example of a micro-batch.
type bundleRow struct {
	Example  int     `json:"example"` // its number in the run
	Source   string  `json:"source"`
	IDs      []int32 `json:"ids"`
	Mask     []bool  `json:"mask"`
	Withheld bool    `json:"withheld,omitempty"`
	Good     *bool   `json:"good,omitempty"` // of a labelled answer
}

// number is a float64 in JSON, which has no word for one that is not finite: that is a text.
type number float64

// MarshalJSON implements json.Marshaler.
func (x number) MarshalJSON() ([]byte, error) {
	if finite(float64(x)) {
		return json.Marshal(float64(x))
	}
	return json.Marshal(strconv.FormatFloat(float64(x), 'g', -1, 64))
}

// UnmarshalJSON implements json.Unmarshaler.
func (x *number) UnmarshalJSON(text []byte) error {
	var s string
	if json.Unmarshal(text, &s) != nil {
		return json.Unmarshal(text, (*float64)(x))
	}
	v, err := strconv.ParseFloat(s, 64)
	if err == nil && finite(v) {
		err = fmt.Errorf("%q is a number in quotes", s)
	}
	*x = number(v)
	return err
}

// keepBundle keeps the step that went wrong with the state before it, whole or not at all, and says so. It gives the
// folder, "" where nothing was kept.
func (u *run) keepBundle(bad *nonFiniteError, before Place) string {
	if u.o.scratch {
		return ""
	}
	u.metrics.done()
	dir := filepath.Join(u.Recipe.OutputDir, fmt.Sprintf("nan-step-%d", bad.step))
	err := u.settle() // the last checkpoint reads the same weights, and counts more
	if err == nil {
		err = u.writeBundle(dir, bad, before)
	}
	if err != nil {
		fmt.Fprintf(u.said, "note: step %d is not kept: %v\n", bad.step, err)
		return ""
	}
	return dir
}

func (u *run) writeBundle(dir string, bad *nonFiniteError, before Place) error {
	size := u.checkpointBytes()
	free, known := machine.FreeDisk(folderOf(dir))
	if known && free < size {
		return fmt.Errorf("its state takes %s, and the disk of %s has %s left", bytesText(size), u.Recipe.OutputDir,
			bytesText(free))
	}
	fmt.Fprintf(u.said, "step %d: the %s is %v; keeping the step and the state before it in %s, about %s\n", bad.step,
		bad.what, bad.value, dir, bytesText(size))
	u.Cursor.Place = before
	b, err := u.bundle(bad)
	if err != nil {
		return err
	}
	if err := removeBundles(u.Recipe.OutputDir); err != nil {
		return err
	}
	write := u.checkpoint()
	err = checkpoints.NewDir(dir, func(tmp string) error {
		if err := writeJSON(filepath.Join(tmp, bundleFile), b); err != nil {
			return err
		}
		sums, err := write(tmp)
		if err != nil {
			return err
		}
		return sums.Write(tmp)
	})
	if err != nil {
		return err
	}
	total, err := folderBytes(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(u.said, "kept %s, %s\n", dir, bytesText(total))
	return nil
}

// bundle is the step at whose beginning the cursor stands.
func (u *run) bundle(bad *nonFiniteError) (*bundle, error) {
	b := &bundle{Version: u.o.Version, Kernels: kernel.Path(), Threads: u.Pool.Threads(), Step: bad.step, Steps: u.Steps,
		What: bad.what, Value: number(bad.value)}
	for k, rows := range u.Cursor.upcoming() {
		var m bundleMade
		if k < len(u.trainer.made) {
			m.Loss, m.Divisor = new(number(u.trainer.made[k].sum)), u.trainer.made[k].divisor
		}
		for _, i := range data.Members(nil, rows, u.rows.together()) {
			e, err := u.rows.train.Example(i)
			if err != nil {
				return nil, err
			}
			row := bundleRow{Example: i, Source: e.Source, IDs: e.IDs, Mask: e.Mask, Withheld: e.Withheld}
			if u.rows.answers != nil && u.rows.answers.good != nil {
				row.Good = &u.rows.answers.good[i/data.AnswersTogether]
			}
			m.Rows = append(m.Rows, row)
		}
		b.MicroBatches = append(b.MicroBatches, m)
	}
	return b, nil
}

// removeBundles removes the bundles in the folder of a run: each takes as much room as a checkpoint, and those of
// another attempt at the run say nothing of this one.
func removeBundles(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() && bundleName.MatchString(e.Name()) {
			if err := (checkpoints.Checkpoint{Path: filepath.Join(dir, e.Name())}).Remove(); err != nil {
				return err
			}
		}
	}
	return err
}

// folderBytes is the size of the files in a folder.
func folderBytes(dir string) (total int64, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, err
}

// readBundle reads the files of a bundle that say what it is, and refuses one that is damaged.
func readBundle(dir string) (*bundle, *state, error) {
	path := filepath.Join(dir, bundleFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, mistake("replay %s: it is no bundle: %s: %s; a run whose loss is no number keeps one in its "+
			"folder, nan-step-N", dir, bundleFile, checkpoints.Reason(err))
	}
	if err := checkpoints.CheckSums(dir); err != nil {
		return nil, nil, mistake("replay: %w", err)
	}
	var b bundle
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, nil, mistake("replay: %s: %w", path, err)
	}
	st, err := readState(dir)
	if err != nil {
		return nil, nil, mistake("replay: %w", err)
	}
	if err := b.check(st); err != nil {
		return nil, nil, mistake("replay: %s: %w", path, err)
	}
	return &b, st, nil
}

// mostExamples bounds the numbers of examples: answers to prompts have a place each.
const mostExamples = 1 << 24

// check refuses what no run can have written.
func (b *bundle) check(st *state) error {
	if b.Step != st.Counters.Step+1 || b.Steps < b.Step {
		return fmt.Errorf("step %d of %d after the state of step %d", b.Step, b.Steps, st.Counters.Step)
	}
	together := 1
	if _, prefers := st.Recipe.Preference(); prefers {
		together = data.AnswersTogether
	}
	rows := 0
	for k, m := range b.MicroBatches {
		rows += len(m.Rows)
		if len(m.Rows)%together != 0 {
			return fmt.Errorf("micro-batch %d has %d answers, expected two to a prompt", k+1, len(m.Rows))
		}
		for i, row := range m.Rows {
			if len(row.IDs) != len(row.Mask) || row.Example < 0 || row.Example%together != i%together ||
				together > 1 && row.Example >= mostExamples {
				return fmt.Errorf("row %d of micro-batch %d has %d ids, %d places of a mask and the number %d", i+1, k+1,
					len(row.IDs), len(row.Mask), row.Example)
			}
		}
	}
	if rows == 0 {
		return fmt.Errorf("it has no rows")
	}
	return nil
}

// mayReplay are the keys that a step may be made again with other values of: those of its arithmetic.
var mayReplay = []string{"dtype", "threads", "gradient_checkpointing", "learning_rate", "lr_scheduler_type",
	"lr_scheduler_kwargs", "warmup_ratio", "warmup_steps", "weight_decay", "adam_beta1", "adam_beta2", "adam_epsilon",
	"max_grad_norm", "muon_ns_steps", "label_smoothing_factor", "neftune_noise_alpha", "z_loss", "beta",
	"label_smoothing", "rpo_alpha", "simpo_gamma", "desirable_weight", "undesirable_weight", "share_prefix",
	"lora_dropout", "seed"}

// replayRecipe is the recipe of a bundle with some keys changed.
func replayRecipe(st *state, settings []recipe.Setting) (recipe.Recipe, error) {
	r := st.Recipe
	if _, err := r.SetAll(settings); err != nil {
		return r, err
	}
	if key, _, _ := r.Changed(&st.Recipe, mayReplay); key != "" {
		return r, mistake("replay: %s decides rows, model or state, which the bundle has as they were; what may differ is "+
			"%v", key, mayReplay)
	}
	r = r.Resolved()
	return r, r.Validate()
}
