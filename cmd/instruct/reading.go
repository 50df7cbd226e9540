package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"instruct/data"
)

const filesHelp = "files of rows (.jsonl .json .csv .tsv .parquet .xlsx .txt, text also packed: .gz .zst .xz), " +
	"folders, patterns, or - for standard input"

// reading are the flags that say how files of rows are read.
type reading struct {
	format  string
	columns map[string]string
	skipBad bool
}

func (f *reading) add(fl *pflag.FlagSet) {
	fl.StringVar(&f.format, "format", "", "format of the rows; found from the keys of each where empty")
	fl.StringToStringVar(&f.columns, "columns", nil, "columns that are read as keys of the format: prompt=Customer,...")
	fl.BoolVar(&f.skipBad, "skip_bad_rows", false, "leave out the rows that cannot be read, and say how many")
}

// load reads the rows; what the user should know is said on standard error.
func (f *reading) load(ctx context.Context, s *streams, files []string) ([]data.Row, error) {
	return data.LoadWith(ctx, files, data.Options{Format: f.format, Columns: f.columns, SkipBadRows: f.skipBad,
		Stdin: s.in, Note: func(text string) { fmt.Fprintln(s.err, "note:", data.Visible(text)) }})
}
