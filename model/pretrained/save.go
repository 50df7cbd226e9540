package pretrained

import (
	"encoding/json"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/tokenizer"
)

const (
	configFile     = "config.json"
	weightsFile    = "model.safetensors"
	generationFile = "generation_config.json"
)

// Files are the names of what [Model.Save] may write. What makes a folder look like a model stands first.
func Files() []string {
	return append([]string{configFile, adapterConfigFile, weightsFile, adapterWeightsFile, generationFile, ownFile},
		tokenizer.Files()...)
}

// Save writes a Hugging Face folder: weights in float32, configuration, tokenizer and template. Of a model whose
// adapter is trained it writes an adapter folder, which has the adapter in place of configuration and weights. dir must
// exist; each file is written whole or not at all.
func (m *Model) Save(dir string) error { return m.SaveSummed(dir, nil) }

// SaveSummed is Save, and takes the sum of the file of weights while it is written.
func (m *Model) SaveSummed(dir string, sums checkpoints.Sums) error {
	if err := m.saveBeside(dir); err != nil {
		return err
	}
	if m.Adapter() != nil {
		return m.saveAdapter(dir, sums)
	}
	config, err := m.Config.JSON()
	if err != nil {
		return err
	}
	if err := checkpoints.WriteFile(filepath.Join(dir, configFile), append(config, '\n')); err != nil {
		return err
	}
	return WriteTensors(filepath.Join(dir, weightsFile), Named("", m.Tensors()), sums)
}

// saveBeside writes what lies beside configuration and weights.
func (m *Model) saveBeside(dir string) error {
	generation := map[string]any{"eos_token_id": m.Stop, "do_sample": false}
	if m.Config.BOS >= 0 {
		generation["bos_token_id"] = m.Config.BOS
	}
	if m.Config.PAD >= 0 {
		generation["pad_token_id"] = m.Config.PAD
	}
	text, err := json.MarshalIndent(generation, "", "  ")
	if err != nil {
		return err
	}
	if err := checkpoints.WriteFile(filepath.Join(dir, generationFile), append(text, '\n')); err != nil {
		return err
	}
	kept := own{System: m.System}
	if m.Adapter() != nil {
		if kept.Base, err = m.baseHashes(); err != nil {
			return err
		}
	}
	if err := writeOwn(dir, kept); err != nil {
		return err
	}
	return m.Tokenizer.Save(dir, checkpoints.WriteFile)
}

// Named puts a model's tensors into the form that checkpoints writes, their names behind prefix.
func Named(prefix string, tensors []model.Tensor) []checkpoints.Tensor {
	out := make([]checkpoints.Tensor, len(tensors))
	for i, t := range tensors {
		out[i] = checkpoints.Tensor{Name: prefix + t.Name, Shape: t.Shape, Data: t.Data}
	}
	return out
}

// WriteTensors writes a safetensors file in float32, marked as PyTorch's, and takes its sum.
func WriteTensors(path string, tensors []checkpoints.Tensor, sums checkpoints.Sums) error {
	return sums.WriteSafetensors(path, tensors, map[string]string{"format": "pt"}, checkpoints.F32)
}
