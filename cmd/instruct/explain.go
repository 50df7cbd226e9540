package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train"
	"instruct/train/attribute"
	"instruct/train/eval"
)

// explaining is why a run answers as it does, as the flags say.
type explaining struct {
	run                    string
	prompt, answer, system string
	suite                  string
	failed, json, scores   bool
	cut                    bool
	method, html           string
	top, verify, random    int
	maxNew, threads        int
}

func newExplain(s *streams) *cobra.Command {
	var e explaining
	c := &cobra.Command{Use: "explain RUN", Short: "Why a run's model answers as it does: which rows taught it",
		Long: `Explain an answer of a run's model: token by token, with what else was likely and what the model before the run
would have said; and the training rows that pushed towards the answer, and against it (docs/explain.md).

  --method trace   moves the kept weights along the gradient of the answer and looks how the loss of every row follows;
                   explain: true in a recipe keeps weights on the way, else those at the end are all there is
  --method unroll  differentiates the whole run, step by step, which is made again for it: a training, and two gradients
                   a step and answer
  --method bm25    the rows that share the answer's words, knowing nothing of the model: a yardstick

--verify K proves it: the run is made again without the first K rows, with the same bits otherwise, and without
random rows of like length.`,
		Example: `  instruct explain runs/mine --prompt "What is the capital of France?"
  instruct explain runs/mine --prompt "Say it." --answer "No." --top 20 --html why.html
  instruct explain runs/mine --prompt "Say it." --verify 5 --random 20
  instruct explain runs/mine --suite manners.yaml --failed --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return mistake("explain takes the folder of one run, got %q", args)
			}
			e.run = args[0]
			return e.do(cmd, s)
		}}
	fl := c.Flags()
	fl.StringVar(&e.prompt, "prompt", "", "what is asked")
	fl.StringVar(&e.answer, "answer", "", "the answer to explain; not given: the model's own")
	fl.BoolVar(&e.cut, "cut", false, "of answer: it was cut, so no end of the turn stands behind it")
	fl.StringVar(&e.system, "system", "", "system prompt; not given: the one that the model was tuned with")
	fl.StringVar(&e.suite, "suite", "", "explain the model's answers to the tests of a suite")
	fl.BoolVar(&e.failed, "failed", false, "of a suite: those that fail")
	fl.IntVar(&e.top, "top", 10, "rows that are shown on each side")
	fl.StringVar(&e.method, "method", "trace", "how the rows are found: "+strings.Join(attribute.Methods(), ", "))
	fl.IntVar(&e.verify, "verify", 0, "make the run again without the first K rows, and without random ones")
	fl.IntVar(&e.random, "random", 20, "of verify: random sets of as many rows of like length")
	fl.StringVar(&e.html, "html", "", "write one self-contained page into this file")
	fl.BoolVar(&e.json, "json", false, "one JSON object an answer")
	fl.BoolVar(&e.scores, "scores", false, "of json: the score of every row too")
	fl.IntVar(&e.maxNew, "max_new_tokens", 256, "longest answer in tokens")
	fl.IntVar(&e.threads, "threads", 0, threadsHelp)
	return c
}

// check refuses flags that do not fit together.
func (e *explaining) check(cmd *cobra.Command) error {
	switch {
	case (e.prompt == "") == (e.suite == ""):
		return mistake("explain needs --prompt, or --suite with tests")
	case e.failed && e.suite == "":
		return mistake("failed says which tests of a suite are explained; name it with --suite")
	case e.suite != "" && e.answer != "":
		return mistake("answer belongs to a prompt; the tests of a suite are explained with what the model answers")
	case e.cut && e.answer == "":
		return mistake("cut says of an answer that it did not end; give it with --answer")
	case e.verify > 0 && e.suite != "":
		return mistake("verify makes the run again for one answer; take a test's prompt as --prompt")
	case !slices.Contains(attribute.Methods(), e.method):
		return mistake("method is %q; known: %s", e.method, strings.Join(attribute.Methods(), ", "))
	case e.top < 1:
		return mistake("top is %d; it must be at least 1", e.top)
	case e.verify < 0 || e.random < 0:
		return mistake("verify and random are numbers of rows and of sets, 0 or more")
	case cmd.Flags().Changed("random") && e.verify == 0:
		return mistake("random belongs to verify; set --verify K")
	case e.maxNew < 1:
		return mistake("max_new_tokens is %d; it must be at least 1", e.maxNew)
	}
	return checkFile("html", e.html)
}

func (e *explaining) do(cmd *cobra.Command, s *streams) error {
	if err := e.check(cmd); err != nil {
		return err
	}
	if err := kernel.CheckCPU(); err != nil {
		return err
	}
	ctx := cmd.Context()
	p, err := train.OpenPast(ctx, e.run, e.threads, s.err, terminal(s.err))
	if err != nil {
		return err
	}
	defer p.Close()
	if e.html != "" {
		if err := notAnInput("html", e.html, slices.Concat(p.Recipe.Dataset, []string{e.suite})...); err != nil {
			return err
		}
	}
	questions, err := e.questions(cmd, s)
	if err != nil {
		return err
	}
	all, err := e.say(cmd, s, p, questions)
	if err != nil || len(all) == 0 {
		return err
	}
	o := attribute.Options{Method: e.method, Top: e.top, All: e.scores}
	progress := newCountdown(s.err, terminal(s.err), "micro-batches of rows", 0)
	o.Begin = func(what string) { fmt.Fprintln(s.err, what) }
	o.Seen = progress.at
	err = attribute.Find(ctx, p, questions, all, o)
	progress.done()
	if err != nil {
		return err
	}
	if e.verify > 0 {
		if err := e.prove(ctx, s, p, &questions[0], &all[0]); err != nil {
			return err
		}
	}
	return e.write(s.out, all)
}

// questions are the prompt, or the tests of the suite, as far as they are known before the model is asked.
func (e *explaining) questions(cmd *cobra.Command, s *streams) ([]attribute.Question, error) {
	kept, err := pretrained.KeptSystem(e.run)
	if err != nil {
		return nil, err
	}
	system := systemPrompt(cmd, s, e.system, kept)
	if e.suite == "" {
		return []attribute.Question{{Answer: e.answer, Cut: e.cut,
			Messages: conversationOf(system, chat.Message{Role: "user", Content: e.prompt})}}, nil
	}
	suite, err := eval.Read(cmd.Context(), e.suite, system)
	if err != nil {
		return nil, err
	}
	var failed map[int]bool
	if e.failed {
		if failed, err = e.failedTests(cmd.Context(), s, suite); err != nil {
			return nil, err
		}
	}
	var questions []attribute.Question
	for i := range suite.Tests {
		if t := &suite.Tests[i]; t.Asked() && (!e.failed || failed[i]) {
			questions = append(questions, attribute.Question{ID: t.ID, Messages: t.Messages})
		}
	}
	if len(questions) == 0 && e.failed {
		fmt.Fprintf(s.err, "no test of %s fails\n", e.suite)
		return nil, nil
	}
	return questions, nil
}

// failedTests asks the suite and gives the tests that fail.
func (e *explaining) failedTests(ctx context.Context, s *streams, suite *eval.Suite) (map[int]bool, error) {
	m, err := pretrained.Load(e.run, pretrained.Options{})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	pool := kernel.NewPool(e.threads)
	defer pool.Close()
	k := &eval.Keeper{Model: m, Pool: pool, Load: func() error { return nil }}
	defer k.Close()
	samples, err := askSuite(ctx, s, e.run, k, suite, e.maxNew)
	if err != nil {
		return nil, err
	}
	failed := map[int]bool{}
	for i := range samples {
		if suite.Tests[i].Asked() && !samples[i].Pass {
			failed[i] = true
		}
	}
	return failed, nil
}

// say asks the run's model, and the one before it, and tells of every token what they say.
func (e *explaining) say(cmd *cobra.Command, s *streams, p *train.Past, questions []attribute.Question) (
	[]attribute.Explanation, error) {
	ctx := cmd.Context()
	all := make([]attribute.Explanation, len(questions))
	if len(all) == 0 {
		return nil, nil
	}
	pool := kernel.NewPool(e.threads)
	defer pool.Close()
	m, err := pretrained.Load(e.run, pretrained.Options{})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	printNotes(s.err, m)
	if err := attribute.Ask(ctx, m, pool, questions, e.maxNew); err != nil {
		return nil, err
	}
	for i := range questions {
		q := &questions[i]
		x := attribute.Explanation{ID: q.ID, Prompt: q.Prompt(), Answer: q.Answer, Greedy: q.Greedy, Parts: -1}
		switch {
		case e.cut:
			x.Notes = append(x.Notes, "the answer was cut: no end of the turn is explained")
		case q.Cut:
			x.Notes = append(x.Notes, fmt.Sprintf("the answer did not end within %d tokens", e.maxNew))
		}
		if x.Logprob, err = attribute.Logprob(ctx, m, pool, &q.Example); err != nil {
			return nil, err
		}
		if x.Tokens, err = attribute.Say(ctx, m, pool, &q.Example); err != nil {
			return nil, err
		}
		all[i] = x
	}
	m.Close()
	return all, e.sayBefore(ctx, p, pool, questions, all)
}

// sayBefore adds what the model before the run says.
func (e *explaining) sayBefore(ctx context.Context, p *train.Past, pool *kernel.Pool, questions []attribute.Question,
	all []attribute.Explanation) error {
	note := func(text string) error {
		for i := range all {
			all[i].Notes = append(all[i].Notes, text)
		}
		return nil
	}
	if p.Base() == "" {
		return note("the run made its model from scratch, so there is none before it to compare with")
	}
	base, err := pretrained.Load(p.Base(), pretrained.Options{})
	if isMistake(err) {
		return note("the model before the run is not compared: " + err.Error())
	}
	if err != nil {
		return err
	}
	defer base.Close()
	for i := range questions {
		x := &all[i]
		x.Base = p.Base()
		before, err := attribute.Logprob(ctx, base, pool, &questions[i].Example)
		if err != nil {
			return err
		}
		x.BaseLogprob = &before
		x.BaseAnswer, err = attribute.SayBefore(ctx, base, pool, &questions[i], x.Tokens, e.maxNew)
		if err != nil {
			return err
		}
		x.Parts = attribute.Parts(x.Tokens)
	}
	return nil
}

// prove makes the run again without the rows.
func (e *explaining) prove(ctx context.Context, s *streams, p *train.Past, q *attribute.Question,
	x *attribute.Explanation) error {
	start := time.Now()
	err := attribute.Prove(ctx, p, q, x, attribute.ProofOptions{Rows: e.verify, Random: e.random, MaxNew: e.maxNew,
		Run:   train.Options{Out: io.Discard, Log: io.Discard, Quiet: true, Version: version()},
		Begin: func(what string) { fmt.Fprintln(s.err, what) },
		Made: func(done, of int, t attribute.Trial) {
			left := time.Duration(float64(time.Since(start)) / float64(done) * float64(of-done)).Round(time.Second)
			what := "random rows"
			if done == 1 {
				what = "the rows"
			}
			fmt.Fprintf(s.err, "run %d of %d: without %s the answer's log-probability changes by %+.4f, %v left\n", done, of,
				what, t.Change, left)
		}})
	if errors.Is(err, train.ErrInterrupted) {
		return context.Canceled
	}
	return err
}

// write writes the results: the page first, whose error is the command's.
func (e *explaining) write(w io.Writer, all []attribute.Explanation) error {
	if e.html != "" {
		var page bytes.Buffer
		if err := attribute.WritePage(&page, e.run, all); err != nil {
			return err
		}
		if err := checkpoints.WriteFile(e.html, page.Bytes()); err != nil {
			return err
		}
	}
	for i := range all {
		if e.json {
			if err := writeJSON(w, &all[i]); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := all[i].WriteText(w); err != nil {
			return err
		}
	}
	return nil
}
