package pretrained

import (
	"strings"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/tokenizer"
	"instruct/tokenizer/file"
)

// openGGUF reads everything but the weights of a GGUF file.
func (m *Model) openGGUF() error {
	g, err := checkpoints.OpenGGUF(m.Path)
	if err != nil {
		return err
	}
	defer g.Close()
	c, err := model.ConfigFromGGUF(m.Path, g, g)
	if err != nil {
		return err
	}
	if m.Tokenizer, err = tokenizer.FromGGUF(vocabulary(g)); err != nil {
		return err
	}
	m.fill = func() error {
		g, err := checkpoints.OpenGGUF(m.Path)
		if err != nil {
			return err
		}
		defer g.Close()
		return m.LoadGGUF(m.Path, g)
	}
	m.files = func() ([]string, error) { return []string{m.Path}, nil }
	if m.Model, err = model.Outline(c); err != nil {
		return err
	}
	m.Stored(g)
	return nil
}

// LoadTokenizer loads a tokenizer alone: from a folder, a tokenizer.json or a .gguf file.
func LoadTokenizer(path string) (*tokenizer.Tokenizer, error) {
	if !strings.HasSuffix(path, ".gguf") {
		return tokenizer.Load(path)
	}
	g, err := checkpoints.OpenGGUF(path)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	return tokenizer.FromGGUF(vocabulary(g))
}

// The metadata of a GGUF file's tokenizer: keys behind a prefix, and templates.
const (
	ggufPrefix   = "tokenizer.ggml."
	ggufTemplate = "tokenizer.chat_template" // with "." and a name behind it those that have one, with "s" their names
)

// ggufKey is a key of a tokenizer's metadata and where its value is kept.
type ggufKey[T any] struct {
	key string
	to  *T
}

// ggufIDs are the named tokens of a vocabulary.
func ggufIDs(v *file.GGUF) []ggufKey[int] {
	return []ggufKey[int]{
		{"bos_token_id", &v.BOS}, {"eos_token_id", &v.EOS}, {"unknown_token_id", &v.UNK}, {"padding_token_id", &v.PAD},
	}
}

// ggufFlags are what a vocabulary says of the ends of a text.
func ggufFlags(v *file.GGUF) []ggufKey[bool] {
	return []ggufKey[bool]{
		{"add_bos_token", &v.AddBOS}, {"add_eos_token", &v.AddEOS}, {"add_space_prefix", &v.AddSpacePrefix},
	}
}

// vocabulary collects the tokenizer's part of a GGUF file's metadata.
func vocabulary(g *checkpoints.GGUF) file.GGUF {
	v := file.GGUF{}
	v.Model, _ = g.String(ggufPrefix + "model")
	v.Pre, _ = g.String(ggufPrefix + "pre")
	v.Tokens, _ = g.Strings(ggufPrefix + "tokens")
	v.Scores, _ = g.Floats(ggufPrefix + "scores")
	v.Merges, _ = g.Strings(ggufPrefix + "merges")
	types, _ := g.Ints(ggufPrefix + "token_type")
	for _, t := range types {
		v.Types = append(v.Types, int32(t))
	}
	for _, id := range ggufIDs(&v) {
		*id.to = -1
		if n, ok := g.Uint(ggufPrefix + id.key); ok {
			*id.to = int(n)
		}
	}
	v.AddBOS = v.Model == "llama" // llama.cpp's defaults where the file does not say
	v.AddSpacePrefix = v.AddBOS
	for _, flag := range ggufFlags(&v) {
		if b, ok := g.Bool(ggufPrefix + flag.key); ok {
			*flag.to = b
		}
	}
	v.ChatTemplate, _ = g.String(ggufTemplate)
	names, _ := g.Strings(ggufTemplate + "s")
	for _, name := range names {
		if src, ok := g.String(ggufTemplate + "." + name); ok {
			if v.NamedTemplates == nil {
				v.NamedTemplates = map[string]string{}
			}
			v.NamedTemplates[name] = src
		}
	}
	return v
}
