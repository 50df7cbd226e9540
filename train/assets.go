package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
	"instruct/tokenizer/file"
)

// Assets are a model with what belongs to it: tokenizer, chat template and the tokens that end an answer.
type Assets struct {
	Path      string
	Model     *model.Model
	Tokenizer *tokenizer.Tokenizer
	Template  *chat.Template
	Stop      []int32 // tokens that end an answer

	fill func() error // reads or draws the weights
}

// LoadAssets loads a model from a Hugging Face folder, a run or checkpoint folder, or a .gguf file. chatTemplate, where
// not empty, is a built-in template's name or a Jinja file that replaces the model's own. A model without a template
// gets "alpaca".
func LoadAssets(path, chatTemplate string) (*Assets, error) {
	a, err := LoadForText(path, chatTemplate)
	if err != nil {
		return nil, err
	}
	return a, a.ReadWeights()
}

// LoadForText is LoadAssets without the weights: for what needs tokenizer and template only, or first.
func LoadForText(path, chatTemplate string) (*Assets, error) {
	return (&Assets{Path: path}).load(chatTemplate)
}

// LoadForInference is LoadAssets with the weights of matrix products in format d only. Tensors that a .gguf file has as Q8_0 are
// taken as they are for q8_0.
func LoadForInference(path, chatTemplate string, d kernel.DType) (*Assets, error) {
	a, err := LoadForText(path, chatTemplate)
	if err != nil {
		return nil, err
	}
	return a, a.readWeights(d)
}

// ReadWeights gives the model of LoadForText its weights.
func (a *Assets) ReadWeights() error { return a.readWeights(kernel.F32) }

func (a *Assets) readWeights(d kernel.DType) error {
	if err := a.Model.AllocateIn(d); err != nil {
		return err
	}
	if err := a.fill(); err != nil {
		a.Model.Close()
		return err
	}
	return nil
}

func (a *Assets) load(chatTemplate string) (*Assets, error) {
	path := a.Path
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, mistake("no such model: %s; expected a folder with config.json, or a .gguf file", path)
	case err != nil:
		return nil, mistake("model %s: %s", path, errorText(err))
	case info.IsDir():
		err = a.loadFolder(path)
	case strings.HasSuffix(path, ".gguf"):
		err = a.loadGGUF(path)
	default:
		return nil, mistake("model %s is a file; expected a folder with config.json, or a .gguf file", path)
	}
	if err != nil {
		return nil, err
	}
	return a, a.finish(chatTemplate)
}

func (a *Assets) loadFolder(dir string) error {
	path := filepath.Join(dir, "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		if c, ok, _ := checkpoints.Latest(dir); ok {
			return mistake("model folder %s has no config.json: it is a run that is not finished; use its last checkpoint, %s", dir, c.Path)
		}
		return mistake("model folder %s has no readable config.json (%s); expected a Hugging Face folder with config.json, tokenizer.json and model.safetensors, or a .gguf file", dir, errorText(err))
	}
	c, err := model.ParseConfig(path, text)
	if err != nil {
		return err
	}
	if a.Tokenizer, err = tokenizer.Load(dir); err != nil {
		return err
	}
	if a.Model, err = model.Outline(c); err != nil {
		return err
	}
	a.fill = func() error {
		src, err := checkpoints.OpenFolder(dir)
		if err != nil {
			return err
		}
		defer src.Close()
		return a.Model.Load(dir, src)
	}
	var gen struct {
		EOS json.RawMessage `json:"eos_token_id"`
	}
	if text, err := os.ReadFile(filepath.Join(dir, "generation_config.json")); err == nil && json.Unmarshal(text, &gen) == nil {
		var one int32
		if json.Unmarshal(gen.EOS, &a.Stop) != nil && json.Unmarshal(gen.EOS, &one) == nil {
			a.Stop = []int32{one}
		}
	}
	return nil
}

func (a *Assets) loadGGUF(path string) error {
	g, err := checkpoints.OpenGGUF(path)
	if err != nil {
		return err
	}
	defer g.Close()
	c, err := model.ConfigFromGGUF(path, g, g)
	if err != nil {
		return err
	}
	if a.Tokenizer, err = tokenizer.FromGGUF(GGUFVocab(g)); err != nil {
		return err
	}
	a.fill = func() error {
		g, err := checkpoints.OpenGGUF(path)
		if err != nil {
			return err
		}
		defer g.Close()
		return a.Model.LoadGGUF(path, g)
	}
	a.Model, err = model.Outline(c)
	return err
}

// GGUFVocab collects the tokenizer's part of a GGUF file's metadata.
func GGUFVocab(g *checkpoints.GGUF) file.GGUF {
	const prefix = "tokenizer.ggml."
	v := file.GGUF{}
	v.Model, _ = g.String(prefix + "model")
	v.Pre, _ = g.String(prefix + "pre")
	v.Tokens, _ = g.Strings(prefix + "tokens")
	v.Scores, _ = g.Floats(prefix + "scores")
	v.Merges, _ = g.Strings(prefix + "merges")
	if types, ok := g.Ints(prefix + "token_type"); ok {
		for _, t := range types {
			v.Types = append(v.Types, int32(t))
		}
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
	v.AddBOS, v.AddEOS, v.AddSpacePrefix = flag("add_bos_token", llama), flag("add_eos_token", false), flag("add_space_prefix", llama)
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

// makeAssets makes a model from scratch as the recipe says, without weights.
func makeAssets(r *Recipe, tok *tokenizer.Tokenizer, template string) (*Assets, error) {
	path, text := "model_config", []byte(r.ModelConfig)
	if !strings.HasPrefix(string(r.ModelConfig), "{") {
		path = string(r.ModelConfig)
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return nil, mistake("model_config %s: %s", path, errorText(err))
		}
	}
	var raw map[string]any
	if json.Unmarshal(text, &raw) == nil && raw["vocab_size"] == nil {
		raw["vocab_size"] = tok.VocabSize()
		text, _ = json.Marshal(raw)
	}
	c, err := model.ParseConfig(path, text)
	if err != nil {
		return nil, err
	}
	for _, t := range []struct {
		id  *int
		get func() (int32, bool)
	}{{&c.BOS, tok.BOS}, {&c.EOS, tok.EOS}, {&c.PAD, tok.PAD}} {
		*t.id = -1
		if id, ok := t.get(); ok {
			*t.id = int(id)
		}
	}
	m, err := model.Outline(c)
	if err != nil {
		return nil, err
	}
	a := &Assets{Path: path, Model: m, Tokenizer: tok, fill: func() error {
		m.Init(uint64(r.Seed))
		return nil
	}}
	return a, a.finish(template)
}

// finish chooses the template and the stop tokens, and checks that the parts fit each other.
func (a *Assets) finish(chatTemplate string) error {
	if n := a.Tokenizer.VocabSize(); n > a.Model.Config.Vocab {
		return mistake("model %s: the tokenizer has %d tokens, the model's vocabulary only %d", a.Path, n, a.Model.Config.Vocab)
	}
	var err error
	if a.Template, err = a.chooseTemplate(chatTemplate); err != nil {
		return err
	}
	a.Tokenizer.SetChatTemplate(a.Template.Source()) // so that the saved folder is served with the template it was trained with
	if id, ok := a.Tokenizer.EOS(); ok && !slices.Contains(a.Stop, id) {
		a.Stop = append(a.Stop, id)
	}
	if id := int32(a.Model.Config.EOS); id >= 0 && !slices.Contains(a.Stop, id) {
		a.Stop = append(a.Stop, id)
	}
	if id, ok := a.Template.EndOfTurn(); ok && !slices.Contains(a.Stop, id) {
		a.Stop = append(a.Stop, id)
	}
	return nil
}

// chooseTemplate compiles the template that is asked for by name (of the model's own, or built in) or file, else the
// model's own, else alpaca.
func (a *Assets) chooseTemplate(name string) (*chat.Template, error) {
	if own, err := chat.Own(a.Tokenizer, name); own != nil || err != nil {
		return own, err
	}
	switch _, builtin := chat.Builtin(name); {
	case name == "":
		return chat.NewBuiltin("alpaca", a.Tokenizer)
	case builtin:
		return chat.NewBuiltin(name, a.Tokenizer)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, mistake("chat_template %q is neither a template of the model, nor a built-in one (%s), nor a readable file (%s)", name, strings.Join(chat.Builtins(), ", "), errorText(err))
	}
	return chat.NewTemplate(string(text), a.Tokenizer)
}

// Encoder returns the one path from conversations to ids and masks, for training, scoring and prompts.
func (a *Assets) Encoder(maxLength int, trainOnInputs bool) *data.Encoder {
	return &data.Encoder{Tokenizer: a.Tokenizer, Template: a.Template, MaxLength: min(maxLength, a.Model.Config.MaxLength), TrainOnInputs: trainOnInputs, Stop: a.Stop}
}

// LengthHint completes an error that advises a larger max_length where the model itself reads no more.
func (a *Assets) LengthHint(err error, maxLength int) error {
	limit := a.Model.Config.MaxLength
	if err == nil || maxLength < limit || !strings.Contains(err.Error(), "max_length") {
		return err
	}
	return fmt.Errorf("%w; but this model reads at most %d tokens: shorten the rows, or take another model", err, limit)
}

// Save writes a Hugging Face folder: weights in float32, configuration, tokenizer and template. dir must exist; each file
// is written whole or not at all.
func (a *Assets) Save(dir string) error {
	config, err := a.Model.Config.JSON()
	if err != nil {
		return err
	}
	gen := map[string]any{"eos_token_id": a.Stop, "do_sample": false}
	if c := a.Model.Config; c.BOS >= 0 {
		gen["bos_token_id"] = c.BOS
	}
	if c := a.Model.Config; c.PAD >= 0 {
		gen["pad_token_id"] = c.PAD
	}
	genText, err := json.MarshalIndent(gen, "", "  ")
	if err != nil {
		return err
	}
	if err := checkpoints.WriteFile(filepath.Join(dir, "config.json"), append(config, '\n')); err != nil {
		return err
	}
	if err := checkpoints.WriteFile(filepath.Join(dir, "generation_config.json"), append(genText, '\n')); err != nil {
		return err
	}
	if err := a.Tokenizer.Save(dir, checkpoints.WriteFile); err != nil {
		return err
	}
	return checkpoints.WriteSafetensors(filepath.Join(dir, "model.safetensors"), named("", a.Model.Tensors()), map[string]string{"format": "pt"}, checkpoints.F32)
}

// named puts tensors into the form that checkpoints writes.
func named(prefix string, tensors []model.Tensor) []checkpoints.Tensor {
	out := make([]checkpoints.Tensor, len(tensors))
	for i, t := range tensors {
		out[i] = checkpoints.Tensor{Name: prefix + t.Name, Shape: t.Shape, Data: t.Data}
	}
	return out
}
