package model

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// foreign are kinds of tensors that a model's files have when something else than plain weights was saved, by a part of
// their names, with what to do.
var foreign = []struct{ part, what string }{
	{".lora_", "it has the matrices of a LoRA adapter: merge them first (PEFT: model.merge_and_unload().save_pretrained)"},
	{".base_layer.", "it was saved with PEFT's adapters in place: merge them first " +
		"(model.merge_and_unload().save_pretrained)"},
	{".modules_to_save.", "it was saved with PEFT's adapters in place: merge them first (model.merge_and_unload())"},
	{".qweight", "its weights are quantised by GPTQ or AWQ, which are not read: take the model they were made from"},
	{".qzeros", "its weights are quantised by GPTQ or AWQ, which are not read: take the model they were made from"},
	{".absmax", "its weights are quantised by bitsandbytes, which are not read: take the model they were made from"},
	{".quant_state", "its weights are quantised by bitsandbytes, which are not read: take the model they were made from"},
	{".SCB", "its weights are quantised by bitsandbytes, which are not read: take the model they were made from"},
	{".weight_packed", "its weights are compressed tensors, which are not read: take the model they were made from"},
	{".weight_scale", "its weights are in FP8 with scales, which are not read: take the model they were made from"},
	{".scales", "its weights are quantised by MLX, which are not read: take the model they were made from"},
	{"_orig_mod.", "some of its names have torch.compile's prefix _orig_mod. and some have not: " +
		"two models are mixed in it"},
	{"vision_", "it is a model of pictures and texts, of which the language model must be saved alone"},
	{"language_model.", "its language model is inside another model, and must be saved alone"},
	{"score.weight", "it has the head of a classifier"},
	{"v_head.", "it has the value head of a reinforcement trainer: save the model without it"},
	{"exp_avg", "it is the state of an optimizer, not a model"},
}

// layerNumber finds the number of a layer in a tensor's name.
var layerNumber = regexp.MustCompile(`(?:^|\.)(?:layers|h|blk)\.(\d+)\.`)

// has says what the tensors of a file are instead of those of the model, as the end of a message.
func (m *Model) has(names []string, missing string) string {
	for _, f := range foreign {
		for _, n := range names {
			if strings.Contains(n, f.part) {
				return fmt.Sprintf("; %s (%s)", f.what, n)
			}
		}
	}
	if layers := countLayers(names); layers > 0 && layers != m.Config.Layers {
		return fmt.Sprintf("; the file has %d layers, config.json says %d", layers, m.Config.Layers)
	}
	if strings.HasPrefix(missing, "lm_head.") {
		return "; if the head shares the embedding's weights, config.json should say tie_word_embeddings: true"
	}
	if len(names) == 0 {
		return "; the file has no tensors"
	}
	known := map[string]bool{}
	for _, t := range m.Tensors() {
		known[t.part.name], known[t.part.gguf] = true, true
	}
	others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return known[n] || m.ignored(n) })
	if len(others) == 0 {
		return ""
	}
	return fmt.Sprintf("; the file has %s instead, and %d more that this model has not", slices.Min(others), len(others)-1)
}

// countLayers is one more than the highest number of a layer in names.
func countLayers(names []string) int {
	layers := 0
	for _, n := range names {
		if found := layerNumber.FindStringSubmatch(n); found != nil {
			l, _ := strconv.Atoi(found[1])
			layers = max(layers, l+1)
		}
	}
	return layers
}
