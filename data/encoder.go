package data

import (
	"context"

	"instruct/tokenizer"
)

// Encoder turns rows into examples: one path for training, evaluation, chat and serving.
type Encoder struct {
	Tokenizer *tokenizer.Tokenizer
	Template  *tokenizer.Template
	// MaxLength is the largest number of tokens of a row; 0 means no limit.
	MaxLength int
	// TrainOnInputs trains every token of a conversation and not only the assistant's.
	TrainOnInputs bool
}

// Outcome says what became of a row.
type Outcome struct {
	// Dropped is the reason why the row gives no example; empty when it gives one.
	Dropped string
	// Truncated is the number of tokens cut off at the right.
	Truncated int
	// Straddling is the number of tokens that lie across the border of a trained span.
	Straddling int
}

// Encode turns one row into an example.
func (e *Encoder) Encode(row Row) (Example, Outcome, error) { return Example{}, Outcome{}, nil }

// EncodeAll encodes all rows on the given number of threads (0: all cores), in order.
func (e *Encoder) EncodeAll(ctx context.Context, rows []Row, threads int) ([]Example, *Audit, error) {
	return nil, nil, nil
}

// Prompt encodes a conversation with the beginning of the assistant's next turn after it.
func (e *Encoder) Prompt(msgs []Message) (ids []int32, err error) { return nil, nil }

// Audit accounts for every row.
type Audit struct {
	Rows, Examples, Tokens, TrainedTokens int
}

// String is a table.
func (a *Audit) String() string { return "" }

// Load reads rows.
func Load(ctx context.Context, paths []string, format string) ([]Row, error) { return nil, nil }
