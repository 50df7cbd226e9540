package data

import (
	"context"
	"fmt"
	"slices"

	"instruct/tokenizer"
	"instruct/tokenizer/chat"
)

// Encoder turns rows into examples: one path for training, evaluation, chat and serving.
type Encoder struct {
	Tokenizer *tokenizer.Tokenizer
	Template  *chat.Template
	// MaxLength is the largest number of tokens of a row, and ModelLength what the model can read; longer rows are cut at
	// the right, and longer plain texts divided into pieces. 0 means no limit.
	MaxLength, ModelLength int
	// TrainOnInputs trains every token of a conversation and not only the assistant's; turns that say train: false are
	// left untrained all the same.
	TrainOnInputs bool
	// Stop are the tokens that end an answer; when empty, every special token counts as one.
	Stop []int32
}

// The reasons for which a row gives no example.
const (
	DroppedTooLong   = "longer than max_length before its first trained token"
	DroppedUntrained = "no token is trained"
)

// Outcome says what became of a row.
type Outcome struct {
	// Dropped is the reason why the row gives no example; empty when it gives one.
	Dropped string
	// Pieces is in how many pieces a plain text is trained that is longer than a row may be; 0: it is whole.
	Pieces int
	// Truncated is the number of tokens cut off at the right, TruncatedTrained how many of them were to be trained.
	Truncated, TruncatedTrained int
	// Unended says that the last trained token does not end an answer: such a row does not teach to stop.
	Unended bool
	// Unused names the parts of the conversation that the template does not show, once for each.
	Unused []string
	// Special says that a message holds the text of a special token, Doubled that one stands twice in one place.
	Special, Doubled bool

	piece int // tokens of a piece, see [Example.pieces]
}

// encoding is the text of a row and its tokens, whose memory is used again.
type encoding struct {
	text   string
	tokens []tokenizer.Token

	specials *specials // found with the first row
}

// encodeRow turns one row into an example, and leaves text and tokens in x. The example is whole even when it is
// dropped, for showing it.
func (e *Encoder) encodeRow(row *Row, x *encoding) (Example, Outcome, error) {
	example := Example{Source: row.Source, Kind: row.Kind}
	var outcome Outcome
	if x.specials == nil {
		x.specials = e.specials()
	}
	if row.Messages == nil {
		e.encodePlain(&example, row.Text, x)
	} else {
		conversation := chat.Conversation{Messages: x.specials.answersOnce(row.Messages), Tools: row.Tools,
			Variables: row.Variables}
		r, err := e.Template.RenderConversation(&conversation, false)
		if err == nil && len(r.Empty) > 0 {
			err = emptyAnswer(&conversation, r.Empty[0])
		}
		if err != nil {
			return example, outcome, mistake("data: %s: %w", row.Source, err)
		}
		if e.TrainOnInputs {
			if r.Spans, err = e.inputSpans(conversation, len(r.Text)); err != nil {
				return example, outcome, mistake("data: %s: %w", row.Source, err)
			}
		}
		outcome.Unused, outcome.Special = r.Unused, x.specials.inside(conversation.Messages)
		e.encode(&example, r.Text, r.Spans, x)
	}
	if len(example.Mask) > 0 {
		example.Mask[0] = false
	}
	outcome.Doubled = e.doubled(example.IDs)
	whole := example.Inputs()
	trained := example.Trained()
	switch n := e.limit(); {
	case n == 0 || len(example.IDs) <= n:
	case row.Messages == nil && n > 1:
		outcome.piece, outcome.Pieces = n, (len(example.IDs)-1+n-2)/(n-1)
	default:
		outcome.Truncated = len(example.IDs) - n
		example.IDs = slices.Clip(example.IDs[:n])
		example.Mask = slices.Clip(example.Mask[:n])
		outcome.TruncatedTrained = trained - example.Trained()
	}
	for n := len(example.Straddling); n > 0 && example.Straddling[n-1] >= len(example.IDs); n-- {
		example.Straddling = example.Straddling[:n-1]
	}
	last := example.Inputs()
	switch {
	case whole == 0:
		outcome.Dropped = DroppedUntrained
	case last == 0:
		outcome.Dropped = DroppedTooLong
	case len(e.Stop) > 0:
		outcome.Unended = !slices.Contains(e.Stop, example.IDs[last])
	default:
		outcome.Unended = !e.Tokenizer.IsSpecial(example.IDs[last])
	}
	return example, outcome, nil
}

// emptyAnswer is the mistake of an answer that the template does not show.
func emptyAnswer(c *chat.Conversation, i int) error {
	part := "what it says"
	if len(c.Messages[i].ToolCalls) > 0 {
		part = "its tool_calls"
	}
	return mistake("the chat template does not show %s (message %d), so an empty answer would be trained: take a "+
		"template that shows it (chat_template chatml, llama3 or mistral show calls), or give the message \"train\": false",
		part, i+1)
}

// limit is the largest number of tokens of a row; 0 means none.
func (e *Encoder) limit() int {
	if e.MaxLength == 0 || e.ModelLength == 0 {
		return max(e.MaxLength, e.ModelLength)
	}
	return min(e.MaxLength, e.ModelLength)
}

// inputSpans is all of a text of n bytes but the turns that say train: false.
func (e *Encoder) inputSpans(c chat.Conversation, n int) ([]chat.Span, error) {
	// The spans of those turns are what would be trained if they were the only ones.
	c.Messages = slices.Clone(c.Messages)
	excluded := false
	for i := range c.Messages {
		m := &c.Messages[i]
		if m.Train != nil && !*m.Train {
			m.Train = new(true)
			excluded = true
		} else {
			m.Train = new(false)
		}
	}
	if !excluded {
		return []chat.Span{{Start: 0, End: n}}, nil
	}
	r, err := e.Template.RenderConversation(&c, false)
	if err != nil {
		return nil, err
	}
	var spans []chat.Span
	start := 0
	for _, s := range append(r.Spans, chat.Span{Start: n, End: n}) {
		if s.Start > start {
			spans = append(spans, chat.Span{Start: start, End: s.Start})
		}
		start = s.End
	}
	return spans, nil
}

// encodePlain encodes a plain text with the special tokens that the tokenizer puts around it and an eos_token behind
// it, unless the text brings them along; every token is trained.
func (e *Encoder) encodePlain(example *Example, text string, x *encoding) {
	text, ended := x.specials.once(text)
	x.text = text
	x.tokens = e.Tokenizer.AppendUntrimmed(x.tokens[:0], text, true)
	eos, ok := e.Tokenizer.EOS()
	for n := len(x.tokens); ok && n > 1 && x.tokens[n-1].ID == eos && x.tokens[n-2].ID == eos; n-- {
		x.tokens = x.tokens[:n-1] // the tokenizer adds one to that of the text
	}
	if ok && !ended && (len(x.tokens) == 0 || x.tokens[len(x.tokens)-1].ID != eos) {
		x.tokens = append(x.tokens, tokenizer.Token{ID: eos, Start: len(text), End: len(text)})
	}
	x.mark(example, []chat.Span{{Start: -1, End: len(text) + 1}}) // with the tokens at the ends, which are of no text
}

// encode turns a rendered text into ids and a mask. The whole text is encoded at once, and without further special
// tokens: the template has put in all that belong there.
func (e *Encoder) encode(example *Example, text string, spans []chat.Span, x *encoding) {
	x.text = text
	x.tokens = e.Tokenizer.AppendUntrimmed(x.tokens[:0], text, false)
	x.mark(example, spans)
}

// mark gives an example the ids of the tokens and a mask: a token is trained when its bytes intersect a span.
func (x *encoding) mark(example *Example, spans []chat.Span) {
	example.IDs = make([]int32, len(x.tokens))
	example.Mask = make([]bool, len(x.tokens))
	next := 0
	for i, token := range x.tokens {
		example.IDs[i] = token.ID
		for next < len(spans) && spans[next].End <= token.Start {
			next++
		}
		if next == len(spans) || token.End <= spans[next].Start {
			continue
		}
		example.Mask[i] = true
		if token.Start < spans[next].Start || token.End > spans[next].End {
			example.Straddling = append(example.Straddling, i)
		}
	}
}

// EncodeAll encodes all rows on the given number of threads (0: all cores). The examples keep the order of the rows
// and do not depend on the number of threads. Every row is in the audit; an error names the first row that has one.
// It is an error when no row is left to train on.
func (e *Encoder) EncodeAll(ctx context.Context, rows []Row, threads int) ([]Example, *Audit, error) {
	audit := newAudit()
	kept := make([]Example, 0, len(rows))
	err := e.stream(ctx, RowsOf(rows), threads, nil, func(r *encoded) error {
		if r.err != nil {
			return r.err
		}
		r.example.Row = r.number
		audit.add(&r.row, &r.example, &r.outcome)
		audit.foundUnpaired(&r.row)
		if r.outcome.Dropped != "" {
			return nil
		}
		for piece := range r.example.pieces(r.outcome.piece) {
			kept = append(kept, *piece)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	audit.finish()
	if len(kept) == 0 {
		return nil, audit, e.nothingLeft(audit)
	}
	return kept, audit, nil
}

// encodeRows encodes all rows, those too that will be dropped.
func (e *Encoder) encodeRows(ctx context.Context, rows []Row, threads int) ([]Example, []Outcome, error) {
	examples, outcomes := make([]Example, 0, len(rows)), make([]Outcome, 0, len(rows))
	err := e.stream(ctx, RowsOf(rows), threads, nil, func(r *encoded) error {
		examples, outcomes = append(examples, r.example), append(outcomes, r.outcome)
		return r.err
	})
	return examples, outcomes, err
}

// nothingLeft explains why no row can be trained on.
func (e *Encoder) nothingLeft(a *Audit) error {
	switch {
	case a.Rows == 0:
		return mistake("data: the data set is empty")
	case a.Dropped[DroppedTooLong] == a.Rows:
		advice := "raise max_length"
		if e.limit() == e.ModelLength {
			advice += fmt.Sprintf("; but this model reads at most %d tokens: shorten the rows, or take another model",
				e.ModelLength)
		}
		return mistake("data: all %d rows are longer than max_length %d before their first trained token "+
			"(the first: %s): %s", a.Rows, e.limit(), a.DroppedRows[0].Source, advice)
	}
	first := a.DroppedRows[0]
	return mistake("data: none of the %d rows has a trained token (the first: %s, %s)", a.Rows, first.Source, first.Reason)
}
