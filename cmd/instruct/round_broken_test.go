package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/train/coach"
)

// TestBrokenBehaviour takes a behaviour folder with one round apart: one message, and nothing in it is touched.
func TestBrokenBehaviour(t *testing.T) {
	remove := func(path string) func(*testing.T) {
		return func(t *testing.T) {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	tear := func(t *testing.T) { write(t, "shop/ledger.jsonl", read(t, "shop/ledger.jsonl")+"{\n") }
	const again = "round shop --corrections c.jsonl --yes"
	whole := taughtDir(t)
	for _, c := range []struct {
		name    string
		damage  func(t *testing.T)
		command string
		want    []string
	}{
		{"no current", remove("shop/current"), again, []string{"shop is not whole", "current"}},
		{"no current", remove("shop/current"), "log shop", []string{"shop is not whole", "current"}},
		{"no current", remove("shop/current"), "rollback shop --to 0", []string{"shop is not whole", "current"}},
		{"current is no number", func(t *testing.T) { write(t, "shop/current", "one\n") }, "generate --model shop --prompt a",
			[]string{"shop", "current", `"one`}},
		{"current is another round", func(t *testing.T) { write(t, "shop/current", "7\n") }, again,
			[]string{"shop is not whole", "no model of round 7"}},
		{"current is another round", func(t *testing.T) { write(t, "shop/current", "7\n") },
			"generate --model shop --prompt a", []string{"no model of round 7"}},
		{"no base", remove("shop/rounds/000"), again, []string{"shop is not whole", "base.json"}},
		{"no base", remove("shop/rounds/000"), "rollback shop --to 0", []string{"shop is not whole", "base.json"}},
		{"the base is gone", func(t *testing.T) { remove("model")(t); write(t, "shop/current", "0\n") }, again,
			[]string{"shop: its first model", "is gone"}},
		{"the base is gone", remove("model"), "rollback shop --to 0", []string{"shop: its first model", "is gone"}},
		{"the base is another", func(t *testing.T) {
			write(t, "shop/current", "0\n")
			editSafetensors(t, "model/model.safetensors", func(_ map[string]any, data []byte) { data[0]++ })
		}, again, []string{"its first model", "is not the one that it began with"}},
		{"no model", remove("shop/rounds/001/config.json"), again, []string{"no model of round 1"}},
		{"no weights", remove("shop/rounds/001/model.safetensors"), again, []string{"rounds/001", "model.safetensors"}},
		{"cut weights", func(t *testing.T) {
			write(t, "shop/rounds/001/model.safetensors", read(t, "shop/rounds/001/model.safetensors")[:5000])
		}, "generate --model shop --prompt a", []string{"rounds/001", "model.safetensors"}},
		{"no round.json", remove("shop/rounds/001/round.json"), again, []string{"shop is not whole", "001/round.json"}},
		{"no corrections", remove("shop/rounds/001/corrections.jsonl"), again, []string{"001/corrections.jsonl"}},
		{"a damaged ledger", tear, "log shop", []string{"ledger.jsonl:3"}},
		{"a damaged ledger", tear, again, []string{"ledger.jsonl:3"}},
		{"an empty file", func(t *testing.T) { write(t, "c.jsonl", "") }, again, []string{"c.jsonl is empty"}},
		{"no correction", func(t *testing.T) { write(t, "c.jsonl", "{\"id\": 1}\n") }, again, []string{"c.jsonl:1"}},
		{"an empty correction", func(t *testing.T) {
			write(t, "c.jsonl", strings.Replace(read(t, "c.jsonl"), `"content":"yes"`, `"content":" "`, 1))
		}, again, []string{"c.jsonl:1", "correction is empty"}},
		{"of another model", func(t *testing.T) {
			write(t, "c.jsonl", strings.Replace(read(t, "c.jsonl"), `"model_sha256":"`, `"model_sha256":"0`, 1))
		}, again, []string{"c.jsonl", "another model"}},
		{"no folder", func(*testing.T) {}, "rollback model --to 0", []string{"model"}},
	} {
		t.Run(c.name+"/"+c.command, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.CopyFS(".", os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			base := read(t, "shop/rounds/000/base.json")
			write(t, "shop/rounds/000/base.json", strings.Replace(base, whole, mustAbs(t, "."), 1))
			c.damage(t)
			before := tree(t, ".")
			mistaken(t, call(t, "", c.command), c.want...)
			if after := tree(t, "."); after != before {
				t.Errorf("the folder was\n%sand is\n%s", before, after)
			}
		})
	}
}

// taughtDir is a working directory with shop, a behaviour folder of model with one round of c.jsonl.
func taughtDir(t *testing.T) string {
	t.Helper()
	rounddir(t)
	ok(t, "", smallRound+" --base model --yes")
	return mustAbs(t, ".")
}

// TestFirstRoundsAtOnce: of two programs that begin a behaviour folder, the second goes on in the first one's, or waits
// for its lock; nobody's folder is replaced.
func TestFirstRoundsAtOnce(t *testing.T) {
	rounddir(t)
	const first = smallRound + " --base model --yes"
	log := &trigger{text: "step 1 "}
	log.do = func() {
		mistaken(t, call(t, "", first), "another round is at work")
		mistaken(t, call(t, "", "rollback shop --to 0"), "another round is at work")
	}
	if o := callContext(t, t.Context(), strings.NewReader(""), log, first); o.code != exitDone {
		t.Errorf("exit %d\n%s", o.code, o.err)
	}
	mistaken(t, call(t, "", first), "shop exists")
}

// TestInterruptedRound: Ctrl-C while a round trains leaves the folder as it was, and the same command goes on; at the
// question it leaves the round's model, rejected.
func TestInterruptedRound(t *testing.T) {
	rounddir(t)
	const first = smallRound + " --base model"
	stop := func(at string) outcome {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		in, w, err := os.Pipe() // nobody answers
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		defer in.Close()
		return callContext(t, ctx, in, &trigger{text: at, do: cancel}, first)
	}
	o := stop("step 2 ")
	if o.code != exitInterrupted || o.out != "" {
		t.Errorf("exit %d\n%s", o.code, o.out)
	}
	has(t, o.err, "the same command begins it again", "instruct: stopped")
	if rounds, _ := filepath.Glob("shop/rounds/*"); len(rounds) != 1 {
		t.Errorf("there are %v", rounds)
	}
	o = stop("[y/N]")
	if o.code != exitInterrupted {
		t.Errorf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.out, "round 1 of shop is rejected")
	has(t, o.err, "instruct rollback shop --to 1 --force")
	has(t, ok(t, "", "log shop"), "rejected, of 0", "current: 0")
	mistaken(t, call(t, "", "rollback shop --to 1"), "round 1 was not accepted", "--force")
	ok(t, "", "rollback shop --to 1 --force")
	has(t, ok(t, "", "log shop"), "current: 1")
}

// TestWhatWasRead: a round says which files it had.
func TestWhatWasRead(t *testing.T) {
	rounddir(t)
	write(t, "s.yaml", manners)
	call(t, "", smallRound+" --base model --keep rows.jsonl --keep_prompts 2 --suite s.yaml")
	files := decode[coach.Round](t, read(t, "shop/rounds/001/round.json")).Files
	if len(files) != 2 || len(files["s.yaml"]) != 64 || len(files["rows.jsonl"]) != 64 {
		t.Errorf("%v", files)
	}
}
