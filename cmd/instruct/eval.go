package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"instruct/data/policy"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/train/eval"
)

// evaluation asks models what suites ask, as the flags say.
type evaluation struct {
	models, suites    []string
	answers           string
	system, template  string
	dtype, out        string
	kept, html, junit string
	least             float64
	maxRegressions    int
	maxNew, threads   int
	json, regressions bool // regressions: --max_regressions was given
	github            bool
	rules             rules
}

// candidate is a model, or answers made elsewhere, with its samples of every suite.
type candidate struct {
	name    string
	samples [][]eval.Sample
	judged  [][][]policy.Judgement // of every sample by the rules, nil without a policy
}

func newEval(s *streams) *cobra.Command {
	var e evaluation
	c := &cobra.Command{Use: "eval", Short: "Ask models the prompts of suites and judge the answers", Args: noArgs,
		Long: `Ask models the prompts of suites and judge the answers. A suite is a YAML file in promptfoo's format, IFEval's
JSONL, or a data file whose last answers are what is wanted. With a second model, every test that it passes and the
first does not is named. With a policy, every answer is held against the rules that apply to it; without a suite, the
prompts of the policy's examples are asked. Exit 1 when --min or --max_regressions does not hold, or when the first
model's answers violate a rule of severity block.

Answers are kept by the content of the model, the prompt and how it is decoded: the same question is not asked twice,
and a run that was stopped goes on when it is started again.`,
		Example: `  instruct eval --model runs/mine --suite manners.yaml --min 0.9
  instruct eval --model runs/new --model runs/old --suite manners.yaml --max_regressions 0
  instruct eval --model runs/mine --suite manners.yaml --policy policy.yaml
  instruct eval --suite manners.yaml --answers answers.jsonl      answers made elsewhere: prompt, response`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e.regressions = cmd.Flags().Changed("max_regressions")
			return e.run(cmd, s)
		}}
	fl := c.Flags()
	fl.StringSliceVar(&e.models, "model", nil, modelHelp+"; a second one is what the first is compared with")
	fl.StringSliceVar(&e.suites, "suite", nil, "suites: promptfoo's YAML, IFEval's JSONL, or a data file")
	fl.StringSliceVar(&e.rules.paths, "policy", nil, policyHelp)
	fl.BoolVar(&e.rules.prompt, "policy_prompt", false, "say the texts of the rules to tests that have no system prompt")
	fl.StringVar(&e.answers, "answers", "", "judge these in place of a model's: JSON lines with prompt and response")
	fl.Float64Var(&e.least, "min", 0, "exit 1 when the first model passes a smaller share of a suite")
	fl.IntVar(&e.maxRegressions, "max_regressions", 0, "exit 1 when more tests that another model passes fail")
	fl.StringVar(&e.out, "out", "", "write results.json and every sample into this folder")
	fl.StringVar(&e.html, "html", "", "write one self-contained page with every answer into this file")
	fl.StringVar(&e.junit, "junit", "", "write the first model's results as JUnit XML into this file")
	fl.StringVar(&e.kept, "kept", "", keptHelp)
	fl.BoolVar(&e.json, "json", false, "results as JSON, one object a line")
	fl.BoolVar(&e.github, "github", false, "also write failed tests as GitHub's annotations (::error, ::warning)")
	fl.StringVar(&e.system, "system", "", "system prompt of tests that have none")
	fl.StringVar(&e.template, "chat_template", "", templateHelp)
	fl.StringVar(&e.dtype, "dtype", "fp32", dtypeHelp)
	fl.IntVar(&e.maxNew, "max_new_tokens", 256, "longest answer in tokens")
	fl.IntVar(&e.threads, "threads", 0, threadsHelp)
	return c
}

func (e *evaluation) run(cmd *cobra.Command, s *streams) error {
	for flag, path := range map[string]string{"html": e.html, "junit": e.junit} {
		if err := notAnInput(flag, path, slices.Concat(e.suites, e.rules.paths, []string{e.answers})...); err != nil {
			return err
		}
	}
	if len(e.suites) == 0 && len(e.rules.paths) == 0 {
		return mistake("eval needs --suite or --policy: what is asked, or rules whose examples are asked")
	}
	switch {
	case e.rules.prompt && len(e.rules.paths) == 0:
		return mistake("policy_prompt says the rules of a policy; name it with --policy")
	case e.rules.prompt && e.answers != "":
		return mistake("policy_prompt asks a model otherwise; answers that were made elsewhere stay as they are")
	case (len(e.models) == 0) == (e.answers == ""):
		return mistake("eval needs either --model or --answers")
	case e.least < 0 || e.least > 1:
		return mistake("min is %g; it is a share, from 0 to 1", e.least)
	case e.regressions && len(e.models) < 2:
		return mistake("max_regressions needs a second --model to compare with")
	case e.github && e.json:
		return mistake("github and json both write to standard output; use one of them")
	case e.maxNew < 1:
		return mistake("max_new_tokens is %d; it must be at least 1", e.maxNew)
	}
	if err := e.checkOutputs(); err != nil {
		return err
	}
	if len(e.models) > 0 { // all of them are asked alike
		kept, err := pretrained.KeptSystem(e.models[0])
		if err != nil {
			return err
		}
		e.system = systemPrompt(cmd, s, e.system, kept)
	}
	suites, err := e.read(cmd.Context())
	if err != nil {
		return err
	}
	candidates, err := e.judge(cmd.Context(), s, suites)
	if err != nil {
		return err
	}
	for i := range candidates {
		e.rules.judge(&candidates[i], suites)
	}
	r := newResults(suites, candidates)
	r.addRules(e.rules.policy)
	if len(e.models) > 0 {
		r.maxNew = e.maxNew
	}
	if err := e.write(r); err != nil {
		return err
	}
	if err := r.print(s.out, e.json); err != nil {
		return err
	}
	err = e.gate(r)
	if e.github {
		r.annotate(s.out, e.suites, err)
	}
	return err
}

// read reads the policy and what is asked: the suites or, where none is named, the prompts of the policy's examples.
func (e *evaluation) read(ctx context.Context) ([]*eval.Suite, error) {
	if err := e.rules.read(); err != nil {
		return nil, err
	}
	system := e.rules.system(e.system)
	if len(e.suites) == 0 {
		suite, err := eval.FromPolicy(e.rules.policy, system)
		return []*eval.Suite{suite}, err
	}
	var suites []*eval.Suite
	for _, path := range e.suites {
		suite, err := eval.Read(ctx, path, system)
		if err != nil {
			return nil, err
		}
		suites = append(suites, named(suite, suites))
	}
	return suites, nil
}

// judge gives every candidate's samples.
func (e *evaluation) judge(ctx context.Context, s *streams, suites []*eval.Suite) ([]candidate, error) {
	if e.answers != "" {
		answers, err := eval.ReadAnswers(e.answers)
		if err != nil {
			return nil, err
		}
		c := candidate{name: e.answers}
		for _, suite := range suites {
			samples, err := suite.Judge(e.answers, answers)
			if err != nil {
				return nil, err
			}
			c.samples = append(c.samples, samples)
		}
		return []candidate{c}, nil
	}
	if err := kernel.CheckCPU(); err != nil {
		return nil, err
	}
	d, err := kernel.ParseDType(e.dtype)
	if err != nil {
		return nil, err
	}
	var candidates []candidate
	for _, path := range e.models {
		c, err := e.ask(ctx, s, path, d, suites)
		if err != nil {
			return nil, err
		}
		candidates = append(candidates, c)
	}
	return candidates, nil
}

// gate returns an error where a limit does not hold.
func (e *evaluation) gate(r *results) error {
	broken := r.Candidates[0].brokenRules()
	for _, row := range r.Candidates[0].Rows {
		if row.Group == "" && row.Mean < e.least {
			broken = append(broken, fmt.Sprintf("%s passes %.1f %%, below %.1f %%", row.Suite, 100*row.Mean, 100*e.least))
		}
	}
	for _, c := range r.Comparisons {
		if n := len(c.Lost); e.regressions && n > e.maxRegressions {
			broken = append(broken, fmt.Sprintf("%d tests of %s that %s passes fail", n, c.Suite, c.With))
		}
	}
	if len(broken) > 0 {
		return fmt.Errorf("eval: %s", strings.Join(broken, "; "))
	}
	return nil
}
