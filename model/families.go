package model

import (
	"gorgonia.org/gorgonia"
)

// family is what one file of this package gives for a kind of model.
type family struct {
	name         string // model_type in config.json
	architecture string // class name in config.json
	gguf         string // general.architecture in GGUF files, "" where not supported

	parse  func(c *Config, r *configReader)         // fills the family's part of c
	write  func(c *Config, out map[string]any)      // the same keys, written back
	params func(c *Config) []spec                   // every parameter, in order
	graph  func(b *builder) (*gorgonia.Node, error) // token ids -> normed rows (N, C)
	meta   func(c *Config, g *ggufMeta)             // GGUF metadata, both ways
	stored func(c *Config)                          // makes c what GGUF files of another family have; nil: its own have it
}

// families lists every family; a new one is one file and one line here.
func families() []family {
	return []family{
		llamaFamily(),
		mistralFamily(),
		qwen2Family(),
		qwen3Family(),
		gemma3Family(),
		smollm3Family(),
		graniteFamily(),
		graniteHybridFamily(),
		phi3Family(),
		olmo2Family(),
		ministral3Family(),
		lfm2Family(),
		neoxFamily(),
		gpt2Family(),
	}
}

// Families returns the known values of model_type.
func Families() []string {
	var names []string
	for _, f := range families() {
		names = append(names, f.name)
	}
	return names
}
