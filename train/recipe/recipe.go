// Package recipe is everything that decides a run: its keys, how they are read, checked and written.
package recipe

import (
	_ "embed"
	"path/filepath"
	"slices"
	"strings"

	"instruct/data/lessons"
	"instruct/model/kernel"
)

// Recipe is everything that decides a run. Keys are Hugging Face's where they have one. A recipe is read from a YAML
// file and from flags of the same names; the resolved recipe is saved beside the result.
type Recipe struct {
	ModelNameOrPath string   `key:"model_name_or_path" help:"model to tune: an HF, run or checkpoint folder, or a .gguf"`
	ModelConfig     jsonText `key:"model_config" help:"make a model from scratch: config.json's keys, or a path to them"`
	TokenizerName   string   `key:"tokenizer_name" help:"a new model's tokenizer: a path, 'bytes' or 'bpe' (of the data)"`
	VocabSize       int      `key:"tokenizer_vocab_size" help:"vocabulary of a tokenizer trained with tokenizer_name: bpe"`
	ChatTemplate    string   `key:"chat_template" help:"a built-in template's name or a Jinja file, not the model's own"`

	Dataset        []string `key:"dataset" help:"data files (.jsonl .json .csv .tsv .parquet .xlsx .txt), or 'lessons'"`
	DatasetWeights []string `key:"dataset_weights" help:"mix the data sets: each one's share of the rows of an epoch"`

	Format        string   `key:"format" help:"format of the rows; found from the keys of each where empty"`
	EvalDataset   []string `key:"eval_dataset" help:"held-out files"`
	EvalFraction  float64  `key:"eval_fraction" help:"share of the rows to hold out where there is no eval_dataset"`
	Columns       pairs    `key:"columns" help:"columns that are read as keys of the format: prompt=Customer,..."`
	SkipBadRows   bool     `key:"skip_bad_rows" help:"leave out the rows that cannot be read, and say how many"`
	MaxSamples    int      `key:"max_samples" help:"at most this many rows of each file, the first ones; 0: all"`
	DropRows      []string `key:"drop_rows" help:"rows (path:line, or @FILE) that keep their slots, and are not trained"`
	MaxLength     int      `key:"max_length" help:"longest row in tokens; longer rows are cut or dropped, and counted"`
	AssistantOnly bool     `key:"assistant_only_loss" help:"train on the assistant's answers only; false: on whole rows"`
	AllowUnended  bool     `key:"allow_unended" help:"train though most conversations do not end with a stop token"`
	LessonRows    int      `key:"lesson_rows" help:"rows of the embedded lessons to train on"`
	LessonHeldOut int      `key:"lesson_held_out" help:"held-out rows of the embedded lessons"`

	LossType    string  `key:"loss_type" help:"nll: the answers' cross-entropy; or sigmoid (DPO), ipo, orpo, simpo, kto"`
	Beta        float64 `key:"beta" help:"of preferences: how much the distance to the reference model counts"`
	Smoothing   float64 `key:"label_smoothing" help:"sigmoid, simpo: how often a pair's answers are the wrong way round"`
	RPOAlpha    float64 `key:"rpo_alpha" help:"of pairs: weight of the better answers' cross-entropy beside the loss"`
	SimPOGamma  float64 `key:"simpo_gamma" help:"simpo: by how much the better answer's reward is to be greater"`
	Desirable   float64 `key:"desirable_weight" help:"kto: weight of answers that are labelled true"`
	Undesirable float64 `key:"undesirable_weight" help:"kto: weight of answers that are labelled false"`

	SmoothingFactor float64 `key:"label_smoothing_factor" help:"share of each target's probability spread over all tokens"`
	NEFTune         float64 `key:"neftune_noise_alpha" help:"NEFTune: noise on the embeddings in training; 5 is usual"`
	ZLoss           float64 `key:"z_loss" help:"weight of the squared logarithm of the softmax's sum; PaLM and OLMo: 1e-4"`

	BatchSize     int     `key:"per_device_train_batch_size" help:"rows in a micro-batch"`
	Accumulation  int     `key:"gradient_accumulation_steps" help:"micro-batches in a step"`
	Packing       bool    `key:"packing" help:"fill micro-batches with whole rows, up to batch size * max_length tokens"`
	SharePrefix   bool    `key:"share_prefix" help:"compute the untrained prefix that a micro-batch's rows share once"`
	Checkpointing bool    `key:"gradient_checkpointing" help:"compute layers twice: less memory, more work, the same bits"`
	Sampling      string  `key:"train_sampling_strategy" help:"order of the rows: random, sequential or group_by_length"`
	Epochs        float64 `key:"num_train_epochs" help:"passes over the data"`
	MaxSteps      int     `key:"max_steps" help:"steps in all, in place of num_train_epochs; -1: by epochs"`

	DType string `key:"dtype" help:"products in fp32, bf16, or auto: the faster; of frozen weights also q8_0, q4_0"`

	Adapter     string   `key:"adapter" help:"lora: train small matrices beside frozen ones; lora_r implies it; or none"`
	LoRAR       int      `key:"lora_r" help:"rank of the adapter; 0: 16 where there is one"`
	LoRAAlpha   float64  `key:"lora_alpha" help:"the adapter's scale is lora_alpha/lora_r; 0: twice lora_r"`
	LoRADropout float64  `key:"lora_dropout" help:"share of the adapter's inputs that a step drops"`
	LoRATargets []string `key:"lora_target_modules" help:"modules with an adapter, as q_proj,v_proj, or all-linear"`
	RSLoRA      bool     `key:"use_rslora" help:"the adapter's scale is lora_alpha/sqrt(lora_r)"`
	DoRA        bool     `key:"use_dora" help:"DoRA: each output of an adapted matrix has a magnitude that is trained"`
	LoRASave    []string `key:"modules_to_save" help:"modules trained whole beside the adapter, as lm_head"`

	UnfreezeLayers int      `key:"unfreeze_layers" help:"train the last N layers and freeze all else; 0: train all"`
	Unfrozen       []string `key:"unfrozen_parameters" help:"train the parameters whose names match one of these patterns"`

	Optim        string  `key:"optim" help:"adamw, or muon: Muon for the matrices inside layers, AdamW for the rest"`
	LearningRate float64 `key:"learning_rate" help:"peak learning rate; AdamW's and Muon's updates have one scale"`
	MuonSteps    int     `key:"muon_ns_steps" help:"steps of the iteration that makes Muon's updates orthogonal"`
	Scheduler    string  `key:"lr_scheduler_type" help:"linear, cosine, ...: how the rate goes on after the warm-up"`
	SchedulerSet pairs   `key:"lr_scheduler_kwargs" help:"options of the schedule: min_lr_rate=0.1 of cosine_with_min_lr"`
	WarmupRatio  float64 `key:"warmup_ratio" help:"share of the steps in which the rate rises from 0"`
	WarmupSteps  int     `key:"warmup_steps" help:"the same in steps; takes precedence"`
	WeightDecay  float64 `key:"weight_decay" help:"decoupled weight decay of matrices; norms and biases have none"`
	Beta1        float64 `key:"adam_beta1" help:"AdamW's decay of the mean"`
	Beta2        float64 `key:"adam_beta2" help:"AdamW's decay of the variance"`
	Epsilon      float64 `key:"adam_epsilon" help:"AdamW's epsilon"`
	MaxGradNorm  float64 `key:"max_grad_norm" help:"clip gradients to this global norm; 0: do not clip"`
	EMADecay     float64 `key:"ema_decay" help:"measure and save the moving average of the weights; 0.999 is usual"`

	EvalStrategy string `key:"eval_strategy" help:"when to measure the held-out loss: no, steps or epoch"`
	EvalSteps    int    `key:"eval_steps" help:"steps between evaluations; above 0 implies eval_strategy steps"`
	SaveStrategy string `key:"save_strategy" help:"when to save checkpoints: no, steps or epoch"`
	SaveSteps    int    `key:"save_steps" help:"steps between checkpoints; above 0 implies save_strategy steps"`
	SaveLimit    int    `key:"save_total_limit" help:"checkpoints kept; the best one is always kept"`
	Explain      bool   `key:"explain" help:"keep the weights of up to 7 steps on the way, for instruct explain"`
	ExplainDType string `key:"explain_dtype" help:"of a whole model: keep them in fp32, or rounded in bf16, half the room"`
	LoadBest     bool   `key:"load_best_model_at_end" help:"the run's result is the checkpoint of lowest held-out loss"`

	StopPatience  int     `key:"early_stopping_patience" help:"stop after so many evaluations in vain; 0: never"`
	StopThreshold float64 `key:"early_stopping_threshold" help:"how much better a loss must be to count"`

	LoggingSteps int      `key:"logging_steps" help:"steps between progress lines where there is no terminal"`
	ReportTo     []string `key:"report_to" help:"tensorboard: write event files for it beside metrics.jsonl; or none"`

	Stages jsonText `key:"stages" help:"runs one after the other, each a list of keys that differ from the recipe's"`

	DataSeed  int    `key:"data_seed" help:"seed of which rows eval_fraction holds out; no other key moves them"`
	Seed      int    `key:"seed" help:"seed of everything random"`
	OutputDir string `key:"output_dir" help:"folder of the run; default runs/NAME"`
	Overwrite bool   `key:"overwrite_output_dir" help:"replace an earlier run in output_dir"`
	Resume    string `key:"resume_from_checkpoint" help:"a checkpoint; true: the latest of output_dir; auto: if any"`
	Threads   int    `key:"threads" help:"worker threads; 0: one a core. Does not change any bit"`
}

// pairs are names with a value each, as text.
type pairs map[string]string

// jsonText holds a YAML mapping, or a list of them, as JSON, or a path.
type jsonText string

// Default returns the values of keys that are not given.
func Default() Recipe {
	own := lessons.Default()
	return Recipe{
		VocabSize: 4096, EvalFraction: 0.05, MaxLength: 1024, AssistantOnly: true, LessonRows: own.Rows,
		LessonHeldOut: own.HeldOut, LossType: NLL, Beta: 0.1, SimPOGamma: 0.5, Desirable: 1, Undesirable: 1,
		BatchSize: 8, Accumulation: 1, SharePrefix: true, Sampling: "random", Epochs: 3,
		MaxSteps: -1, DType: kernel.F32.String(), Optim: "adamw", LearningRate: 1e-4, MuonSteps: 5, Scheduler: "linear",
		Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, MaxGradNorm: 1, EvalStrategy: "epoch", SaveStrategy: "epoch", SaveLimit: 2,
		ExplainDType: kernel.F32.String(), LoggingSteps: 10, DataSeed: 42, Seed: 42,
	}
}

// defaultRecipe is what `instruct train` runs without an argument.
//
//go:embed default.yaml
var defaultRecipe []byte

// Embedded returns the embedded recipe: a small model made from scratch and tuned on the embedded lessons.
func Embedded() (Recipe, error) {
	r := Default()
	_, err := r.ParseYAML("(embedded)", defaultRecipe)
	return r, err
}

// Resolved is the recipe with the values that follow from others: what a run is made of and saves.
func (r Recipe) Resolved() Recipe {
	if r.EvalSteps > 0 {
		r.EvalStrategy = "steps"
	}
	if r.SaveSteps > 0 {
		r.SaveStrategy = "steps"
	}
	if r.OutputDir == "" {
		r.OutputDir = filepath.Join("runs", r.Name())
	}
	r.resolveAdapter()
	if strings.HasPrefix(r.Optim, "adamw_torch") { // transformers' names of the same
		r.Optim = "adamw"
	}
	return r
}

// GoesOn tells whether a run of several stages is to go on where it was stopped; auto: if it was.
func (r *Recipe) GoesOn() (auto, goOn bool, err error) {
	switch strings.ToLower(r.Resume) {
	case "", "false", "no":
		return false, false, nil
	case "auto":
		return true, true, nil
	case "true", "yes", "latest":
		return false, true, nil
	}
	return false, false, mistake("resume_from_checkpoint is %q; a recipe with stages goes on with true or auto", r.Resume)
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
