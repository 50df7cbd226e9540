package pretrained

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"instruct/checkpoints"
	"instruct/model"
	"instruct/model/kernel"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
)

// Model is a language model with its tokenizer, its chat template and its stop tokens.
type Model struct {
	*model.Model
	Path      string
	Tokenizer *tokenizer.Tokenizer
	Template  *chat.Template
	Stop      []int32  // tokens that end an answer
	System    string   // the system prompt that it was tuned with, "": none, or several
	Notes     []string // where the model's files contradict each other, and what was taken; ReadWeights may add to them

	generationStop []int32 // those of generation_config.json

	fill  func() error             // reads or draws the weights
	files func() ([]string, error) // of configuration and weights; nil where the model was made from scratch

	adapter *adapter // nil: it is whole
}

// Options say how a model is loaded.
type Options struct {
	// ChatTemplate is the name of one of the model's own templates or of a built-in one, or a Jinja file; empty: the
	// model's own, or "alpaca" where it has none.
	ChatTemplate string
	// DType is the format of the weights of matrix products in memory. Any other than F32 is for inference. Tensors that
	// a GGUF file has in blocks are taken as they are: those of Q8_0 for Q8_0, and with those of Q4_1 too for Q4_0.
	DType kernel.DType
}

// Load loads a model from a Hugging Face folder, a run or checkpoint folder, a behaviour folder (its current round), or
// a .gguf file. An adapter of such a folder is merged into its base, in memory; see [Model.Adapt] for the other way.
func Load(path string, o Options) (*Model, error) {
	m, err := Outline(path, o.ChatTemplate)
	if err != nil {
		return nil, err
	}
	return m, m.ReadWeights(o.DType)
}

// Outline is [Load] without the weights: for what needs tokenizer and template only, or first.
func Outline(path, chatTemplate string) (*Model, error) {
	path, err := Resolve(path)
	if err != nil {
		return nil, err
	}
	m := &Model{Path: path}
	if err := m.open(); err != nil {
		return nil, err
	}
	return m, m.complete(chatTemplate)
}

// open reads everything but the weights of what lies at the path.
func (m *Model) open() error {
	info, err := os.Stat(m.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Missing(m.Path)
	case err != nil:
		return mistake("model %s: %s", m.Path, checkpoints.Reason(err))
	case info.IsDir():
		return m.openFolder()
	case strings.HasSuffix(m.Path, ".gguf"):
		return m.openGGUF()
	}
	return mistake("model %s is a file; expected a folder with config.json, or a .gguf file", m.Path)
}

// ReadWeights gives the model of [Outline] or [Make] its weights, those of matrix products in format d.
func (m *Model) ReadWeights(d kernel.DType) error {
	if err := m.AllocateIn(d); err != nil {
		return err
	}
	if err := m.fill(); err != nil {
		m.Close()
		return err
	}
	return nil
}

// Prompt encodes a conversation and the beginning of the assistant's next turn: what the model is given to answer.
func (m *Model) Prompt(messages []chat.Message) ([]int32, error) {
	text, _, err := m.Template.Render(messages, true)
	if err != nil {
		return nil, mistake("prompt: %w", err)
	}
	return m.Tokenizer.Encode(text, false), nil
}
