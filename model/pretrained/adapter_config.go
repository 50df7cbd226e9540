package pretrained

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"instruct/model"
)

// adapterConfig is adapter_config.json, as far as it is read; see PEFT, tuners/lora/config.py.
type adapterConfig struct {
	Type    string   `json:"peft_type"`
	Base    string   `json:"base_model_name_or_path"`
	R       int      `json:"r"`
	Alpha   float64  `json:"lora_alpha"`
	Dropout float64  `json:"lora_dropout"`
	RSLoRA  bool     `json:"use_rslora"`
	DoRA    bool     `json:"use_dora"`
	Save    []string `json:"modules_to_save"`

	Init json.RawMessage `json:"init_lora_weights"`
}

// neutral are keys that make an adapter another thing than is read here, unless they have one of these values.
var neutral = map[string][]string{
	"bias": {`"none"`}, "lora_bias": {"false"}, "rank_pattern": {"{}"}, "alpha_pattern": {"{}"}, "use_qalora": {"false"},
	"layer_replication": nil, "target_parameters": nil, "trainable_token_indices": nil, "alora_invocation_tokens": nil,
	"use_bdlora": {"false"}, "megatron_config": nil, "arrow_config": nil, "kasa_config": nil, "monteclora_config": nil,
}

// parseAdapterConfig reads adapter_config.json.
func parseAdapterConfig(path string, text []byte) (c model.AdapterConfig, base string, err error) {
	var in adapterConfig
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return c, "", mistake("adapter %s: not valid JSON: %v", path, err)
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return c, "", mistake("adapter %s: %v", path, err)
	}
	for key, plain := range neutral {
		value := string(all[key])
		if value != "" && value != "null" && value != "[]" && !slices.Contains(plain, value) {
			return c, "", mistake("adapter %s: %s is %.40s, which is not there; merge the adapter with PEFT "+
				"(model.merge_and_unload().save_pretrained) and give that folder", path, key, value)
		}
	}
	switch init := strings.ToLower(string(in.Init)); {
	case in.Type != "LORA":
		return c, "", mistake("adapter %s: peft_type is %q; expected LORA", path, in.Type)
	case in.Base == "":
		return c, "", mistake("adapter %s: base_model_name_or_path is not set; give it the path of the base", path)
	case in.R < 1 || in.R > 1<<16 || in.Alpha <= 0 || math.IsInf(in.Alpha, 0):
		return c, "", mistake("adapter %s: r is %d and lora_alpha %v; expected both above 0", path, in.R, in.Alpha)
	case in.Dropout < 0 || in.Dropout >= 1:
		return c, "", mistake("adapter %s: lora_dropout is %v; expected at least 0 and below 1", path, in.Dropout)
	case strings.HasPrefix(init, `"pissa`) || strings.HasPrefix(init, `"olora`) || strings.HasPrefix(init, `"corda`):
		return c, "", mistake("adapter %s: init_lora_weights is %s, which changes the base; convert it with PEFT "+
			"(path_initial_model_for_weight_conversion)", path, in.Init)
	}
	return model.AdapterConfig{R: in.R, Alpha: in.Alpha, RSLoRA: in.RSLoRA, DoRA: in.DoRA, Dropout: in.Dropout,
		Save: in.Save}, in.Base, nil
}

// adapterJSON writes adapter_config.json as PEFT 0.17 does, with the keys of its time that other programs ask for.
func adapterJSON(base string, targets []string, c *model.AdapterConfig, transposed bool) ([]byte, error) {
	var save any // null where there are none, as PEFT has it
	if len(c.Save) > 0 {
		save = c.Save
	}
	text, err := json.MarshalIndent(map[string]any{
		"alpha_pattern": map[string]any{}, "auto_mapping": nil, "base_model_name_or_path": base, "bias": "none",
		"corda_config": nil, "eva_config": nil, "exclude_modules": nil, "fan_in_fan_out": transposed,
		"inference_mode": true, "init_lora_weights": true, "layer_replication": nil, "layers_pattern": nil,
		"layers_to_transform": nil, "loftq_config": map[string]any{}, "lora_alpha": c.Alpha, "lora_bias": false,
		"lora_dropout": c.Dropout, "megatron_config": nil, "megatron_core": "megatron.core", "modules_to_save": save,
		"peft_type": "LORA", "qalora_group_size": 16, "r": c.R, "rank_pattern": map[string]any{}, "revision": nil,
		"target_modules": targets, "target_parameters": nil, "task_type": "CAUSAL_LM", "trainable_token_indices": nil,
		"use_dora": c.DoRA, "use_qalora": false, "use_rslora": c.RSLoRA,
	}, "", "  ")
	return append(text, '\n'), err
}
