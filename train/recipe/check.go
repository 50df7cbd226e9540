package recipe

import (
	"slices"
	"strings"

	"instruct/model/kernel"
)

// Validate checks every value that can be checked without reading files. A recipe is [Recipe.Resolved] first.
func (r *Recipe) Validate() error {
	strategies := []string{"no", "steps", "epoch"}
	for _, c := range []struct {
		key, value string
		known      []string
	}{
		{"dtype", r.DType, []string{kernel.F32.String(), kernel.BF16.String()}},
		{"optim", r.Optim, []string{"adamw", "muon"}},
		{"lr_scheduler_type", r.Scheduler, []string{"constant", "constant_with_warmup", "linear", "cosine"}},
		{"train_sampling_strategy", r.Sampling, []string{"random", "sequential", "group_by_length"}},
		{"eval_strategy", r.EvalStrategy, strategies},
		{"save_strategy", r.SaveStrategy, strategies},
	} {
		if !slices.Contains(c.known, c.value) {
			return mistake("%s is %q; known: %s", c.key, c.value, strings.Join(c.known, ", "))
		}
	}
	for _, c := range r.checks() {
		if !c.ok && c.key != "" {
			return mistake("%s is %v; %s", c.key, c.value, c.text)
		}
		if !c.ok {
			return mistake("%s", c.text)
		}
	}
	return nil
}

// check is what must hold of a value, or of several where there is no key.
type check struct {
	ok    bool
	key   string
	value any
	text  string // what to do where it does not hold
}

func (r *Recipe) checks() []check {
	tuned := r.ModelNameOrPath != ""
	scratch := r.ModelConfig != ""
	decay := func(beta float64) bool { return beta >= 0 && beta < 1 }
	return []check{
		{len(r.Dataset) > 0, "", nil, "dataset is not set; name a file, or 'lessons' for the embedded default"},
		{scratch != tuned, "", nil, "set either model_name_or_path (tune a model) or model_config (make one)"},
		{tuned || r.TokenizerName != "", "", nil, "a model made from scratch needs tokenizer_name: a path, 'bytes' or 'bpe'"},
		{r.MaxLength >= 2, "max_length", r.MaxLength, "it must be at least 2"},
		{r.BatchSize >= 1, "per_device_train_batch_size", r.BatchSize, "it must be at least 1"},
		{r.Accumulation >= 1, "gradient_accumulation_steps", r.Accumulation, "it must be at least 1"},
		{r.Epochs > 0 || r.MaxSteps > 0, "num_train_epochs", r.Epochs, "it must be above 0"},
		{r.MaxSteps == -1 || r.MaxSteps > 0, "max_steps", r.MaxSteps, "it must be above 0, or -1"},
		{r.LearningRate >= 0 && r.LearningRate < 10, "learning_rate", r.LearningRate, "expected something like 1e-4"},
		{r.EvalFraction >= 0 && r.EvalFraction < 1, "eval_fraction", r.EvalFraction, "it must be at least 0 and below 1"},
		{r.WarmupRatio >= 0 && r.WarmupRatio <= 1, "warmup_ratio", r.WarmupRatio, "it must be between 0 and 1"},
		{r.WarmupSteps >= 0, "warmup_steps", r.WarmupSteps, "it must be 0 or more"},
		{decay(r.Beta1) && decay(r.Beta2), "", nil, "adam_beta1 and adam_beta2 must be at least 0 and below 1"},
		{r.MuonSteps >= 1 && r.MuonSteps <= 20, "muon_ns_steps", r.MuonSteps, "it must be 1 to 20"},
		{r.Epsilon > 0, "", nil, "adam_epsilon must be above 0"},
		{r.WeightDecay >= 0 && r.MaxGradNorm >= 0, "", nil, "weight_decay and max_grad_norm must not be negative"},
		{r.EvalStrategy != "steps" || r.EvalSteps > 0, "", nil, "eval_strategy steps needs eval_steps"},
		{r.SaveStrategy != "steps" || r.SaveSteps > 0, "", nil, "save_strategy steps needs save_steps"},
		{r.SaveLimit >= 1, "save_total_limit", r.SaveLimit, "it must be at least 1"},
		{r.LoggingSteps >= 1, "logging_steps", r.LoggingSteps, "it must be at least 1"},
		{r.DataSeed >= 0, "data_seed", r.DataSeed, "it must be 0 or more"},
		{r.Seed >= 0, "seed", r.Seed, "it must be 0 or more"},
		{r.Threads >= 0, "threads", r.Threads, "it must be 0 (one a core) or more"},
	}
}
