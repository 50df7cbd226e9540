package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"instruct/model/pretrained"
	"instruct/train/coach"
)

func newLog(s *streams) *cobra.Command {
	var asJSON bool
	var round int
	c := &cobra.Command{Use: "log BEHAVIOUR", Short: "The rounds of a behaviour folder", Args: cobra.ArbitraryArgs,
		Long: `The rounds of a behaviour folder, a line each with what they were about; --round prints one with its
corrections and the tests that were lost. The page report.html in a round's folder shows all of it.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return mistake("log takes one behaviour folder")
			}
			if cmd.Flags().Changed("round") {
				return logRound(s, args[0], round, asJSON)
			}
			current, err := pretrained.Current(args[0])
			if err != nil {
				return err
			}
			events, err := coach.Events(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				for _, e := range events {
					var x any = e.Round
					if e.Forgot != nil {
						x = e.Forgot
					}
					if err := writeJSON(s.out, x); err != nil {
						return err
					}
				}
				return nil
			}
			base, err := pretrained.ReadBase(args[0])
			if err != nil {
				return err
			}
			var b bytes.Buffer
			fmt.Fprintf(&b, "  0  %s\n", base.Model)
			for _, e := range events {
				if f := e.Forgot; f != nil {
					fmt.Fprintf(&b, "  -  forgotten: %d corrections, the first taught in round %d; %d rounds made again, %d current; "+
						"%s, %s\n", len(f.Rows), f.First, f.Again, f.Current, f.Author, f.Time)
					continue
				}
				logLine(&b, *e.Round)
			}
			fmt.Fprintf(&b, "current: %d%s\n", current, reportOf(args[0], current))
			_, err = s.out.Write(b.Bytes())
			return err
		}}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a round; of what was forgotten one of kind forget")
	c.Flags().IntVar(&round, "round", 0, "number of one round, with what its models said")
	return c
}

// logLine writes a line of the ledger.
func logLine(b *bytes.Buffer, l coach.Round) {
	if l.Verdict == coach.RolledBack {
		fmt.Fprintf(b, "%3d  rolled back to, from %d; %s, %s\n", l.Round, l.Parent, l.Author, l.Time)
		return
	}
	fmt.Fprintf(b, "%3d  %s, of %d", l.Round, l.Verdict, l.Parent)
	if l.Corrections > 0 {
		fmt.Fprintf(b, "; %d of %d corrections right", l.Taught.Right, l.Corrections)
	}
	if l.Practice != nil {
		fmt.Fprintf(b, "; %v", l.Practice)
	}
	for _, m := range l.Rules {
		fmt.Fprintf(b, "; rule %s %d -> %d of %d", m.Rule, m.Before, m.After, m.Answers)
	}
	for _, m := range l.Suites {
		fmt.Fprintf(b, "; %s %d -> %d of %d, %d lost", m.Suite, m.Before, m.After, m.Tests, len(m.Lost))
	}
	if n := len(l.Broken); n > 0 {
		fmt.Fprintf(b, "; %d earlier ones broken", n)
	}
	fmt.Fprintf(b, "; %.0f s; %s, %s%s\n", l.Seconds, l.Author, l.Time, because(l.Reason))
	for _, about := range l.About {
		fmt.Fprintf(b, "       %.70q\n", about)
	}
}
