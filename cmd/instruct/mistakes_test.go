package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestMistakes holds what a user must see: one clear message, exit code 2, nothing half-written.
func TestMistakes(t *testing.T) {
	cases := slices.Concat(mistakesInRows(), mistakesInRecipes(), mistakesInFlags(), mistakesInModels(), mistakesInGGUF(),
		mistakesInStreams(), mistakesWithNumbers())
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			workdir(t)
			if c.file != "" {
				write(t, c.file, c.text)
			}
			if c.setup != nil {
				c.setup(t)
			}
			before := tree(t, ".")
			o := call(t, c.stdin, c.args)
			mistaken(t, o, c.want...)
			if after := tree(t, "."); after != before {
				t.Errorf("the folder was\n%sand is\n%s", before, after)
			}
			if len(o.err) > 500 {
				t.Errorf("the message has %d bytes:\n%s", len(o.err), o.err)
			}
		})
	}
}

func TestUnwritableOutput(t *testing.T) {
	workdir(t)
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	if err := os.Mkdir("locked", 0o555); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"locked", filepath.Join("locked", "out")} {
		o := call(t, "", "train --model_name_or_path model --dataset rows.jsonl --output_dir "+dir)
		mistaken(t, o, "output_dir "+dir, "permission denied")
	}
}

func TestUnknownCPU(t *testing.T) {
	workdir(t)
	t.Setenv("INSTRUCT_CPU", "bogus")
	for _, command := range []string{
		tuneRows,
		"generate --model model --prompt x",
		"chat --model model",
		"score --model model --dataset rows.jsonl",
		"bench --steps 1",
		"version",
	} {
		mistaken(t, call(t, "", command), "INSTRUCT_CPU", `"bogus"`, "generic")
	}
}
