package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// streams are the command's standard streams.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// terminal tells whether w is a terminal.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// userError is a mistake in the command line.
type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }

func newRoot(s *streams, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "instruct",
		Short: "Tune small language models to follow instructions, on an ordinary CPU",
		Long: `instruct tunes small language models to follow instructions, on an ordinary CPU.

  instruct train                    the embedded default: a small model learns in minutes
  instruct train RECIPE.yaml        a recipe of your own; every key is a flag too
  instruct chat --model runs/NAME   talk to the result`,
		SilenceUsage: true, SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return mistake("unknown command %q; `instruct --help` lists the commands", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "-", "_"))
	})
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return mistake("%v; `%s --help` lists the flags", err, cmd.CommandPath())
	})
	root.AddCommand(newTrain(s, args), newGenerate(s), newChat(s), newScore(s), newData(s), newModel(s), newTokenizer(s), newBench(s), newVersion(s))
	return root
}

// noArgs refuses arguments beside flags.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return mistake("%s takes no argument, got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// group makes a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, RunE: func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return mistake("unknown command %q; `%s --help` lists the commands", args[0], cmd.CommandPath())
		}
		return cmd.Help()
	}}
	c.AddCommand(commands...)
	return c
}

// required returns a mistake that names the first empty flag.
func required(cmd *cobra.Command, names ...string) error {
	for _, n := range names {
		if f := cmd.Flags().Lookup(n); f.Value.String() == "" || f.Value.String() == "[]" {
			return mistake("%s needs --%s (%s)", cmd.CommandPath(), n, f.Usage)
		}
	}
	return nil
}
