package main

import (
	"strings"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/data"
)

func newDataConvert(s *streams) *cobra.Command {
	var to, out string
	var reading reading
	known := strings.Join(data.Conversions(), ", ")
	c := &cobra.Command{Use: "convert FILE...", Short: "Write rows in another format, as TRL reads it",
		Long: `Write rows, corrections among them, as JSON lines in another format: messages, prompt-completion, dpo (prompt,
chosen, rejected) or kto (prompt, completion, label). A correction gives a row for each of its paraphrases too.`,
		Example: `  instruct data convert corrections.jsonl --to dpo --out pairs.jsonl`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if len(files) == 0 {
				return mistake("data convert needs a file of rows")
			}
			if err := required(cmd, "to"); err != nil {
				return err
			}
			if err := notAnInput("out", out, files...); err != nil {
				return err
			}
			rows, err := reading.load(cmd.Context(), s, files)
			if err != nil {
				return err
			}
			text, err := data.Convert(rows, to)
			if err != nil {
				return err
			}
			if out != "" {
				return checkpoints.WriteFile(out, text)
			}
			_, err = s.out.Write(text)
			return err
		}}
	c.Flags().StringVar(&to, "to", "", known)
	c.Flags().StringVar(&out, "out", "", "write into this file, not to stdout")
	reading.add(c.Flags())
	return c
}
