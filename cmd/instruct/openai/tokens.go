package openai

import (
	"encoding/json"
	"net/http"
	"regexp"
)

// tokenize gives the ids of {"prompt": text, "add_special_tokens": bool} as vLLM does; llama.cpp says content and
// add_special.
func (s *Server) tokenize(w http.ResponseWriter, r *http.Request) error {
	var q struct {
		Prompt     *string `json:"prompt"`
		Content    *string `json:"content"`
		AddSpecial *bool   `json:"add_special_tokens"`
		Add        bool    `json:"add_special"`
	}
	if err := s.small(w, r, &q); err != nil {
		return err
	}
	text, special := q.Prompt, true
	if text == nil {
		text, special = q.Content, q.Add
	}
	if text == nil {
		return invalid("prompt", `the prompt is missing: {"prompt": "text"}`)
	}
	if q.AddSpecial != nil {
		special = *q.AddSpecial
	}
	ids := append([]int32{}, s.model.Tokenizer.Encode(*text, special)...)
	return w.(*answering).json(http.StatusOK, struct {
		Tokens []int32 `json:"tokens"`
		Count  int     `json:"count"`
		Most   int     `json:"max_model_len"`
	}{ids, len(ids), s.options.MaxLength})
}

// detokenize gives the text of {"tokens": ids}, special tokens included.
func (s *Server) detokenize(w http.ResponseWriter, r *http.Request) error {
	var q struct {
		Tokens []int32 `json:"tokens"`
	}
	if err := s.small(w, r, &q); err != nil {
		return err
	}
	if q.Tokens == nil {
		return invalid("tokens", `the tokens are missing: {"tokens": [1, 2, 3]}`)
	}
	text, err := s.model.Tokenizer.Decode(q.Tokens, false)
	if err != nil {
		return invalid("tokens", "%v", err)
	}
	return w.(*answering).json(http.StatusOK, struct {
		Prompt  string `json:"prompt"`
		Content string `json:"content"`
	}{text, text})
}

// small reads a request that is not one for an answer. Fields that are not known do no harm here.
func (s *Server) small(w http.ResponseWriter, r *http.Request, to any) error {
	body, err := s.body(w, r)
	if err != nil {
		return err
	}
	if _, err := objectOf(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, to); err != nil {
		return invalid("", "%v", err)
	}
	return nil
}

// tokenizerInfo is the part of tokenizer_config.json that clients ask for.
func (s *Server) tokenizerInfo(w http.ResponseWriter, _ *http.Request) error {
	t := s.model.Tokenizer
	return w.(*answering).json(http.StatusOK, struct {
		Class     string  `json:"tokenizer_class"`
		BOS       *string `json:"bos_token"`
		EOS       *string `json:"eos_token"`
		UNK       *string `json:"unk_token"`
		PAD       *string `json:"pad_token"`
		Template  string  `json:"chat_template"`
		MaxLength int     `json:"model_max_length"`
	}{"PreTrainedTokenizerFast", nullable(t.BOSText()), nullable(t.EOSText()), nullable(t.UNKText()),
		nullable(t.PADText()), plainTemplate(s.model.Template.Source()), s.options.MaxLength})
}

// generationTag is a statement that Jinja itself does not know.
var generationTag = regexp.MustCompile(`\{%([-+]?)\s*(?:end)?generation\s*([-+]?)%\}`)

// plainTemplate is a chat template without the tags that mark what a model generates, which only transformers knows:
// comments in their place keep the white space as it is.
func plainTemplate(src string) string { return generationTag.ReplaceAllString(src, "{#$1 $2#}") }
