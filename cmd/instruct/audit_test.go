package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"instruct/train"
	"instruct/train/coach"
	"instruct/train/record"
)

// recordedRun trains a run of four steps in out, with two checkpoints.
func recordedRun(t *testing.T) {
	t.Helper()
	write(t, "r.jsonl", rows(6))
	ok(t, "", "train --model_name_or_path model --dataset r.jsonl --output_dir out --max_steps 4 --save_steps 2 "+
		"--save_total_limit 9 --quiet")
}

// TestAuditVerify: a run and a behaviour are as recorded; then one thing after the other is changed.
func TestAuditVerify(t *testing.T) {
	rounddir(t)
	recordedRun(t)
	o := call(t, "", "audit verify out --replay --quiet")
	if o.code != exitDone {
		t.Fatalf("exit %d\n%s%s", o.code, o.out, o.err)
	}
	has(t, o.out, "3 elsewhere; 1 entries", "weights          as recorded", "out is as recorded")
	run := decode[record.Audit](t, ok(t, "", "audit verify out --json"))
	if !run.Holds || run.Entries != 1 {
		t.Errorf("%+v", run)
	}

	// Going on makes another entry, and the first head is still there.
	ok(t, "", "train out/recipe.yaml --max_steps 6 --resume_from_checkpoint true --output_dir out --quiet")
	has(t, ok(t, "", "audit verify out --head "+run.Head), "2 entries", "that head is of entry 1; later entries: 1")
	text := read(t, "out/ledger.jsonl")
	write(t, "out/ledger.jsonl", strings.SplitAfter(text, "\n")[0])
	second := decode[record.Audit](t, strings.SplitAfter(call(t, "", "audit verify out --json").out, "\n")[0])
	if second.Holds {
		t.Error("a run that went on is as the first entry says")
	}
	write(t, "out/ledger.jsonl", text)

	ok(t, "", smallRound+" --base model --yes")
	ok(t, "", "rollback shop --to 0")
	head := decode[record.Audit](t, ok(t, "", "audit verify shop --json")).Head
	has(t, ok(t, "", "audit verify shop --head "+head), "3 entries", "shop is as recorded")
	for _, c := range []struct{ path, want string }{
		{"shop/rounds/001/corrections.jsonl", "rounds/001/corrections.jsonl: entry 2 (round): recorded sha256"},
		{"shop/current", "current: entry 3 (rollback): recorded sha256"},
		{"model/model.safetensors", "../model/model.safetensors: entry 1 (begin): recorded sha256"},
	} {
		whole := read(t, c.path)
		write(t, c.path, whole+" ")
		o := call(t, "", "audit verify shop")
		if o.code != exitFailed {
			t.Errorf("%s: exit %d", c.path, o.code)
		}
		has(t, o.out, "DIFFERS  "+c.want)
		has(t, o.err, "instruct: shop differs from its record")
		write(t, c.path, whole)
	}
	cut := strings.SplitAfter(read(t, "shop/ledger.jsonl"), "\n")
	write(t, "shop/ledger.jsonl", cut[0]+cut[1])
	write(t, "shop/current", "1\n")
	ok(t, "", "audit verify shop") // the file alone does not tell that its tail was cut off
	o = call(t, "", "audit verify shop --head "+head)
	has(t, o.out, "DIFFERS  head: no entry has the hash "+head)
	mistaken(t, call(t, "", "audit verify"), "one run or behaviour")
	mistaken(t, call(t, "", "audit verify shop/rounds"), "has no ledger.jsonl")
	mistaken(t, call(t, "", "audit verify shop --replay"), "replay is of runs")
}

// TestAuditFindsEveryByte changes one byte a thousand times, of any file of a run and of a behaviour.
func TestAuditFindsEveryByte(t *testing.T) {
	rounddir(t)
	recordedRun(t)
	ok(t, "", smallRound+" --base model --yes")
	r := rand.New(rand.NewPCG(1, 2))
	for dir, reads := range map[string]func(string) bool{"out": train.ReadsOfRun, "shop": coach.ReadsOfBehaviour} {
		files := filesOf(t, dir)
		for i := range 500 {
			path := files[i%len(files)]
			whole := []byte(read(t, path))
			at := r.IntN(len(whole))
			bad := bytes.Clone(whole)
			bad[at] ^= byte(1 + r.IntN(255))
			write(t, path, string(bad))
			a, err := record.Verify(t.Context(), dir, record.AuditOptions{Reads: reads, Inside: true})
			if err != nil {
				t.Fatal(err)
			}
			name, err := filepath.Rel(dir, path)
			if err != nil {
				t.Fatal(err)
			}
			entry := 1 // of the run; of the behaviour those of the beginning, and of the round
			if dir == "shop" && !strings.HasPrefix(name, "rounds/000/") {
				entry = 2
			}
			if name == record.File {
				entry = 1 + bytes.Count(whole[:at], []byte("\n"))
			}
			found := slices.ContainsFunc(a.Checks, func(c record.Check) bool {
				return !c.Holds && c.Name == name && c.Entry == entry
			})
			if a.Holds || !found {
				t.Fatalf("byte %d of %s was changed: %+v", at, path, a)
			}
			write(t, path, string(whole))
		}
		a, err := record.Verify(t.Context(), dir, record.AuditOptions{Reads: reads})
		if err != nil || !a.Holds {
			t.Fatal(fmt.Sprintf("%+v", a), err)
		}
	}
}

// filesOf are the files of a folder that are not empty.
func filesOf(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(path)
		if err == nil && info.Size() > 0 {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestReport writes the page of a run and of a behaviour.
func TestReport(t *testing.T) {
	rounddir(t)
	recordedRun(t)
	has(t, ok(t, "", "report out --html out.html"), "out.html")
	has(t, read(t, "out.html"), "The run out", "--head ")
	ok(t, "", smallRound+" --base model --yes")
	ok(t, "", "rollback shop --to 0")
	ok(t, "", "report shop --html shop.html")
	page := read(t, "shop.html")
	has(t, page, "The behaviour shop", "Round 1 is", "rolled back to", "says now", "--head ", ">rollback<")
	for _, bad := range []string{"<script", "http:", "https:", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	ok(t, "", "audit verify out")

	// What eval found stands in it too.
	write(t, "p.yaml", refunds)
	write(t, "s.yaml", complaints)
	write(t, "a.jsonl", answersOf("Refund please", "In 14 days.", "Is a refund possible?", "<Yes>!", "Hello", "Hello!"))
	call(t, "", "eval --suite s.yaml --policy p.yaml --answers a.jsonl --out found")
	ok(t, "", "report out --html out.html --results found/results.json")
	has(t, read(t, "out.html"), "Suites and rules: a.jsonl", "50.0% (9.5 to 90.5 %)", "refund-days</span> is violated",
		"expected the answer to contain")
	ok(t, "", "report out --html out.html --results found/results.json --explain 1")
	has(t, read(t, "out.html"), "The training rows behind the worst answers", "r.jsonl:")
	call(t, "", "eval --model out --suite s.yaml --max_new_tokens 4 --out own")
	ok(t, "", "report out --html out.html --results own/results.json --explain 2")
	if n := strings.Count(read(t, "out.html"), `aria-label="Rows behind it"`); n != 1 {
		t.Errorf("%d answers with their rows, want that of the one test that fails", n)
	}
	mistaken(t, call(t, "", "report out --html x.html --explain 2"), "answers of --results")
	mistaken(t, call(t, "", "report out --html x.html --results r.jsonl"), "results r.jsonl", "eval --out")
	mistaken(t, call(t, "", "report shop --html x.html --results found/results.json"), "results are of a run")
	mistaken(t, call(t, "", "report out"), "report needs --html")
	mistaken(t, call(t, "", "report out --html out/report.html"), "its record names")
	mistaken(t, call(t, "", "report shop/rounds --html x.html"), "name the folder of a run")
}
