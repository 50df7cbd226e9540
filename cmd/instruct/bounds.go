package main

import (
	"math"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// mostOf is the largest value of flags that are numbers; more is a slip, or has no room in memory. Whole numbers that
// are not here may be up to 1e9. The keys of a recipe have bounds of their own.
var mostOf = map[string]float64{"threads": 1024, "rows": 4096, "batch": 1e6, "rounds": 1e6, "steps": 1e7}

const mostWhole = 1e9

// checkNumbers refuses flags whose numbers are none or too large.
func checkNumbers(cmd *cobra.Command, _ []string) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if _, ofRecipe := f.Value.(*recipeFlag); ofRecipe || f.Value.Type() != "int" && f.Value.Type() != "float64" {
			return
		}
		x, wrong := strconv.ParseFloat(f.Value.String(), 64)
		limit, ok := mostOf[f.Name]
		if !ok && f.Value.Type() == "int" {
			limit, ok = mostWhole, true
		}
		switch {
		case wrong != nil || math.IsNaN(x) || math.IsInf(x, 0):
			err = mistake("%s is %s; expected a number that is finite", f.Name, f.Value)
		case ok && x > limit:
			err = mistake("%s is %s; it must be at most %g", f.Name, f.Value, limit)
		}
	})
	return err
}
