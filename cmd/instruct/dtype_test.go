package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/train/bench"
)

func TestDType(t *testing.T) {
	workdir(t)
	score := func(dtype string, more ...string) float64 {
		all := strings.Split(strings.TrimSpace(ok(t, "", append([]string{"score", "--model", "model", "--dataset", "rows.jsonl", "--json", "--dtype", dtype}, more...)...)), "\n")
		var total struct {
			Mean float64 `json:"mean_loss"`
		}
		if err := json.Unmarshal([]byte(all[len(all)-1]), &total); err != nil {
			t.Fatal(err)
		}
		return total.Mean
	}
	want := score("fp32")
	for _, dtype := range []string{"bf16", "q8_0"} {
		got := score(dtype)
		if got == want || math.Abs(got-want) > 0.01*want {
			t.Errorf("mean loss with %s is %g, with fp32 %g", dtype, got, want)
		}
		if one := score(dtype, "--threads", "1"); one != got {
			t.Errorf("mean loss with %s is %g with one thread, %g with more", dtype, one, got)
		}
		args := []string{"generate", "--model", "model", "--prompt", "Say hi", "--max_new_tokens", "12", "--json", "--dtype", dtype}
		if ok(t, "", args...) != ok(t, "", append(args, "--threads", "1")...) {
			t.Errorf("the answer with %s depends on the number of threads", dtype)
		}
	}
	ok(t, "hello\n", "chat", "--model", "model", "--dtype", "q8_0", "--max_new_tokens", "4")
}

func TestBenchGenerate(t *testing.T) {
	workdir(t)
	args := []string{"bench", "--generate", "--seq", "9", "--new_tokens", "5", "--steps", "1", "--json"}
	for _, dtype := range []string{"fp32", "bf16", "q8_0"} {
		for _, what := range [][]string{{"--preset", "lessons-1m"}, {"--model", "model"}} {
			r := decode[bench.GenerateResult](t, ok(t, "", append(args, append(what, "--dtype", dtype)...)...))
			if r.Model != what[1] || r.DType != dtype || r.PromptTokens != 9 || r.NewTokens != 5 || r.PromptPerSec <= 0 || r.DecodePerSec <= 0 || r.WeightBytes <= 0 {
				t.Errorf("%v --dtype %s: %+v", what, dtype, r)
			}
		}
	}
	text := ok(t, "", append(args[:len(args)-1], "--profile")...)
	for _, part := range []string{"BenchmarkReadPromptToken/", "BenchmarkDecodeToken/", "tokens/s", "# logits"} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in\n%s", part, text)
		}
	}
}

// TestSmolLM2DTypes asks the real model through the command line.
func TestSmolLM2DTypes(t *testing.T) {
	if testing.Short() {
		t.Skip("loads 135 million parameters")
	}
	dir := os.Getenv("INSTRUCT_FIXTURES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "fixtures")
	}
	dir = filepath.Join(dir, "models", "smollm2-135m-instruct-gguf")
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Skipf("needs the fixtures (INSTRUCT_FIXTURES): %v", err)
	}
	var want struct {
		Prompts []struct {
			User   string
			Greedy []int32 `json:"greedy_ids"`
		}
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	p := want.Prompts[0]
	for _, dtype := range []string{"bf16", "q8_0"} {
		g := decode[generated](t, ok(t, "", "generate", "--model", filepath.Join(dir, "SmolLM2-135M-Instruct.Q4_1.gguf"), "--prompt", p.User, "--max_new_tokens", "8", "--json", "--dtype", dtype))
		if n := min(len(g.IDs), len(p.Greedy)); n < 5 || !slices.Equal(g.IDs[:n], p.Greedy[:n]) {
			t.Errorf("--dtype %s answers %v (%s), the reference %v", dtype, g.IDs, g.Text, p.Greedy)
		}
	}
}
