package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"instruct/cmd/instruct/openai"
	"instruct/cmd/instruct/page"
	"instruct/model/pretrained"
	"instruct/train/coach"
)

// pageFlags are the flags of serve that say what is on its page.
type pageFlags struct {
	second, behaviour, runs, corrections, recipe string
	suites, policies, keep                       []string
}

func (f *pageFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.second, "second", "", "a second model, which answers on the page beside the first one")
	fl.StringVar(&f.corrections, "corrections", "", "file to which the page adds corrections")
	fl.StringVar(&f.behaviour, "behaviour", "", "behaviour folder whose rounds the page shows and begins; "+
		"a new one begins with --model")
	fl.StringVar(&f.runs, "runs", "", "folder below which runs are, whose curves the page shows")
	fl.StringSliceVar(&f.suites, "suite", nil, "suites that the page shows and asks, and rounds are measured by")
	fl.StringSliceVar(&f.policies, "policy", nil, policyHelp+"; for the page, its rounds and evaluations")
	fl.StringArrayVar(&f.keep, "keep", nil, "of rounds: files of rows; the answers to their prompts are held in place")
	fl.StringVar(&f.recipe, "recipe", "", "of rounds: take learning rate, steps and all else from this file")
}

// check finds the mistakes in the flags.
func (f *pageFlags) check(cmd *cobra.Command) error {
	for _, name := range []string{"keep", "recipe"} {
		if cmd.Flags().Changed(name) && f.behaviour == "" {
			return mistake("%s is for the rounds of a behaviour folder; name it with --behaviour", name)
		}
	}
	if f.recipe != "" {
		if _, err := coach.ReadOptions(f.recipe); err != nil {
			return err
		}
	}
	if _, err := os.Stat(f.behaviour); f.behaviour != "" && err == nil && !pretrained.IsBehaviour(f.behaviour) {
		return mistake("behaviour %s is no behaviour folder; name one, or a new one", f.behaviour)
	}
	return nil
}

// system is what is said to a conversation that has no system prompt.
func (f *server) systemOf(cmd *cobra.Command, m *pretrained.Model) string {
	if cmd.Flags().Changed("system") || m.System == "" {
		return f.system
	}
	return m.System
}

// shown makes one of the page's models.
func (f *server) shown(cmd *cobra.Command, m *pretrained.Model, path string) (page.Model, error) {
	x := page.Model{Name: filepath.Base(strings.ReplaceAll(path, `\`, "/")), System: f.systemOf(cmd, m)}
	if f.corrections == "" {
		return x, nil
	}
	x.Corrections = &coach.Corrections{Path: f.corrections, Author: coach.Author(""), Now: time.Now}
	speak := f.speakFlags
	speak.model = path
	var err error
	x.Corrections.Model, err = weightsHash(m, speak)
	return x, err
}

// openPage makes the page; close ends what it runs, and the second model.
func (f *server) openPage(cmd *cobra.Command, first *pretrained.Model) (p *page.Page, close func(), err error) {
	ends := []func(){}
	close = func() {
		for i := range ends {
			ends[len(ends)-1-i]()
		}
	}
	defer func() {
		if err != nil {
			close()
		}
	}()
	o := page.Options{Behaviour: f.behaviour, Runs: f.runs, Suites: f.suites, Policies: f.policies, Eval: f.evalArgs,
		Run: func(ctx context.Context, args []string, out io.Writer) int { return run(ctx, args, nil, out, out) }}
	if f.behaviour != "" && (f.corrections != "" || len(f.policies) > 0) {
		o.Round = f.roundArgs
	}
	shown, err := f.shown(cmd, first, f.model)
	if err != nil {
		return nil, close, err
	}
	o.Models = append(o.Models, shown)
	if f.second != "" {
		second, end, err := f.openSecond(cmd)
		if err != nil {
			return nil, close, err
		}
		ends = append(ends, end)
		o.Models = append(o.Models, second)
	}
	if p, err = page.New(cmd.Context(), o); err != nil {
		return nil, close, err
	}
	ends = append(ends, p.Close)
	return p, close, nil
}

// openSecond loads the second model, which has a decoder and workers of its own.
func (f *server) openSecond(cmd *cobra.Command) (page.Model, func(), error) {
	speak := f.speakFlags
	speak.model = f.second
	m, pool, err := speak.read(cmd)
	if err != nil {
		return page.Model{}, nil, err
	}
	x, err := f.shown(cmd, m, f.second)
	if err != nil {
		pool.Close()
		return x, nil, err
	}
	o := f.Options
	o.Name, o.System, o.Notes, o.Log = "", x.System, nil, false
	answers, err := openai.New(m, pool, o)
	if err != nil {
		pool.Close()
		return x, nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(cmd.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		answers.Run(ctx)
	}()
	x.Chat = answers
	return x, func() {
		cancel()
		<-ended
		answers.Close()
		pool.Close()
	}, nil
}

// measured are the flags that rounds and evaluations have in common.
func (f *server) measured() []string {
	args := []string{"--max_new_tokens", strconv.Itoa(f.maxNew), "--threads", strconv.Itoa(f.threads)}
	for _, path := range f.suites {
		args = append(args, "--suite", path)
	}
	for _, path := range f.policies {
		args = append(args, "--policy", path)
	}
	return args
}

// roundArgs is the command that teaches corrections.
func (f *server) roundArgs(corrections string) []string {
	args := append([]string{"round", f.behaviour, "--yes"}, f.measured()...)
	if !pretrained.IsBehaviour(f.behaviour) {
		args = append(args, "--base", f.model)
	}
	if corrections != "" {
		args = append(args, "--corrections", corrections)
	}
	for _, path := range f.keep {
		args = append(args, "--keep", path)
	}
	if f.recipe != "" {
		args = append(args, "--recipe", f.recipe)
	}
	return args
}

// evalArgs is the command that asks the suites and writes what it finds into a folder.
func (f *server) evalArgs(dir string) []string {
	args := append([]string{"eval", "--model", f.model}, f.measured()...)
	if f.second != "" {
		args = append(args, "--model", f.second)
	}
	return append(args, "--dtype", f.dtype, "--out", dir, "--html", page.AnswersPage(dir))
}
