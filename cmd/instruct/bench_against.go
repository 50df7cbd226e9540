package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"instruct/train/bench"
)

// against compares this program with another one, or one recipe with another. Every measurement is a process of its own, so neither side has a
// warmer heap, and the sides take turns at going first (A B, B A, A B, ...), so that a machine that gets busier slows both.
type against struct {
	other    string // a program or a recipe
	rounds   int
	sameLoss bool
}

// What counts as worse: the median rose by a tenth, and chance alone would put the sides so far apart in less than one of 500 comparisons.
const (
	minEffect = 1.10
	maxChance = 0.002
	minRounds = 6 // the fewest with which a clear rise is rarer than that: 1 in 924
)

// comparison is one measured quantity on both sides.
type comparison struct {
	Metric string  `json:"metric"`
	Base   float64 `json:"base"` // median
	This   float64 `json:"this"` // median
	Ratio  float64 `json:"ratio"`
	Noise  float64 `json:"noise"` // half the distance of the quartiles over the median, the larger of the sides'
	P      float64 `json:"p"`     // chance of this or a clearer rise, if both sides were the same
	Worse  bool    `json:"worse"`
	Better bool    `json:"better"`
}

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
			side := (i + j) % 2
			res, err := sides[side].measure(cmd.Context())
			if err != nil {
				return err
			}
			results[side] = append(results[side], res)
			if asJSON {
				err = writeJSON(s.out, struct {
					Side string `json:"side"`
					*bench.Result
				}{sides[side].name, res})
			} else {
				_, err = fmt.Fprintln(s.out, strings.Replace(res.String(), "/", "/side="+sides[side].name+"/", 1))
			}
			if err != nil {
				return err
			}
		}
	}
	return a.report(s, asJSON, results[0], results[1])
}

// report prints the comparison and returns an error when this side is worse.
func (a *against) report(s *streams, asJSON bool, base, this []*bench.Result) error {
	var worse []string
	if !asJSON {
		fmt.Fprintf(s.out, "# %-16s %14s %14s %7s %7s %7s\n", "median of "+fmt.Sprint(len(this)), "base", "this", "ratio", "noise", "p")
	}
	for _, m := range []struct {
		name string
		of   func(*bench.Result) float64
	}{
		{"ns/op", func(r *bench.Result) float64 { return r.NsPerStep }},
		{"cpu-ns/op", func(r *bench.Result) float64 { return r.CPUNsPerStep }},
		{"peak-RSS-bytes", func(r *bench.Result) float64 { return float64(r.PeakRSS) }},
		{"allocs/op", func(r *bench.Result) float64 { return r.AllocsPerStep }},
	} {
		c := compare(m.name, collect(base, m.of), collect(this, m.of))
		if c.Base == 0 || c.This == 0 { // one side does not know it
			continue
		}
		if c.Worse {
			worse = append(worse, fmt.Sprintf("%s rose by %.0f %%", c.Metric, 100*(c.Ratio-1)))
		}
		if asJSON {
			if err := writeJSON(s.out, c); err != nil {
				return err
			}
			continue
		}
		verdict := "within limits"
		switch {
		case c.Worse:
			verdict = "worse"
		case c.Better:
			verdict = "better"
		}
		fmt.Fprintf(s.out, "# %-16s %14.0f %14.0f %6.3fx %6.1f%% %7.4f  %s\n", c.Metric, c.Base, c.This, c.Ratio, 100*c.Noise, c.P, verdict)
	}
	moved, err := lossMoved(s, asJSON, base[0].Loss, this[0].Loss)
	if err != nil {
		return err
	}
	if moved && a.sameLoss {
		worse = append(worse, "the loss moved")
	}
	if len(worse) > 0 {
		return fmt.Errorf("bench: %s against %s", strings.Join(worse, ", "), a.other)
	}
	return nil
}

// lossMoved prints both sides' last loss and tells whether their bits differ. A base of before the loss was reported has none.
func lossMoved(s *streams, asJSON bool, base, this float64) (bool, error) {
	moved := base != 0 && math.Float64bits(base) != math.Float64bits(this)
	if asJSON {
		return moved, writeJSON(s.out, map[string]any{"metric": "loss", "base": base, "this": this, "moved": moved})
	}
	verdict := "the same bits"
	switch {
	case base == 0:
		verdict = "not reported by the base"
	case moved:
		verdict = "moved"
	}
	_, err := fmt.Fprintf(s.out, "# %-16s %14.9g %14.9g  %s\n", "loss", base, this, verdict)
	return moved, err
}

func collect(rs []*bench.Result, of func(*bench.Result) float64) []float64 {
	out := make([]float64, len(rs))
	for i, r := range rs {
		out[i] = of(r)
	}
	return out
}

// side is one of the two programs, with the arguments of a measurement.
type side struct {
	name, program string
	args          []string
}

// sides returns the base and this program. Flags that were given go to both; another recipe takes the place of --recipe.
func (a *against) sides(cmd *cobra.Command) ([2]side, error) {
	self, err := os.Executable()
	if err != nil {
		return [2]side{}, fmt.Errorf("bench: %w", err)
	}
	base, this := side{"base", self, []string{"bench", "--json"}}, side{"this", self, []string{"bench", "--json"}}
	recipe := strings.HasSuffix(a.other, ".yaml") || strings.HasSuffix(a.other, ".yml")
	if recipe && !cmd.Flags().Changed("recipe") {
		return [2]side{}, mistake("--against %s is a recipe; say with --recipe which one to compare it with", a.other)
	}
	if !recipe {
		if base.program, err = filepath.Abs(a.other); err != nil {
			return [2]side{}, fmt.Errorf("bench: %w", err)
		}
		if info, err := os.Stat(base.program); err != nil || info.IsDir() {
			return [2]side{}, mistake("--against %s: no such program", a.other)
		}
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "against", "rounds", "same_loss", "json":
			return
		}
		this.args = append(this.args, "--"+f.Name+"="+f.Value.String())
		if f.Name == "recipe" && recipe {
			base.args = append(base.args, "--recipe="+a.other)
			return
		}
		base.args = append(base.args, this.args[len(this.args)-1])
	})
	return [2]side{base, this}, nil
}

// measure runs the program once. What it calls the user's mistake is one.
func (s side) measure(ctx context.Context) (*bench.Result, error) {
	c := exec.CommandContext(ctx, s.program, s.args...)
	var log bytes.Buffer
	c.Stderr = &log
	out, err := c.Output()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		err = fmt.Errorf("%s: %s %s: %w", s.name, s.program, strings.Join(s.args, " "), err)
		if text := strings.TrimPrefix(strings.TrimSpace(log.String()), "instruct: "); text != "" {
			err = fmt.Errorf("%w: %s", err, text)
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() == exitMistake {
			return nil, userError{err}
		}
		return nil, err
	}
	res := &bench.Result{}
	if err = json.Unmarshal(out, res); err != nil || res.NsPerStep <= 0 {
		return nil, mistake("%s: `%s bench --json` gave no measurement; is it an instruct?", s.name, s.program)
	}
	return res, nil
}
