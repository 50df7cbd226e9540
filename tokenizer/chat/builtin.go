package chat

import (
	"embed"
	"slices"
	"strings"

	"instruct/tokenizer"
)

// builtins are the templates for models that have none. Each one says with generation blocks what the model says and
// renders in transformers too. The texts are those of the models that the templates are named after (for llama3: 3.1's
// first template, for mistral: 7B-Instruct-v0.1), and chatml, llama3 and mistral show tools, calls and results in the
// form that Hermes, Llama 3.1 and Mistral 7B-Instruct-v0.3 know, with sentences of our own; alpaca is the prompt of
// Stanford Alpaca (github.com/tatsu-lab/stanford_alpaca), where a system prompt takes the place of the preamble;
// lessons has as few tokens as can be, one for the role and one that ends an answer.
//
//go:embed templates/*.jinja
var builtins embed.FS

// LessonsTokens are the special tokens of the lessons template; the first one ends an answer and is the eos_token.
func LessonsTokens() []string { return []string{"<|end|>", "<|system|>", "<|user|>", "<|assistant|>"} }

// Builtins names the built-in templates.
func Builtins() []string {
	return []string{"chatml", "llama3", "zephyr", "mistral", "gemma", "alpaca", "phi3", "lessons"}
}

// Builtin gives the source of one of the Builtins.
func Builtin(name string) (string, bool) {
	if !slices.Contains(Builtins(), name) {
		return "", false
	}
	src, err := builtins.ReadFile("templates/" + name + ".jinja")
	return string(src), err == nil
}

// NewBuiltin compiles a built-in template for a tokenizer. Where the tokenizer puts a bos_token before every
// text the template begins with it too, since rendered text is encoded without further special tokens.
func NewBuiltin(name string, t *tokenizer.Tokenizer) (*Template, error) {
	src, ok := Builtin(name)
	if !ok {
		return nil, mistake("chat: there is no chat template %q; the built-in ones are %s",
			name, strings.Join(Builtins(), ", "))
	}
	if t != nil && addsBOS(t) && !strings.Contains(src, "bos_token") {
		src = "{{- bos_token -}}\n" + src
	}
	return NewTemplate(src, t)
}

// addsBOS says whether the tokenizer itself puts a bos_token before a text.
func addsBOS(t *tokenizer.Tokenizer) bool {
	bos, ok := t.BOS()
	ids := t.Encode("", true)
	return ok && len(ids) > 0 && ids[0] == bos
}
