package model

import (
	"context"
	"fmt"

	"instruct/model/kernel"
)

// Reader shows the logits of a sequence that a decoder reads, piece by piece.
type Reader struct {
	d *Decoder
	s *sequence
}

// NewReader makes a reader of up to n positions.
func (m *Model) NewReader(pool *kernel.Pool, n int) (*Reader, error) {
	d, err := m.NewDecoder(pool, DecoderOptions{Rows: n})
	return &Reader{d: d}, err
}

// Forget begins again, with nothing in the cache.
func (r *Reader) Forget() {
	r.d.abandon()
	r.d.cache.forget()
	r.s = nil
}

// Read reads ids, after those that were read, and returns the logits after the last of them. The next call overwrites
// them.
func (r *Reader) Read(ids []int32) ([]float32, error) {
	if r.s == nil {
		s, err := r.d.begin(Request{Prompt: ids, MaxNew: r.d.cache.limit})
		if err != nil {
			return nil, err
		}
		if !r.d.enter(s) {
			return nil, fmt.Errorf("no room")
		}
		r.s = s
	} else {
		if err := CheckIDs(ids, r.d.config.Vocab); err != nil {
			return nil, err
		}
		r.s.run.ids = append(r.s.run.ids, ids...)
	}
	for r.s.run.read < len(r.s.run.ids) {
		if err := r.d.step(); err != nil {
			return nil, err
		}
	}
	return r.d.graph.Logits(), nil
}

// Answer answers a request, with nothing in the cache.
func (r *Reader) Answer(ctx context.Context, q Request) (Answer, error) {
	r.Forget()
	return r.d.Answer(ctx, q)
}
