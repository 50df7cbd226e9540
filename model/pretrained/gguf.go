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
	m.Model, err = model.Outline(c)
	return err
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

// vocabulary collects the tokenizer's part of a GGUF file's metadata.
func vocabulary(g *checkpoints.GGUF) file.GGUF {
	const prefix = "tokenizer.ggml."
	v := file.GGUF{}
	v.Model, _ = g.String(prefix + "model")
	v.Pre, _ = g.String(prefix + "pre")
	v.Tokens, _ = g.Strings(prefix + "tokens")
	v.Scores, _ = g.Floats(prefix + "scores")
	v.Merges, _ = g.Strings(prefix + "merges")
	types, _ := g.Ints(prefix + "token_type")
	for _, t := range types {
		v.Types = append(v.Types, int32(t))
	}
	for key, id := range map[string]*int{"bos": &v.BOS, "eos": &v.EOS, "unknown": &v.UNK, "padding": &v.PAD} {
		*id = -1
		if n, ok := g.Uint(prefix + key + "_token_id"); ok {
			*id = int(n)
		}
	}
	llama := v.Model == "llama" // llama.cpp's defaults where the file does not say
	flag := func(key string, def bool) bool {
		if b, ok := g.Bool(prefix + key); ok {
			return b
		}
		return def
	}
	v.AddBOS = flag("add_bos_token", llama)
	v.AddEOS = flag("add_eos_token", false)
	v.AddSpacePrefix = flag("add_space_prefix", llama)
	v.ChatTemplate, _ = g.String("tokenizer.chat_template")
	names, _ := g.Strings("tokenizer.chat_templates")
	for _, name := range names {
		if src, ok := g.String("tokenizer.chat_template." + name); ok {
			if v.NamedTemplates == nil {
				v.NamedTemplates = map[string]string{}
			}
			v.NamedTemplates[name] = src
		}
	}
	return v
}
