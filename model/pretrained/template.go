package pretrained

import (
	"errors"
	"slices"
	"strings"

	"instruct/checkpoints"
	"instruct/checkpoints/bounded"
	"instruct/tokenizer/chat"
)

// complete chooses the template and the stop tokens, and checks that the parts fit each other.
func (m *Model) complete(chatTemplate string) error {
	if n := m.Tokenizer.VocabSize(); n > m.Config.Vocab {
		return mistake("model %s: the tokenizer has %d tokens, the model's vocabulary only %d", m.Path, n, m.Config.Vocab)
	}
	var err error
	if m.Template, err = m.chooseTemplate(chatTemplate); err != nil {
		return err
	}
	m.Tokenizer.SetChatTemplate(m.Template.Source()) // the saved folder is served with the template it was trained with
	if err := m.tokenizerDefaults(); err != nil {
		return err
	}
	m.addStop(m.Tokenizer.EOS())
	m.addStop(int32(m.Config.EOS), m.Config.EOS >= 0)
	m.addStop(m.Template.EndOfTurn())
	m.agreeOnStop()
	return nil
}

// tokenizerDefaults gives the tokenizer what transformers would otherwise guess: without model_input_names it makes
// token_type_ids, which no model here takes, and without model_max_length it warns of no prompt that is too long.
func (m *Model) tokenizerDefaults() error {
	inputs := m.Tokenizer.SetDefault("model_input_names", []string{"input_ids", "attention_mask"})
	return errors.Join(inputs, m.Tokenizer.SetDefault("model_max_length", m.Config.MaxLength))
}

// addStop adds a token that ends an answer, once.
func (m *Model) addStop(id int32, ok bool) {
	if ok && !slices.Contains(m.Stop, id) {
		m.Stop = append(m.Stop, id)
	}
}

// chooseTemplate compiles the template that is asked for by name (of the model's own, or built in) or file, else the
// model's own, else alpaca.
func (m *Model) chooseTemplate(name string) (*chat.Template, error) {
	own, err := chat.Own(m.Tokenizer, name)
	if own != nil || err != nil {
		return own, err
	}
	if name == "" {
		name = "alpaca"
	}
	if _, builtin := chat.Builtin(name); builtin {
		return chat.NewBuiltin(name, m.Tokenizer)
	}
	text, err := bounded.ReadInput(name)
	if err != nil {
		return nil, mistake("chat_template %q is neither a template of the model, nor a built-in one (%s), "+
			"nor a readable file (%s)", name, strings.Join(chat.Builtins(), ", "), checkpoints.Reason(err))
	}
	return chat.NewTemplate(string(text), m.Tokenizer)
}
