package model_test

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/kernel"
)

// floatsOnly hides that a source has blocks.
type floatsOnly struct{ model.Source }

// TestSmolLM2InFewerBits: the real model with its weights as bf16 and q8_0 answers as the reference does; its logits
// move as little as the format's rounding lets expect, and have the same bits whether the prompt is read at once or
// token by token, and whether Q8_0 tensors of the file are taken as they are or made anew. In 4 bits the
// tensors of the file are kept as they are, so nothing but the rows is rounded.
func TestSmolLM2InFewerBits(t *testing.T) {
	if testing.Short() {
		t.Skip("loads 135 million parameters")
	}
	path := fixture(t, "models", "smollm2-135m-instruct-gguf", "SmolLM2-135M-Instruct.Q4_1.gguf")
	var want struct {
		Prompts []expectedPrompt
	}
	readJSON(t, filepath.Join(filepath.Dir(path), "expected.json"), &want)
	g, err := checkpoints.OpenGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	c, err := model.ConfigFromGGUF(path, g, g)
	if err != nil {
		t.Fatal(err)
	}
	decoder := func(d kernel.DType, src model.Source) (*model.Model, *model.Reader) {
		m, err := model.Outline(c)
		if err != nil {
			t.Fatal(err)
		}
		m.Stored(g)
		if err := m.AllocateIn(d); err != nil {
			t.Fatal(err)
		}
		if err := m.LoadGGUF(path, src); err != nil {
			t.Fatal(err)
		}
		dec, err := m.NewReader(pool(t), 128)
		if err != nil {
			t.Fatal(err)
		}
		return m, dec
	}
	for _, tt := range []struct {
		dtype   kernel.DType
		moves   float64 // of a logit, at most
		percent int     // memory of the weights, of fp32's
	}{{kernel.BF16, 0.1, 50}, {kernel.Q8_0, 0.5, 27}, {kernel.Q4_0, 0.02, 18}} {
		m, d := decoder(tt.dtype, g)
		if got := m.WeightBytes() * 100 / (4 * m.Size()); got > tt.percent {
			t.Errorf("%v: the weights take %d %% of the memory of fp32, want %d", tt.dtype, got, tt.percent)
		}
		for _, x := range want.Prompts {
			checkPrompt(t, tt.dtype.String(), d, x, tt.moves)
		}
		if tt.dtype != kernel.Q8_0 { // the file's embedding is Q8_0
			continue
		}
		_, other := decoder(tt.dtype, floatsOnly{g})
		d.Forget()
		ids := want.Prompts[0].IDs[:3]
		if !slices.Equal(read(t, d, ids), read(t, other, ids)) {
			t.Error("Q8_0 tensors of the file differ from the same made anew")
		}
	}
}

// expectedPrompt is a prompt of expected.json with the reference's answer.
type expectedPrompt struct {
	IDs    []int32      `json:"ids"`
	Greedy []int32      `json:"greedy_ids"`
	Top    [2][]float64 `json:"last_logits_top10"` // ids, logits
}

// checkPrompt compares the logits after a prompt, and the first ids of the answer, with the reference's; the logits may
// move by that much.
func checkPrompt(t *testing.T, name string, d *model.Reader, x expectedPrompt, moves float64) {
	t.Helper()
	d.Forget()
	once := slices.Clone(read(t, d, x.IDs))
	for k, id := range x.Top[0] {
		if got := float64(once[int(id)]); math.Abs(got-x.Top[1][k]) > moves {
			t.Errorf("%s: logit of %g is %.3f, in float32 %.3f", name, id, got, x.Top[1][k])
		}
	}
	d.Forget()
	var last []float32
	for _, id := range x.IDs {
		last = read(t, d, []int32{id})
	}
	if !slices.Equal(once, last) {
		t.Errorf("%s: logits differ between a prompt read at once and token by token", name)
	}
	a, err := d.Answer(context.Background(), model.Request{Prompt: x.IDs, MaxNew: 4})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.IDs, x.Greedy[:4]) {
		t.Errorf("%s: greedy ids %v, want %v", name, a.IDs, x.Greedy[:4])
	}
}

// read reads ids and returns the logits after the last of them, which the next call overwrites.
func read(t *testing.T, d *model.Reader, ids []int32) []float32 {
	t.Helper()
	logits, err := d.Read(ids)
	if err != nil {
		t.Fatal(err)
	}
	return logits
}
