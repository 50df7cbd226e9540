package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
)

func newData(s *streams) *cobra.Command {
	return group("data", "Look at data sets and convert them", newDataInspect(s), newDataConvert(s), newDataSplit(s))
}

// inspector shows a data set as the flags say.
type inspector struct {
	rowFlags
	json bool
	show int
	page string
}

func newDataInspect(s *streams) *cobra.Command {
	var f inspector
	c := &cobra.Command{Use: "inspect", Short: "Account for every row and show what is trained", Args: noArgs,
		Long: `Accounts for every row: trained, truncated, dropped and why, keys that are not used, tokens across the border
of the trained text, rows that do not end with a stop token. The hash is that of run.json, train_ids_and_mask_sha256,
for a run that trains on all of these rows.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, s) }}
	f.add(c)
	c.Flags().IntVar(&f.show, "show", 2, "rows to show, with the trained tokens marked")
	c.Flags().BoolVar(&f.json, "json", false, "the audit as one JSON object")
	c.Flags().StringVar(&f.page, "html", "",
		"write the audit and rows with every token as one self-contained page into this file")
	return c
}

func (f *inspector) run(cmd *cobra.Command, s *streams) error {
	if err := required(cmd, "model", "dataset"); err != nil {
		return err
	}
	if err := notAnInput("html", f.page, append(f.dataset, f.model)...); err != nil {
		return err
	}
	d, err := f.load(cmd.Context(), s)
	if d != nil && f.page != "" { // also where no row is left to train on: the page says why
		if err := f.writePage(d); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if f.json {
		return writeJSON(s.out, d.audit)
	}
	fmt.Fprint(shown(s.out), d.audit)
	colour := terminal(s.out) && os.Getenv("NO_COLOR") == ""
	for i := range min(f.show, len(d.examples)) {
		fmt.Fprintln(s.out)
		if err := d.encoder.Show(s.out, d.rows[d.examples[i].Row], colour); err != nil {
			return err
		}
	}
	return nil
}

func (f *inspector) writePage(d *dataset) error {
	var b bytes.Buffer
	if err := d.encoder.WriteHTML(&b, strings.Join(f.dataset, ", "), d.rows, d.examples, d.audit); err != nil {
		return err
	}
	return checkpoints.WriteFile(f.page, b.Bytes())
}
