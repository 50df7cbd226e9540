package pretrained

import (
	"encoding/json"
	"os"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/tokenizer"
)

// openFolder reads everything but the weights of a Hugging Face folder.
func (m *Model) openFolder() error {
	path := filepath.Join(m.Path, "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		if c, ok, _ := checkpoints.Latest(m.Path); ok {
			return mistake("model folder %s has no config.json: it is a run that is not finished; use its last checkpoint, %s",
				m.Path, c.Path)
		}
		return mistake("model folder %s has no readable config.json (%s); expected a Hugging Face folder with config.json, "+
			"tokenizer.json and model.safetensors, or a .gguf file", m.Path, checkpoints.Reason(err))
	}
	c, err := model.ParseConfig(path, text)
	if err != nil {
		return err
	}
	if m.Tokenizer, err = tokenizer.Load(m.Path); err != nil {
		return err
	}
	if m.Model, err = model.Outline(c); err != nil {
		return err
	}
	m.fill = func() error {
		src, err := checkpoints.OpenFolder(m.Path)
		if err != nil {
			return err
		}
		defer src.Close()
		return m.Load(m.Path, src)
	}
	m.files = func() ([]string, error) {
		weights, err := checkpoints.WeightFiles(m.Path)
		return append([]string{path}, weights...), err
	}
	kept, err := readOwn(m.Path)
	if err != nil {
		return err
	}
	m.System = kept.System
	m.Stop = endTokens(filepath.Join(m.Path, "generation_config.json"))
	return nil
}

// endTokens reads eos_token_id, one number or a list, from a generation_config.json; there are none where it has none.
func endTokens(path string) []int32 {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var config struct {
		EOS json.RawMessage `json:"eos_token_id"`
	}
	if json.Unmarshal(text, &config) != nil {
		return nil
	}
	var list []int32
	if json.Unmarshal(config.EOS, &list) == nil {
		return list
	}
	var one int32
	if json.Unmarshal(config.EOS, &one) == nil {
		return []int32{one}
	}
	return nil
}
