package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"instruct/train/coach"
)

func newRollback(s *streams) *cobra.Command {
	var to int
	var force bool
	c := &cobra.Command{Use: "rollback BEHAVIOUR", Short: "Make an earlier round the current one",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return mistake("rollback takes one behaviour folder")
			}
			if !cmd.Flags().Changed("to") {
				return mistake("rollback needs --to: the number of a round")
			}
			unlock, err := coach.Lock(args[0])
			if err != nil {
				return err
			}
			defer unlock()
			if err := mend(s, args[0]); err != nil {
				return err
			}
			if err := coach.RollBack(args[0], to, force, coach.Author(""), time.Now().UTC().Format(time.RFC3339)); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "round %d of %s is the current one\n", to, args[0])
			return nil
		}}
	c.Flags().IntVar(&to, "to", 0, "number of the round")
	c.Flags().BoolVar(&force, "force", false, "also where that round was rejected")
	return c
}
