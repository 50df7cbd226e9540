package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"instruct/train"
)

func newVerify(s *streams) *cobra.Command {
	var o train.VerifyOptions
	var asJSON, quiet bool
	c := &cobra.Command{Use: "verify RUN", Short: "Make a run again and compare every bit",
		Long: `Make a run again from its recipe.yaml, in a folder that is removed, and compare the loss of every step and the
weights at the end, bit by bit. Data, base model, tokenizer, template, recipe, checkpoints and model are held against
the hashes that the run kept of them. Exit 0: the run holds; 1: something differs, and the first step and weight that
do are named, with both values.`,
		Example: `  instruct verify runs/default
  instruct verify runs/mine --steps 20               the first 20 steps; the weights too, where it kept checkpoint-20
  instruct verify runs/mine --from 100 --steps 200   from checkpoint-100 to step 200`,
		RunE: func(cmd *cobra.Command, runs []string) error {
			if len(runs) != 1 {
				return mistake("verify takes the folder of one run, got %q", runs)
			}
			log := s.err
			if quiet {
				log = io.Discard
			}
			o.Run = train.Options{Log: log, Terminal: !quiet && terminal(s.err), Quiet: quiet, Version: version(),
				Width: func() int { return terminalWidth(s.err) }}
			got, err := train.Verify(cmd.Context(), runs[0], o)
			if err != nil {
				return err
			}
			return printCertificate(s, got, asJSON)
		}}
	fl := c.Flags()
	fl.IntVar(&o.Steps, "steps", 0, "the last step that is made again; 0: all")
	fl.IntVar(&o.From, "from", 0, "the step of the checkpoint to begin with; 0: from the start")
	fl.BoolVar(&asJSON, "json", false, "print the certificate as JSON")
	fl.BoolVar(&quiet, "quiet", false, "show no progress and no notes")
	return c
}

// printCertificate prints what holds and what differs; its error is that something does.
func printCertificate(s *streams, c *train.Certificate, asJSON bool) error {
	if asJSON {
		text, err := json.MarshalIndent(c, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s\n", text)
	} else {
		for _, x := range c.Checks {
			verdict := "as recorded"
			if !x.Holds {
				verdict = "DIFFERS: " + x.Detail
			}
			fmt.Fprintf(s.out, "%-16s %s\n", x.Name, verdict)
		}
		verdict := "holds"
		if !c.Holds {
			verdict = "DOES NOT HOLD"
		}
		fmt.Fprintf(s.out, "%s %s: steps %d to %d of %d have the bits of the record (%s with %s, now %s with %s), %.0f s\n",
			c.Run, verdict, min(c.From+1, c.From+c.Steps), c.From+c.Steps, c.Of, c.Version[0], c.Kernels[0], c.Version[1],
			c.Kernels[1], c.Seconds)
	}
	if !c.Holds {
		return fmt.Errorf("%s differs from its record", c.Run)
	}
	return nil
}
