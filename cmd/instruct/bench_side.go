package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"instruct/train/bench"
)

// side is one of the two programs that are compared, with the arguments of a measurement.
type side struct {
	name, program string
	args          []string
}

// sides returns the base and this program. Flags that were given go to both; another recipe takes the place of
// --recipe.
func (a *against) sides(cmd *cobra.Command) (both [2]side, err error) {
	self, err := os.Executable()
	if err != nil {
		return both, fmt.Errorf("bench: %w", err)
	}
	base, this := side{"base", self, benchArguments(cmd, "")}, side{"this", self, benchArguments(cmd, "")}
	switch filepath.Ext(a.other) {
	case ".yaml", ".yml":
		if !cmd.Flags().Changed("recipe") {
			return both, mistake("--against %s is a recipe; say with --recipe which one to compare it with", a.other)
		}
		base.args = benchArguments(cmd, a.other)
	default:
		if base.program, err = filepath.Abs(a.other); err != nil {
			return both, fmt.Errorf("bench: %w", err)
		}
		if info, err := os.Stat(base.program); err != nil || info.IsDir() {
			return both, mistake("--against %s: no such program", a.other)
		}
	}
	return [2]side{base, this}, nil
}

// benchArguments repeats the flags that were given, with a recipe in place of theirs where there is one.
func benchArguments(cmd *cobra.Command, recipe string) []string {
	args := []string{"bench", "--json"}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		value := f.Value.String()
		switch f.Name {
		case "against", "rounds", "same_loss", "json", "github":
			return
		case "recipe":
			value = cmp.Or(recipe, value)
		}
		args = append(args, "--"+f.Name+"="+value)
	})
	return args
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
		return nil, s.failure(err, log.String())
	}
	res := &bench.Result{}
	if json.Unmarshal(out, res) != nil || res.NsPerStep <= 0 {
		return nil, mistake("%s: `%s bench --json` gave no measurement; is it an instruct?", s.name, s.program)
	}
	return res, nil
}

// failure explains why the program failed, with what it wrote to its log.
func (s side) failure(cause error, log string) error {
	err := fmt.Errorf("%s: %s %s: %w", s.name, s.program, strings.Join(s.args, " "), cause)
	if text := strings.TrimPrefix(strings.TrimSpace(log), "instruct: "); text != "" {
		err = fmt.Errorf("%w: %s", err, text)
	}
	var exit *exec.ExitError
	if !errors.As(cause, &exit) || exit.ExitCode() == exitMistake {
		return userError{err}
	}
	return err
}
