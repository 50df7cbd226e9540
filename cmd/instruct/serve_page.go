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
	"instruct/train"
	"instruct/train/coach"
)

// pageFlags are the flags of serve that say what is on its page.
type pageFlags struct {
	second, behaviour, runs, corrections, recipe string
	suites, keep                                 []string
	policies                                     []string // a flag of the server, which holds its answers against them too
}

func (f *pageFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.second, "second", "", "a second model, which answers on the page beside the first one")
	fl.StringVar(&f.corrections, "corrections", "", "file to which the page adds corrections")
	fl.StringVar(&f.behaviour, "behaviour", "", "behaviour folder whose rounds the page shows and begins; "+
		"a new one begins with --model")
	fl.StringVar(&f.runs, "runs", "", "folder below which runs are, whose curves the page shows")
	fl.StringSliceVar(&f.suites, "suite", nil, "suites that the page shows and asks, and rounds are measured by")
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

// shown makes one of the page's models.
func (f *server) shown(cmd *cobra.Command, m *pretrained.Model, path string) (page.Model, error) {
	x := page.Model{Name: filepath.Base(strings.ReplaceAll(path, `\`, "/")), System: f.system}
	if !cmd.Flags().Changed("system") && m.System != "" {
		x.System = m.System
	}
	if f.corrections == "" && f.behaviour == "" {
		return x, nil
	}
	speak := f.speakFlags
	speak.model = path
	var err error
	if x.Weights, err = weightsHash(m, speak); err != nil || f.corrections == "" {
		return x, err
	}
	x.Corrections = &coach.Corrections{Path: f.corrections, Author: coach.Author(""), Model: x.Weights, Now: time.Now}
	return x, nil
}

// openPage makes the page, which the caller closes.
func (f *server) openPage(cmd *cobra.Command, first *pretrained.Model) (*page.Page, error) {
	o := page.Options{Second: f.second, Behaviour: f.behaviour, Runs: f.runs, Suites: f.suites, Policies: f.policies,
		Eval: f.evalArgs,
		Open: func(path string) (page.Model, func(), error) { return f.open(cmd, path) },
		Run:  func(ctx context.Context, args []string, out io.Writer) int { return run(ctx, args, nil, out, out) }}
	if f.behaviour != "" && (f.corrections != "" || len(f.policies) > 0) {
		o.Round = f.roundArgs
	}
	if train.Finished(f.model) {
		o.Rows = f.rowsArgs
	}
	var err error
	if o.Model, err = f.shown(cmd, first, f.model); err != nil {
		return nil, err
	}
	return page.New(cmd.Context(), o)
}

// open loads a model that answers on the page alone, with a decoder and workers of its own; end gives them back.
func (f *server) open(cmd *cobra.Command, path string) (x page.Model, end func(), err error) {
	speak := f.speakFlags
	speak.model = path
	m, pool, err := speak.read(cmd)
	if err != nil {
		return x, nil, err
	}
	if x, err = f.shown(cmd, m, path); err != nil {
		pool.Close()
		return x, nil, err
	}
	o := f.Options
	o.Name, o.System, o.Page, o.Notes, o.Log = "", x.System, nil, nil, false
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
		m.Close()
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

// rowsArgs is the command that writes a page with the rows behind an answer.
func (f *server) rowsArgs(a page.Asked, html string) []string {
	return []string{"explain", f.model, "--prompt", a.Prompt, "--system", a.System, "--answer", a.Answer,
		"--cut=" + strconv.FormatBool(a.Cut), "--html", html, "--threads", strconv.Itoa(f.threads)}
}

// evalArgs is the command that asks the suites and writes what it finds into a folder.
func (f *server) evalArgs(dir string) []string {
	args := append([]string{"eval", "--model", f.model}, f.measured()...)
	if f.second != "" {
		args = append(args, "--model", f.second)
	}
	if f.template != "" {
		args = append(args, "--chat_template", f.template)
	}
	if f.system != "" {
		args = append(args, "--system", f.system)
	}
	return append(args, "--dtype", f.dtype, "--out", dir, "--html", page.AnswersPage(dir))
}
