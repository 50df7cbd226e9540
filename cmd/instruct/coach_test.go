package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"instruct/data"
)

// corrections reads a file of them; there are none where there is no file.
func corrections(t *testing.T, path string) []data.Correction {
	t.Helper()
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return nil
	}
	all, err := data.ReadCorrections(path)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCorrect(t *testing.T) {
	workdir(t)
	answer := decode[generated](t, ok(t, "", "generate --model model --prompt a --json --max_new_tokens 4"))
	const command = "correct --model model --max_new_tokens 4 --prompt a --author me --out c.jsonl --good"
	out := ok(t, "", command, "wanted", "--paraphrase", "b c", "--paraphrase", "d, e", "--near", "b d", "--note", "why",
		"--rule", "r1")
	if out != read(t, "c.jsonl") {
		t.Errorf("the file is not what was written to standard output: %s", out)
	}
	hash := decode[struct {
		Weights string `json:"weights_sha256"`
	}](t, ok(t, "", "model inspect --json --model model")).Weights
	c := corrections(t, "c.jsonl")[0]
	if c.Chosen[0].Content != "wanted" || c.Rejected[0].Content != answer.Text || len(c.Paraphrases) != 2 ||
		c.Note != "why" || c.Paraphrases[1] != "d, e" || strings.Join(c.Near, "|") != "b d" ||
		c.Rule != "r1" || c.Author != "me" || c.Model != hash ||
		c.Prompt[0].Content != "a" {
		t.Errorf("%+v", c)
	}
	ok(t, "", command, "other", "--bad", "said", "--system", "S", "--dtype", "q8_0")
	c = corrections(t, "c.jsonl")[1]
	if c.Rejected[0].Content != "said" || c.Prompt[0].Content != "S" || c.Model != hash {
		t.Errorf("%+v", c)
	}
	before := read(t, "c.jsonl")
	mistaken(t, call(t, "", command, " "), "correction is empty")
	mistaken(t, call(t, "", command, "same", "--bad", "same"), "changes nothing")
	mistaken(t, call(t, "", "correct --model model --prompt a"), "--good")
	if read(t, "c.jsonl") != before {
		t.Error("a correction that was refused changed the file")
	}
	write(t, "broken.jsonl", "{\n")
	mistaken(t, call(t, "", "correct --model model --prompt a --good b --out broken.jsonl"), "broken.jsonl:1")
}

func TestCoach(t *testing.T) {
	workdir(t)
	write(t, "editor.sh", "#!/bin/sh\nprintf 'edited\\n' > \"$1\"\n")
	editor, err := filepath.Abs("editor.sh")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("EDITOR", "sh "+editor)
	o := call(t, `/good too early
first
/note because
/good one
/also first again
/near second again
second
/good gone
/undo
/edit
third
/ok
/good late
/frob
/good
/help
/quit
never read
`, "coach --model model --max_new_tokens 4 --out c.jsonl --system S")
	if o.code != exitDone {
		t.Fatalf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "no answer yet that /good", "kept for the correction", "is taken back", "no answer yet that /frob",
		"/undo", "2 corrections added to c.jsonl")
	all := corrections(t, "c.jsonl")
	if len(all) != 2 {
		t.Fatalf("%d corrections: %+v", len(all), all)
	}
	one, two := all[0], all[1]
	if one.Chosen[0].Content != "one" || one.Note != "because" || strings.Join(one.Paraphrases, "") != "first again" ||
		strings.Join(one.Near, "") != "second again" {
		t.Errorf("%+v", one)
	}
	if two.Chosen[0].Content != "edited" || len(two.Prompt) != 4 || two.Prompt[2].Content != "one" ||
		two.Prompt[0].Content != "S" || two.Prompt[3].Content != "second" {
		t.Errorf("a corrected answer is not what the conversation goes on from: %+v", two)
	}
}

func TestCoachOfASuite(t *testing.T) {
	workdir(t)
	write(t, "s.yaml", manners)
	o := call(t, "said\n/good 1\n/ok\n/skip\n", "coach --model model --max_new_tokens 4 --out c.jsonl --suite s.yaml")
	if o.code != exitDone {
		t.Fatalf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "2 of 2 tests fail", "s.yaml:3, 1 more", "fails: ", "say what to do with the answer", "s.yaml:6, 0 more",
		"1 corrections added")
	if c := corrections(t, "c.jsonl"); len(c) != 1 || c[0].Prompt[0].Content != "one" || c[0].Chosen[0].Content != "1" {
		t.Errorf("%+v", c)
	}
}

// TestCoachInATerminal coaches a conversation in tmux, with an editor that takes the terminal over.
func TestCoachInATerminal(t *testing.T) {
	workdir(t)
	write(t, "editor.sh", "#!/bin/sh\nread line\nprintf '%s\\n' \"$line\" > \"$1\"\n")
	w := newWindow(t, "coach --model model --max_new_tokens 4 --out c.jsonl")
	w.wait("/help lists commands")
	w.say("how are you", "\n> ")
	w.say("/note be kind", "kept for the correction")
	w.keys("-l", "/edit")
	w.keys("Enter")
	w.say("well, thank you", "is in c.jsonl")
	w.say("/quit", "1 corrections added to c.jsonl")
	w.wait("finished")
	all := corrections(t, "c.jsonl")
	if len(all) != 1 || all[0].Chosen[0].Content != "well, thank you" || all[0].Note != "be kind" {
		t.Errorf("%+v", all)
	}
}
