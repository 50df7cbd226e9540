package model_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"instruct/checkpoints"
	"instruct/model"
)

// fixture returns a path below the folder of real models and data that lies beside the project, and skips without it.
func fixture(t testing.TB, elem ...string) string {
	t.Helper()
	dir := os.Getenv("INSTRUCT_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "fixtures")
	}
	path := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs the fixtures (INSTRUCT_FIXTURES): %v", err)
	}
	return path
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

func TestStories260K(t *testing.T) {
	dir := fixture(t, "models", "stories260K-hf")
	var want struct {
		IDs    []int32     `json:"greedy_ids"`
		Logits [][]float64 `json:"logits_first_4_positions"`
	}
	readJSON(t, filepath.Join(dir, "expected.json"), &want)
	m := load(t, dir)
	d, err := m.NewReader(pool(t), 256)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range want.Logits {
		got, err := d.Read(want.IDs[i : i+1])
		if err != nil {
			t.Fatal(err)
		}
		for j := range row {
			if diff := math.Abs(float64(got[j]) - row[j]); diff > 1e-4 {
				t.Fatalf("position %d: logit %d is %g, want %g", i, j, got[j], row[j])
			}
		}
	}
	a, err := d.Answer(context.Background(), model.Request{Prompt: want.IDs[:1], MaxNew: len(want.IDs) - 1})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.IDs, want.IDs[1:]) || a.Finish != model.FinishLength {
		t.Errorf("greedy ids differ (%s):\n%v\n%v", a.Finish, a.IDs, want.IDs[1:])
	}
}

func TestTinyGPT2(t *testing.T) {
	dir := fixture(t, "models", "tiny-random-gpt2-hf")
	var want struct {
		Greedy []struct{ Prompt, Next []int32 }
		Logits []struct {
			Prompt []int32
			Rows   [][]float64
		} `json:"sampled_logits_every_200th_vocab_id"`
	}
	readJSON(t, filepath.Join(dir, "expected.json"), &want)
	m := load(t, dir)
	for _, x := range want.Logits {
		got := logits(t, m, x.Prompt)
		for i, row := range x.Rows {
			for j, w := range row {
				if g := float64(got[i*m.Config.Vocab+200*j]); math.Abs(g-w) > 1e-5 {
					t.Errorf("prompt %v position %d id %d: logit %g, want %g", x.Prompt, i, 200*j, g, w)
				}
			}
		}
	}
	d, err := m.NewReader(pool(t), 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range want.Greedy {
		a, err := d.Answer(context.Background(), model.Request{Prompt: x.Prompt, MaxNew: len(x.Next)})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.IDs, x.Next) {
			t.Errorf("prompt %v: greedy ids %v, want %v", x.Prompt, a.IDs, x.Next)
		}
	}
}

func TestSmolLM2(t *testing.T) {
	if testing.Short() {
		t.Skip("loads 135 million parameters")
	}
	path := fixture(t, "models", "smollm2-135m-instruct-gguf", "SmolLM2-135M-Instruct.Q4_1.gguf")
	var want struct {
		Prompts []struct {
			IDs       []int32      `json:"ids"`
			Greedy    []int32      `json:"greedy_ids"`
			LogSumExp []float64    `json:"logsumexp_per_position"`
			Top       [2][]float64 `json:"last_logits_top10"`
		}
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
	m, err := model.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.LoadGGUF(path, g); err != nil {
		t.Fatal(err)
	}
	d, err := m.NewReader(pool(t), 128)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range want.Prompts {
		d.Forget()
		for i, id := range x.IDs {
			l, err := d.Read([]int32{id})
			if err != nil {
				t.Fatal(err)
			}
			if got := logSumExp(l); math.Abs(got-x.LogSumExp[i]) > 1e-3 {
				t.Errorf("position %d: log-sum-exp %.5f, want %.5f", i, got, x.LogSumExp[i])
			}
			if i == len(x.IDs)-1 {
				for k, id := range x.Top[0] {
					if got := float64(l[int(id)]); math.Abs(got-x.Top[1][k]) > 1e-3 {
						t.Errorf("logit of %g is %.5f, want %.5f", id, got, x.Top[1][k])
					}
				}
			}
		}
		r := model.Request{Prompt: x.IDs, MaxNew: len(x.Greedy), Stop: []int32{int32(c.EOS)}}
		a, err := d.Answer(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		greedy := slices.DeleteFunc(slices.Clone(x.Greedy), func(id int32) bool { return id == int32(c.EOS) })
		if !slices.Equal(a.IDs, greedy) {
			t.Errorf("greedy ids %v, want %v", a.IDs, greedy)
		}
	}
}

func logSumExp(x []float32) float64 {
	m := x[0]
	for _, v := range x {
		m = max(m, v)
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v - m))
	}
	return float64(m) + math.Log(sum)
}
