package train

import (
	"context"

	"instruct/data"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
)

// make makes the model of model_config, without weights, with the tokenizer of tokenizer_name.
func (t *trainer) make(ctx context.Context) (*Assets, error) {
	special := chat.LessonsTokens()
	end := special[0]
	var tok *tokenizer.Tokenizer
	var err error
	switch t.r.TokenizerName {
	case "bytes":
		tok = tokenizer.Bytes(special...)
	case "bpe":
		tok, err = tokenizer.TrainBPE(ctx, RowTexts(t.set.rows), tokenizer.TrainOptions{VocabSize: t.r.VocabSize, Special: special})
	default:
		tok, err = tokenizer.Load(t.r.TokenizerName)
	}
	if err != nil {
		return nil, err
	}
	if _, ok := tok.EOS(); !ok {
		if _, ok := tok.ID(end); !ok {
			return nil, mistake("tokenizer_name %s: the tokenizer has no end-of-sequence token, so answers could not end", t.r.TokenizerName)
		}
		if err := tok.SetSpecial(tokenizer.Special{EOS: end}); err != nil {
			return nil, err
		}
	}
	template := t.r.ChatTemplate
	if template == "" && tok.ChatTemplate() == "" {
		template = "lessons"
	}
	return makeAssets(t.r, tok, template)
}

// RowTexts gives every text of the rows, for training a tokenizer.
func RowTexts(rows []data.Row) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, r := range rows {
			if r.Text != "" && !yield(r.Text) {
				return
			}
			for _, m := range r.Messages {
				if !yield(m.Content) {
					return
				}
			}
		}
	}
}
