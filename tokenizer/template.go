package tokenizer

// Message is one turn of a conversation.
type Message struct {
	// Role is system, user, assistant or tool.
	Role string
	// Content is the text of the turn.
	Content string
	// Train says whether the turn is trained; nil means the default: assistant turns are, others are not.
	Train *bool
}

// Span is a byte range [Start,End) of a rendered text.
type Span struct{ Start, End int }

// Template renders conversations.
type Template struct{}

// NewTemplate compiles a chat template for a tokenizer.
func NewTemplate(src string, t *Tokenizer) (*Template, error) { return nil, nil }

// BuiltinTemplate gives the source of a template by name: chatml, alpaca or lessons.
func BuiltinTemplate(name string) (string, bool) { return "", false }

// Render gives the text of a conversation and the spans of the assistant's text in it.
func (tp *Template) Render(msgs []Message, addGenerationPrompt bool) (text string, spans []Span, err error) {
	return "", nil, nil
}

// Hash identifies the template.
func (tp *Template) Hash() string { return "" }
