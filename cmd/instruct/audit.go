package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/model/pretrained"
	"instruct/train"
	"instruct/train/coach"
	"instruct/train/record"
)

func newAudit(s *streams) *cobra.Command {
	return group("audit", "Hold runs and behaviours against their records", newAuditVerify(s))
}

// auditing is `audit verify` as the flags say.
type auditing struct {
	head                  string
	asJSON, replay, quiet bool
}

func newAuditVerify(s *streams) *cobra.Command {
	var a auditing
	c := &cobra.Command{Use: "verify RUN-or-BEHAVIOUR", Short: "Check the ledger of a folder and every file that it names",
		Long: `Check the chain of ledger.jsonl, where each entry has the hash of the one before, and each file that it names:
model, checkpoints, recipe, metrics and reports of a run; rounds, corrections and answers of a behaviour; the data and
the first model, where they are here. It prints the hash of the last entry, the head. Somebody who keeps it finds with
--head whether entries were cut off since. Exit 0: all is as recorded; 1: something differs, and the file and the entry
that names it are said.`,
		Example: `  instruct audit verify runs/mine
  instruct audit verify shop --head 5f1c...            entries up to that one are still there
  instruct audit verify runs/mine --replay             train again and compare every bit too`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return mistake("audit verify takes the folder of one run or behaviour, got %q", args)
			}
			return a.run(cmd, s, args[0])
		}}
	fl := c.Flags()
	fl.StringVar(&a.head, "head", "", "the hash of an entry that must be there, as an earlier audit gave it")
	fl.BoolVar(&a.replay, "replay", false, "make the run again, as `instruct verify` does, and compare every bit")
	fl.BoolVar(&a.asJSON, "json", false, "print what was found as JSON")
	fl.BoolVar(&a.quiet, "quiet", false, "show no progress")
	return c
}

func (a *auditing) run(cmd *cobra.Command, s *streams, dir string) error {
	behaviour := pretrained.IsBehaviour(dir)
	if a.replay && behaviour {
		return mistake("replay is of runs; %s is a behaviour folder: a round of it is made again by `instruct round` "+
			"with its corrections.jsonl and --recipe round.json", dir)
	}
	log := s.err
	if a.quiet {
		log = io.Discard
	}
	if unlock, ok, err := checkpoints.Lock(dir); err == nil && !ok {
		fmt.Fprintf(log, "note: something is at work in %s; what it has not recorded yet differs\n", dir)
	} else if err == nil {
		unlock()
	}
	p := newCountdown(log, terminal(log), "files read", 0)
	o := record.AuditOptions{Head: a.head, Reads: train.ReadsOfRun, Done: p.at}
	if behaviour {
		o.Reads = coach.ReadsOfBehaviour
	}
	got, err := record.Verify(cmd.Context(), dir, o)
	p.done()
	if err != nil {
		return err
	}
	var replayed *train.Certificate
	if a.replay {
		replayed, err = train.Verify(cmd.Context(), dir, train.VerifyOptions{Run: a.options(s, log)})
		if err != nil {
			return err
		}
	}
	return a.print(s, got, replayed)
}

func (a *auditing) options(s *streams, log io.Writer) train.Options {
	return train.Options{Log: log, Terminal: terminal(log), Quiet: a.quiet, Version: version(),
		Width: func() int { return terminalWidth(s.err) }}
}

// print prints what holds and what differs; its error is that something does.
func (a *auditing) print(s *streams, got *record.Audit, replayed *train.Certificate) error {
	if a.asJSON {
		if err := writeJSON(s.out, struct {
			*record.Audit
			Replayed *train.Certificate `json:"replayed,omitempty"`
		}{got, replayed}); err != nil {
			return err
		}
	} else {
		for _, c := range got.Checks {
			if !c.Holds {
				fmt.Fprintf(s.out, "DIFFERS  %s: %s\n", c.Name, c.Detail)
			}
		}
		for _, note := range got.Notes {
			fmt.Fprintf(s.out, "note     %s\n", note)
		}
		fmt.Fprintf(s.out, "read     %d files of the folder, %d elsewhere; %d entries\n", got.Files, got.Outside, got.Entries)
		fmt.Fprintf(s.out, "head     %s\n", got.Head)
		if replayed != nil {
			if err := printCertificate(s, replayed, false); err != nil {
				return err
			}
		}
	}
	if !got.Holds || replayed != nil && !replayed.Holds {
		return fmt.Errorf("%s differs from its record", got.Folder)
	}
	if !a.asJSON {
		fmt.Fprintf(s.out, "%s is as recorded\n", got.Folder)
	}
	return nil
}
