package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"instruct/model/kernel"
	"instruct/model/pretrained"
)

func newModel(s *streams) *cobra.Command {
	return group("model", "Look at models, merge adapters", newModelInspect(s), newModelMerge(s))
}

func newModelInspect(s *streams) *cobra.Command {
	var path string
	var asJSON bool
	c := &cobra.Command{Use: "inspect", Short: "Print a model's configuration and tensors", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "model"); err != nil {
				return err
			}
			m, err := pretrained.Outline(path, "")
			if err == nil {
				err = checkMemory(m, kernel.F32)
			}
			if err == nil {
				err = m.ReadWeights(kernel.F32)
			}
			if err != nil {
				return err
			}
			defer m.Close()
			printNotes(s.err, m)
			if asJSON {
				return writeJSON(s.out, describeModel(m))
			}
			printModel(shown(s.out), m)
			return nil
		}}
	c.Flags().StringVar(&path, "model", "", modelHelp)
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return c
}

// modelDescription is what `model inspect --json` prints.
type modelDescription struct {
	Family     string              `json:"model_type"`
	Parameters int                 `json:"parameters"`
	Vocab      int                 `json:"vocab_size"`
	MaxLength  int                 `json:"max_position_embeddings"`
	Stop       []int32             `json:"stop_token_ids"`
	Weights    string              `json:"weights_sha256"`
	Tensors    []tensorDescription `json:"tensors"`
}

type tensorDescription struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
}

func describeModel(m *pretrained.Model) modelDescription {
	d := modelDescription{Family: m.Config.Family, Parameters: m.Size(), Vocab: m.Config.Vocab,
		MaxLength: m.Config.MaxLength, Stop: m.Stop, Weights: m.WeightsHash()}
	for _, t := range m.Tensors() {
		d.Tensors = append(d.Tensors, tensorDescription{t.Name, t.Shape})
	}
	return d
}

func printModel(w io.Writer, m *pretrained.Model) {
	c := &m.Config
	fmt.Fprintf(w, "family      %s\nparameters  %d\n", c.Family, m.Size())
	fmt.Fprintf(w, "layers      %d\nwidth       %d\n", c.Layers, c.Width)
	fmt.Fprintf(w, "heads       %d query, %d key/value, size %d\n", c.Heads, c.KVHeads, c.HeadDim)
	fmt.Fprintf(w, "mlp         %d\nvocabulary  %d (tokenizer %d)\n", c.Hidden, c.Vocab, m.Tokenizer.VocabSize())
	fmt.Fprintf(w, "positions   %d\ntied head   %v\n", c.MaxLength, c.Tied)
	fmt.Fprint(w, "stop tokens")
	for _, id := range m.Stop {
		fmt.Fprintf(w, " %d %q", id, m.Tokenizer.TokenText(id))
	}
	fmt.Fprintf(w, "\nweights     sha256 %s\n\n", m.WeightsHash())
	for _, t := range m.Tensors() {
		fmt.Fprintf(w, "%-52s %v\n", t.Name, t.Shape)
	}
}
