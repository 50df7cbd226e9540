package chat

import "encoding/json"

// Message is one turn of a conversation.
type Message struct {
	// Role is system, user, assistant or tool, or another one that the template knows.
	Role string `json:"role"`
	// Content is the text of the turn.
	Content string `json:"content"`
	// Reasoning is what the model thinks before it answers. Templates see it as reasoning_content and as thinking.
	Reasoning string `json:"reasoning_content,omitempty"`
	// ToolCalls is the JSON list of the calls that an assistant makes, as the template is to see it.
	ToolCalls json.RawMessage `json:"tool_calls,omitempty"`
	// ToolCallID and Name say, in the turn of a tool, which call it answers and what the tool is called.
	ToolCallID string `json:"tool_call_id,omitempty"`
	Name       string `json:"name,omitempty"`
	// Train says whether the turn is trained; nil means the default: assistant turns are, others are not.
	Train *bool `json:"train,omitempty"`
}

// trained says whether the turn is trained.
func (m *Message) trained() bool {
	if m.Train != nil {
		return *m.Train
	}
	return m.Role == "assistant"
}

// Conversation is all that a template is given.
type Conversation struct {
	Messages []Message
	// Tools is the JSON list of the tools that the model may call; none when empty.
	Tools json.RawMessage
	// Variables is a JSON object of further variables (chat_template_kwargs), such as enable_thinking.
	Variables json.RawMessage
}

// Span is a byte range [Start,End) of a rendered text.
type Span struct{ Start, End int }

// Rendered is the text of a conversation.
type Rendered struct {
	Text string
	// Spans are what is trained, in order and apart.
	Spans []Span
	// Unused names the parts of the conversation of which the template shows nothing: content, reasoning_content,
	// tool_calls or tools, or thoughts where those inside a content are cut out, once for each part.
	Unused []string
	// Empty are the messages, by their index, of which the template shows nothing though they say something, and which
	// are trained: the model would learn to answer nothing.
	Empty []int
}
