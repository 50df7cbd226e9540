package recipe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// example reads a recipe of another program.
func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAxolotlRecipe(t *testing.T) {
	r := Default()
	notes, err := r.ParseYAML("axolotl.yml", []byte(example(t, "axolotl.yml")))
	if err != nil {
		t.Fatal(err)
	}
	want := set(t, Default(), "model_name_or_path", "models/small", "dataset", "rows.jsonl,more.jsonl,talks.jsonl",
		"eval_fraction", "0.05", "output_dir", "./outputs/out", "max_length", "512", "packing", "true",
		"gradient_accumulation_steps", "8", "per_device_train_batch_size", "1", "num_train_epochs", "1",
		"lr_scheduler_type", "cosine", "learning_rate", "2e-5", "gradient_checkpointing", "true", "logging_steps", "1",
		"warmup_ratio", "0.1")
	if key, now, before := r.Changed(&want, nil); key != "" {
		t.Errorf("%s is %s, want %s", key, now, before)
	}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	all := strings.Join(notes, "\n")
	for _, note := range []string{"axolotl.yml:2: base_model is read as model_name_or_path",
		"axolotl.yml:24: optimizer: paged_adamw_8bit is read as optim: adamw; its moments are float32",
		"bf16: auto asks for nothing", "evals_per_epoch: 2 is read as eval_strategy: epoch; eval_steps: N",
		"wandb_name is not used", "attn_implementation is not used"} {
		if !strings.Contains(all, note) {
			t.Errorf("no note %q in\n%s", note, all)
		}
	}
	for _, silent := range []string{"wandb_project", "load_in", "adapter", "fp16", "tf32", "resume", "pad_token"} {
		if strings.Contains(all, silent) {
			t.Errorf("a note on %s, which asks for nothing:\n%s", silent, all)
		}
	}
}

func TestLlamaFactoryRecipe(t *testing.T) {
	dir := t.TempDir()
	list := `{"identity": {"file_name": "identity.json"}, "alpaca_en_demo": {"file_name": "demo.json",
		"columns": {"prompt": "instruction", "query": "input", "response": "output"}},
		"hub": {"hf_hub_url": "some/where"}, "other": {"file_name": "o.json", "columns": {"prompt": "ask"}}}`
	if err := os.WriteFile(filepath.Join(dir, listFile), []byte(list), 0o644); err != nil {
		t.Fatal(err)
	}
	r := Default()
	text := strings.Replace(example(t, "llama_factory.yml"), "DIR", dir, 1)
	if _, err := r.ParseYAML("lf.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	want := set(t, Default(), "model_name_or_path", "models/small", "dataset",
		filepath.Join(dir, "identity.json")+","+filepath.Join(dir, "demo.json"), "max_length", "2048",
		"max_samples", "1000", "output_dir", "saves/full/sft", "save_steps", "500", "overwrite_output_dir", "true",
		"per_device_train_batch_size", "1", "gradient_accumulation_steps", "2", "learning_rate", "1e-5",
		"lr_scheduler_type", "cosine", "warmup_ratio", "0.1", "dtype", "bf16")
	if key, now, before := r.Changed(&want, nil); key != "" {
		t.Errorf("%s is %s, want %s", key, now, before)
	}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	_, err := r.ParseYAML("lf.yaml", []byte(strings.Replace(text, "identity,", "hub,other,", 1)))
	for _, want := range []string{"2 mistakes", `hub: it names no file but "some/where"; download it`,
		`other: its prompt is called "ask"; rename it`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestAllMistakesAtOnce has a recipe that asks for much that is not there.
func TestAllMistakesAtOnce(t *testing.T) {
	text := "lerning_rate: 1\nadapter: lora\nlora_r: 16\nload_in_4bit: true\nsync_ref_model: true\n" +
		"use_dft_loss: true\ndynamic_checkpoint: true\nseed: x\nspecial_tokens: {eos_token: </s>}\n" +
		"datasets:\n  - path: a.jsonl\n    type: alpaca\n    split: train[:20%]\n    shards: 4\n"
	r := Default()
	_, err := r.ParseYAML("r.yaml", []byte(text))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"recipe r.yaml has 8 mistakes\n",
		`r.yaml:1: unknown key "lerning_rate"; did you mean "learning_rate"?`,
		`r.yaml:5: sync_ref_model is "true"`, "r.yaml:6: use_dft_loss", "r.yaml:7: dynamic_checkpoint is",
		`r.yaml:8: seed is "x"; expected a whole number`, "r.yaml:9: special_tokens is \"eos_token",
		`r.yaml:13: split of a data set is "train[:20%]"`, "r.yaml:14: shards"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

// TestMixturesOfOthers refuses weights that not every data set has, or that mean nothing.
func TestMixturesOfOthers(t *testing.T) {
	for yaml, want := range map[string]string{
		"dataset:\n  - path: a\n    weight: 1\n  - path: b\n":                       "1 of 2 data sets have a weight",
		"test_datasets:\n  - path: a\n    weight: 1\n":                              "held-out data sets have no weights",
		"datasets:\n  - path: a\n    weight: 1\n    data_files: [x.jsonl, y.jsonl]": "several data_files",
	} {
		r := Default()
		if _, err := r.ParseYAML("r.yaml", []byte(yaml)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", yaml, err, want)
		}
	}
}

// TestOneKeyOfAnother has one key of another program, or one value that other programs take, a line.
func TestOneKeyOfAnother(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	for _, x := range []struct{ yaml, key, value, said string }{
		{"bf16: true", "dtype", "bf16", "bf16: true is read as dtype: bf16"},
		{"bf16: True", "dtype", "bf16", "is read as dtype"},
		{"bf16: false", "dtype", "fp32", ""},
		{"fp16: true", "dtype", "fp32", "fp16 is not used: everything is computed in float32"},
		{"report_to: wandb", "report_to", "", "report_to: wandb asks for nothing; metrics.jsonl"},
		{"report_to: none", "report_to", "", ""},
		{"report_to: [wandb, tensorboard]", "report_to", "tensorboard", "is read as report_to: tensorboard"},
		{"group_by_length: true", "train_sampling_strategy", "group_by_length", "is read as train_sampling_strategy"},
		{"group_by_length: false", "train_sampling_strategy", "random", ""},
		{"deepspeed: ds.json", "seed", "42", "deepspeed is not used: one process trains"},
		{"fsdp_config: {a: {b: [c]}}", "seed", "42", "fsdp_config is not used"},
		{"fsdp: [full_shard, auto_wrap]", "seed", "42", "fsdp is not used"},
		{"push_to_hub: true", "seed", "42", "push_to_hub is not used: nothing is uploaded"},
		{"warmup_steps: 0.1", "warmup_ratio", "0.1", "warmup_steps: 0.1 is read as warmup_ratio: 0.1"},
		{"warmup_steps: 0", "warmup_steps", "0", ""},
		{"warmup_steps: 10.0", "warmup_steps", "10", ""},
		{"batch: 2.0", "per_device_train_batch_size", "2", "batch is read as per_device_train_batch_size"},
		{"max_steps: 1e3", "max_steps", "1000", ""},
		{"eval_strategy: false", "eval_strategy", "no", "eval_strategy: false is read as eval_strategy: no"},
		{"save_strategy: False", "save_strategy", "no", "is read as save_strategy: no"},
		{"evaluation_strategy: steps", "eval_strategy", "steps", "evaluation_strategy is read as eval_strategy"},
		{"eval_strategy: no", "eval_strategy", "no", ""},
		{"eval_strategy:", "eval_strategy", "epoch", ""},
		{"learning_rate: null", "learning_rate", "0.0001", ""},
		{"max_steps: ~", "max_steps", "-1", ""},
		{"optim: None", "optim", "adamw", ""},
		{"torch_dtype: bfloat16", "dtype", "bf16", "is read as dtype: bf16"},
		{"dtype: float32", "dtype", "fp32", "is read as dtype: fp32"},
		{"use_gradient_checkpointing: unsloth", "gradient_checkpointing", "true", "gradient_checkpointing: true"},
		{"train_on_inputs: true", "assistant_only_loss", "false", "assistant_only_loss: false"},
		{"completion_only_loss: false", "assistant_only_loss", "false", "is read as assistant_only_loss"},
		{"random_state: 3407", "seed", "3407", "random_state is read as seed"},
		{"chat_template: tokenizer_default", "chat_template", "", "the model's own template"},
		{"template: llama3", "chat_template", "llama3", "template is read as chat_template"},
		{"model_name_or_path: ~/models/x", "model_name_or_path", "/home/me/models/x", ""},
		{"output_dir: ~x/y", "output_dir", "~x/y", ""},
		{"dataset: data/*.jsonl", "dataset", "data/*.jsonl", ""},
		{"rl: dpo", "loss_type", "sigmoid", "rl: dpo is read as loss_type: sigmoid"},
		{"rl: ipo\nrl_beta: 0.3", "beta", "0.3", "rl_beta is read as beta"},
		{"stage: dpo", "loss_type", "sigmoid", "stage: dpo is read as loss_type: sigmoid"},
		{"stage: dpo\npref_loss: orpo", "loss_type", "orpo", "pref_loss is read as loss_type"},
		{"stage: kto", "loss_type", "kto", "stage is read as loss_type"},
		{"stage: sft", "loss_type", "nll", ""},
		{"loss_type: nll", "loss_type", "nll", ""},
		{"precompute_ref_log_probs: true", "loss_type", "nll", "precompute_ref_log_probs is not used: the reference's"},
		{"finetuning_type: freeze", "unfreeze_layers", "2", "finetuning_type: freeze is read as unfreeze_layers: 2"},
		{"finetuning_type: freeze\nfreeze_trainable_layers: 3\nfreeze_trainable_modules: all", "unfreeze_layers", "3",
			"freeze_trainable_layers is read as unfreeze_layers"},
		{"unfrozen_parameters:\n  - ^lm_head.weight$\n  - model.layers.2[0-9]+", "unfrozen_parameters",
			"^lm_head.weight$,model.layers.2[0-9]+", ""},
		{"dataset:\n  - path: a.jsonl\n    weight: 0.7\n  - path: b.jsonl\n    weight: 3", "dataset_weights", "0.7,3", ""},
		{"datasets:\n  - path: a\n  - path: b", "dataset_weights", "", "datasets is read as dataset"},
		{"interleave_probs: 0.1,0.9", "dataset_weights", "0.1,0.9", "interleave_probs is read as dataset_weights"},
		{"mix_strategy: interleave_over", "dataset_weights", "", "mix_strategy is not used: the files' rows are joined, or"},
		{"use_ema: true", "ema_decay", "0.999", "use_ema: true is read as ema_decay: 0.999"},
		{"use_ema: true\nema_decay: 0.99", "ema_decay", "0.99", ""},
		{"noisy_embedding_alpha: 5", "neftune_noise_alpha", "5", "noisy_embedding_alpha is read as neftune_noise_alpha"},
		{"auxiliary_loss_multiplier: 1e-4", "z_loss", "0.0001", "auxiliary_loss_multiplier is read as z_loss"},
		{"tokenizer_type: AutoTokenizer\nmodel_type: LlamaForCausalLM", "seed", "42",
			"tokenizer_type, model_type are not used"},
	} {
		r := Default()
		notes, err := r.ParseYAML("r.yaml", []byte(x.yaml+"\n"))
		if err != nil {
			t.Errorf("%s: %v", x.yaml, err)
			continue
		}
		f, _, _ := r.field(x.key)
		said := strings.Join(notes, "\n")
		if got := text(f); got != x.value || !strings.Contains(said, x.said) || (x.said == "") != (said == "") {
			t.Errorf("%s: %s is %q, want %q; notes %q, want %q", x.yaml, x.key, got, x.value, said, x.said)
		}
	}
}

// TestNearNames offers a name only where it is near.
func TestNearNames(t *testing.T) {
	for name, want := range map[string]string{"lerning_rate": "learning_rate", "epoch": "num_train_epochs",
		"max-lenght": "max_length", "per_device_batch_size": "per_device_train_batch_size", "sequence_length": "max_length",
		"moon_phase": "", "foo": "", "colour": "", "x": "", "gpu": "", "bf": ""} {
		if got := NearestKey(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestBestWithoutEvaluation refuses a best checkpoint of no held-out loss.
func TestBestWithoutEvaluation(t *testing.T) {
	files := set(t, sound(t), "dataset", "rows.jsonl", "load_best_model_at_end", "true")
	for _, x := range []struct {
		name  string
		pairs []string
		wrong bool
	}{
		{"by default", nil, false},
		{"no strategy", []string{"eval_strategy", "no"}, true},
		{"strategy false", []string{"eval_strategy", "false"}, true},
		{"nothing held out", []string{"eval_fraction", "0"}, true},
		{"a file", []string{"eval_fraction", "0", "eval_dataset", "held.jsonl"}, false},
		{"lessons", []string{"eval_fraction", "0", "dataset", "lessons"}, false},
	} {
		r := set(t, files, x.pairs...).Resolved()
		if err := r.Validate(); (err != nil) != x.wrong {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}

// TestAdaptersOfOthers reads what other programs say of adapters.
func TestAdaptersOfOthers(t *testing.T) {
	read := func(text string) (Recipe, string) {
		t.Helper()
		r := Default()
		notes, err := r.ParseYAML("r.yaml", []byte("dataset: a.jsonl\nmodel_name_or_path: m\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		r = r.Resolved()
		if err := r.Validate(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		return r, strings.Join(notes, "\n")
	}
	for _, test := range []struct {
		text, targets, dtype string
		r                    int
		alpha                float64
	}{
		{"use_peft: true\n", "all-linear", "fp32", 16, 32},
		{"use_peft: true\nlora_r: 8\nlora_alpha: 4\nlora_target_modules: [q_proj, v_proj]\n", "q_proj,v_proj", "fp32", 8, 4},
		{"use_peft: false\nlora_r: 8\nlora_alpha: 16\nlora_dropout: 0.1\n", "", "fp32", 0, 0},
		{"adapter: qlora\nbf16: true\nload_in_4bit: true\nlora_r: 32\nlora_alpha: 16\nlora_target_linear: true\n",
			"all-linear", "q8_0", 32, 16},
		{"load_in_8bit: true\nadapter: lora\ntorch_dtype: bfloat16\n", "all-linear", "q8_0", 16, 32},
		{"finetuning_type: lora\nlora_rank: 8\nlora_target: all\nbf16: true\n", "all-linear", "bf16", 8, 16},
		{"finetuning_type: full\n", "", "fp32", 0, 0},
		{"lora_r: 4\ntask_type: CAUSAL_LM\nbias: none\n", "all-linear", "fp32", 4, 8},
	} {
		r, _ := read(test.text)
		if r.LoRAR != test.r || r.LoRAAlpha != test.alpha || r.DType != test.dtype ||
			strings.Join(r.LoRATargets, ",") != test.targets {
			t.Errorf("%s: r %d, alpha %v, targets %v, dtype %s", test.text, r.LoRAR, r.LoRAAlpha, r.LoRATargets, r.DType)
		}
	}
	_, notes := read("use_peft: true\n")
	if !strings.Contains(notes, "use_peft: true is read as adapter: lora; an adapter") {
		t.Errorf("notes: %s", notes)
	}
	for text, four := range map[string]bool{"load_in_4bit": true, "load_in_8bit": false} {
		_, notes := read("use_peft: true\n" + text + ": true\n")
		if !strings.Contains(notes, "kept in 8 bits") || strings.Contains(notes, "dtype: q4_0 keeps 4") != four {
			t.Errorf("%s: %s", text, notes)
		}
	}
	r := Default()
	if _, err := r.ParseYAML("r", []byte("dataset: a\nmodel_name_or_path: m\nlora_alpha: 16\n")); err != nil {
		t.Fatal(err)
	}
	r = r.Resolved()
	if err := r.Validate(); err == nil || !strings.Contains(err.Error(), "set lora_r (16 is usual)") {
		t.Errorf("alpha without an adapter: %v", err)
	}
}
