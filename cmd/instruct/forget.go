package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"instruct/model/pretrained"
	"instruct/train"
)

// forgetting is `forget` as the flags say.
type forgetting struct {
	rows             string
	yes, near, quiet bool
	args             []string
}

func newForget(s *streams, args []string) *cobra.Command {
	f := forgetting{args: args}
	c := &cobra.Command{Use: "forget RUN-or-BEHAVIOUR", Short: "The model as if some rows had never been there",
		Long: `Make the model as if some rows had never been there, bit for bit as training anew with drop_rows would. A run
goes on from its last checkpoint before the first use of one of the rows; of a behaviour the rounds from the first one
that was taught one of the corrections on are made again. Rows that say almost the same are listed, and asked for. The
old folder stays until the new one is whole; then its weights, checkpoints and pages are deleted, and the record keeps
hashes of the rows alone. The data files are yours: the run can be made again only with each row in its place, forgotten
or not.`,
		Example: `  instruct forget runs/mine --rows rows.txt            a row (path:line, such as train.jsonl:12) a line
  instruct forget runs/mine --rows them.jsonl          the rows themselves, in the format of the run's data
  instruct forget shop --rows ids.txt                  the id of a correction a line`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return mistake("forget takes the folder of one run or behaviour, got %q", args)
			}
			if err := required(cmd, "rows"); err != nil {
				return err
			}
			if err := train.MendForget(args[0]); err != nil {
				return err
			}
			if pretrained.IsBehaviour(args[0]) {
				return f.behaviour(cmd.Context(), s, args[0])
			}
			return f.run(cmd.Context(), s, args[0])
		}}
	fl := c.Flags()
	fl.StringVar(&f.rows, "rows", "", "file with a row (path:line) a line, or of the rows themselves; "+
		"of a behaviour the ids of corrections")
	fl.BoolVar(&f.near, "near", false, "take rows that say almost the same too, without asking")
	fl.BoolVar(&f.yes, "yes", false, "do it without asking")
	fl.BoolVar(&f.quiet, "quiet", false, "show no progress and no notes")
	return c
}

// run forgets rows of a run.
func (f *forgetting) run(ctx context.Context, s *streams, dir string) error {
	log := s.err
	if f.quiet {
		log = io.Discard
	}
	o := train.Options{Log: s.err, Terminal: !f.quiet && terminal(s.err), Quiet: f.quiet, Version: version(),
		Args: f.args, Again: "the same command", Width: func() int { return terminalWidth(s.err) }}
	rows := []string{"@" + f.rows}
	ask := newQuestions(ctx, s)
	plan, err := train.PlanForget(ctx, dir, rows, o)
	if err != nil {
		return err
	}
	if len(plan.Alike) > 0 {
		fmt.Fprintf(s.err, "rows that say almost the same: %d\n", len(plan.Alike))
		for _, row := range plan.Alike {
			fmt.Fprintf(s.err, "  %s\n", row)
		}
		if f.near || !f.yes && ask.yes("forget them too?") {
			if plan, err = train.PlanForget(ctx, dir, append(rows, plan.Alike...), o); err != nil {
				return err
			}
		} else {
			fmt.Fprintf(s.err, "they stay; --near takes them too\n")
		}
	}
	for _, note := range plan.Notes {
		fmt.Fprintf(log, "note: %s\n", note)
	}
	f.say(s, plan)
	if !f.yes && !ask.yes("go on?") {
		return fmt.Errorf("forget: nobody said yes; %s is as it was", dir)
	}
	done, err := plan.Do(ctx)
	if err != nil {
		return err
	}
	for _, path := range plan.Gone {
		fmt.Fprintf(s.out, "deleted          %s, which saw the rows\n", path)
	}
	for _, name := range done.Kept {
		fmt.Fprintf(s.out, "not touched      %s: it is not the run's; look whether it has something of the rows\n", name)
	}
	fmt.Fprintf(s.out, "forgotten        %d rows; the model is that of a run that never had them\n", len(plan.Rows))
	fmt.Fprintf(s.out, "weights sha256 %s\n", done.Now)
	fmt.Fprintf(s.err, "what was made elsewhere of the old model (exports, behaviours, kept answers) is as it was, and "+
		"so are the data files\n")
	return nil
}

// say says what is about to be done.
func (f *forgetting) say(s *streams, plan *train.Forgetting) {
	first := "no step used them"
	if plan.First > 0 {
		first = fmt.Sprintf("first used in step %d of %d", plan.First, plan.Steps)
	}
	from := "the beginning"
	if plan.From > 0 {
		from = fmt.Sprintf("checkpoint-%d", plan.From)
	}
	took := time.Duration(plan.Seconds * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(s.err, "%d rows to forget, %s: train again from %s, which took about %v; then the old run goes\n",
		len(plan.Rows), first, from, took)
}

// questions are asked with answers from standard input.
type questions struct {
	s    *streams
	next func() (string, bool)
}

func newQuestions(ctx context.Context, s *streams) *questions {
	var l *lineReader
	return &questions{s, func() (string, bool) {
		if l == nil {
			l = newLineReader(ctx, s.in)
		}
		line, ok, err := l.next(true)
		return line, ok && err == nil
	}}
}

// yes asks a question; all but a yes is a no.
func (q *questions) yes(question string) bool {
	fmt.Fprintf(q.s.err, "%s [y/N] ", question)
	line, ok := q.next()
	return ok && strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "y")
}
