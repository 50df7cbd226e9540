package main

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"instruct/train/coach"
)

// small is a recipe of a round that a test can afford: nothing is kept.
const small = `{"learning_rate": 0.01, "steps": 20, "kept_rows": 0}`

const smallRound = "round shop --corrections c.jsonl --recipe small.json --max_new_tokens 6"

// rounddir is a working directory with what smallRound needs.
func rounddir(t *testing.T) {
	t.Helper()
	workdir(t)
	write(t, "small.json", small)
	ok(t, "", "correct --model model --prompt a --good yes --bad no --out c.jsonl")
}

// TestKillARound kills a round where it begins, while it trains, and around each of the files that it writes at its
// end. Whatever was reached: the current model is whole, every command takes the folder, and the same round goes on.
func TestKillARound(t *testing.T) {
	if testing.Short() {
		t.Skip("not in the short form: it starts the program as seven processes and kills them")
	}
	exists := func(patterns ...string) func(string) bool {
		return func(string) bool {
			for _, p := range patterns {
				if found, _ := filepath.Glob(p); len(found) > 0 {
					return true
				}
			}
			return false
		}
	}
	said := func(text string) func(string) bool {
		return func(log string) bool { return strings.Contains(log, text) }
	}
	for _, c := range []struct {
		name string
		at   func(log string) bool
	}{
		{"the folder is begun", exists(".shop.tmp-*", "shop")},
		{"the first step", said("step 1 ")},
		{"the last count", said("of 1 corrections are right")},
		{"the round's folder is begun", exists("shop/rounds/.001.tmp-*", "shop/rounds/001")},
		{"the round's folder is there", exists("shop/rounds/001")},
		{"the ledger is begun", exists("shop/ledger.jsonl", "shop/.ledger.jsonl.tmp-*")},
		{"the ledger has the round", func(string) bool {
			text, _ := os.ReadFile("shop/ledger.jsonl")
			return bytes.Contains(text, []byte(`"kind":"round"`))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rounddir(t)
			killed(t, c.at, smallRound+" --yes --base model")
			afterAKill(t)
		})
	}
}

// killed runs a command as a process and kills it as soon as it has come to a point.
func killed(t *testing.T, at func(log string) bool, command string) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	p := exec.CommandContext(ctx, binary, strings.Fields(command)...)
	p.Env = append(os.Environ(), "INSTRUCT_TEST_IS_COMMAND=1")
	var log lockedBuffer
	p.Stderr = &log
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	for {
		select {
		case err := <-ended: // it was faster than the look at it: then all must be there
			if !at(log.String()) {
				t.Fatalf("it ended before the point: %v\n%s", err, log.String())
			}
			return
		case <-time.After(50 * time.Microsecond):
		}
		if at(log.String()) {
			if err := p.Process.Kill(); err != nil {
				t.Log(err)
			}
			<-ended
			return
		}
	}
}

// lockedBuffer is a buffer that is read while it is written.
type lockedBuffer struct {
	sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.String()
}

// afterAKill uses the folder and goes on with the round.
func afterAKill(t *testing.T) {
	t.Helper()
	again := smallRound + " --yes"
	if _, err := os.Stat("shop"); err == nil {
		for _, command := range []string{"generate --model shop --prompt a --max_new_tokens 4", "model inspect --model shop",
			"score --model shop --dataset rows.jsonl", "log shop", "log shop --json"} {
			ok(t, "", command)
		}
	}
	if _, err := os.Stat("shop/rounds/001"); err != nil {
		again += " --base model" // the very command that was killed
	}
	has(t, ok(t, "", again), "is accepted")
	answer := decode[generated](t, ok(t, "", "generate --model shop --prompt a --json --max_new_tokens 6")).Text
	if answer != "yes" {
		t.Errorf("the answer is %q", answer)
	}
	rounds, err := filepath.Glob("shop/rounds/*")
	if err != nil {
		t.Fatal(err)
	}
	log := lines[coach.Round](t, ok(t, "", "log shop --json"))
	if len(log) != len(rounds)-1 {
		t.Errorf("%d rounds have %d lines", len(rounds)-1, len(log))
	}
	has(t, ok(t, "", "audit verify shop"), "shop is as recorded")
	err = filepath.WalkDir("shop", func(path string, d fs.DirEntry, err error) error {
		if strings.Contains(path, ".tmp-") {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
