package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"instruct/checkpoints"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train"
	"instruct/train/attribute"
)

// reportedRows is how many rows a report has behind an answer.
const reportedRows = 5

// worstSamples reads the answers of the first candidate that fail, or violate a rule, the lowest score first, at most
// n. They lie beside results.json.
func worstSamples(path string, n int) (worst []sampleLine, err error) {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "samples-1-*.jsonl"))
	if err == nil && len(files) == 0 {
		err = mistake("explain: no samples-1-*.jsonl lies beside %s; `instruct eval --out` writes them", path)
	}
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, mistake("explain: %s: %s", file, checkpoints.Reason(err))
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 64<<20)
		for at := 1; lines.Scan(); at++ {
			var x sampleLine
			if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
				return nil, mistake("explain: %s:%d: %v; expected a line of `instruct eval --out`", file, at, err)
			}
			said := len(x.Answers) == 1 && len(x.Answers[0]) == 1 && strings.TrimSpace(x.Answers[0][0]) != ""
			if said && len(x.Doc.Messages) > 0 && (!x.Pass || len(x.Violated) > 0) {
				worst = append(worst, x)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, mistake("explain: %s: %v", file, err)
		}
	}
	slices.SortStableFunc(worst, func(a, b sampleLine) int { return cmp.Compare(a.Score, b.Score) })
	return worst[:min(n, len(worst))], nil
}

// explainWorst finds the training rows behind the worst answers of results, by trace.
func explainWorst(ctx context.Context, s *streams, run string, measured *train.Measured, n int) error {
	worst, err := worstSamples(measured.File, n)
	if err != nil || len(worst) == 0 {
		return err
	}
	p, err := train.OpenPast(ctx, run, 0, s.err, terminal(s.err))
	if err != nil {
		return err
	}
	defer p.Close()
	questions := make([]attribute.Question, len(worst))
	maxNew := 1
	for i, x := range worst {
		most := x.Arguments["gen_args_0"].How.MaxNew
		maxNew = max(maxNew, most)
		questions[i] = attribute.Question{ID: x.Test, Messages: x.Doc.Messages}
		if most == 0 { // it was made elsewhere
			questions[i].Answer = x.Answers[0][0]
		}
	}
	if err := askAgain(ctx, run, questions, maxNew); err != nil {
		return err
	}
	out := make([]attribute.Explanation, len(questions))
	progress := newCountdown(s.err, terminal(s.err), "micro-batches of rows", 0)
	err = attribute.Find(ctx, p, questions, out, attribute.Options{Method: "trace", Top: reportedRows,
		Seen: progress.at, Begin: func(what string) { fmt.Fprintln(s.err, what) }})
	progress.done()
	if err != nil {
		return err
	}
	for i, x := range worst {
		why := train.MeasuredWhy{Test: x.Test, Asked: questions[i].Prompt(), Answer: questions[i].Answer,
			Wanted: x.Target, Reason: x.Reason}
		if was := x.Answers[0][0]; was != why.Answer {
			why.Reason += fmt.Sprintf(" (it was asked again, and answered %.70q then)", was)
		}
		for _, r := range out[i].Towards {
			why.Rows = append(why.Rows, train.MeasuredRow{Score: r.Score, Source: r.Source, Prompt: r.Prompt, Answer: r.Answer})
		}
		measured.Why = append(measured.Why, why)
	}
	return nil
}

// askAgain lets the run's model answer, as a cut answer is explained without an end.
func askAgain(ctx context.Context, run string, questions []attribute.Question, maxNew int) error {
	m, err := pretrained.Load(run, pretrained.Options{})
	if err != nil {
		return err
	}
	defer m.Close()
	pool := kernel.NewPool(0)
	defer pool.Close()
	return attribute.Ask(ctx, m, pool, questions, maxNew)
}
