package pretrained

import (
	"context"
	"slices"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/tokenizer/chat"
)

// Session answers with a model, one prompt after the other. What a prompt has in common with the beginning of what
// was read before is not read again, which changes no bit of an answer. It is used by one goroutine at a time.
type Session struct {
	model   *Model
	pool    *kernel.Pool
	decoder *model.Decoder
	read    []int32 // what the decoder's cache holds
}

// NewSession makes a session on the workers of pool.
func (m *Model) NewSession(pool *kernel.Pool) *Session { return &Session{model: m, pool: pool} }

// Close gives the session's memory back.
func (s *Session) Close() {
	if s.decoder != nil {
		s.decoder.Close()
	}
}

// Decoding says how an answer is made.
type Decoding struct {
	MaxNew   int // most tokens of the answer
	Sampling model.Sampling
	Emit     func(text string) // receives the text as it grows; may be nil
}

// Answer is what a model gives for a prompt.
type Answer struct {
	PromptIDs []int32
	IDs       []int32 // without the stop token; never nil
	Text      string
	Finish    string // model.FinishStop, FinishLength or FinishCancel
}

// Answer gives the assistant's next turn of a conversation.
func (s *Session) Answer(ctx context.Context, messages []chat.Message, d Decoding) (Answer, error) {
	ids, err := s.model.Prompt(messages)
	if err != nil {
		return Answer{}, err
	}
	return s.Continue(ctx, ids, d)
}

// Continue gives what follows on ids.
func (s *Session) Continue(ctx context.Context, ids []int32, d Decoding) (Answer, error) {
	limit := s.model.Config.MaxLength
	switch {
	case len(ids) == 0:
		return Answer{}, mistake("the prompt is empty")
	case len(ids) >= limit:
		return Answer{}, mistake("the prompt has %d tokens; the model reads at most %d, its answer included", len(ids), limit)
	}
	if err := s.reserve(len(ids) + d.MaxNew); err != nil {
		return Answer{}, err
	}
	same := 0
	for same < min(len(ids)-1, len(s.read)) && ids[same] == s.read[same] { // the last token is always read, for its logits
		same++
	}
	s.decoder.Truncate(same)
	s.read = s.read[:same]

	r := model.Request{Prompt: ids, MaxNew: d.MaxNew, Stop: s.model.Stop, Sampling: d.Sampling, KeepCache: true}
	stream := s.model.Tokenizer.NewStream(true)
	if d.Emit != nil {
		r.Emit = func(id int32) { d.Emit(stream.Push(id)) }
	}
	out, finish, err := s.decoder.Generate(ctx, r)
	if d.Emit != nil {
		d.Emit(stream.Flush())
	}
	if err != nil {
		return Answer{}, err
	}
	s.read = slices.Concat(ids, out)[:s.decoder.Len()]
	text, err := s.model.Tokenizer.Decode(out, true)
	if out == nil {
		out = []int32{}
	}
	return Answer{PromptIDs: ids, IDs: out, Text: text, Finish: finish}, err
}

// reserve makes sure that the decoder holds at least n positions, or as many as the model has.
func (s *Session) reserve(n int) error {
	n = min(n, s.model.Config.MaxLength)
	if s.decoder != nil && s.decoder.MaxLen() >= n {
		return nil
	}
	s.Close()
	s.decoder, s.read = nil, nil
	size := 512
	for size < n {
		size *= 2
	}
	var err error
	s.decoder, err = s.model.NewDecoder(s.pool, min(size, s.model.Config.MaxLength))
	return err
}
