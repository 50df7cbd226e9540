package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train/coach"
	"instruct/train/eval"
)

// rounding is a round as the flags say.
type rounding struct {
	sources
	base, maxWorse, recipe    string
	answers                   string // where they are kept
	keep                      []string
	yes                       bool
	threads, maxNew, keepRows int
	options                   coach.Options

	behaviour string
	worse     float64 // share of the tests of a suite
	saved     bool    // the round is in its folder
	name      string  // of the behaviour on pages, where its folder is another for a while
}

// keepPrompts is how many prompts of --keep are kept where nobody says.
const keepPrompts = 96

func newRound(s *streams) *cobra.Command {
	r := rounding{options: coach.Default()}
	c := &cobra.Command{Use: "round BEHAVIOUR", Short: "Teach a model corrections, and see what got better and worse",
		Long: `Teach the current model of a behaviour folder corrections, while its answers to other prompts are held in
place, and measure suites before and after. The new model becomes the current one within --max_worse and with a yes
(or --yes); else it is kept as rejected. A behaviour folder is a line of models, rounds/000, rounds/001 ...; every
command takes it as a model and means the current round. The first round makes it (--base).

With --policy the good examples of its rules are taught too, and a rule of severity block rejects the round when an
answer to a prompt of the policy violates it, or one to a suite's test that held it before. With --self K the model
samples K answers to each test of the suites that it fails, and those that pass are trained; --unseen suites tell
whether that helps elsewhere.`,
		Example: `  instruct round shop --base runs/mine --corrections c.jsonl --keep rows.jsonl --suite manners.yaml
  instruct round shop --policy policy.yaml --keep rows.jsonl
  instruct round shop --self 8 --suite practised.jsonl --unseen others.jsonl
  instruct log shop
  instruct rollback shop --to 0`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return mistake("round takes one behaviour folder, got %d arguments", len(args))
			}
			r.behaviour = args[0]
			err := r.run(cmd, s)
			if errors.Is(err, context.Canceled) && !r.saved {
				fmt.Fprintf(s.err, "nothing of the round is kept; the same command begins it again\n")
			}
			return err
		}}
	fl := c.Flags()
	fl.StringVar(&r.base, "base", "", "the model that a new behaviour folder begins with")
	r.sources.add(c, &r.options)
	fl.StringArrayVar(&r.keep, "keep", nil,
		"files of rows; the answers to their prompts are held in place, beside those to everyday prompts")
	fl.IntVar(&r.keepRows, "keep_prompts", keepPrompts, "most prompts of --keep, spread over the files")
	fl.StringVar(&r.maxWorse, "max_worse", "5%", "share of a suite's tests that may go from right to wrong")
	fl.BoolVar(&r.yes, "yes", false, "accept without asking where --max_worse holds")
	fl.StringVar(&r.author, "author", "", "who wants it so; your login name where empty")
	fl.IntVar(&r.maxNew, "max_new_tokens", 256, "longest answer to a suite's test in tokens")
	fl.StringVar(&r.answers, "kept", "", keptHelp)
	fl.IntVar(&r.threads, "threads", 0, threadsHelp)
	fl.StringVar(&r.recipe, "recipe", "", "take seed, learning rate and all else from this file, a round.json of before")
	fl.Uint64Var(&r.options.Seed, "seed", r.options.Seed, "seed of the order of what is kept")
	fl.Float64Var(&r.options.LearningRate, "learning_rate", r.options.LearningRate, "of the first step; falls to 0")
	fl.IntVar(&r.options.Steps, "steps", r.options.Steps, "steps of one try; another follows while one is not right")
	fl.Float64Var(&r.options.KeptWeight, "kept_weight", r.options.KeptWeight, "weight of what is held in place")
	return c
}

// check reads the flags that need it.
func (r *rounding) check(cmd *cobra.Command) error {
	if err := r.sources.check(cmd); err != nil {
		return err
	}
	text, percent := strings.CutSuffix(r.maxWorse, "%")
	worse, err := strconv.ParseFloat(text, 64)
	if percent {
		worse /= 100
	}
	if err != nil || worse < 0 || worse > 1 {
		return mistake("max_worse is %q; expected a share such as 5%% or 0.05", r.maxWorse)
	}
	r.worse = worse
	if r.maxNew < 1 {
		return mistake("max_new_tokens is %d; it must be at least 1", r.maxNew)
	}
	if r.recipe != "" {
		for _, name := range []string{"seed", "learning_rate", "steps", "kept_weight", "passes"} {
			if cmd.Flags().Changed(name) {
				return mistake("recipe %s says what %s is; give one of them", r.recipe, name)
			}
		}
		if r.options, err = coach.ReadOptions(r.recipe); err != nil {
			return err
		}
	}
	r.author = coach.Author(r.author)
	if err := r.options.Validate(); err != nil {
		return err
	}
	return kernel.CheckCPU()
}

// keepSystem finds the system prompt that the behaviour, or the model it is to begin with, was tuned with: suites are
// asked with it, as eval and chat do. What cannot be read is said when it is opened.
func (r *rounding) keepSystem() {
	for _, path := range []string{r.behaviour, r.base} {
		if system, err := pretrained.KeptSystem(path); path != "" && err == nil && system != "" {
			r.system = system
			r.note("suites are asked with the system prompt of the training: %.60q", system)
			return
		}
	}
}

func (r *rounding) run(cmd *cobra.Command, s *streams) error {
	if err := r.check(cmd); err != nil {
		return err
	}
	round, err := r.make(cmd.Context(), s)
	if err != nil {
		return err
	}
	return r.end(cmd.Context(), s, round)
}

// make makes a round of what the flags say, and saves it.
func (r *rounding) make(ctx context.Context, s *streams) (*coach.Round, error) {
	start := time.Now()
	r.keepSystem()
	lesson, keep, suites, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	m, unlock, err := r.open(s)
	if err != nil {
		return nil, err
	}
	defer unlock()
	defer m.Close()
	round := coach.Round{Options: r.options, Author: r.author, Kept: r.keep, KeepPrompts: r.keepRows,
		Corrections: len(lesson.New), ParentHash: m.WeightsHash(), Policies: r.rules.paths, Name: r.name,
		SuiteFiles: r.suites, UnseenFiles: r.unseen, MaxNew: r.maxNew, PolicyPrompt: r.rules.prompt}
	if r.again != nil {
		round.Withheld = r.again.Withheld
	}
	kept, err := data.OnDisk(r.keep)
	if err != nil {
		return nil, err
	}
	if round.Files, err = hashes(slices.Concat(kept, r.suites, r.unseen, r.rules.paths)); err != nil {
		return nil, err
	}
	if round.Parent, err = pretrained.Current(r.behaviour); err != nil {
		return nil, err
	}
	if lesson.Earlier, err = coach.Earlier(r.behaviour, round.Parent); err != nil {
		return nil, err
	}
	if err := r.checkModel(round, lesson.New); err != nil {
		return nil, err
	}
	pool := kernel.NewPool(r.threads)
	defer pool.Close()
	lesson.Round = round.Parent
	if lesson.Near, err = coach.EarlierNear(r.behaviour, round.Parent, m.Config.Vocab); err != nil {
		return nil, err
	}
	for _, note := range r.notes {
		fmt.Fprintln(s.err, note)
	}
	p := newCountdown(s.err, terminal(s.err), "answers to keep", len(keep))
	lesson.Kept, err = coach.General(ctx, r.behaviour, m, round.Parent, pool, keep, r.options, p.at)
	p.done()
	if err != nil {
		return nil, err
	}
	for _, row := range keep {
		lesson.Others = append(lesson.Others, asks(row))
	}
	what := &measures{new: lesson.New, earlier: lesson.Standing(), suites: suites, maxNew: r.maxNew}
	before, err := r.measureParent(ctx, s, m, pool, what)
	if err != nil {
		return nil, err
	}
	if err := r.learn(ctx, s, m, pool, suites, before.suites, &lesson, &round); err != nil {
		return nil, err
	}
	say := func(format string, args ...any) { fmt.Fprintf(s.err, format+"\n", args...) }
	if len(lesson.New) > 0 {
		say("training: tries of %d steps, %d of them at most", r.options.Steps, r.options.Tries)
	}
	if round.Taught, err = coach.Teach(ctx, m, pool, lesson, r.options, say); err != nil {
		return nil, err
	}
	after, said, err := r.measureOwn(ctx, s, m, pool, what)
	if err != nil {
		return nil, err
	}
	round.Tell(what.answers(before, after))
	r.tell(&round, suites, before.suites, after.suites)
	round.Seconds, round.Time = time.Since(start).Seconds(), time.Now().UTC().Format(time.RFC3339)
	r.decide(ctx, s, &round)
	if err := round.Save(r.behaviour, m, lesson.New); err != nil {
		return nil, err
	}
	r.saved = true
	if err := r.remember(s, round.Round, said); err != nil {
		fmt.Fprintf(s.err, "after: not everything is kept: %v\n", err)
	}
	return &round, nil
}

// end says what became of a round that is saved. A signal at the question is an answer too.
func (r *rounding) end(ctx context.Context, s *streams, round *coach.Round) error {
	fmt.Fprintf(s.out, "report             %s\n", coach.Report(r.behaviour, round.Round))
	fmt.Fprintf(s.out, "round %d of %s is %s%s\n", round.Round, r.behaviour, round.Verdict, because(round.Reason))
	if round.Verdict == coach.Accepted {
		return nil
	}
	if err := ctx.Err(); err != nil {
		fmt.Fprintf(s.err, "its model is kept; `instruct rollback %s --to %d --force` makes it the current one\n",
			r.behaviour, round.Round)
		return err
	}
	return fmt.Errorf("round %d was rejected; the current one is still %d", round.Round, round.Parent)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// read reads what is taught and measured.
func (r *rounding) read(ctx context.Context) (lesson coach.Lesson, keep []data.Row, suites []*eval.Suite, err error) {
	if lesson.New, suites, err = r.sources.read(ctx); err != nil {
		return lesson, nil, nil, err
	}
	keep, err = r.keepRowsOf(ctx)
	return lesson, keep, suites, err
}

// open gives the current model of the behaviour folder, which is made where there is none, and locks the folder.
func (r *rounding) open(s *streams) (m *pretrained.Model, unlock func(), err error) {
	if m, err = r.begin(); err != nil {
		return nil, nil, err
	}
	if unlock, err = coach.Lock(r.behaviour); err != nil {
		return nil, nil, err
	}
	if err = mend(s, r.behaviour); err != nil {
		unlock()
		return nil, nil, err
	}
	current, err := pretrained.Current(r.behaviour)
	if err == nil && (m == nil || current > 0) { // another round may have come between
		m, err = pretrained.Load(r.behaviour, pretrained.Options{})
	}
	if err != nil {
		unlock()
	}
	return m, unlock, err
}

// begin makes the behaviour folder where there is none, and then gives the model that it begins with, else nil.
func (r *rounding) begin() (*pretrained.Model, error) {
	_, err := os.Stat(r.behaviour)
	switch {
	case err == nil && r.base != "":
		return nil, r.begun()
	case err == nil && !pretrained.IsBehaviour(r.behaviour):
		return nil, mistake("%s is no behaviour folder; name a new one, and the model that it begins with by --base",
			r.behaviour)
	case err == nil:
		return nil, nil
	case !os.IsNotExist(err):
		return nil, mistake("behaviour %s: %v", r.behaviour, err)
	case r.base == "":
		return nil, mistake("there is no behaviour folder %s; --base names the model that a new one begins with",
			r.behaviour)
	}
	m, err := pretrained.Load(r.base, pretrained.Options{})
	if err != nil {
		return nil, err
	}
	return m, pretrained.Begin(r.behaviour, pretrained.Base{Model: m.Path, Weights: m.WeightsHash()})
}

// checkModel refuses a base that has changed, and corrections of the answers of a model of another line.
func (r *rounding) checkModel(round coach.Round, corrections []data.Correction) error {
	base, err := pretrained.ReadBase(r.behaviour)
	if err != nil {
		return err
	}
	if round.Parent == 0 && base.Weights != round.ParentHash {
		return mistake("behaviour %s: its first model, %s, is not the one that it began with (weights sha256 %s, now %s)",
			r.behaviour, base.Model, base.Weights, round.ParentHash)
	}
	if r.again != nil {
		return nil // it was known then
	}
	known := map[string]bool{"": true, base.Weights: true, round.ParentHash: true}
	ledger, err := coach.Ledger(r.behaviour)
	if err != nil {
		return err
	}
	for _, l := range ledger {
		known[l.Weights] = true
	}
	for _, c := range corrections {
		if !known[c.Model] {
			return mistake("corrections %s: %s corrects an answer of another model (weights sha256 %s), none of %s",
				r.corrections, c.ID, c.Model, r.behaviour)
		}
	}
	return nil
}

// keepRowsOf reads what is kept beside everyday prompts: every so-many-th row.
func (r *rounding) keepRowsOf(ctx context.Context) ([]data.Row, error) {
	var rows []data.Row
	if len(r.keep) > 0 {
		var err error
		if rows, err = data.Load(ctx, r.keep, ""); err != nil {
			return nil, err
		}
	}
	spread := coach.Everyday()
	n := min(r.keepRows, len(rows))
	for i := range n {
		spread = append(spread, rows[i*len(rows)/n])
	}
	return spread, nil
}

// asks is the last message of the user.
func asks(row data.Row) string {
	for _, m := range slices.Backward(row.Messages) {
		if m.Role == "user" {
			return m.Content
		}
	}
	return ""
}

// decide says what became of the corrections and the suites, and asks whether to accept it.
func (r *rounding) decide(ctx context.Context, s *streams, round *coach.Round) {
	t := round.Taught
	if round.Corrections > 0 || t.Earlier > 0 {
		fmt.Fprintf(s.out, "corrections right  %d of %d, earlier ones %d\n", t.Right, round.Corrections, t.Earlier)
	}
	for _, c := range round.Answers.Broken() {
		fmt.Fprintf(s.out, "  broke  %s: %.70q is answered %.70q\n", c.ID, c.Asked(), c.Now.Text)
	}
	fmt.Fprintf(s.out, "trained            %d steps, %.0f %% of the way kept, %.0f s\n", t.Steps, 100*t.Share,
		round.Seconds)
	broken := r.judge(s.out, round)
	if t.Right == 0 && round.Corrections > 0 {
		broken = append(broken, "no correction is right")
	}
	before, _ := coach.Rights(round.Answers.Earlier)
	if n := len(round.Broken); float64(n) > r.worse*float64(before) {
		broken = append(broken, fmt.Sprintf("%d of %d earlier corrections are broken, more than %s", n, before, r.maxWorse))
	}
	for _, m := range round.Suites {
		fmt.Fprintf(s.out, "%-18s %d of %d tests pass, before %d\n", m.Suite, m.After, m.Tests, m.Before)
		for _, id := range m.Lost {
			fmt.Fprintf(s.out, "  lost   %s\n", id)
		}
		if !m.Taught && float64(len(m.Lost)) > r.worse*float64(m.Tests) {
			broken = append(broken, fmt.Sprintf("%d of %d tests of %s are lost, more than %s", len(m.Lost), m.Tests, m.Suite,
				r.maxWorse))
		}
	}
	if r.again != nil { // people decided then
		round.Verdict, round.Reason = r.again.Verdict, r.again.Reason
		return
	}
	round.Verdict = coach.Rejected
	round.Reason = strings.Join(broken, "; ")
	if len(broken) > 0 {
		return
	}
	if !r.yes {
		fmt.Fprintf(s.err, "make it the current model? [y/N] ")
		for line, err := range readLines(ctx, s.in) {
			if err != nil || !strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "y") {
				break
			}
			r.yes = true
			break
		}
	}
	if !r.yes {
		round.Reason = "nobody said yes"
		return
	}
	round.Verdict = coach.Accepted
}
