package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/train/recipe"
)

// divider divides a file of rows as the flags say.
type divider struct {
	train, heldOut int
	out            string
}

func newDataSplit(s *streams) *cobra.Command {
	var d divider
	c := &cobra.Command{Use: "split FILE", Short: "Divide a file of rows: the first ones to train, the last ones held out",
		Long: `Write the first rows of a .json or .jsonl file to train.json (or .jsonl) of a folder, and the last ones to
heldout.json, as they are. Rows between them are in neither. train --eval_fraction holds rows out by itself.`,
		Example: `  instruct data split instruction-data.json --train 935 --heldout 55 --out data`,
		RunE: func(_ *cobra.Command, files []string) error {
			if len(files) != 1 {
				return mistake("data split takes one file of rows, got %q", files)
			}
			return d.run(s, files[0])
		}}
	c.Flags().IntVar(&d.train, "train", 0, "rows to train on, from the first; 0: all that are not held out")
	c.Flags().IntVar(&d.heldOut, "heldout", 0, "rows to hold out, up to the last")
	c.Flags().StringVar(&d.out, "out", ".", "folder of train and heldout")
	return c
}

func (d *divider) run(s *streams, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return mistake("data split: %s: %s", path, checkpoints.Reason(err))
	}
	rows, ext, err := rawRows(path, bytes.TrimPrefix(text, []byte("\ufeff")))
	if err != nil {
		return err
	}
	if d.heldOut < 1 || d.train < 0 || d.train+d.heldOut > len(rows) || d.heldOut == len(rows) {
		return mistake("data split: %s has %d rows; --train %d and --heldout %d do not fit: --heldout must be at least 1, "+
			"and both together at most that", path, len(rows), d.train, d.heldOut)
	}
	if d.train == 0 {
		d.train = len(rows) - d.heldOut
	}
	files := [2]string{filepath.Join(d.out, "train"+ext), filepath.Join(d.out, "heldout"+ext)}
	for _, file := range files {
		if recipe.SameFile(file, path) {
			return mistake("data split: %s would be written over; name another folder with --out", path)
		}
	}
	if err := os.MkdirAll(d.out, 0o755); err != nil {
		return mistake("data split: %s: %s", d.out, checkpoints.Reason(err))
	}
	for i, part := range [2][]json.RawMessage{rows[:d.train], rows[len(rows)-d.heldOut:]} {
		if err := checkpoints.WriteFile(files[i], joinRows(part, ext)); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s  %d rows\n", files[i], len(part))
	}
	return nil
}

// rawRows are the rows of a JSON array, or of lines that hold an object each, with the extension of their kind.
func rawRows(path string, text []byte) (rows []json.RawMessage, ext string, err error) {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '[' {
		if err := json.Unmarshal(trimmed, &rows); err != nil {
			return nil, "", mistake("data split: %s: no JSON array of rows: %w", path, err)
		}
		return rows, ".json", nil
	}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if line[0] != '{' || !json.Valid(line) {
			return nil, "", mistake("data split: %s:%d: expected a JSON object; `instruct data convert` makes JSON lines of "+
				"other files", path, n)
		}
		rows = append(rows, line)
	}
	return rows, ".jsonl", nil
}

// joinRows writes rows as an array or as lines.
func joinRows(rows []json.RawMessage, ext string) []byte {
	open, between, end := "", "\n", "\n"
	if ext == ".json" {
		open, between, end = "[\n", ",\n", "\n]\n"
	}
	parts := make([][]byte, len(rows))
	for i, r := range rows {
		parts[i] = r
	}
	return fmt.Append(nil, open, string(bytes.Join(parts, []byte(between))), end)
}
