package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/train"
)

func newData(s *streams) *cobra.Command {
	return group("data", "Look at data sets", newDataInspect(s))
}

func newDataInspect(s *streams) *cobra.Command {
	var f rowFlags
	var asJSON bool
	var show int
	var page string
	c := &cobra.Command{Use: "inspect", Short: "Account for every row and show what is trained", Args: noArgs,
		Long: "Accounts for every row: trained, truncated, dropped and why, keys that are not used, tokens across the border of the trained text, rows\n" +
			"that do not end with a stop token. The hash is that of run.json, train_ids_and_mask_sha256, for a run that trains on all of these rows.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "model", "dataset"); err != nil {
				return err
			}
			in, err := inspect(cmd.Context(), &f)
			if in != nil && page != "" { // also where no row is left to train on: the page says why
				var b bytes.Buffer
				if err := in.encoder.WriteHTML(&b, strings.Join(f.dataset, ", "), in.rows, in.examples, in.audit); err != nil {
					return err
				}
				if err := checkpoints.WriteFile(page, b.Bytes()); err != nil {
					return err
				}
			}
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(s.out, in.audit)
			}
			fmt.Fprint(s.out, in.audit)
			colour := terminal(s.out) && os.Getenv("NO_COLOR") == ""
			for i := range min(show, len(in.examples)) {
				fmt.Fprintln(s.out)
				if err := in.encoder.Show(s.out, in.rows[in.examples[i].Row], colour); err != nil {
					return err
				}
			}
			return nil
		}}
	f.add(c)
	c.Flags().IntVar(&show, "show", 2, "rows to show, with the trained tokens marked")
	c.Flags().BoolVar(&asJSON, "json", false, "the audit as one JSON object")
	c.Flags().StringVar(&page, "html", "", "write the audit and rows with every token as one self-contained page into this file")
	return c
}

// inspection is a data set as a model sees it.
type inspection struct {
	assets   *train.Assets
	encoder  *data.Encoder
	rows     []data.Row
	examples []data.Example
	audit    *data.Audit
}

// inspect reads model and rows and encodes them. It is nil when there is no audit; with the error that no row is left to
// train on there is one.
func inspect(ctx context.Context, f *rowFlags) (*inspection, error) {
	rows, err := data.Load(ctx, f.dataset, f.format)
	if err != nil {
		return nil, err
	}
	in := &inspection{rows: rows}
	if in.assets, err = train.LoadForText(f.model, f.template); err != nil {
		return nil, err
	}
	in.encoder = in.assets.Encoder(f.maxLength, f.trainOnInputs)
	in.examples, in.audit, err = in.encoder.EncodeAll(ctx, rows, f.threads)
	err = in.assets.LengthHint(err, f.maxLength)
	if in.audit == nil {
		return nil, err
	}
	return in, err
}
