package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model/pretrained"
	"instruct/tokenizer"
)

func newTokenizer(s *streams) *cobra.Command {
	encode := converter[string]{use: "encode", short: "Read a JSON string a line, write an array of ids a line",
		want: `a JSON string such as "text"`,
		flag: "add_special_tokens", help: "add what the tokenizer puts around a text",
		convert: func(t *tokenizer.Tokenizer, text string, special bool) (any, error) {
			return append([]int32{}, t.Encode(text, special)...), nil // never null
		}}
	decode := converter[[]int32]{use: "decode", short: "Read an array of ids a line, write a JSON string a line",
		want: "a JSON array of token ids such as [1, 2]",
		flag: "skip_special_tokens", help: "leave special tokens out",
		convert: func(t *tokenizer.Tokenizer, ids []int32, skip bool) (any, error) { return t.Decode(ids, skip) }}
	return group("tokenizer", "Train, inspect and use tokenizers", encode.command(s), decode.command(s),
		newTokenizerTrain(s), newTokenizerInspect(s))
}

// loadTokenizer loads the tokenizer of the flag --tokenizer.
func loadTokenizer(cmd *cobra.Command, path string) (*tokenizer.Tokenizer, error) {
	if err := required(cmd, "tokenizer"); err != nil {
		return nil, err
	}
	return pretrained.LoadTokenizer(path)
}

const tokenizerHelp = "a folder with tokenizer.json, such a file, or a .gguf file"

// converter is a command that reads a JSON value a line and writes what a tokenizer makes of it as a JSON line.
type converter[T any] struct {
	use, short string
	want       string // what a line should be
	flag, help string // of the last argument of convert
	convert    func(t *tokenizer.Tokenizer, v T, flag bool) (any, error)
}

func (c converter[T]) command(s *streams) *cobra.Command {
	var path string
	var flag bool
	run := func(cmd *cobra.Command, _ []string) error {
		t, err := loadTokenizer(cmd, path)
		if err != nil {
			return err
		}
		out := bufio.NewWriter(s.out)
		defer out.Flush()
		n := 0
		for line, err := range readLines(cmd.Context(), s.in) {
			n++
			if err == nil && strings.TrimSpace(line) != "" {
				err = c.line(out, t, n, line, flag)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	cmd := &cobra.Command{Use: c.use, Short: c.short, Args: noArgs, RunE: run}
	cmd.Flags().StringVar(&path, "tokenizer", "", tokenizerHelp)
	cmd.Flags().BoolVar(&flag, c.flag, false, c.help)
	return cmd
}

// line converts line n of standard input.
func (c converter[T]) line(out io.Writer, t *tokenizer.Tokenizer, n int, line string, flag bool) error {
	var v T
	if err := json.Unmarshal([]byte(line), &v); err != nil {
		return mistake("standard input:%d: expected %s: %v", n, c.want, err)
	}
	result, err := c.convert(t, v, flag)
	if err != nil {
		return fmt.Errorf("standard input:%d: %w", n, err)
	}
	return writeJSON(out, result)
}

// tokenizerTraining trains a tokenizer as the flags say.
type tokenizerTraining struct {
	reading
	files   []string
	out     string
	options tokenizer.TrainOptions
}

func newTokenizerTrain(s *streams) *cobra.Command {
	var f tokenizerTraining
	c := &cobra.Command{Use: "train", Short: "Train a byte-level BPE tokenizer", Args: noArgs,
		Long: "Train a byte-level BPE tokenizer on text files, or on the texts of data sets " +
			"(.jsonl .json .csv .tsv .parquet).",
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, s) }}
	fl := c.Flags()
	fl.StringArrayVar(&f.files, "dataset", nil, "text files, or data sets: "+filesHelp)
	f.reading.add(fl)
	fl.StringVar(&f.out, "output_dir", "", "folder for tokenizer.json and its companions")
	fl.IntVar(&f.options.VocabSize, "vocab_size", 8192, "tokens in all")
	fl.IntVar(&f.options.MinFrequency, "min_frequency", 2, "a pair that is rarer is not merged")
	fl.StringSliceVar(&f.options.Special, "special_tokens", nil, "special tokens, first in the vocabulary")
	fl.StringVar(&f.options.Pattern, "pattern", "gpt2", "how words are split: as by gpt2, smollm2, llama3 or qwen2")
	return c
}

func (f *tokenizerTraining) run(cmd *cobra.Command, s *streams) error {
	if err := required(cmd, "dataset", "output_dir"); err != nil {
		return err
	}
	rows, err := f.rows(cmd.Context(), s)
	if err != nil {
		return err
	}
	t, err := tokenizer.TrainBPE(cmd.Context(), data.Texts(rows), f.options)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return mistake("%v", err)
	}
	if err := t.Save(f.out, checkpoints.WriteFile); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%d tokens, saved in %s\n", t.VocabSize(), f.out)
	return nil
}

// rows reads the data sets, and then the text files, each of which is one row.
func (f *tokenizerTraining) rows(ctx context.Context, s *streams) (rows []data.Row, err error) {
	files, err := data.Expand(f.files)
	if err != nil {
		return nil, err
	}
	var sets, texts []string
	for _, path := range files {
		if data.Known(path) {
			sets = append(sets, path)
		} else {
			texts = append(texts, path)
		}
	}
	if len(sets) > 0 {
		if rows, err = f.load(ctx, s, sets); err != nil {
			return nil, err
		}
	}
	for _, path := range texts {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, mistake("%v", err)
		}
		rows = append(rows, data.Row{Source: path, Text: string(text)})
	}
	return rows, nil
}

func newTokenizerInspect(s *streams) *cobra.Command {
	var path, text string
	c := &cobra.Command{Use: "inspect", Short: "Print what a tokenizer is, and how it splits a text", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := loadTokenizer(cmd, path)
			if err != nil {
				return err
			}
			fmt.Fprintf(s.out, "tokens   %d\n", t.VocabSize())
			for _, x := range []struct {
				name string
				get  func() (int32, bool)
			}{{"bos", t.BOS}, {"eos", t.EOS}, {"pad", t.PAD}} {
				if id, ok := x.get(); ok {
					fmt.Fprintf(s.out, "%s      %d %q\n", x.name, id, t.TokenText(id))
				}
			}
			fmt.Fprintf(s.out, "template %d characters\nhash     %s\n", len(t.ChatTemplate()), t.Hash())
			for _, k := range t.Append(nil, text, false) {
				fmt.Fprintf(s.out, "%8d  %5d-%-5d %q\n", k.ID, k.Start, k.End, t.TokenText(k.ID))
			}
			return nil
		}}
	c.Flags().StringVar(&path, "tokenizer", "", tokenizerHelp)
	c.Flags().StringVar(&text, "text", "", "a text to split")
	return c
}
