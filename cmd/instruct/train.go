package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"instruct/train"
	"instruct/train/recipe"
)

// recipeFlag is a recipe key given as a flag; the settings are applied after the recipe file is read.
type recipeFlag struct {
	key      recipe.Key
	settings *[]setting
	value    string
	given    bool
}

type setting struct{ key, value string }

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
	*f.settings = append(*f.settings, setting{f.key.Name, v})
	return nil
}

func newTrain(s *streams, args []string) *cobra.Command {
	var settings []setting
	var quiet bool
	c := &cobra.Command{
		Use:   "train [RECIPE.yaml]",
		Short: "Run a recipe; without an argument the embedded default",
		Long: `Run a recipe: a YAML file of the keys below. Flags of the same names take precedence. Without a recipe,
a model and a data set, the embedded default runs: a small model is made and learns to follow instructions in minutes.`,
		Example: `  instruct train --model_name_or_path MODEL --dataset rows.jsonl --output_dir runs/mine
  instruct train recipe.yaml --learning_rate 2e-4 --seed 7
  instruct train runs/mine/recipe.yaml --output_dir runs/again      the same bits again
  instruct train recipe.yaml --resume_from_checkpoint true          go on after a stop`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return mistake("train takes one recipe, got %q", args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, paths []string) error {
			r, err := readRecipe(s, paths, settings)
			if err != nil {
				return err
			}
			res, err := train.Run(cmd.Context(), r, train.Options{Out: s.out, Log: s.err, Terminal: terminal(s.err),
				Quiet: quiet, Version: version(), Args: args})
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
	c.Flags().BoolVar(&quiet, "quiet", false, "show no progress")
	return c
}

// readRecipe returns the recipe of a file or, where no model and no data set is named, the embedded one, with the flags
// applied.
func readRecipe(s *streams, paths []string, settings []setting) (recipe.Recipe, error) {
	r := recipe.Default()
	own := func(s setting) bool {
		return slices.Contains([]string{"model_name_or_path", "model_config", "dataset"}, s.key)
	}
	if len(paths) > 0 {
		notes, err := r.Read(paths[0])
		if err != nil {
			return r, err
		}
		for _, n := range notes {
			fmt.Fprintln(s.err, "note:", n)
		}
	} else if !slices.ContainsFunc(settings, own) {
		var err error
		if r, err = recipe.Embedded(); err != nil {
			return r, err
		}
	}
	for _, set := range settings {
		if err := r.Set(set.key, set.value); err != nil {
			return r, mistake("--%w", err)
		}
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
