package pretrained

import (
	"encoding/json"

	"instruct/model"
	"instruct/tokenizer"
)

// Scratch says how a model is made from nothing.
type Scratch struct {
	Path         string // of Config, for messages
	Config       []byte // config.json; without vocab_size it is the tokenizer's
	Tokenizer    *tokenizer.Tokenizer
	ChatTemplate string // as in [Options]
	Seed         uint64 // of the first weights
}

// Make makes a model from scratch, without its weights, which [Model.ReadWeights] draws.
func Make(s Scratch) (*Model, error) {
	var raw map[string]any
	if json.Unmarshal(s.Config, &raw) == nil && raw["vocab_size"] == nil {
		raw["vocab_size"] = s.Tokenizer.VocabSize()
		s.Config, _ = json.Marshal(raw)
	}
	c, err := model.ParseConfig(s.Path, s.Config)
	if err != nil {
		return nil, err
	}
	c.BOS = idOrNone(s.Tokenizer.BOS())
	c.EOS = idOrNone(s.Tokenizer.EOS())
	c.PAD = idOrNone(s.Tokenizer.PAD())
	outline, err := model.Outline(c)
	if err != nil {
		return nil, err
	}
	m := &Model{Model: outline, Path: s.Path, Tokenizer: s.Tokenizer}
	m.fill = func() error {
		m.Init(s.Seed)
		return nil
	}
	return m, m.complete(s.ChatTemplate)
}

func idOrNone(id int32, ok bool) int {
	if !ok {
		return -1
	}
	return int(id)
}
