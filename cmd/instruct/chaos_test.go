package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"instruct/checkpoints"
)

// chaosRun is small, saves after every second step, and writes all kinds of files that a run has.
const chaosRun = "train --model_name_or_path model --dataset rows.jsonl --eval_fraction 0.2 --max_length 64 " +
	"--max_steps 12 --per_device_train_batch_size 4 --save_steps 2 --eval_steps 3 --save_total_limit 2 " +
	"--logging_steps 1 --load_best_model_at_end true --report_to tensorboard --resume_from_checkpoint auto " +
	"--overwrite_output_dir --output_dir "

// chaos is what is done to runs, and what came of it.
type chaos struct {
	*testing.T
	rand    *rand.Rand
	whole   time.Duration // of an undisturbed run
	weights string        // of it
	names   []string      // of its files
	count   map[string]int
}

// TestChaos kills runs at random moments, damages what they saved, starts two in one folder and lets the disk fill, for
// as long as INSTRUCT_CHAOS says (`make chaos`): whatever happened, the same command ends with the weights of a run
// that nothing happened to, with all its rows and no file that does not belong.
func TestChaos(t *testing.T) {
	limit, err := time.ParseDuration(os.Getenv("INSTRUCT_CHAOS"))
	if err != nil {
		t.Skip("INSTRUCT_CHAOS is not set to a duration: make chaos")
	}
	seed, _ := strconv.ParseUint(os.Getenv("INSTRUCT_CHAOS_SEED"), 10, 64)
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	workdir(t)
	c := &chaos{T: t, rand: rand.New(rand.NewPCG(seed, 0)), count: map[string]int{}}
	start := time.Now()
	if code, log := c.wait(c.start("whole"), 0, 0); code != exitDone {
		t.Fatalf("exit %d\n%s", code, log)
	}
	c.whole = time.Since(start)
	c.weights, c.names = runJSON(t, "whole").Weights, names(t, "whole")
	small := c.mount("disk")
	for n := 0; time.Since(start) < limit && !t.Failed(); n++ {
		if small && n%5 == 4 {
			c.full("disk")
			continue
		}
		c.chain(fmt.Sprint("run-", n))
	}
	var said []string
	for _, what := range slices.Sorted(func(yield func(string) bool) {
		for k := range c.count {
			if !yield(k) {
				return
			}
		}
	}) {
		said = append(said, fmt.Sprintf("%d %s", c.count[what], what))
	}
	fmt.Printf("chaos: %s; an undisturbed run takes %s; INSTRUCT_CHAOS_SEED=%d repeats the choices\n",
		strings.Join(said, ", "), c.whole.Round(time.Millisecond), seed)
}

// chain stops and damages a run again and again, and lets it end.
func (c *chaos) chain(dir string) {
	for stops := c.rand.IntN(6); stops >= 0 && !c.Failed(); stops-- {
		signal, after := syscall.Signal(0), time.Duration(0)
		if stops > 0 {
			signal = []syscall.Signal{syscall.SIGKILL, syscall.SIGKILL, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT,
				syscall.SIGHUP}[c.rand.IntN(6)]
			after = time.Duration(c.rand.Float64() * 1.1 * float64(c.whole))
		}
		p := c.start(dir)
		two := c.rand.IntN(8) == 0
		if two {
			c.second(dir)
		}
		code, log := c.wait(p, signal, after)
		if two && code == exitMistake && strings.Contains(log, "another run is at work in it") {
			continue // the second one came first, and has ended
		}
		if wrong := strings.Contains(log, "internal error") || strings.Contains(log, "goroutine "); wrong ||
			!slices.Contains([]int{exitDone, exitInterrupted, -1}, code) || stops == 0 && code != exitDone {
			c.Errorf("%s: exit %d after %v\n%s", dir, code, signal, log)
		}
		if stops > 0 && c.rand.IntN(4) == 0 {
			c.damage(dir)
		}
	}
	c.ended(dir)
}

// start starts the run of a folder.
func (c *chaos) start(dir string) *exec.Cmd {
	p := exec.Command(os.Args[0], strings.Fields(chaosRun+dir)...)
	p.Env = append(os.Environ(), "INSTRUCT_TEST_IS_COMMAND=1")
	p.Stderr = new(bytes.Buffer)
	if err := p.Start(); err != nil {
		c.Fatal(err)
	}
	return p
}

// wait waits for the end of a process, which a signal may be sent to before.
func (c *chaos) wait(p *exec.Cmd, signal syscall.Signal, after time.Duration) (code int, log string) {
	if signal != 0 {
		time.Sleep(after)
		if p.Process.Signal(signal) == nil {
			c.count[signal.String()]++
		}
	}
	if err := p.Wait(); err != nil {
		if _, exited := errors.AsType[*exec.ExitError](err); !exited {
			c.Fatal(err)
		}
	}
	return p.ProcessState.ExitCode(), p.Stderr.(*bytes.Buffer).String()
}

// second starts a run in a folder where one is at work: it is refused, unless the first one is not there yet or has
// ended.
func (c *chaos) second(dir string) {
	code, log := c.wait(c.start(dir), 0, 0)
	switch {
	case code == exitMistake && strings.Contains(log, "another run is at work in it"):
		c.count["second runs refused"]++
	case code == exitDone:
		c.count["second runs that came first or last"]++
	default:
		c.Errorf("%s: a second run: exit %d\n%s", dir, code, log)
	}
}

// damage flips a bit of a file of the newest checkpoint, where there is another one to go on from.
func (c *chaos) damage(dir string) {
	list, err := checkpoints.List(dir)
	if err != nil || len(list) < 2 || runFinished(dir) {
		return
	}
	file := []string{"model.safetensors", "optimizer.safetensors", "state.json", "tokenizer.json"}[c.rand.IntN(4)]
	path := filepath.Join(list[len(list)-1].Path, file)
	text, err := os.ReadFile(path)
	if err != nil || checkpoints.CheckSums(list[len(list)-2].Path) != nil {
		return
	}
	text[c.rand.IntN(len(text))] ^= 1 << c.rand.IntN(8)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		c.Fatal(err)
	}
	c.count["damaged files"]++
}

// runFinished tells whether the run of a folder has ended.
func runFinished(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "run.json"))
	return err == nil && strings.Contains(string(text), `"weights_sha256"`)
}

// ended compares a run that ended with the undisturbed one, and removes it.
func (c *chaos) ended(dir string) {
	if c.Failed() {
		return
	}
	c.count["runs compared"]++
	if got := runJSON(c.T, dir).Weights; got != c.weights {
		c.Errorf("%s has the weights %s, want %s", dir, got, c.weights)
	}
	if o := call(c.T, "", "audit verify "+dir); o.code != exitDone {
		c.Errorf("%s is not as recorded\n%s%s", dir, o.out, o.err)
	}
	// A stop after step 11 saves it, and one at step 12 before its evaluation keeps the best so far, 9: then
	// checkpoint-10 is one too many.
	left, whole := names(c.T, dir), slices.Clone(c.names)
	if !slices.Contains(left, "checkpoint-10") {
		left = slices.DeleteFunc(left, func(name string) bool { return name == "checkpoint-9" || name == "checkpoint-11" })
		whole = slices.DeleteFunc(whole, func(name string) bool { return name == "checkpoint-10" })
	}
	if !slices.Equal(left, whole) {
		c.Errorf("%s has\n%v, want\n%v", dir, left, whole)
	}
	var got, want []string
	for _, x := range []struct {
		dir  string
		rows *[]string
	}{{dir, &got}, {"whole", &want}} {
		for _, row := range metrics(c.T, x.dir) {
			*x.rows = append(*x.rows, fmt.Sprint(row["step"], row["loss"], row["eval_loss"], row["grad_norm"]))
		}
	}
	if !slices.Equal(got, want) {
		c.Errorf("%s has the rows\n%v, want\n%v", dir, got, want)
	}
	if err := os.RemoveAll(dir); err != nil {
		c.Error(err)
	}
}
