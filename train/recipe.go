package train

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"instruct/model/kernel"
)

// Recipe is everything that decides a run. Keys are Hugging Face's where they have one. A recipe is read from a YAML file
// and from flags of the same names; the resolved recipe is saved beside the result.
type Recipe struct {
	ModelNameOrPath string   `key:"model_name_or_path" help:"model to tune: a Hugging Face folder, a run or checkpoint folder, or a .gguf file"`
	ModelConfig     jsonText `key:"model_config" help:"make a model from scratch: config.json's keys, or a path to such a file"`
	TokenizerName   string   `key:"tokenizer_name" help:"tokenizer of a model made from scratch: a path, 'bytes', or 'bpe' (trained on the data)"`
	VocabSize       int      `key:"tokenizer_vocab_size" help:"vocabulary of a tokenizer trained with tokenizer_name: bpe"`
	ChatTemplate    string   `key:"chat_template" help:"a built-in template's name or a Jinja file, in place of the model's own"`

	Dataset       []string `key:"dataset" help:"training files (.jsonl .json .csv .tsv .parquet), or 'lessons', the embedded default"`
	Format        string   `key:"format" help:"format of the rows; found from the first row where empty"`
	EvalDataset   []string `key:"eval_dataset" help:"held-out files"`
	EvalFraction  float64  `key:"eval_fraction" help:"share of the training rows to hold out where there is no eval_dataset"`
	MaxLength     int      `key:"max_length" help:"longest row in tokens; longer rows are cut or dropped, and counted"`
	AssistantOnly bool     `key:"assistant_only_loss" help:"train on the assistant's answers only; false: on whole rows"`
	LessonRows    int      `key:"lesson_rows" help:"rows of the embedded lessons to train on"`
	LessonHeldOut int      `key:"lesson_held_out" help:"held-out rows of the embedded lessons"`

	BatchSize     int     `key:"per_device_train_batch_size" help:"rows in a micro-batch"`
	Accumulation  int     `key:"gradient_accumulation_steps" help:"micro-batches in a step"`
	Packing       bool    `key:"packing" help:"fill micro-batches with whole rows up to per_device_train_batch_size * max_length tokens"`
	SharePrefix   bool    `key:"share_prefix" help:"compute the untrained prefix that all rows of a micro-batch have in common once"`
	Checkpointing bool    `key:"gradient_checkpointing" help:"keep only each layer's input and compute the rest again in the backward pass: less memory, up to a third more work, the same bits"`
	Sampling      string  `key:"train_sampling_strategy" help:"order of the rows: random, sequential or group_by_length"`
	Epochs        float64 `key:"num_train_epochs" help:"passes over the data"`
	MaxSteps      int     `key:"max_steps" help:"steps in all, in place of num_train_epochs; -1: by epochs"`

	DType string `key:"dtype" help:"format of the weights in matrix products: fp32, or bf16 (arithmetic, master weights, gradients and moments stay fp32)"`

	Optim        string  `key:"optim" help:"adamw, or muon: Muon for the matrices inside the layers and AdamW for the rest"`
	LearningRate float64 `key:"learning_rate" help:"peak learning rate; AdamW's and Muon's updates have one scale"`
	MuonSteps    int     `key:"muon_ns_steps" help:"steps of the iteration that makes Muon's updates orthogonal"`
	Scheduler    string  `key:"lr_scheduler_type" help:"constant, linear or cosine, each after the warm-up"`
	WarmupRatio  float64 `key:"warmup_ratio" help:"share of the steps in which the rate rises from 0"`
	WarmupSteps  int     `key:"warmup_steps" help:"the same in steps; takes precedence"`
	WeightDecay  float64 `key:"weight_decay" help:"decoupled weight decay of matrices; norms and biases have none"`
	Beta1        float64 `key:"adam_beta1" help:"AdamW's decay of the mean"`
	Beta2        float64 `key:"adam_beta2" help:"AdamW's decay of the variance"`
	Epsilon      float64 `key:"adam_epsilon" help:"AdamW's epsilon"`
	MaxGradNorm  float64 `key:"max_grad_norm" help:"clip gradients to this global norm; 0: do not clip"`

	EvalStrategy string `key:"eval_strategy" help:"when to measure the held-out loss: no, steps or epoch"`
	EvalSteps    int    `key:"eval_steps" help:"steps between evaluations; above 0 implies eval_strategy steps"`
	SaveStrategy string `key:"save_strategy" help:"when to save checkpoints: no, steps or epoch"`
	SaveSteps    int    `key:"save_steps" help:"steps between checkpoints; above 0 implies save_strategy steps"`
	SaveLimit    int    `key:"save_total_limit" help:"checkpoints kept; the best one is always kept"`
	LoadBest     bool   `key:"load_best_model_at_end" help:"the run's result is the checkpoint of lowest held-out loss"`
	LoggingSteps int    `key:"logging_steps" help:"steps between progress lines where there is no terminal"`

	Seed      int    `key:"seed" help:"seed of everything random"`
	OutputDir string `key:"output_dir" help:"folder of the run; default runs/NAME"`
	Overwrite bool   `key:"overwrite_output_dir" help:"replace an earlier run in output_dir"`
	Resume    string `key:"resume_from_checkpoint" help:"a checkpoint folder, or 'true' for the latest in output_dir"`
	Threads   int    `key:"threads" help:"worker threads; 0: one a core. Does not change any bit"`
}

// jsonText holds a YAML mapping as JSON, or a path.
type jsonText string

// DefaultRecipe returns the values of keys that are not given.
func DefaultRecipe() Recipe {
	return Recipe{
		VocabSize: 4096, EvalFraction: 0.05, MaxLength: 1024, AssistantOnly: true, LessonRows: 90000, LessonHeldOut: 500,
		DType: kernel.F32.String(), BatchSize: 8, Accumulation: 1, SharePrefix: true, Sampling: "random", Epochs: 3, MaxSteps: -1,
		Optim: "adamw", MuonSteps: 5, LearningRate: 1e-4, Scheduler: "linear", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, MaxGradNorm: 1,
		EvalStrategy: "epoch", SaveStrategy: "epoch", SaveLimit: 2, LoggingSteps: 10, Seed: 42,
	}
}

// aliases maps names that other tools use to ours.
var aliases = map[string]string{
	"max_seq_length": "max_length", "sequence_len": "max_length", "cutoff_len": "max_length", "model_max_length": "max_length",
	"epochs": "num_train_epochs", "num_epochs": "num_train_epochs", "micro_batch_size": "per_device_train_batch_size",
	"batch_size": "per_device_train_batch_size", "lr": "learning_rate", "lr_scheduler": "lr_scheduler_type",
	"model": "model_name_or_path", "base_model": "model_name_or_path", "dataset_name": "dataset", "datasets": "dataset",
	"output": "output_dir", "sample_packing": "packing", "val_set_size": "eval_fraction", "gradient_clipping": "max_grad_norm",
	"evaluation_strategy": "eval_strategy", "resume": "resume_from_checkpoint", "optimizer": "optim",
}

// Key describes one key of a recipe.
type Key struct {
	Name, Help string
	Default    string // as text
	Kind       string // string, list, int, float, bool
}

// Keys lists every key, in the order of the struct.
func Keys() []Key {
	d := DefaultRecipe()
	v := reflect.ValueOf(d)
	var keys []Key
	for i := range v.NumField() {
		f := v.Type().Field(i)
		keys = append(keys, Key{f.Tag.Get("key"), f.Tag.Get("help"), text(v.Field(i)), kindOf(f.Type)})
	}
	return keys
}

func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "list"
	case reflect.Int:
		return "int"
	case reflect.Float64:
		return "float"
	case reflect.Bool:
		return "bool"
	}
	return "string"
}

func text(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice:
		return strings.Join(v.Interface().([]string), ",")
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}

// field finds a key's field; the name may be an alias and may have - for _.
func (r *Recipe) field(name string) (reflect.Value, string, bool) {
	name = strings.ReplaceAll(name, "-", "_")
	if a, ok := aliases[name]; ok {
		name = a
	}
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("key") == name {
			return v.Field(i), name, true
		}
	}
	return reflect.Value{}, name, false
}

// Set sets one key from text; lists are separated by commas.
func (r *Recipe) Set(name, value string) error {
	f, name, ok := r.field(name)
	if !ok {
		return mistake("unknown recipe key %q; did you mean %q?", name, NearestKey(name))
	}
	return setField(f, name, []string{value}, true)
}

func setField(f reflect.Value, name string, values []string, split bool) error {
	if f.Kind() == reflect.Slice {
		if split {
			values = strings.Split(values[0], ",")
		}
		list := []string{}
		for _, v := range values {
			if v = strings.TrimSpace(v); v != "" {
				list = append(list, v)
			}
		}
		f.Set(reflect.ValueOf(list))
		return nil
	}
	if len(values) != 1 {
		return mistake("%s takes one value, not a list", name)
	}
	s := values[0]
	switch f.Kind() {
	case reflect.String:
		f.SetString(s)
	case reflect.Int:
		n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
		if err != nil {
			return mistake("%s is %q; expected a whole number", name, s)
		}
		f.SetInt(n)
	case reflect.Float64:
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return mistake("%s is %q; expected a number", name, s)
		}
		f.SetFloat(x)
	case reflect.Bool:
		switch strings.ToLower(s) {
		case "true", "yes", "on", "1":
			f.SetBool(true)
		case "false", "no", "off", "0":
			f.SetBool(false)
		default:
			return mistake("%s is %q; expected true or false", name, s)
		}
	}
	return nil
}

// Validate checks every value that can be checked without reading files, and fills defaults that follow from others.
func (r *Recipe) Validate() error {
	if r.EvalSteps > 0 {
		r.EvalStrategy = "steps"
	}
	if r.SaveSteps > 0 {
		r.SaveStrategy = "steps"
	}
	if r.OutputDir == "" {
		r.OutputDir = filepath.Join("runs", r.Name())
	}
	if strings.HasPrefix(r.Optim, "adamw_torch") { // transformers' names of the same
		r.Optim = "adamw"
	}
	oneOf := func(key, v string, known ...string) error {
		if !slices.Contains(known, v) {
			return mistake("%s is %q; known: %s", key, v, strings.Join(known, ", "))
		}
		return nil
	}
	for _, err := range []error{
		oneOf("dtype", r.DType, kernel.F32.String(), kernel.BF16.String()),
		oneOf("optim", r.Optim, "adamw", "muon"),
		oneOf("lr_scheduler_type", r.Scheduler, "constant", "constant_with_warmup", "linear", "cosine"),
		oneOf("train_sampling_strategy", r.Sampling, "random", "sequential", "group_by_length"),
		oneOf("eval_strategy", r.EvalStrategy, "no", "steps", "epoch"),
		oneOf("save_strategy", r.SaveStrategy, "no", "steps", "epoch"),
	} {
		if err != nil {
			return err
		}
	}
	for _, c := range []struct {
		ok   bool
		text string
	}{
		{len(r.Dataset) > 0, "dataset is not set; name a file, or 'lessons' for the embedded default"},
		{(r.ModelNameOrPath == "") != (r.ModelConfig == ""), "set either model_name_or_path (tune a model) or model_config (make one)"},
		{r.ModelConfig == "" || r.TokenizerName != "", "a model made from scratch needs tokenizer_name: a path, 'bytes' or 'bpe'"},
		{r.MaxLength >= 2, fmt.Sprintf("max_length is %d; it must be at least 2", r.MaxLength)},
		{r.BatchSize >= 1, fmt.Sprintf("per_device_train_batch_size is %d; it must be at least 1", r.BatchSize)},
		{r.Accumulation >= 1, fmt.Sprintf("gradient_accumulation_steps is %d; it must be at least 1", r.Accumulation)},
		{r.Epochs > 0 || r.MaxSteps > 0, fmt.Sprintf("num_train_epochs is %g; it must be above 0", r.Epochs)},
		{r.MaxSteps == -1 || r.MaxSteps > 0, fmt.Sprintf("max_steps is %d; it must be above 0, or -1", r.MaxSteps)},
		{r.LearningRate >= 0 && r.LearningRate < 10, fmt.Sprintf("learning_rate is %g; expected something like 1e-4", r.LearningRate)},
		{r.EvalFraction >= 0 && r.EvalFraction < 1, fmt.Sprintf("eval_fraction is %g; it must be at least 0 and below 1", r.EvalFraction)},
		{r.WarmupRatio >= 0 && r.WarmupRatio <= 1, fmt.Sprintf("warmup_ratio is %g; it must be between 0 and 1", r.WarmupRatio)},
		{r.WarmupSteps >= 0, fmt.Sprintf("warmup_steps is %d; it must be 0 or more", r.WarmupSteps)},
		{r.Beta1 >= 0 && r.Beta1 < 1 && r.Beta2 >= 0 && r.Beta2 < 1, "adam_beta1 and adam_beta2 must be at least 0 and below 1"},
		{r.MuonSteps >= 1 && r.MuonSteps <= 20, fmt.Sprintf("muon_ns_steps is %d; it must be 1 to 20", r.MuonSteps)},
		{r.Epsilon > 0, "adam_epsilon must be above 0"},
		{r.WeightDecay >= 0 && r.MaxGradNorm >= 0, "weight_decay and max_grad_norm must not be negative"},
		{r.EvalStrategy != "steps" || r.EvalSteps > 0, "eval_strategy steps needs eval_steps"},
		{r.SaveStrategy != "steps" || r.SaveSteps > 0, "save_strategy steps needs save_steps"},
		{r.SaveLimit >= 1, fmt.Sprintf("save_total_limit is %d; it must be at least 1", r.SaveLimit)},
		{r.LoggingSteps >= 1, fmt.Sprintf("logging_steps is %d; it must be at least 1", r.LoggingSteps)},
		{r.Seed >= 0, fmt.Sprintf("seed is %d; it must be 0 or more", r.Seed)},
		{r.Threads >= 0, fmt.Sprintf("threads is %d; it must be 0 (one a core) or more", r.Threads)},
	} {
		if !c.ok {
			return mistake("%s", c.text)
		}
	}
	return nil
}

// Name gives a run without output_dir its folder.
func (r *Recipe) Name() string {
	if r.ModelNameOrPath == "" {
		if slices.Equal(r.Dataset, []string{"lessons"}) {
			return "lessons"
		}
		return "scratch"
	}
	base := filepath.Base(filepath.Clean(r.ModelNameOrPath))
	return strings.TrimSuffix(base, ".gguf")
}

// NearestKey returns the key that other tools call name, or else the known key of least edit distance.
func NearestKey(name string) string {
	name = strings.ReplaceAll(name, "-", "_")
	if a, ok := aliases[name]; ok {
		return a
	}
	best, dist := "", 1<<30
	for _, k := range Keys() {
		if d := EditDistance(name, k.Name); d < dist {
			best, dist = k.Name, d
		}
	}
	return best
}

// EditDistance is Levenshtein's, in bytes.
func EditDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
