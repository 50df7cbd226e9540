package bench

import (
	"encoding/json"
	"strings"

	"instruct/model"
)

// preset is a model shape to measure, with the batch that is usual for it.
type preset struct {
	name       string
	batch, seq int
	config     map[string]any
}

func presets() []preset {
	llama := func(width, layers, heads, kv, hidden, vocab int) map[string]any {
		return map[string]any{"model_type": "llama", "hidden_size": width, "num_hidden_layers": layers,
			"num_attention_heads": heads, "num_key_value_heads": kv, "intermediate_size": hidden, "vocab_size": vocab,
			"max_position_embeddings": 2048, "tie_word_embeddings": true}
	}
	return []preset{
		{"smollm2-135m", 4, 256, llama(576, 30, 9, 3, 1536, 49152)},
		{"gpt2-124m", 4, 256, map[string]any{"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12,
			"vocab_size": 50257, "n_positions": 1024}},
		{"tiny-15m", 8, 256, llama(288, 6, 6, 6, 768, 32000)},
		{"lessons-1m", 24, 64, llama(128, 4, 8, 8, 344, 260)},
	}
}

// findPreset looks up a model shape by name and returns its configuration.
func findPreset(name string) (preset, model.Config, error) {
	var names []string
	for _, p := range presets() {
		names = append(names, p.name)
		if p.name != name {
			continue
		}
		text, err := json.Marshal(p.config)
		if err != nil {
			return preset{}, model.Config{}, err
		}
		c, err := model.ParseConfig("preset "+p.name, text)
		return p, c, err
	}
	return preset{}, model.Config{}, mistake("unknown preset %q; known are %s", name, strings.Join(names, ", "))
}
