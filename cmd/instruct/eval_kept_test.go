package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEvalKeeps: the second time nothing is asked, and what is said and written is the same.
func TestEvalKeeps(t *testing.T) {
	workdir(t)
	write(t, "s.yaml", manners)
	const command = "eval --model model --suite s.yaml --max_new_tokens 8 --json --kept kept"
	first := call(t, "", command+" --html a.html --junit a.xml --out a")
	second := call(t, "", command+" --html b.html --junit b.xml --out b")
	alone := call(t, "", command+" --kept none")
	if first.code != exitDone || second.out != first.out || alone.out != first.out {
		t.Errorf("exit %d, first\n%ssecond\n%sand without\n%s", first.code, first.out, second.out, alone.out)
	}
	for _, name := range []string{".html", ".xml", "/results.json", "/samples-1-s.jsonl"} {
		if read(t, "a"+name) != read(t, "b"+name) {
			t.Errorf("%s differs", name)
		}
	}
	has(t, second.err, "model: 2 of 2 answers were kept from before")
	if strings.Contains(first.err+alone.err, "were kept") {
		t.Errorf("nothing was kept before, but it says\n%s%s", first.err, alone.err)
	}
	write(t, "s.yaml", strings.Replace(manners, "q: two", "q: three", 1))
	has(t, call(t, "", command).err, "1 of 2 answers were kept")
	has(t, ok(t, "", command+" --model model --max_regressions 0"), `"pass_difference":{"mean":0,"low":0,"high":0}`)
}

// many is a suite that takes a while, in a folder with the tiny model.
func many(t *testing.T) {
	t.Helper()
	workdir(t)
	write(t, "many.jsonl", rows(200))
}

const askMany = "eval --model model --suite many.jsonl --max_new_tokens 60 --kept kept"

// keptLines is how many answers are kept.
func keptLines(t *testing.T) int {
	t.Helper()
	files, _ := filepath.Glob("kept/*.jsonl")
	n := 0
	for _, f := range files {
		n += strings.Count(read(t, f), "\n")
	}
	return n
}

// TestEvalIsStopped: a signal ends it with what was answered kept, and says how to go on.
func TestEvalIsStopped(t *testing.T) {
	many(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for files := []string(nil); len(files) == 0 && ctx.Err() == nil; time.Sleep(time.Millisecond) {
			files, _ = filepath.Glob("kept/*.jsonl")
		}
		cancel()
	}()
	o := callContext(t, ctx, strings.NewReader(""), new(trigger), askMany)
	if o.code != exitInterrupted || o.out != "" {
		t.Errorf("exit %d, standard output %q", o.code, o.out)
	}
	has(t, o.err, " scored texts are kept; run the same command again to go on", "instruct: stopped")
}

// TestEvalIsKilled kills the program in the middle; the same command then asks what is left only.
func TestEvalIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("not in the short form: it starts the program as processes of its own and kills them")
	}
	many(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, strings.Fields(askMany)...)
	cmd.Env = append(os.Environ(), "INSTRUCT_TEST_IS_COMMAND=1")
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		if keptLines(t) >= 20 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	n := keptLines(t)
	if n < 20 {
		t.Fatalf("%d answers were kept\n%s", n, log.String())
	}
	again := call(t, "", askMany)
	has(t, again.err, " of 200 answers and 0 of 200 scored texts were kept from before")
	if again.code != exitDone || keptLines(t) != 400 {
		t.Errorf("exit %d, %d answers are kept, %d before", again.code, keptLines(t), n)
	}
	if alone := ok(t, "", askMany+" --kept none"); alone != again.out {
		t.Errorf("it says\n%sand asked in one go\n%s", again.out, alone)
	}
}

func TestEvalFileMistakes(t *testing.T) {
	workdir(t)
	write(t, "s.yaml", manners)
	write(t, "a.jsonl", answersOf("one", "1", "two", "2"))
	const command = "eval --suite s.yaml --answers a.jsonl "
	mistaken(t, call(t, "", command+"--html none/p.html"), "html none/p.html", "no folder none")
	mistaken(t, call(t, "", command+"--junit model"), "junit model is a folder")
	mistaken(t, call(t, "", command+"--out s.yaml"), "out s.yaml is a file")
	mistaken(t, call(t, "", "eval --suite s.yaml --model model --kept s.yaml"), "kept: ", "s.yaml", "or none")

	// Without a place for what is kept, eval asks all the same.
	t.Setenv("XDG_CACHE_HOME", filepath.Join(mustGetwd(t), "s.yaml"))
	o := call(t, "", "eval --suite s.yaml --model model --max_new_tokens 2")
	if o.code != exitDone {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.err, "answers are not kept: ")
}

func mustGetwd(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestEvalOfSuitesOfOneName: no file of samples replaces another, and no row is taken for another's.
func TestEvalOfSuitesOfOneName(t *testing.T) {
	workdir(t)
	write(t, "s.yaml", manners)
	if err := os.Mkdir("more", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, "more/s.yaml", manners)
	write(t, "s.json", `[{"instruction":"one","output":"1"}, {"instruction":"two","output":"1"}]`)
	write(t, "a.jsonl", answersOf("one", "1", "two", "2"))
	out := ok(t, "", "eval --suite s.yaml --suite more/s.yaml --suite s.json --answers a.jsonl --out found")
	has(t, out, "s-2 ", "s-3 ")
	read(t, "found/samples-1-s-2.jsonl")
	samples := lines[sampleLine](t, read(t, "found/samples-1-s-3.jsonl"))
	if len(samples) != 2 || samples[0].Test != "s.json:1, row 1" || samples[1].Test != "s.json:1, row 2" {
		t.Errorf("%+v", samples)
	}
}

// TestEvalFilesOfPolicy: a violated rule is in the reports, and fails in JUnit's if it is one that blocks.
func TestEvalFilesOfPolicy(t *testing.T) {
	workdir(t)
	write(t, "s.yaml", manners)
	write(t, "a.jsonl", answersOf("one", "1", "two", "2"))
	rule := func(id, severity, value string) string {
		return fmt.Sprintf("  - {id: %s, text: Say it., severity: %s, assert: [{type: contains, value: %q}]}\n", id, severity,
			value)
	}
	write(t, "p.yaml", "rules:\n"+rule("hard", "block", "1")+rule("soft", "warn", "3"))
	o := call(t, "", "eval --suite s.yaml --answers a.jsonl --policy p.yaml --html p.html --junit p.xml")
	if o.code != exitFailed {
		t.Errorf("exit %d, %s", o.code, o.err)
	}
	has(t, read(t, "p.html"), `"groups":["tag numbers","rule hard (block)","rule soft (warn)"]`,
		`{"type":"rule soft (warn)","pass":false,"score":0,"reason":"expected the answer to contain \"3\""}`)
	junit := read(t, "p.xml")
	has(t, junit, `tests="4" failures="1"`, `name="s.yaml:3, rule hard (block)"></testcase>`,
		`name="s.yaml:6, rule hard (block)">`, `<failure message="expected the answer to contain &#34;1&#34;" type="rule">`)
	if strings.Contains(junit, "soft") {
		t.Errorf("a rule that only warns is in\n%s", junit)
	}
}

// TestSamples holds the fields of lm-eval, with hashes that Python's hashlib and json gave for the same.
func TestSamples(t *testing.T) {
	workdir(t)
	write(t, "if.jsonl", `{"key": 7, "prompt": "a <b>", "instruction_id_list": ["punctuation:no_comma", `+
		`"startend:quotation"], "kwargs": [{}, {}]}`+"\n")
	write(t, "a.jsonl", answersOf("a <b>", "x, y"))
	ok(t, "", "eval --suite if.jsonl --answers a.jsonl --out found")
	text := read(t, "found/samples-1-if.jsonl")
	x := decode[map[string]any](t, text)
	has(t, text, `"arguments":{"gen_args_0":{"arg_0":"[{\"role\":\"user\",\"content\":\"a <b>\"}]","arg_1":{}}}`,
		`"resps":[["x, y"]],"filtered_resps":["x, y"],"filter":"none"`,
		`"metrics":["pass","score","prompt loose","instruction strict","instruction loose"]`,
		`"pass":false,"score":0,"prompt loose":0,"instruction strict":[0,0],"instruction loose":[0,0]}`)
	for field, want := range map[string]string{
		"target_hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"prompt_hash": "b3a71eaa509e395106824ed0f8f02bc3eeebc85222416911142fa24d34103640",
		"doc_hash":    "1a09a0b8aa79f088071655b1f01677963618615c3f11928839b3807c0bd1a9f0",
	} {
		if x[field] != want {
			t.Errorf("%s is %v, want %s", field, x[field], want)
		}
	}
}
