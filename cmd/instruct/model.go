package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"instruct/train"
)

func newModel(s *streams) *cobra.Command {
	return group("model", "Look at models", newModelInspect(s))
}

func newModelInspect(s *streams) *cobra.Command {
	var path string
	var asJSON bool
	c := &cobra.Command{Use: "inspect", Short: "Print a model's configuration and tensors", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "model"); err != nil {
				return err
			}
			a, err := train.LoadAssets(path, "")
			if err != nil {
				return err
			}
			c := a.Model.Config
			if asJSON {
				type tensor struct {
					Name  string `json:"name"`
					Shape []int  `json:"shape"`
				}
				out := struct {
					Family     string   `json:"model_type"`
					Parameters int      `json:"parameters"`
					Vocab      int      `json:"vocab_size"`
					MaxLength  int      `json:"max_position_embeddings"`
					Stop       []int32  `json:"stop_token_ids"`
					Weights    string   `json:"weights_sha256"`
					Tensors    []tensor `json:"tensors"`
				}{c.Family, a.Model.Size(), c.Vocab, c.MaxLength, a.Stop, train.WeightsHash(a.Model), nil}
				for _, t := range a.Model.Tensors() {
					out.Tensors = append(out.Tensors, tensor{t.Name, t.Shape})
				}
				return writeJSON(s.out, out)
			}
			fmt.Fprintf(s.out, "family      %s\nparameters  %d\nlayers      %d\nwidth       %d\nheads       %d query, %d key/value, size %d\nmlp         %d\nvocabulary  %d (tokenizer %d)\npositions   %d\ntied head   %v\n",
				c.Family, a.Model.Size(), c.Layers, c.Width, c.Heads, c.KVHeads, c.HeadDim, c.Hidden, c.Vocab, a.Tokenizer.VocabSize(), c.MaxLength, c.Tied)
			fmt.Fprint(s.out, "stop tokens")
			for _, id := range a.Stop {
				fmt.Fprintf(s.out, " %d %q", id, a.Tokenizer.TokenText(id))
			}
			fmt.Fprintf(s.out, "\nweights     sha256 %s\n\n", train.WeightsHash(a.Model))
			for _, t := range a.Model.Tensors() {
				fmt.Fprintf(s.out, "%-52s %v\n", t.Name, t.Shape)
			}
			return nil
		}}
	c.Flags().StringVar(&path, "model", "", "a Hugging Face folder, a run or checkpoint folder, or a .gguf file")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}
