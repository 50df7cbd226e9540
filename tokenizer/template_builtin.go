package tokenizer

// The templates for models that have none. Each one says with generation blocks what the model says, renders in
// transformers too, and needs nothing but messages, add_generation_prompt and eos_token.
const (
	templateChatML = `{%- for message in messages -%}
    {{- '<|im_start|>' + message['role'] + '\n' -}}
    {%- if message['role'] == 'assistant' -%}
        {%- generation -%}
            {{- message['content'] + '<|im_end|>' -}}
        {%- endgeneration -%}
    {%- else -%}
        {{- message['content'] + '<|im_end|>' -}}
    {%- endif -%}
    {{- '\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|im_start|>assistant\n' -}}
{%- endif -%}
`

	// The prompt of Stanford Alpaca (github.com/tatsu-lab/stanford_alpaca); the system prompt takes the place of the
	// preamble.
	templateAlpaca = `{%- if messages[0]['role'] == 'system' -%}
    {%- set preamble = messages[0]['content'] -%}
    {%- set turns = messages[1:] -%}
{%- else -%}
    {%- set preamble = 'Below is an instruction that describes a task. Write a response that appropriately completes the request.' -%}
    {%- set turns = messages -%}
{%- endif -%}
{{- preamble + '\n\n' -}}
{%- for message in turns -%}
    {%- if message['role'] == 'user' -%}
        {{- '### Instruction:\n' + message['content'] + '\n\n' -}}
    {%- elif message['role'] == 'assistant' -%}
        {{- '### Response:\n' -}}
        {%- generation -%}
            {{- message['content'] + eos_token -}}
        {%- endgeneration -%}
        {%- if add_generation_prompt or not loop.last -%}
            {{- '\n\n' -}}
        {%- endif -%}
    {%- else -%}
        {{- raise_exception('The alpaca template knows a system message at the beginning and the roles user and assistant, not ' + message['role']) -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '### Response:\n' -}}
{%- endif -%}
`

	// As few tokens as can be: one for the role, and one that ends an answer.
	templateLessons = `{%- for message in messages -%}
    {%- if message['role'] == 'assistant' -%}
        {{- '<|assistant|>' -}}
        {%- generation -%}
            {{- message['content'] + '<|end|>' -}}
        {%- endgeneration -%}
    {%- elif message['role'] == 'user' or message['role'] == 'system' -%}
        {{- '<|' + message['role'] + '|>' + message['content'] -}}
    {%- else -%}
        {{- raise_exception('The lessons template knows the roles system, user and assistant, not ' + message['role']) -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|assistant|>' -}}
{%- endif -%}
`
)

// LessonsTokens are the special tokens of the lessons template; the last one ends an answer and is the eos_token.
func LessonsTokens() []string { return []string{"<|system|>", "<|user|>", "<|assistant|>", "<|end|>"} }

// BuiltinTemplate gives the source of a template by name: chatml, alpaca or lessons.
func BuiltinTemplate(name string) (string, bool) {
	switch name {
	case "chatml":
		return templateChatML, true
	case "alpaca":
		return templateAlpaca, true
	case "lessons":
		return templateLessons, true
	}
	return "", false
}

// NewBuiltinTemplate compiles a built-in template for a tokenizer. Where the tokenizer puts a bos_token before every
// text the template begins with it too, since rendered text is encoded without further special tokens.
func NewBuiltinTemplate(name string, t *Tokenizer) (*Template, error) {
	src, ok := BuiltinTemplate(name)
	if !ok {
		return nil, userf("tokenizer: there is no chat template %q; the built-in ones are chatml, alpaca and lessons", name)
	}
	if t != nil && t.addsBOS() {
		src = "{{- bos_token -}}\n" + src
	}
	return NewTemplate(src, t)
}

// addsBOS says whether the tokenizer itself puts a bos_token before a text.
func (t *Tokenizer) addsBOS() bool {
	bos, ok := t.BOS()
	ids := t.Encode("", true)
	return ok && len(ids) > 0 && ids[0] == bos
}
