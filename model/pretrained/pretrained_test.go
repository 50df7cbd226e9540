package pretrained_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
)

const tinyConfig = `{"model_type":"qwen3","hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,` +
	`"num_key_value_heads":2,"head_dim":8,"intermediate_size":64,"max_position_embeddings":256,` +
	`"tie_word_embeddings":true,"rms_norm_eps":1e-5}`

// tiny makes a model from scratch with a tokenizer of bytes, whose weights are as far apart as those of a trained one.
func tiny(t *testing.T) *pretrained.Model {
	t.Helper()
	tok := tokenizer.Bytes(chat.LessonsTokens()...)
	if err := tok.SetSpecial(tokenizer.Special{EOS: chat.LessonsTokens()[0]}); err != nil {
		t.Fatal(err)
	}
	m, err := pretrained.Make(pretrained.Scratch{Path: "tiny", Config: []byte(tinyConfig), Tokenizer: tok,
		ChatTemplate: "lessons", Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.ReadWeights(kernel.F32); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	for _, x := range m.Tensors() {
		if len(x.Shape) == 2 {
			for i := range x.Data {
				x.Data[i] *= 8
			}
		}
	}
	return m
}

// saved saves a model and returns the folder.
func saved(t *testing.T, m *pretrained.Model) string {
	t.Helper()
	dir := t.TempDir()
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func load(t *testing.T, dir string, d kernel.DType) *pretrained.Model {
	t.Helper()
	m, err := pretrained.Load(dir, pretrained.Options{DType: d})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func newSession(t *testing.T, m *pretrained.Model) *pretrained.Session {
	t.Helper()
	pool := kernel.NewPool(2)
	t.Cleanup(pool.Close)
	s, err := m.NewSession(pool, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestSessionReusesWhatItRead: what a session remembers of earlier prompts changes no id of an answer, whether the next
// prompt goes on from the last one, leaves it in the middle, is the same, or is a shorter one.
func TestSessionReusesWhatItRead(t *testing.T) {
	dir := saved(t, tiny(t))
	prompts := []string{"Count to three.", "Count to four, please.", "Count to four, please. And then",
		"Count to four, please. And then", "Count", "Something else"}
	for _, d := range []kernel.DType{kernel.F32, kernel.BF16, kernel.Q8_0, kernel.Q4_0} {
		m := load(t, dir, d)
		for _, s := range []model.Sampling{{}, {Temperature: 0.8, Seed: 11}} {
			decoding := pretrained.Decoding{MaxNew: 12, Sampling: s}
			session := newSession(t, m)
			answers := map[string]bool{}
			for i, prompt := range prompts {
				question := []chat.Message{{Role: "user", Content: prompt}}
				got, err := session.Answer(t.Context(), question, decoding)
				if err != nil {
					t.Fatal(err)
				}
				want, err := newSession(t, m).Answer(t.Context(), question, decoding)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got.IDs, want.IDs) || got.Finish != want.Finish {
					t.Errorf("%v, temperature %g, prompt %d: %+v, of a fresh session %+v", d, s.Temperature, i, got, want)
				}
				answers[got.Text] = true
			}
			if len(answers) < 3 {
				t.Errorf("%v, temperature %g: %v; answers should depend on the prompt", d, s.Temperature, answers)
			}
		}
	}
}

// TestSaveAndLoad: a saved folder is the same model again, and Files names all that it has.
func TestSaveAndLoad(t *testing.T) {
	m := tiny(t)
	user, ok := m.Tokenizer.ID("<|user|>")
	if !ok {
		t.Fatal("the tokenizer has no <|user|>")
	}
	m.Stop = append(m.Stop, user) // one that only generation_config.json tells of
	dir := saved(t, m)
	again := load(t, dir, kernel.F32)
	if a, b := m.WeightsHash(), again.WeightsHash(); a != b {
		t.Errorf("the weights have the hash %s, and %s once saved and loaded", a, b)
	}
	if !slices.Equal(m.Stop, again.Stop) || len(m.Stop) < 2 {
		t.Errorf("the stop tokens are %v, and %v once saved and loaded", m.Stop, again.Stop)
	}
	if a, b := m.Template.Hash(), again.Template.Hash(); a != b {
		t.Errorf("the template has the hash %s, and %s once saved and loaded", a, b)
	}
	if a, b := m.Tokenizer.Hash(), again.Tokenizer.Hash(); a != b {
		t.Errorf("the tokenizer has the hash %s, and %s once saved and loaded", a, b)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	names = slices.Sorted(slices.Values(append(names, "adapter_config.json", "adapter_model.safetensors"))) // of adapters
	if want := slices.Sorted(slices.Values(pretrained.Files())); !slices.Equal(names, want) {
		t.Errorf("Save writes %v, Files names %v", names, want)
	}
}

// TestPromptsThatCannotBeAnswered are the user's mistakes, and leave the session usable.
func TestPromptsThatCannotBeAnswered(t *testing.T) {
	session := newSession(t, tiny(t))
	for want, ids := range map[string][]int32{
		"the prompt is empty":                        nil,
		"the prompt has 256 tokens; the model reads": make([]int32, 256),
	} {
		_, err := session.Continue(t.Context(), ids, pretrained.Decoding{MaxNew: 1})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d ids: error %v, want %q", len(ids), err, want)
		}
	}
	a, err := session.Continue(t.Context(), make([]int32, 255), pretrained.Decoding{MaxNew: 9})
	if err != nil || len(a.IDs) > 2 {
		t.Errorf("255 of 256 positions: %d more tokens, error %v", len(a.IDs), err)
	}
}

// TestUnfinishedRun: the error of a run without a model names the checkpoint to use.
func TestUnfinishedRun(t *testing.T) {
	dir := t.TempDir()
	checkpoint := filepath.Join(dir, "checkpoint-6")
	if err := os.Mkdir(checkpoint, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(checkpoint, "state.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := pretrained.Outline(dir, ""); err == nil || !strings.Contains(err.Error(), checkpoint) {
		t.Errorf("error %v, want one that names %s", err, checkpoint)
	}
}
