package train

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
	"instruct/train/recipe"
)

// beside is a recipe that trains an adapter beside a tiny model, which is made first.
func beside(t *testing.T, pairs ...string) recipe.Recipe {
	t.Helper()
	r := small(t)
	m, err := pretrained.Make(pretrained.Scratch{Config: []byte(r.ModelConfig), ChatTemplate: "lessons", Seed: 3,
		Tokenizer: endingTokenizer(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.ReadWeights(kernel.F32); err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	base := t.TempDir()
	if err := m.Save(base); err != nil {
		t.Fatal(err)
	}
	r = set(t, r, "model_config", "", "tokenizer_name", "", "chat_template", "", "model_name_or_path", base, "lora_r", "3",
		"lora_dropout", "0.2", "learning_rate", "1e-2", "dataset", prefixed(t, 24), "eval_fraction", "0.2")
	return set(t, r, pairs...)
}

// endingTokenizer has a token a byte, and one that ends answers.
func endingTokenizer(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	tok := tokenizer.Bytes(chat.LessonsTokens()...)
	if err := tok.SetSpecial(tokenizer.Special{EOS: chat.LessonsTokens()[0]}); err != nil {
		t.Fatal(err)
	}
	return tok
}

// TestAdapterResume: a run that was stopped and goes on, with another number of threads, ends with the same bits.
func TestAdapterResume(t *testing.T) {
	for _, dtype := range []string{"q8_0", "q4_0"} {
		r := beside(t, "dtype", dtype, "max_steps", "4", "gradient_accumulation_steps", "2",
			"per_device_train_batch_size", "2")
		want := mustRun(t, r)
		r.OutputDir = t.TempDir()
		sameBits(t, mustResume(t, r, 2, "threads", "1", "gradient_checkpointing", "true"), want)
	}
}

// TestAdapterLearns: the loss falls, nothing but the adapter is saved, and what is loaded has the loss that was
// measured.
func TestAdapterLearns(t *testing.T) {
	r := beside(t, "eval_strategy", "epoch", "lora_dropout", "0", "max_steps", "8", "per_device_train_batch_size", "4")
	res := mustRun(t, r)
	_, evaluations := readMetrics(t, r)
	if before := *evaluations[0].EvalLoss; res.EvalLoss >= before {
		t.Errorf("held-out loss %v before, %v after", before, res.EvalLoss)
	}
	if _, err := os.Stat(filepath.Join(r.OutputDir, "model.safetensors")); err == nil {
		t.Error("the whole model was saved")
	}
	if loss := savedLoss(t, r); loss < res.EvalLoss*0.999 || loss > res.EvalLoss*1.001 {
		t.Errorf("the loaded model's held-out loss is %v, that of the run was %v", loss, res.EvalLoss)
	}
}

// TestAdapterMistakes are refused before anything is written.
func TestAdapterMistakes(t *testing.T) {
	r := beside(t, "max_steps", "1")
	mustRun(t, r)
	for _, test := range []struct {
		pairs []string
		want  string
	}{
		{[]string{"lora_r", "0", "lora_dropout", "0", "dtype", "q8_0"}, "dtype is \"q8_0\", which is for frozen weights"},
		{[]string{"lora_target_modules", "q_prj"}, "lora_target_modules: a qwen3 model has no linear module q_prj"},
		{[]string{"use_dora", "true"}, "use_dora goes without lora_dropout"},
		{[]string{"model_name_or_path", r.OutputDir, "lora_r", "5"}, "is an adapter of lora_r 3, lora_alpha 6, and the rec"},
		{[]string{"model_name_or_path", r.OutputDir, "adapter", "none"}, "adapter: none asks for training every weight"},
	} {
		out := filepath.Join(t.TempDir(), "out")
		_, err := Run(t.Context(), set(t, r, append(test.pairs, "output_dir", out)...), silent(nil))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.pairs, err, test.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%v: a folder was made", test.pairs)
		}
	}
}
