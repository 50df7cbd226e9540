package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"instruct/train/bench"
)

// program writes a script that answers every call with text.
func program(t *testing.T, text string, code int) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell script as a program")
	}
	path := filepath.Join(t.TempDir(), "old")
	script := fmt.Sprintf("#!/bin/sh\ncat <<'E'\n%s\nE\nexit %d\n", text, code)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBenchAgainst measures nothing: the base claims times that no machine has.
func TestBenchAgainst(t *testing.T) {
	t.Setenv("INSTRUCT_TEST_IS_COMMAND", "1")
	const command = "bench --preset lessons-1m --batch 1 --seq 8 --steps 1 --threads 1 --rounds 6 "
	base := func(ns, loss float64) string {
		return program(t, fmt.Sprintf(`{"preset":"lessons-1m","dtype":"fp32","ns_per_step":%g,"loss":%g}`, ns, loss), 0)
	}
	const hour, moment = 3600e9, 1
	slow, fast := base(hour, 1), base(moment, 1)
	for _, c := range []struct {
		name, old, flags string
		code             int
		out, err         []string
	}{
		{"faster than the base", slow, "", exitDone, []string{"BenchmarkStep/side=base/preset=lessons-1m/",
			"BenchmarkStep/side=this/preset=lessons-1m/", "  better", "  moved"}, nil},
		{"slower than the base", fast, "", exitFailed, []string{"  worse"}, []string{"ns/op rose by", fast}},
		{"slower, as JSON", fast, "--json", exitFailed,
			[]string{`"side":"base"`, `"metric":"ns/op"`, `"worse":true`}, []string{"ns/op rose by"}},
		{"the loss must stay", slow, "--same_loss", exitFailed, nil, []string{"the loss moved"}},
		{"a base without a loss", base(hour, 0), "--same_loss", exitDone, []string{"not reported by the base"}, nil},
		{"no measurement", program(t, "hello", 0), "", exitMistake, nil,
			[]string{"no measurement", "is it an instruct?"}},
		{"a base that refuses a flag", program(t, "", exitMistake), "", exitMistake, nil, []string{"base: "}},
		{"a base that fails", program(t, "", exitFailed), "", exitFailed, nil, []string{"base: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := call(t, "", command+c.flags, "--against", c.old)
			if o.code != c.code {
				t.Fatalf("exit %d, want %d\n%s%s", o.code, c.code, o.out, o.err)
			}
			has(t, o.out, c.out...)
			has(t, o.err, c.err...)
		})
	}
}

// TestBenchRecipe measures a recipe's own steps; a recipe against itself has the same loss, one with another seed does
// not.
func TestBenchRecipe(t *testing.T) {
	workdir(t)
	t.Setenv("INSTRUCT_TEST_IS_COMMAND", "1")
	const recipe = "model_name_or_path: model\ndataset: rows.jsonl\nper_device_train_batch_size: 4\n" +
		"gradient_accumulation_steps: 2\nmax_length: 64\nlearning_rate: 1e-2\nlr_scheduler_type: constant\n"
	write(t, "r.yaml", recipe)
	write(t, "seed.yaml", recipe+"seed: 7\n")
	m := decode[map[string]any](t, ok(t, "", "bench --recipe r.yaml --steps 4 --json"))
	if m["recipe"] != "model" || m["batch"] != 8.0 {
		t.Errorf("recipe %v, batch %v", m["recipe"], m["batch"])
	}
	// The sixth step of a real run has the same loss.
	ok(t, "", "train r.yaml --max_steps 6 --output_dir run --quiet")
	rows := metrics(t, "run")
	steps := slices.DeleteFunc(rows, func(row map[string]float64) bool { return row["loss"] == 0 })
	if len(steps) != 6 || steps[5]["loss"] != m["loss"] {
		t.Errorf("the bench's last loss is %v, the run's steps are %v", m["loss"], steps)
	}
	const compare = "bench --recipe r.yaml --steps 1 --rounds 6 --against "
	has(t, call(t, "", compare+"r.yaml").out, "the same bits")
	o := call(t, "", compare+"seed.yaml --same_loss")
	if o.code != exitFailed || !strings.Contains(o.err, "the loss moved") {
		t.Errorf("another seed: exit %d\n%s%s", o.code, o.out, o.err)
	}
	if entries, err := os.ReadDir("runs"); err == nil {
		t.Errorf("a measurement left %v in runs", entries)
	}
}

// TestTooNoisy has a verdict of its own where neither time could have shown a rise.
func TestTooNoisy(t *testing.T) {
	result := func(ns, cpu float64) *bench.Result { return &bench.Result{NsPerStep: ns, CPUNsPerStep: cpu} }
	var steady, wild, wildTime []*bench.Result
	for i, x := range []float64{60, 140, 100, 80, 120, 101} {
		steady = append(steady, result(100+float64(i), 100+float64(i)))
		wild = append(wild, result(x, x))
		wildTime = append(wildTime, result(x, 100+float64(i)))
	}
	for _, c := range []struct {
		name       string
		base, this []*bench.Result
		noisy      bool
		annotated  string
	}{
		{"steady", steady, steady, false, ""},
		{"both times are noisy", steady, wild, true,
			"::warning title=instruct bench::bench: too noisy to tell (noise: ns/op "},
		{"processor time is steady", steady, wildTime, false, ""},
	} {
		var out bytes.Buffer
		s := &streams{out: &out}
		a := against{other: "old", github: true}
		err := a.annotated(s, a.report(s, false, c.base, c.this))
		if errors.Is(err, errNoisy) != c.noisy || !c.noisy && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.annotated != "" {
			has(t, out.String(), c.annotated, "25", "  too noisy to tell\n")
		} else if strings.Contains(out.String(), "::") {
			t.Errorf("%s: %s", c.name, out.String())
		}
	}
}

func TestChance(t *testing.T) {
	for _, c := range []struct {
		name       string
		base, this []float64
		want       float64
	}{
		{"all higher, 3 and 3", []float64{1, 2, 3}, []float64{4, 5, 6}, 1. / 20},
		{"all lower, 3 and 3", []float64{4, 5, 6}, []float64{1, 2, 3}, 1},
		{"all higher, 6 and 6", []float64{1, 2, 3, 4, 5, 6}, []float64{7, 8, 9, 10, 11, 12}, 1. / 924},
		{"one out of order", []float64{1, 2, 4}, []float64{3, 5, 6}, 2. / 20},
		{"all equal", []float64{1, 1, 1}, []float64{1, 1, 1}, 1},
		{"a tie in the middle", []float64{1, 2}, []float64{2, 3}, 2. / 6},
		{"unequal sides", []float64{1}, []float64{2, 3, 4}, 1. / 4},
	} {
		if got := chance(c.base, c.this); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCompare(t *testing.T) {
	base := []float64{100, 101, 99, 102, 98, 100}
	times := func(f float64) []float64 { return scaled(base, f) }
	for _, c := range []struct {
		name                 string
		this                 []float64
		worse, better, noisy bool
	}{
		{"the same", base, false, false, false},
		{"5 % slower, though clearly", times(1.05), false, false, false},
		{"20 % slower", times(1.2), true, false, false},
		{"20 % faster", times(0.8), false, true, false},
		{"slower at the median, but noisy", []float64{50, 60, 130, 140, 150, 90}, false, false, true},
		{"within limits, but a rise would not be seen", []float64{60, 140, 100, 80, 120, 101}, false, false, true},
		{"noisy, but clearly slower", []float64{150, 300, 200, 400, 160, 250}, true, false, false},
	} {
		if got := compare("ns/op", base, c.this); got.Worse != c.worse || got.Better != c.better || got.Noisy != c.noisy {
			t.Errorf("%s: worse %v, better %v: %+v", c.name, got.Worse, got.Better, got)
		}
	}
	if q := quantile([]float64{4, 1, 2, 3}, 0.5); q != 2.5 {
		t.Errorf("median %v", q)
	}
}
