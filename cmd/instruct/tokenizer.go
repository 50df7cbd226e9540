package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model/pretrained"
	"instruct/tokenizer"
)

func newTokenizer(s *streams) *cobra.Command {
	return group("tokenizer", "Train, inspect and use tokenizers", newTokenizerEncode(s), newTokenizerDecode(s), newTokenizerTrain(s), newTokenizerInspect(s))
}

// loadTokenizer loads the tokenizer of the flag --tokenizer.
func loadTokenizer(cmd *cobra.Command, path string) (*tokenizer.Tokenizer, error) {
	if err := required(cmd, "tokenizer"); err != nil {
		return nil, err
	}
	return pretrained.LoadTokenizer(path)
}

const tokenizerHelp = "a folder with tokenizer.json, such a file, or a .gguf file"

// eachLine decodes a JSON value a line from stdin and writes what f makes of it as a JSON line.
func eachLine[T any](s *streams, want string, f func(T) (any, error)) error {
	lines := bufio.NewScanner(s.in)
	lines.Buffer(nil, 64<<20)
	out := bufio.NewWriter(s.out)
	defer out.Flush()
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return mistake("standard input:%d: expected %s: %v", n, want, err)
		}
		result, err := f(v)
		if err != nil {
			return fmt.Errorf("standard input:%d: %w", n, err)
		}
		if err := enc.Encode(result); err != nil {
			return err
		}
	}
	return lines.Err()
}

func newTokenizerEncode(s *streams) *cobra.Command {
	var path string
	var special bool
	c := &cobra.Command{Use: "encode", Short: "Read a JSON string a line, write an array of ids a line", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := loadTokenizer(cmd, path)
			if err != nil {
				return err
			}
			return eachLine(s, `a JSON string such as "text"`, func(text string) (any, error) {
				ids := t.Encode(text, special)
				if ids == nil {
					ids = []int32{}
				}
				return ids, nil
			})
		}}
	c.Flags().StringVar(&path, "tokenizer", "", tokenizerHelp)
	c.Flags().BoolVar(&special, "add_special_tokens", false, "add what the tokenizer puts around a text")
	return c
}

func newTokenizerDecode(s *streams) *cobra.Command {
	var path string
	var skip bool
	c := &cobra.Command{Use: "decode", Short: "Read an array of ids a line, write a JSON string a line", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := loadTokenizer(cmd, path)
			if err != nil {
				return err
			}
			return eachLine(s, "a JSON array of token ids such as [1, 2]", func(ids []int32) (any, error) { return t.Decode(ids, skip) })
		}}
	c.Flags().StringVar(&path, "tokenizer", "", tokenizerHelp)
	c.Flags().BoolVar(&skip, "skip_special_tokens", false, "leave special tokens out")
	return c
}

func newTokenizerTrain(s *streams) *cobra.Command {
	var files, special []string
	var out, format, pattern string
	var size, minFrequency int
	c := &cobra.Command{Use: "train", Short: "Train a byte-level BPE tokenizer", Args: noArgs,
		Long: "Train a byte-level BPE tokenizer on text files, or on the texts of data sets (.jsonl .json .csv .tsv .parquet).",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "dataset", "output_dir"); err != nil {
				return err
			}
			var plain, sets []string
			for _, f := range files {
				if data.Known(f) {
					sets = append(sets, f)
				} else {
					plain = append(plain, f)
				}
			}
			var rows []data.Row
			var err error
			if len(sets) > 0 {
				if rows, err = data.Load(cmd.Context(), sets, format); err != nil {
					return err
				}
			}
			for _, f := range plain {
				text, err := os.ReadFile(f)
				if err != nil {
					return mistake("%v", err)
				}
				rows = append(rows, data.Row{Source: f, Text: string(text)})
			}
			t, err := tokenizer.TrainBPE(cmd.Context(), data.Texts(rows), tokenizer.TrainOptions{VocabSize: size, MinFrequency: minFrequency, Special: special, Pattern: pattern})
			if err != nil {
				return err
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return mistake("%v", err)
			}
			if err := t.Save(out, checkpoints.WriteFile); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "%d tokens, saved in %s\n", t.VocabSize(), out)
			return nil
		}}
	c.Flags().StringSliceVar(&files, "dataset", nil, "text files, or data sets")
	c.Flags().StringVar(&format, "format", "", "format of the data sets' rows; found from the first row where empty")
	c.Flags().StringVar(&out, "output_dir", "", "folder for tokenizer.json and its companions")
	c.Flags().IntVar(&size, "vocab_size", 8192, "tokens in all")
	c.Flags().IntVar(&minFrequency, "min_frequency", 2, "a pair that is rarer is not merged")
	c.Flags().StringSliceVar(&special, "special_tokens", nil, "special tokens, first in the vocabulary")
	c.Flags().StringVar(&pattern, "pattern", "gpt2", "how words are split: as by gpt2, smollm2, llama3 or qwen2")
	return c
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
