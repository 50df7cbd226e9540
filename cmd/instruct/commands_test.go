package main

import (
	"strings"
	"testing"

	"instruct/train/recipe"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// walk calls f with every command and the words that lead to it.
func walk(c *cobra.Command, words []string, f func(c *cobra.Command, words []string)) {
	f(c, words)
	for _, sub := range c.Commands() {
		walk(sub, append(words[:len(words):len(words)], sub.Name()), f)
	}
}

func TestHelpOfEveryCommand(t *testing.T) {
	n := 0
	walk(newRoot(&streams{}, nil), nil, func(c *cobra.Command, words []string) {
		n++
		name := strings.Join(words, " ")
		for _, command := range []string{name + " --help", "help " + name} {
			o := call(t, "", command)
			if o.code != exitDone || o.err != "" {
				t.Errorf("%s: exit %d, stderr %q", command, o.code, o.err)
			}
			has(t, o.out, "Usage:", c.CommandPath())
		}
		if c.Short == "" {
			t.Errorf("%v has no short description", words)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%v --%s has no description", words, f.Name)
			}
			if strings.Contains(f.Name, "-") {
				t.Errorf("%v --%s: names are written with _", words, f.Name)
			}
		})
	})
	if n < 14 {
		t.Errorf("%d commands were found; expected all", n)
	}
}

func TestEveryRecipeKeyIsAFlag(t *testing.T) {
	help := ok(t, "", "train --help")
	for _, k := range recipe.Keys() {
		has(t, help, "--"+k.Name+" ")
	}
}

func TestNoArguments(t *testing.T) {
	for _, words := range []string{"", "data", "model", "policy", "tokenizer"} {
		has(t, ok(t, "", words), "Available Commands:")
	}
}

func TestVersion(t *testing.T) {
	has(t, ok(t, "", "version"), "instruct ", "go1.", "kernels ")
	has(t, ok(t, "", "--version"), "instruct ")
	built = "v1.2.0-0-gabcdef123456" // as make build and make release set it
	t.Cleanup(func() { built = "" })
	has(t, ok(t, "", "version"), "instruct v1.2.0-0-gabcdef123456, go1.")
}

func TestDashesAndUnderscores(t *testing.T) {
	workdir(t)
	a := ok(t, "", "generate --model model --prompt hi --max_new_tokens 3 --json")
	b := ok(t, "", "generate --model model --prompt hi --max-new-tokens=3 --json")
	if a != b {
		t.Errorf("--max_new_tokens gives %s, --max-new-tokens %s", a, b)
	}
	out := ok(t, "", "train --model-name-or-path model --dataset rows.jsonl --max_steps 1 --output-dir out")
	has(t, out, "steps 1,")
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		has(t, ok(t, "", "completion", shell), "instruct")
	}
	for _, c := range []struct {
		words []string
		want  []string
	}{
		{[]string{""}, []string{"train\t", "generate\t", "chat\t", "score\t", "bench\t", "version\t"}},
		{[]string{"to"}, []string{"tokenizer\t"}},
		{[]string{"tokenizer", ""}, []string{"encode\t", "decode\t", "train\t", "inspect\t"}},
		{[]string{"train", "--learn"}, []string{"--learning_rate\t"}},
		{[]string{"generate", "--to"}, []string{"--top_k\t", "--top_p\t"}},
	} {
		has(t, ok(t, "", "__complete", c.words...), c.want...)
	}
}

func TestUnknownWords(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string
	}{
		{"trian", []string{`"trian"`, `did you mean "train"`, "instruct --help"}},
		{"xyzzy", []string{`"xyzzy"`, "instruct --help"}},
		{"tokenizer encod", []string{`"encod"`, `did you mean "encode"`, "instruct tokenizer --help"}},
		{"data show", []string{`"show"`, "instruct data --help"}},
		{"train --lerning-rate 3", []string{"--lerning-rate", "did you mean --learning_rate?", "instruct train --help"}},
		{"train --epoch 3", []string{"--epoch ", "did you mean --num_train_epochs?"}},
		{"train --foo 1 --lerning_rate 3", []string{"unknown flags --foo, --lerning_rate (did you mean --learning_rate?)"}},
		{"generate --modle x", []string{"--modle", "did you mean --model?", "instruct generate --help"}},
		{"score --xyzzyxyzzy", []string{"--xyzzyxyzzy", "instruct score --help"}},
		{"--nope", []string{"--nope", "instruct --help"}},
		{"version now", []string{"version", `"now"`}},
		{"train a.yaml b.yaml", []string{"one recipe", "b.yaml"}},
		{"generate --max_new_tokens", []string{"needs an argument", "--max_new_tokens"}},
		{"generate --max_new_tokens many", []string{`"many"`, "max_new_tokens"}},
		{"generate", []string{"generate needs --model", "Hugging Face folder"}},
		{"chat", []string{"chat needs --model"}},
		{"score --model m", []string{"score needs --dataset"}},
		{"data inspect --dataset d", []string{"data inspect needs --model"}},
		{"model inspect", []string{"model inspect needs --model"}},
		{"tokenizer encode", []string{"tokenizer encode needs --tokenizer"}},
		{"tokenizer train --dataset d", []string{"tokenizer train needs --output_dir"}},
		{"bench --preset huge", []string{`"huge"`, "tiny-15m", "lessons-1m"}},
		{"bench --dtype int3", []string{`"int3"`, "fp32"}},
		{"bench --seq 100000", []string{"100000", "2048"}},
		{"bench --steps -1", []string{"steps"}},
	} {
		t.Run(c.args, func(t *testing.T) { mistaken(t, call(t, "", c.args), c.want...) })
	}
}

// mistaken checks what every mistake of the user must give: exit code 2, one line on stderr and nothing on stdout.
func mistaken(t *testing.T, o outcome, want ...string) {
	t.Helper()
	if o.code != exitMistake {
		t.Errorf("exit %d, want %d", o.code, exitMistake)
	}
	if o.out != "" {
		t.Errorf("standard output: %q", o.out)
	}
	if strings.Count(o.err, "\n") != 1 || !strings.HasPrefix(o.err, "instruct: ") {
		t.Errorf("expected one line that begins with %q:\n%s", "instruct: ", o.err)
	}
	for _, p := range []string{"goroutine ", "panic", ".go:", "internal error", "%!"} {
		if strings.Contains(o.err, p) {
			t.Errorf("%q is in\n%s", p, o.err)
		}
	}
	has(t, o.err, want...)
}
