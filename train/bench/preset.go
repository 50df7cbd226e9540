package bench

import (
	"fmt"
	"strings"

	"instruct/model"
)

// preset is a model shape to measure, with the batch that is usual for it.
type preset struct {
	name       string
	batch, seq int
	config     string // config.json
}

func presets() []preset {
	llama := func(width, layers, heads, kv, hidden, vocab int) string {
		return fmt.Sprintf(`{"model_type": "llama", "hidden_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d,
			"num_key_value_heads": %d, "intermediate_size": %d, "vocab_size": %d, "max_position_embeddings": 2048,
			"tie_word_embeddings": true}`, width, layers, heads, kv, hidden, vocab)
	}
	return []preset{
		{"smollm2-135m", 4, 256, llama(576, 30, 9, 3, 1536, 49152)},
		{"gpt2-124m", 4, 256, `{"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257,
			"n_positions": 1024}`},
		{"tiny-15m", 8, 256, llama(288, 6, 6, 6, 768, 32000)},
		{"lessons-1m", 24, 64, llama(128, 4, 8, 8, 344, 260)},
	}
}

// Presets are the names of the model shapes.
func Presets() []string {
	var names []string
	for _, p := range presets() {
		names = append(names, p.name)
	}
	return names
}

// findPreset looks up a model shape by name and returns its configuration.
func findPreset(name string) (preset, model.Config, error) {
	for _, p := range presets() {
		if p.name == name {
			c, err := model.ParseConfig("preset "+name, []byte(p.config))
			return p, c, err
		}
	}
	return preset{}, model.Config{}, mistake("unknown preset %q; known are %s", name, strings.Join(Presets(), ", "))
}
