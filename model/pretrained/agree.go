package pretrained

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"instruct/checkpoints"
	"instruct/checkpoints/bounded"
	"instruct/model"
)

// What a folder says twice is compared here. Where the two differ, that is taken which transformers takes, with a note,
// or the folder is refused.

// note keeps a sentence about the model's files for whoever loads it.
func (m *Model) note(format string, args ...any) {
	m.Notes = append(m.Notes, m.Path+": "+fmt.Sprintf(format, args...))
}

// untie gives the model a head of its own where config.json says that the head is the embedding and the file has
// another one, as transformers 5 does. A folder without weights is left as it is: what needs them says so.
func (m *Model) untie() error {
	index := filepath.Join(m.Path, weightsFile+".index.json")
	_, noWhole := os.Stat(filepath.Join(m.Path, weightsFile))
	_, noIndex := os.Stat(index)
	if noWhole != nil && noIndex != nil {
		return nil
	}
	if noWhole == nil && noIndex == nil {
		m.note("%s is read; the shards of %s beside it are not", weightsFile, filepath.Base(index))
	}
	if !m.Config.Tied {
		return nil
	}
	file, err := checkpoints.OpenFolder(m.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	src, _ := model.Unwrap(file)
	differs, err := m.HeadDiffers(src)
	if err != nil || !differs {
		return err
	}
	m.note("config.json says tie_word_embeddings: true, but the file has a head that is not the embedding; it is taken, " +
		"as transformers 5 does (transformers 4 drops it)")
	c := m.Config
	c.Tied = false
	m.Model, err = model.Outline(c)
	return err
}

// readGenerationConfig takes the stop tokens of generation_config.json, one number or a list. Those of config.json and
// of the tokenizer end answers too; see complete.
func (m *Model) readGenerationConfig() {
	text, err := bounded.ReadFile(filepath.Join(m.Path, generationFile))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			m.note("%s cannot be read: %s", generationFile, checkpoints.Reason(err))
		}
		return
	}
	var config struct {
		EOS json.RawMessage `json:"eos_token_id"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		m.note("%s is not valid JSON (%v) and is not used", generationFile, err)
		return
	}
	var one int32
	switch {
	case len(config.EOS) == 0 || string(config.EOS) == "null":
	case json.Unmarshal(config.EOS, &m.Stop) == nil:
	case json.Unmarshal(config.EOS, &one) == nil:
		m.Stop = []int32{one}
	default:
		m.Stop = nil
		m.note("%s: eos_token_id is %s, expected a token id or a list of them; it is not used", generationFile, config.EOS)
	}
	m.generationStop = slices.Clone(m.Stop)
}

// agreeOnStop drops stop tokens that cannot be, and says where the files differ on them.
func (m *Model) agreeOnStop() {
	m.Stop = slices.DeleteFunc(m.Stop, func(id int32) bool {
		outside := id < 0 || int(id) >= m.Config.Vocab
		if outside {
			m.note("the end token %d is outside the vocabulary of %d and is not used", id, m.Config.Vocab)
		}
		return outside
	})
	for _, named := range m.Tokenizer.Unknown() {
		m.note("tokenizer_config.json: %s, which tokenizer.json has not; it is not used", named)
	}
	file, taken := generationFile, m.generationStop // what transformers takes
	if len(taken) == 0 && m.Config.EOS >= 0 {
		file, taken = configFile, []int32{int32(m.Config.EOS)}
	}
	for _, id := range m.Stop {
		if len(taken) > 0 && !slices.Contains(taken, id) {
			m.note("%s ends answers at %v, but %d (%s) ends them elsewhere in the folder; each of them ends an answer here",
				file, taken, id, m.Tokenizer.TokenText(id))
		}
	}
}
