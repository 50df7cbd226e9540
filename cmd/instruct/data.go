package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"instruct/data"
	"instruct/model/kernel"
)

func newData(s *streams) *cobra.Command {
	return group("data", "Look at data sets", newDataInspect(s))
}

func newDataInspect(s *streams) *cobra.Command {
	var f rowFlags
	var asJSON bool
	var show int
	c := &cobra.Command{Use: "inspect", Short: "Account for every row and show what is trained", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pool := kernel.NewPool(f.threads)
			defer pool.Close()
			assets, examples, audit, err := f.load(cmd, pool)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(s.out, audit)
			}
			fmt.Fprint(s.out, audit)
			for i := range min(show, len(examples)) {
				fmt.Fprintln(s.out)
				if err := data.Show(s.out, examples[i], assets.Tokenizer, terminal(s.out)); err != nil {
					return err
				}
			}
			return nil
		}}
	f.add(c)
	c.Flags().IntVar(&show, "show", 2, "rows to show, with the trained tokens marked")
	c.Flags().BoolVar(&asJSON, "json", false, "the audit as one JSON object")
	return c
}
