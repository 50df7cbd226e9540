package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train/eval"
)

// ask lets one model answer. Its weights are read when there is something to ask that is not kept.
func (e *evaluation) ask(ctx context.Context, s *streams, path string, d kernel.DType, suites []*eval.Suite) (
	candidate, error) {
	c := candidate{name: path}
	m, err := pretrained.Outline(path, e.template)
	if err != nil {
		return c, err
	}
	printNotes(s.err, m)
	kept, err := openKept(s, e.kept, m, d)
	if err != nil {
		return c, err
	}
	pool := kernel.NewPool(e.threads)
	defer pool.Close()
	k := &eval.Keeper{Model: m, Pool: pool, Kept: kept, Load: func() error { return readWeights(s.err, m, d) }}
	defer m.Close()
	defer k.Close()
	for _, suite := range suites {
		samples, err := askSuite(ctx, s, path, k, suite, e.maxNew)
		if err != nil {
			return c, stopped(s.err, path, k, err)
		}
		c.samples = append(c.samples, samples)
	}
	if n := k.Answers.Kept + k.Scores.Kept; n > 0 {
		fmt.Fprintf(s.err, "%s: %s kept from before\n", path, keptOf(k))
	}
	if err := kept.Close(); err != nil {
		fmt.Fprintf(s.err, "%s: not everything is kept: %v\n", path, err)
	}
	return c, nil
}

// askSuite asks what a suite asks, and then what the model holds likely. name says which model it is, for people.
func askSuite(ctx context.Context, s *streams, name string, k *eval.Keeper, suite *eval.Suite, maxNew int) (
	[]eval.Sample, error) {
	from := k.Answers.Kept
	p := newCountdown(s.err, terminal(s.err), fmt.Sprintf("%s on %s", name, suite.Name), suite.Questions())
	samples, err := suite.AskWith(ctx, k, pretrained.Decoding{MaxNew: maxNew}, func() {
		p.kept = k.Answers.Kept - from
		p.step()
	})
	p.done()
	if err != nil {
		return nil, err
	}
	from = k.Scores.Kept
	p = newCountdown(s.err, terminal(s.err), fmt.Sprintf("%s on %s, log-probabilities", name, suite.Name), 0)
	err = suite.Score(ctx, k, samples, func(n, of int) {
		p.kept = k.Scores.Kept - from
		p.at(n, of)
	})
	p.done()
	return samples, err
}

// keptOf says how much was kept, in words.
func keptOf(k *eval.Keeper) string {
	text := fmt.Sprintf("%d of %d answers", k.Answers.Kept, k.Answers.All)
	scores := fmt.Sprintf("%d of %d scored texts", k.Scores.Kept, k.Scores.All)
	switch {
	case k.Scores.All == 0:
		return text + " were"
	case k.Answers.All == 0:
		return scores + " were"
	}
	return text + " and " + scores + " were"
}

// stopped closes what is kept after an error, and says how to go on where it is that of a signal.
func stopped(w io.Writer, path string, k *eval.Keeper, err error) error {
	lost := k.Kept.Close()
	if errors.Is(err, context.Canceled) && k.Kept != nil && lost == nil {
		fmt.Fprintf(w, "%s: %d answers and %d scored texts are kept; run the same command again to go on\n", path,
			k.Answers.All, k.Scores.All)
	}
	return err
}

// keptHelp is the help of the flag --kept.
const keptHelp = "keep answers in this folder and ask only what is new; none: do not " +
	"(default: the user's cache folder)"

// openKept opens what is kept of a model in a place, as --kept has it. A place that nobody asked for may fail: then
// nothing is kept.
func openKept(s *streams, place string, m *pretrained.Model, d kernel.DType) (*eval.Kept, error) {
	if place == "none" {
		return nil, nil
	}
	hash, err := m.FilesHash(d)
	if err != nil {
		return nil, err
	}
	dir := place
	if dir == "" {
		if dir, err = os.UserCacheDir(); err == nil {
			dir = filepath.Join(dir, "instruct", "answers")
		}
	}
	var kept *eval.Kept
	if err == nil {
		kept, err = eval.OpenKept(dir, hash)
	}
	switch {
	case err == nil:
		return kept, nil
	case place != "":
		return nil, mistake("kept: %v; give a folder that can be written, or none", err)
	}
	fmt.Fprintf(s.err, "answers are not kept: %v\n", err)
	return nil, nil
}
