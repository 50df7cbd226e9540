package recipe

import (
	"math"
	"reflect"
	"slices"
	"strings"

	"instruct/model/kernel"
	"instruct/train/preference"
	"instruct/train/schedule"
)

// AutoDType is the dtype that a run replaces, before it begins, with that which is faster on the CPU at hand.
const AutoDType = "auto"

// Choices are the values of a key that has a closed set of them, or nil.
func Choices(key string) []string {
	switch key {
	case "dtype":
		return append([]string{AutoDType}, kernel.DTypes()...)
	case "explain_dtype":
		return []string{kernel.F32.String(), kernel.BF16.String()}
	case "loss_type":
		return append([]string{NLL}, preference.Names()...)
	case "adapter":
		return []string{"", "none", "lora"}
	case "optim":
		return []string{"adamw", "muon"}
	case "lr_scheduler_type":
		return schedule.Kinds()
	case "train_sampling_strategy":
		return []string{"random", "sequential", "group_by_length"}
	case "report_to":
		return []string{"none", "tensorboard"}
	case "eval_strategy", "save_strategy":
		return []string{"no", "steps", "epoch"}
	}
	return nil
}

// Validate checks every value that can be checked without reading files, and tells all that is wrong at once. A recipe
// is [Recipe.Resolved] first.
func (r *Recipe) Validate() error {
	if r.Stages != "" { // it is the stages that are run
		_, err := r.StageList()
		return err
	}
	wrong := r.bounds()
	if wrong != nil {
		return together("the recipe has", wrong)
	}
	for f, v := range reflect.ValueOf(r).Elem().Fields() {
		key := f.Tag.Get("key")
		given := []string{v.String()}
		if list, ok := v.Interface().([]string); ok {
			given = list
		}
		for _, value := range given {
			if known := Choices(key); known != nil && !slices.Contains(known, value) {
				wrong = append(wrong, mistake("%s is %q; known: %s", key, value, strings.Join(known, ", ")))
			}
		}
	}
	if _, err := r.Schedule(1); err != nil && slices.Contains(schedule.Kinds(), r.Scheduler) {
		wrong = append(wrong, mistake("%w", err))
	}
	if _, err := r.MixtureWeights(); err != nil {
		wrong = append(wrong, err)
	}
	for _, c := range slices.Concat(r.checks(), r.adapterChecks(), r.preferenceChecks(), r.lossChecks()) {
		switch {
		case c.ok:
		case c.key != "":
			wrong = append(wrong, mistake("%s is %v; %s", c.key, c.value, c.text))
		default:
			wrong = append(wrong, mistake("%s", c.text))
		}
	}
	return together("the recipe has", wrong)
}

// Schedule is the learning rate over a run of total steps.
func (r *Recipe) Schedule(total int) (schedule.Schedule, error) {
	warmup := r.WarmupSteps
	if warmup == 0 {
		warmup = int(math.Ceil(r.WarmupRatio * float64(total)))
	}
	return schedule.New(r.Scheduler, r.LearningRate, warmup, total, r.SchedulerSet)
}

// check is what must hold of a value, or of several where there is no key.
type check struct {
	ok    bool
	key   string
	value any
	text  string // what to do where it does not hold
}

// measures tells whether a held-out loss is measured.
func (r *Recipe) measures() bool {
	held := r.EvalFraction > 0 || len(r.EvalDataset) > 0 || slices.Contains(r.Dataset, "lessons")
	return held && r.EvalStrategy != "no"
}

func (r *Recipe) checks() []check {
	tuned := r.ModelNameOrPath != ""
	scratch := r.ModelConfig != ""
	decay := func(beta float64) bool { return beta >= 0 && beta < 1 }
	return []check{
		{len(r.Dataset) > 0, "", nil, "dataset is not set; name a file, or 'lessons' for the embedded default"},
		{scratch != tuned, "", nil, "set either model_name_or_path (tune a model) or model_config (make one)"},
		{tuned || !scratch || r.TokenizerName != "", "", nil,
			"a model made from scratch needs tokenizer_name: a path, 'bytes' or 'bpe'"},
		{r.MaxLength >= 2, "max_length", r.MaxLength, "it must be at least 2"},
		{r.BatchSize >= 1, "per_device_train_batch_size", r.BatchSize, "it must be at least 1"},
		{r.Accumulation >= 1, "gradient_accumulation_steps", r.Accumulation, "it must be at least 1"},
		{r.Epochs > 0 || r.MaxSteps > 0, "num_train_epochs", r.Epochs, "it must be above 0"},
		{r.MaxSteps == -1 || r.MaxSteps > 0, "max_steps", r.MaxSteps, "it must be above 0, or -1"},
		{r.LearningRate >= 0 && r.LearningRate < 10, "learning_rate", r.LearningRate, "expected something like 1e-4"},
		{r.EvalFraction >= 0 && r.EvalFraction < 1, "eval_fraction", r.EvalFraction,
			"a share of the rows, below 1 (100 of 2000 are 0.05)"},
		{r.MaxSamples >= 0, "max_samples", r.MaxSamples, "it must be 0 (all rows) or more"},
		{!r.LoadBest || r.measures(), "", nil, "load_best_model_at_end needs a held-out loss: set eval_strategy " +
			"(epoch or steps), and eval_fraction or eval_dataset"},
		{r.StopPatience >= 0, "early_stopping_patience", r.StopPatience, "it must be 0 (never stop early) or more"},
		{r.StopThreshold >= 0, "early_stopping_threshold", r.StopThreshold, "it must be 0 or more"},
		{r.StopPatience == 0 || r.measures(), "", nil, "early_stopping_patience needs a held-out loss: set eval_strategy " +
			"(epoch or steps), and eval_fraction or eval_dataset"},
		{r.WarmupRatio >= 0 && r.WarmupRatio <= 1, "warmup_ratio", r.WarmupRatio, "it must be between 0 and 1"},
		{r.WarmupSteps >= 0, "warmup_steps", r.WarmupSteps, "it must be 0 or more"},
		{decay(r.Beta1) && decay(r.Beta2), "", nil, "adam_beta1 and adam_beta2 must be at least 0 and below 1"},
		{r.MuonSteps >= 1 && r.MuonSteps <= 20, "muon_ns_steps", r.MuonSteps, "it must be 1 to 20"},
		{r.Epsilon > 0, "", nil, "adam_epsilon must be above 0"},
		{r.WeightDecay >= 0 && r.MaxGradNorm >= 0, "", nil, "weight_decay and max_grad_norm must not be negative"},
		{r.EMADecay >= 0 && r.EMADecay < 1, "ema_decay", r.EMADecay, "it must be 0 (no average) or more, and below 1"},
		{r.EvalStrategy != "steps" || r.EvalSteps > 0, "", nil, "eval_strategy steps needs eval_steps"},
		{r.SaveStrategy != "steps" || r.SaveSteps > 0, "", nil, "save_strategy steps needs save_steps"},
		{r.SaveLimit >= 1, "save_total_limit", r.SaveLimit, "it must be at least 1"},
		{r.Explain || r.ExplainDType == kernel.F32.String(), "", nil,
			"explain_dtype says how weights are kept for instruct explain: set explain: true"},
		{r.LoggingSteps >= 1, "logging_steps", r.LoggingSteps, "it must be at least 1"},
		{r.DataSeed >= 0, "data_seed", r.DataSeed, "it must be 0 or more"},
		{r.Seed >= 0, "seed", r.Seed, "it must be 0 or more"},
		{r.Threads >= 0, "threads", r.Threads, "it must be 0 (one a core) or more"},
	}
}
