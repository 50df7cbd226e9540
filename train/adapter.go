package train

import (
	"fmt"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/train/recipe"
)

// adapt makes the run one that trains an adapter, where the recipe asks for one or the model is one.
func (s *Setup) adapt() error {
	r := s.Recipe
	d, err := kernel.ParseDType(r.DType)
	if err != nil {
		return err
	}
	c, err := adapterOf(r, s.Model.AdapterConfig())
	if err != nil {
		return err
	}
	if c == nil {
		if d.InBlocks() {
			return mistake("dtype is %q, which is for frozen weights, and every weight is trained; set lora_r, or another dtype",
				d)
		}
		return nil
	}
	c.Seed = uint64(r.Seed)
	return s.Model.Adapt(*c, d)
}

// adapterOf is the adapter that a run trains: that of the folder it tunes, if it is one, or a new one; nil where every
// weight is trained.
func adapterOf(r *recipe.Recipe, own *model.AdapterConfig) (*model.AdapterConfig, error) {
	asked := r.LoRAR > 0
	switch {
	case own == nil && !asked:
		return nil, nil
	case own == nil:
		return &model.AdapterConfig{R: r.LoRAR, Alpha: r.LoRAAlpha, RSLoRA: r.RSLoRA, DoRA: r.DoRA,
			Dropout: r.LoRADropout, Targets: r.LoRATargets, Save: r.LoRASave}, nil
	case r.Adapter == "none":
		return nil, mistake("%s is an adapter, and adapter: none asks for training every weight; merge it first: "+
			"`instruct model merge %s --out DIR`", r.ModelNameOrPath, r.ModelNameOrPath)
	case asked && (own.R != r.LoRAR || own.Alpha != r.LoRAAlpha || own.RSLoRA != r.RSLoRA || own.DoRA != r.DoRA):
		return nil, mistake("%s is an adapter of %s, and the recipe asks for %s; leave the lora_ keys out to train it on, "+
			"or merge it first: `instruct model merge %[1]s --out DIR`", r.ModelNameOrPath,
			kindText(own.R, own.Alpha, own.RSLoRA, own.DoRA), kindText(r.LoRAR, r.LoRAAlpha, r.RSLoRA, r.DoRA))
	}
	if asked {
		own.Dropout = r.LoRADropout
	}
	return own, nil
}

func kindText(r int, alpha float64, rslora, dora bool) string {
	text := fmt.Sprintf("lora_r %d, lora_alpha %g", r, alpha)
	if rslora {
		text += ", use_rslora"
	}
	if dora {
		text += ", use_dora"
	}
	return text
}

// trainedValues counts what is trained.
func trainedValues(m *model.Model) int {
	n := 0
	for _, p := range m.Trained() {
		n += p.Size()
	}
	return n
}
