package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"instruct/tokenizer"
	"instruct/tokenizer/jinja"
)

// Template is a chat template: it turns a conversation into the one text that a model reads, for training and for
// answering alike. It may be used by several goroutines at once.
type Template struct {
	// Date is the day that strftime_now gives to the template. It is 26 July 2024 unless it is changed, the day that
	// Llama's template falls back to: with today's date the same run would give other bits tomorrow.
	Date time.Time

	source   string
	bos, eos string
	parsed   *jinja.Template
	toolUse  *Template            // takes conversations with tools; may be nil
	tok      *tokenizer.Tokenizer // finds special tokens; may be nil
}

// NewTemplate compiles the Jinja source of a chat template for a tokenizer, whose bos_token and eos_token it will see.
func NewTemplate(src string, t *tokenizer.Tokenizer) (*Template, error) {
	parsed, err := jinja.Parse(src)
	if err != nil {
		return nil, mistake("chat: template: %w", err)
	}
	tp := &Template{Date: time.Date(2024, time.July, 26, 0, 0, 0, 0, time.UTC), source: src, parsed: parsed, tok: t}
	if t != nil {
		tp.bos, tp.eos = t.BOSText(), t.EOSText()
	}
	return tp, nil
}

// Own compiles one of the tokenizer's own chat templates: the named one, or, when name is empty, the default,
// which leaves conversations with tools to the one named tool_use where there is one, as transformers does. It is nil
// when the tokenizer has none of the name. Several templates without a default are an error: one must be named.
func Own(t *tokenizer.Tokenizer, name string) (*Template, error) {
	src := t.ChatTemplate()
	if name != "" && name != "default" {
		src = t.NamedTemplate(name)
	}
	switch {
	case src == "" && name == "" && len(t.TemplateNames()) > 0:
		return nil, mistake("chat: there are chat templates of the names %s and no default: choose one by its name",
			strings.Join(t.TemplateNames(), ", "))
	case src == "":
		return nil, nil
	}
	tp, err := NewTemplate(src, t)
	if err != nil || name != "" {
		return tp, err
	}
	if more := t.NamedTemplate("tool_use"); more != "" {
		if tp.toolUse, err = NewTemplate(more, t); err != nil {
			return nil, fmt.Errorf("tool_use: %w", err)
		}
	}
	return tp, nil
}

// Source is the Jinja source, for [tokenizer.Tokenizer.SetChatTemplate].
func (tp *Template) Source() string { return tp.source }

// Hash identifies the template: the sha256 of its source, in hexadecimal; where there is another one for conversations
// with tools, of both.
func (tp *Template) Hash() string {
	src := tp.source
	if tp.toolUse != nil {
		src += "\x00" + tp.toolUse.source
	}
	sum := sha256.Sum256([]byte(src))
	return hex.EncodeToString(sum[:])
}

// Render gives the text of messages without tools, and the spans of it that are trained. See RenderConversation.
func (tp *Template) Render(msgs []Message, addGenerationPrompt bool) (text string, spans []Span, err error) {
	r, err := tp.RenderConversation(&Conversation{Messages: msgs}, addGenerationPrompt)
	return r.Text, r.Spans, err
}

// RenderConversation gives the text of a conversation and the spans of it that are trained: what the model has to say
// itself, up to and with the token that ends the turn. With addGenerationPrompt the text ends where the assistant's
// next turn begins.
//
// A template with generation blocks says itself what the model says. For others see inferSpan.
func (tp *Template) RenderConversation(c *Conversation, addGenerationPrompt bool) (Rendered, error) {
	if tp.toolUse != nil && given(c.Tools) {
		return tp.toolUse.RenderConversation(c, addGenerationPrompt)
	}
	run, r, err := tp.firstRun(c, addGenerationPrompt)
	if err != nil {
		return Rendered{}, err
	}
	var spans []Span
	owners := run.blockOwners(r)
	spanned := map[int]bool{}
	for i := range c.Messages {
		m := &c.Messages[i]
		if !m.trained() {
			continue
		}
		if blocks, ok := owners[i]; ok {
			spans = append(spans, blocks...)
			spanned[i] = true
		} else if !tp.parsed.HasGeneration || m.Role != "assistant" {
			if span, ok := run.inferSpan(i, r, addGenerationPrompt); ok {
				spans = append(spans, span)
				spanned[i] = span.End > span.Start
			}
		}
	}
	out := Rendered{Text: r.Text, Spans: ordered(append(spans, owners[-1]...))}
	var silent []int
	out.Unused, silent = run.unused(r)
	for _, i := range silent {
		if spanned[i] {
			out.Empty = append(out.Empty, i)
		}
	}
	return out, nil
}

// firstRun renders the whole conversation; where the template cannot read the arguments of calls as they are written it
// is given them otherwise.
func (tp *Template) firstRun(c *Conversation, addGenerationPrompt bool) (*run, *jinja.Result, error) {
	run, differs, err := tp.newRun(c, asWritten)
	if err != nil {
		return nil, nil, err
	}
	r, err := run.render(len(c.Messages), addGenerationPrompt)
	if err != nil && differs {
		if other, _, newErr := tp.newRun(c, otherwise); newErr == nil {
			if again, againErr := other.render(len(c.Messages), addGenerationPrompt); againErr == nil {
				return other, again, nil
			}
		}
	}
	return run, r, err
}

// EndOfTurn is the token with which an answer ends under the template, where that is one special token: a model that
// is trained with the template stops with it.
func (tp *Template) EndOfTurn() (id int32, ok bool) {
	if tp.tok == nil {
		return 0, false
	}
	text, spans, err := tp.Render([]Message{{Role: "user", Content: "a"}, {Role: "assistant", Content: "b"}}, false)
	if err != nil || len(spans) == 0 {
		return 0, false
	}
	end := spans[len(spans)-1].End
	for _, token := range tp.tok.Append(nil, text, false) {
		if token.End == end && tp.tok.IsSpecial(token.ID) {
			return token.ID, true
		}
	}
	return 0, false
}

// run is the rendering of one conversation, of which some beginnings may have to be rendered too.
type run struct {
	tp        *Template
	c         *Conversation
	messages  []jinja.Value
	tools     jinja.Value
	variables *jinja.Dict
	ended     []*jinja.Result // of the first n messages without a generation prompt, where known
}

// partsOfMessage are the parts of message i that carry marks: partsOfMessage*i for the content and the ids after it for
// the reasoning and the tool calls. The tools carry the mark after those of the last message.
const partsOfMessage = 3

var partNames = [partsOfMessage]string{"content", "reasoning_content", "tool_calls"}

// newRun makes the values that the template sees. It says whether arguments of calls have another form.
func (tp *Template) newRun(c *Conversation, form argumentsForm) (r *run, differs bool, err error) {
	r = &run{tp: tp, c: c, messages: make([]jinja.Value, len(c.Messages))}
	for i := range c.Messages {
		m := &c.Messages[i]
		id := partsOfMessage * i
		d := jinja.NewDict().Set("role", jinja.Text{S: m.Role}).Set("content", jinja.Mark(m.Content, id))
		if m.Reasoning != "" {
			d.Set("reasoning_content", jinja.Mark(m.Reasoning, id+1)).Set("thinking", jinja.Mark(m.Reasoning, id+1))
		}
		if given(m.ToolCalls) {
			calls, err := jinja.FromJSON(m.ToolCalls)
			if err != nil {
				return nil, false, mistake("chat: message %d: tool_calls: %w", i+1, err)
			}
			differs = withArguments(calls, form) || differs
			d.Set("tool_calls", jinja.MarkAll(calls, id+2))
		}
		if m.ToolCallID != "" {
			d.Set("tool_call_id", jinja.Text{S: m.ToolCallID})
		}
		if m.Name != "" {
			d.Set("name", jinja.Text{S: m.Name})
		}
		r.messages[i] = d
	}
	if given(c.Tools) {
		tools, err := jinja.FromJSON(c.Tools)
		if err != nil {
			return nil, false, mistake("chat: tools: %w", err)
		}
		r.tools = jinja.MarkAll(tools, partsOfMessage*len(c.Messages))
	}
	if given(c.Variables) {
		v, err := jinja.FromJSON(c.Variables)
		if err != nil {
			return nil, false, mistake("chat: chat_template_kwargs: %w", err)
		}
		var ok bool
		r.variables, ok = v.(*jinja.Dict)
		if !ok {
			return nil, false, mistake("chat: chat_template_kwargs must be an object")
		}
	}
	return r, differs, nil
}

// given says that there is a JSON value and that it is not null.
func given(src []byte) bool { return len(src) > 0 && string(src) != "null" }

// render runs the template over the first n messages. The variables are those of transformers: what a conversation does
// not have is None.
func (r *run) render(n int, addGenerationPrompt bool) (*jinja.Result, error) {
	vars := jinja.NewDict().
		Set("bos_token", jinja.Text{S: r.tp.bos}).
		Set("eos_token", jinja.Text{S: r.tp.eos})
	if t := r.tp.tok; t != nil {
		if unk := t.UNKText(); unk != "" {
			vars.Set("unk_token", jinja.Text{S: unk})
		}
		if pad := t.PADText(); pad != "" {
			vars.Set("pad_token", jinja.Text{S: pad})
		}
	}
	if r.variables != nil {
		vars.SetAll(r.variables)
	}
	vars.Set("messages", &jinja.List{Items: r.messages[:n:n]}).
		Set("tools", r.tools).
		Set("documents", nil).
		Set("add_generation_prompt", addGenerationPrompt)
	out, err := r.tp.parsed.Render(vars, jinja.Options{Now: r.tp.Date})
	if err != nil {
		var raised *jinja.Error
		if errors.As(err, &raised) && raised.Raised {
			return nil, mistake("chat: the chat template refuses the conversation: %w", err)
		}
		return nil, mistake("chat: render chat template: %w", err)
	}
	return out, nil
}

// endedAt is the text of the first n messages without a generation prompt, or nil when the template refuses them.
func (r *run) endedAt(n int) *jinja.Result {
	if r.ended == nil {
		r.ended = make([]*jinja.Result, len(r.c.Messages)+1)
	}
	if r.ended[n] == nil {
		out, err := r.render(n, false)
		if err != nil {
			return nil
		}
		r.ended[n] = out
	}
	return r.ended[n]
}
