package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"instruct/train/bench"
)

// against compares this program with another one, or one recipe with another. Every measurement is a process of its
// own, so neither side has a warmer heap, and the sides take turns at going first (A B, B A, A B, ...), so that a
// machine that gets busier slows both.
type against struct {
	other    string // a program or a recipe
	rounds   int
	sameLoss bool
	github   bool
}

// errNoisy says that neither wall time nor processor time could have shown a regression.
var errNoisy = errors.New("too noisy to tell")

// minRounds is the fewest with which a clear rise is rarer than maxChance: 1 in 924.
const minRounds = 6

// sideResult is one measurement of one side.
type sideResult struct {
	Side string `json:"side"`
	*bench.Result
}

func (r sideResult) String() string {
	return strings.Replace(r.Result.String(), "/", "/side="+r.Side+"/", 1)
}

// run measures both sides, writes every measurement and then how they compare. It returns an error when this side is
// worse.
func (a *against) run(cmd *cobra.Command, s *streams, asJSON bool) error {
	if a.rounds < minRounds {
		return mistake("rounds is %d; fewer than %d cannot tell a regression from noise", a.rounds, minRounds)
	}
	sides, err := a.sides(cmd)
	if err != nil {
		return err
	}
	var results [2][]*bench.Result
	for i := range a.rounds {
		for j := range 2 {
			n := (i + j) % 2
			res, err := sides[n].measure(cmd.Context())
			if err != nil {
				return err
			}
			if err := writeResult(s, asJSON, sideResult{sides[n].name, res}); err != nil {
				return err
			}
			results[n] = append(results[n], res)
		}
	}
	return a.annotated(s, a.report(s, asJSON, results[0], results[1]))
}

// annotated writes an error for GitHub, where that is asked for: beside the recipe where there is one.
func (a *against) annotated(s *streams, err error) error {
	if !a.github || err == nil {
		return err
	}
	note := annotation{level: "error", title: "instruct bench", message: err.Error()}
	if errors.Is(err, errNoisy) {
		note.level = "warning"
	}
	fmt.Fprintln(s.out, note)
	return err
}

// report writes the comparison and returns an error when this side is worse.
func (a *against) report(s *streams, asJSON bool, base, this []*bench.Result) error {
	if !asJSON {
		fmt.Fprintf(s.out, "# %-16s %14s %14s %7s %7s %7s\n", fmt.Sprint("median of ", len(this)),
			"base", "this", "ratio", "noise", "p")
	}
	var worse, noisy []string
	times := 0
	for _, c := range comparisons(base, this) {
		if err := writeResult(s, asJSON, c); err != nil {
			return err
		}
		if c.isTime() {
			times++
		}
		if c.isTime() && c.Noisy {
			noisy = append(noisy, fmt.Sprintf("%s %.0f %%", c.Metric, 100*c.Noise))
		}
		if c.Worse {
			worse = append(worse, fmt.Sprintf("%s rose by %.0f %%", c.Metric, 100*(c.Ratio-1)))
		}
	}
	loss := lossComparison{Metric: "loss", Base: base[0].Loss, This: this[0].Loss}
	loss.Moved = loss.Base != 0 && math.Float64bits(loss.Base) != math.Float64bits(loss.This)
	if err := writeResult(s, asJSON, loss); err != nil {
		return err
	}
	if loss.Moved && a.sameLoss {
		worse = append(worse, "the loss moved")
	}
	if len(worse) > 0 {
		return fmt.Errorf("bench: %s against %s", strings.Join(worse, ", "), a.other)
	}
	if times > 0 && len(noisy) == times {
		return fmt.Errorf("bench: %w (noise: %s): a rise of %.0f %% would not have been seen; more --rounds, or a quieter "+
			"machine", errNoisy, strings.Join(noisy, ", "), 100*(minEffect-1))
	}
	return nil
}

// lossComparison is the last loss of both sides. A base from before the loss was reported has none.
type lossComparison struct {
	Metric string  `json:"metric"`
	Base   float64 `json:"base"`
	This   float64 `json:"this"`
	Moved  bool    `json:"moved"` // other bits
}

func (c lossComparison) String() string {
	verdict := "the same bits"
	switch {
	case c.Base == 0:
		verdict = "not reported by the base"
	case c.Moved:
		verdict = "moved"
	}
	return fmt.Sprintf("# %-16s %14.9g %14.9g  %s", c.Metric, c.Base, c.This, verdict)
}
