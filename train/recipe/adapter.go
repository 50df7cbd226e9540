package recipe

import "math"

// resolveAdapter gives the keys of an adapter their values: none without one.
func (r *Recipe) resolveAdapter() {
	if r.Adapter == "none" {
		r.LoRAR, r.LoRAAlpha, r.LoRADropout, r.RSLoRA, r.DoRA = 0, 0, 0, false, false
		r.LoRATargets, r.LoRASave = nil, nil
		return
	}
	if r.LoRAR > 0 {
		r.Adapter = "lora"
	}
	if r.Adapter == "" {
		return
	}
	if r.LoRAR == 0 {
		r.LoRAR = 16
	}
	if r.LoRAAlpha == 0 {
		r.LoRAAlpha = float64(2 * r.LoRAR)
	}
	if len(r.LoRATargets) == 0 {
		r.LoRATargets = []string{"all-linear"}
	}
}

// Freezes tells whether a part of the model is trained and the rest frozen, without an adapter.
func (r *Recipe) Freezes() bool { return r.UnfreezeLayers > 0 || len(r.Unfrozen) > 0 }

// tunesAdapter tells whether a key says how an adapter is to be.
func (r *Recipe) tunesAdapter() bool {
	return r.LoRAAlpha != 0 || r.LoRADropout != 0 || r.RSLoRA || r.DoRA || len(r.LoRATargets) > 0 || len(r.LoRASave) > 0
}

// adapterChecks are the checks of the keys of an adapter.
func (r *Recipe) adapterChecks() []check {
	return []check{
		{r.LoRAR >= 0 && r.LoRAR <= 1<<16, "lora_r", r.LoRAR, "it must be above 0; 8 to 64 are usual"},
		{r.LoRAAlpha >= 0 && !math.IsInf(r.LoRAAlpha, 0), "lora_alpha", r.LoRAAlpha,
			"it must be above 0; twice lora_r is usual"},
		{r.LoRADropout >= 0 && r.LoRADropout < 1, "lora_dropout", r.LoRADropout, "it must be at least 0 and below 1"},
		{r.UnfreezeLayers >= 0, "unfreeze_layers", r.UnfreezeLayers, "it must be 0 (train all) or more"},
		{r.LoRAR == 0 || !r.Freezes(), "", nil, "beside an adapter all is frozen: leave unfreeze_layers and " +
			"unfrozen_parameters out (modules_to_save trains modules whole beside it), or set adapter: none"},
		{r.LoRAR > 0 || !r.tunesAdapter(), "", nil,
			"the keys of an adapter are given, and none is asked for: set lora_r (16 is usual), or adapter: none"},
		{r.LoRAR == 0 || r.ModelNameOrPath != "" || r.ModelConfig == "", "", nil,
			"an adapter is trained beside a model that is there: set model_name_or_path in place of model_config"},
	}
}
