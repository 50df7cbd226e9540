package model

import (
	"strings"
)

// refused are kinds of models that are known and not computed, with the reason: values of model_type in config.json
// and of general.architecture in GGUF files. A name that ends in a star stands for all names that begin so.
var refused = []struct{ why, names string }{
	{"it is a mixture of experts, which is not supported", "mixtral granitemoe granitemoeshared qwen2_moe qwen2moe " +
		"qwen3_moe qwen3moe olmoe phimoe lfm2_moe lfm2moe gpt_oss gpt-oss deepseek* dbrx ernie4_5_moe"},
	{"most of its layers are linear attention, which is not supported", "qwen3_5* qwen35* qwen3_next qwen3next " +
		"kimi_linear"},
	{"it has layers of a state space model (Mamba), which are not supported", "mamba* jamba bamba zamba* falcon_h1 " +
		"falcon-h1 nemotron_h granitehybrid"},
	{"it is a recurrent network, which is not supported", "rwkv* recurrent_gemma"},
	{"it has an embedding table for every layer and layers that share keys and values, which are not supported",
		"gemma3n* gemma4*"},
	{"it is a model of pictures and texts; save its language model alone (model_type gemma3_text)", "gemma3"},
	{"it is a model of pictures and texts; save its language model alone (model_type ministral3 or mistral)", "mistral3"},
	{"it is a model of pictures and texts; save its language model alone", "llava* smolvlm idefics* qwen2_vl " +
		"qwen2_5_vl"},
	{"it is an encoder with a decoder; decoders alone are supported", "t5 mt5 bart"},
	{"it is an encoder; decoders are supported", "bert roberta modernbert"},
}

// reason says why a kind of models is not computed, "" where nothing is known of it.
func reason(name string) string {
	for _, r := range refused {
		for _, n := range strings.Fields(r.names) {
			begin, many := strings.CutSuffix(n, "*")
			if name == n || many && strings.HasPrefix(name, begin) {
				return r.why
			}
		}
	}
	return ""
}

// unknownFamily is the mistake of a config.json of another kind.
func unknownFamily(path, name string) error {
	if why := reason(name); why != "" {
		return mistake("model: %s: model_type %q is not supported: %s. Known are %s", path, name, why,
			strings.Join(Families(), ", "))
	}
	return mistake("model: %s: unknown architecture: model_type %q; known are %s", path, name,
		strings.Join(Families(), ", "))
}

// unknownGGUF is the mistake of a GGUF file of another kind.
func unknownGGUF(path, name string) error {
	var known []string
	for _, f := range families() {
		if f.gguf != "" {
			known = append(known, f.gguf)
		}
	}
	if why := reason(name); why != "" {
		return mistake("model: %s: architecture %q is not supported: %s. Known in GGUF files are %s", path, name, why,
			strings.Join(known, ", "))
	}
	return mistake("model: %s: unknown architecture %q; known in GGUF files are %s", path, name,
		strings.Join(known, ", "))
}
