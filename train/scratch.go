package train

import (
	"context"
	"os"
	"strings"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model/pretrained"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
	"instruct/train/recipe"
)

// fromScratch makes the model of model_config, without weights, with the tokenizer of tokenizer_name.
func fromScratch(ctx context.Context, r *recipe.Recipe, rows []data.Row) (*pretrained.Model, error) {
	tok, err := makeTokenizer(ctx, r, rows)
	if err != nil {
		return nil, err
	}
	s := pretrained.Scratch{Path: "model_config", Config: []byte(r.ModelConfig), Tokenizer: tok,
		ChatTemplate: r.ChatTemplate, Seed: uint64(r.Seed)}
	if !strings.HasPrefix(string(r.ModelConfig), "{") {
		s.Path = string(r.ModelConfig)
		if s.Config, err = os.ReadFile(s.Path); err != nil {
			return nil, mistake("model_config %s: %s", s.Path, checkpoints.Reason(err))
		}
	}
	if s.ChatTemplate == "" && tok.ChatTemplate() == "" {
		s.ChatTemplate = "lessons"
	}
	return pretrained.Make(s)
}

// makeTokenizer makes or loads the tokenizer of tokenizer_name; it has an end-of-sequence token.
func makeTokenizer(ctx context.Context, r *recipe.Recipe, rows []data.Row) (tok *tokenizer.Tokenizer, err error) {
	special := chat.LessonsTokens()
	switch r.TokenizerName {
	case "bytes":
		tok = tokenizer.Bytes(special...)
	case "bpe":
		o := tokenizer.TrainOptions{VocabSize: r.VocabSize, Special: special}
		tok, err = tokenizer.TrainBPE(ctx, data.Texts(rows), o)
	default:
		tok, err = tokenizer.Load(r.TokenizerName)
	}
	if err != nil {
		return nil, err
	}
	if _, ok := tok.EOS(); ok {
		return tok, nil
	}
	end := special[0]
	if _, ok := tok.ID(end); !ok {
		return nil, mistake("tokenizer_name %s: the tokenizer has no end-of-sequence token, so answers could not end",
			r.TokenizerName)
	}
	return tok, tok.SetSpecial(tokenizer.Special{EOS: end})
}
