package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"instruct/data"
	"instruct/train"
	"instruct/train/recipe"
)

// recipeFlag is a recipe key given as a flag; the settings are applied after the recipe file is read.
type recipeFlag struct {
	key      recipe.Key
	settings *[]recipe.Setting
	value    string
	given    bool
}

func (f *recipeFlag) String() string { return f.value }

func (f *recipeFlag) Type() string {
	if f.key.Kind == "list" {
		return "a,b,..."
	}
	if f.key.Kind == "map" {
		return "key=column,..."
	}
	return f.key.Kind
}

// Set keeps the value for later; a list that is given more than once grows, as in every other command.
func (f *recipeFlag) Set(v string) error {
	if f.given && (f.key.Kind == "list" || f.key.Kind == "map") {
		v = f.value + "," + v
	}
	f.value, f.given = v, true
	*f.settings = append(*f.settings, recipe.Setting{Key: f.key.Name, Value: v})
	return nil
}

func newTrain(s *streams, args []string) *cobra.Command {
	var settings []recipe.Setting
	var quiet bool
	var bundle string
	c := &cobra.Command{
		Use:   "train [RECIPE.yaml]",
		Short: "Run a recipe; without an argument the embedded default",
		Long: `Run a recipe: a YAML file of the keys below. Flags of the same names take precedence. Without a recipe,
a model and a data set, the embedded default runs: a small model is made and learns to follow instructions in minutes.`,
		Example: `  instruct train --model_name_or_path MODEL --dataset rows.jsonl --output_dir runs/mine
  instruct train recipe.yaml --learning_rate 2e-4 --seed 7
  instruct train runs/mine/recipe.yaml --output_dir runs/again      the same bits again
  instruct train recipe.yaml --resume_from_checkpoint true          go on after a stop
  instruct train recipe.yaml --resume_from_checkpoint auto          go on if it was stopped, else begin
  instruct train --replay runs/mine/nan-step-7                      see a step again whose loss was no number`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return mistake("train takes one recipe, got %q", args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, paths []string) error {
			notes := s.err
			if quiet {
				notes = io.Discard
			}
			if bundle != "" {
				if len(paths) > 0 {
					return mistake("--replay %s: the bundle has its recipe; give the keys that shall differ as flags", bundle)
				}
				got, err := train.Replay(cmd.Context(), bundle, settings)
				if err != nil {
					return err
				}
				return printReplayed(s, bundle, got)
			}
			r, err := readRecipe(notes, paths, settings)
			if err != nil {
				return err
			}
			res, err := train.Run(cmd.Context(), r, train.Options{Out: s.out, Log: s.err, Terminal: terminal(s.err),
				Width: func() int { return terminalWidth(s.err) }, Quiet: quiet, Version: version(), Args: args,
				Again: again(args)})
			if err != nil {
				return err
			}
			printResult(s, res)
			return nil
		},
	}
	c.Flags().SortFlags = false
	for _, k := range recipe.Keys() {
		f := c.Flags().VarPF(&recipeFlag{key: k, settings: &settings, value: k.Default}, k.Name, "", k.Help)
		if k.Kind == "bool" {
			f.NoOptDefVal = "true"
		}
	}
	c.Flags().StringVar(&bundle, "replay", "", "make the step of a bundle again (RUN/nan-step-N, kept where a loss "+
		"or gradient norm is no number) and say what of it is not finite; exit 1 if it happens again")
	c.Flags().BoolVar(&quiet, "quiet", false, "show no progress and no notes")
	return c
}

// readRecipe returns the recipe of a file or, where no model and no data set is named, the embedded one, with the flags
// applied. It writes notes on what was taken otherwise than it was written.
func readRecipe(notes io.Writer, paths []string, settings []recipe.Setting) (recipe.Recipe, error) {
	r := recipe.Default()
	own := func(s recipe.Setting) bool {
		return slices.Contains([]string{"model_name_or_path", "model_config", "dataset"}, recipe.NearestKey(s.Key))
	}
	var said []string
	var err error
	if len(paths) > 0 {
		said, err = r.Read(paths[0])
	} else if !slices.ContainsFunc(settings, own) {
		r, err = recipe.Embedded()
	}
	if err != nil {
		return r, err
	}
	more, err := r.SetAll(settings)
	if err != nil {
		return r, err
	}
	for _, n := range slices.Concat(said, more) {
		fmt.Fprintln(notes, "note:", data.Visible(n))
	}
	return r, nil
}

func printResult(s *streams, res *train.Result) {
	if res.Report != nil {
		fmt.Fprintf(s.out, "%s\n", res.Report)
		before, after, asked := res.Report.Shares()
		if asked {
			fmt.Fprintf(s.out, "held-out exact match: %.1f %% before, %.1f %% after\n", 100*before, 100*after)
		} else {
			fmt.Fprintf(s.out, "held-out exact match: %.1f %%\n", 100*after)
		}
	}
	fmt.Fprintf(s.out, "steps %d, last training loss %.4f", res.Steps, res.Loss)
	if !math.IsNaN(res.EvalLoss) {
		fmt.Fprintf(s.out, ", held-out loss %.4f", res.EvalLoss)
		if res.BestStep > 0 {
			fmt.Fprintf(s.out, " (best %.4f at step %d)", res.BestLoss, res.BestStep)
		}
	}
	fmt.Fprintf(s.out, ", %.0f s\nweights sha256 %s\n", res.Seconds, res.WeightsHash)
	fmt.Fprintf(s.out, "the run lies in %s; try: instruct chat --model %[1]s\n", res.OutputDir)
}
