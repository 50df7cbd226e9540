package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"instruct/train/bench"
)

func TestDType(t *testing.T) {
	workdir(t)
	score := func(dtype string, more ...string) float64 {
		all := lines[scored](t, ok(t, "", "score --model model --dataset rows.jsonl --json --dtype "+dtype, more...))
		return all[len(all)-1].Mean
	}
	want := score("fp32")
	for dtype, near := range map[string]float64{"bf16": 0.01, "q8_0": 0.01, "q4_0": 0.1} {
		got := score(dtype)
		if got == want || math.Abs(got-want) > near*want {
			t.Errorf("mean loss with %s is %g, with fp32 %g", dtype, got, want)
		}
		if one := score(dtype, "--threads", "1"); one != got {
			t.Errorf("mean loss with %s is %g with one thread, %g with more", dtype, one, got)
		}
		command := "generate --model model --max_new_tokens 12 --json --dtype " + dtype
		if ok(t, "Say hi", command) != ok(t, "Say hi", command+" --threads 1") {
			t.Errorf("the answer with %s depends on the number of threads", dtype)
		}
	}
	ok(t, "hello\n", "chat --model model --dtype q8_0 --max_new_tokens 4")
}

func TestBenchGenerate(t *testing.T) {
	workdir(t)
	const command = "bench --generate --seq 9 --new_tokens 5 --steps 1 "
	for _, dtype := range []string{"fp32", "bf16", "q8_0", "q4_0"} {
		for _, what := range [][]string{{"--preset", "lessons-1m"}, {"--model", "model"}} {
			r := decode[bench.GenerateResult](t, ok(t, "", command+"--json --dtype "+dtype, what...))
			if r.Model != what[1] || r.DType != dtype || r.PromptTokens != 9 || r.NewTokens != 5 ||
				r.PromptPerSec <= 0 || r.DecodePerSec <= 0 || r.WeightBytes <= 0 {
				t.Errorf("%v --dtype %s: %+v", what, dtype, r)
			}
		}
	}
	r := decode[bench.GenerateResult](t, ok(t, "", command+"--json --rows 3 --temperature 0.8"))
	if r.Rows != 3 || r.DecodePerSec <= 0 || r.SamplePerSec <= 0 {
		t.Errorf("three rows: %+v", r)
	}
	has(t, ok(t, "", command+"--profile"), "BenchmarkReadPromptToken/", "BenchmarkDecodeToken/", "tokens/s", "# logits",
		" GB/s")
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
	expected := filepath.Join(dir, "expected.json")
	if _, err := os.Stat(expected); err != nil {
		t.Skipf("needs the fixtures (INSTRUCT_FIXTURES): %v", err)
	}
	p := decode[struct {
		Prompts []struct {
			User   string
			Greedy []int32 `json:"greedy_ids"`
		}
	}](t, read(t, expected)).Prompts[0]
	model := filepath.Join(dir, "SmolLM2-135M-Instruct.Q4_1.gguf")
	for _, dtype := range []string{"bf16", "q8_0", "q4_0"} {
		command := "generate --max_new_tokens 8 --json --dtype " + dtype
		g := decode[generated](t, ok(t, "", command, "--model", model, "--prompt", p.User))
		if n := min(len(g.IDs), len(p.Greedy)); n < 5 || !slices.Equal(g.IDs[:n], p.Greedy[:n]) {
			t.Errorf("--dtype %s answers %v (%s), the reference %v", dtype, g.IDs, g.Text, p.Greedy)
		}
	}
}
