// Package chat turns conversations into the text that a model reads, and says which parts of it the model has to say
// itself.
//
// A [Template] is compiled from the Jinja source of a chat template: one of a tokenizer's own ([Own]), one of the
// built-in ones ([NewBuiltin]) or any other ([NewTemplate]). [Template.Render] gives the text of a list of [Message]
// with the [Span] of each trained part, which is where the loss mask comes from.
package chat
