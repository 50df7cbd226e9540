package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"instruct/train/recipe"

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

// terminalWidth is how many columns the terminal has that w leads to; 80 where that is not known.
func terminalWidth(w any) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// userError is a mistake in the command line.
type userError struct{ error }

func (userError) UserError() bool { return true }
func (e userError) Unwrap() error { return e.error }

func mistake(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }

// isMistake tells whether an error of any package is the user's to mend.
func isMistake(err error) bool {
	var user interface{ UserError() bool }
	return errors.As(err, &user) && user.UserError()
}

func newRoot(s *streams, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "instruct",
		Short: "Tune small language models to follow instructions, on an ordinary CPU",
		Long: `instruct tunes small language models to follow instructions, on an ordinary CPU.

  instruct train                    the embedded default: a small model learns in minutes
  instruct train RECIPE.yaml        a recipe of your own; every key is a flag too
  instruct chat --model runs/NAME   talk to the result`,
		Version:      version(),
		SilenceUsage: true, SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(newRoot(s, nil), args[0])
			}
			return nil
		},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: checkNumbers,
	}
	root.SetVersionTemplate("instruct {{.Version}}\n")
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "-", "_"))
	})
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		hint := ""
		if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
			hint = nearHint(cmd, name)
		}
		return mistake("%v%s; `%s --help` lists the flags", err, hint, cmd.CommandPath())
	})
	root.AddCommand(newTrain(s, args), newGenerate(s), newChat(s), newServe(s), newCorrect(s), newCoach(s), newRound(s),
		newLog(s), newRollback(s), newScore(s), newEval(s), newPolicy(s), newVerify(s), newExplain(s), newForget(s, args),
		newCompare(s), newDiff(s), newSweep(s, args), newAudit(s), newReport(s), newData(s), newModel(s), newExport(s),
		newImport(s), newTokenizer(s), newBench(s), newVersion(s))
	complete(root)
	return root
}

// unknownCommand is the mistake of naming a command that parent does not have.
func unknownCommand(parent *cobra.Command, name string) error {
	hint := ""
	parent.SuggestionsMinimumDistance = 2
	if near := parent.SuggestionsFor(name); len(near) > 0 {
		hint = fmt.Sprintf(" (did you mean %q?)", near[0])
	}
	return mistake("unknown command %q%s; `%s --help` lists the commands", name, hint, parent.CommandPath())
}

// nearestFlag returns the flag that was probably meant by an unknown name, or "".
func nearestFlag(cmd *cobra.Command, name string) string {
	name = strings.ReplaceAll(name, "-", "_")
	if key := recipe.NearestKey(name); cmd.Name() == "train" && cmd.Flags().Lookup(key) != nil {
		return key
	}
	var flags []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { flags = append(flags, f.Name) })
	return recipe.Nearest(name, flags, recipe.Reach(name))
}

// noArgs refuses arguments beside flags.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return mistake("%s takes flags only, got %q; `%s --help` lists them", shortPath(cmd), args[0], cmd.CommandPath())
	}
	return nil
}

// group makes a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, RunE: func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
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
			return mistake("%s needs --%s: %s", shortPath(cmd), n, f.Usage)
		}
	}
	return nil
}

// shortPath is the command's name without "instruct", which stands before every message.
func shortPath(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// writeJSON writes v as one line.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// writeResult writes v as JSON or as text, on a line of its own.
func writeResult(s *streams, asJSON bool, v fmt.Stringer) error {
	if asJSON {
		return writeJSON(s.out, v)
	}
	_, err := fmt.Fprintln(s.out, v)
	return err
}

// lineReader reads lines in a goroutine of its own, so that a signal ends the wait for the next one.
type lineReader struct {
	ctx   context.Context
	lines chan string
	err   error // once lines is closed
}

func newLineReader(ctx context.Context, r io.Reader) *lineReader {
	l := &lineReader{ctx: ctx, lines: make(chan string, 64)}
	go func() {
		defer close(l.lines)
		s := bufio.NewScanner(r)
		s.Buffer(nil, 64<<20)
		for s.Scan() {
			select {
			case l.lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
		l.err = s.Err()
	}()
	return l
}

// next gives the next line. ok is false after the last one, when the context has ended and, without wait, where there
// is no line yet.
func (l *lineReader) next(wait bool) (line string, ok bool, err error) {
	if !wait {
		select {
		case line, ok = <-l.lines:
		default:
			return "", false, nil
		}
	} else {
		select {
		case line, ok = <-l.lines:
		case <-l.ctx.Done():
		}
	}
	if l.ctx.Err() != nil {
		return "", false, l.ctx.Err()
	}
	if !ok {
		return "", false, l.err
	}
	return line, true, nil
}

// readLines gives the lines of r; an error is the last thing it gives.
func readLines(ctx context.Context, r io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		l := newLineReader(ctx, r)
		for {
			line, ok, err := l.next(true)
			if err != nil {
				yield("", err)
				return
			}
			if !ok || !yield(line, nil) {
				return
			}
		}
	}
}
