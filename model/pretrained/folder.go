package pretrained

import (
	"path/filepath"

	"instruct/checkpoints"
	"instruct/checkpoints/bounded"
	"instruct/model"
	"instruct/tokenizer"
)

// openFolder reads everything but the weights of a Hugging Face folder.
func (m *Model) openFolder() error {
	if IsAdapter(m.Path) {
		return m.openAdapter()
	}
	path := filepath.Join(m.Path, "config.json")
	text, err := bounded.ReadFile(path)
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
	m.Notes = append(m.Notes, c.Notes...)
	if m.Model, err = model.Outline(c); err != nil {
		return err
	}
	if err := m.untie(); err != nil {
		return err
	}
	m.fill = func() error {
		file, err := checkpoints.OpenFolder(m.Path)
		if err != nil {
			return err
		}
		defer file.Close()
		src, wrapper := model.Unwrap(file)
		if wrapper != "" {
			m.note("the names of the tensors begin with %s, which is left out", wrapper)
		}
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
	m.readGenerationConfig()
	return nil
}
