package model

import (
	"fmt"
	"time"

	"instruct/model/kernel"
	"instruct/model/ops"
)

// prefillChunk is how many tokens of a prompt a decoder reads in one run.
const prefillChunk = 256

// Decoder reads tokens, a chunk a run, and holds the keys and values of those it has read. It is used by one goroutine
// at a time.
type Decoder struct {
	graph     *Graph
	vocab     int
	positions []int32
	weights   []float32
	targets   []int32
	row       [1]int32
}

// NewDecoder makes a decoder for up to maxLen positions in all.
func (m *Model) NewDecoder(pool *kernel.Pool, maxLen int) (*Decoder, error) {
	c := &m.Config
	if maxLen < 1 || maxLen > c.MaxLength {
		return nil, mistake("model: %d positions asked for; the model was made for 1 to %d", maxLen, c.MaxLength)
	}
	g, err := m.build(pool, graphSpec{kind: inference, capacity: min(prefillChunk, maxLen)})
	if err != nil {
		return nil, err
	}
	g.env.Cache = ops.NewCache(c.Layers, maxLen, c.KVHeads*c.HeadDim)
	chunk := g.Capacity()
	return &Decoder{graph: g, vocab: c.Vocab, positions: make([]int32, chunk), weights: make([]float32, chunk),
		targets: make([]int32, chunk)}, nil
}

// Close gives the decoder's memory back; the decoder must not be used afterwards.
func (d *Decoder) Close() { d.graph.Close() }

// Len returns how many positions were read.
func (d *Decoder) Len() int { return d.graph.env.Cache.Len }

// MaxLen returns how many positions can be read.
func (d *Decoder) MaxLen() int { return d.graph.env.Cache.MaxLen }

// Truncate forgets all but the first n positions.
func (d *Decoder) Truncate(n int) { d.graph.env.Cache.Len = min(n, d.graph.env.Cache.Len) }

// Profile makes the following runs measure the time of every op.
func (d *Decoder) Profile() { d.graph.Profile() }

// Spent is [Graph.Spent] of the decoder's graph.
func (d *Decoder) Spent() map[string]time.Duration { return d.graph.Spent() }

// Read reads ids and returns the logits (V) after the last of them. The slice is reused by the next call.
func (d *Decoder) Read(ids []int32) ([]float32, error) {
	cache := d.graph.env.Cache
	if len(ids) == 0 {
		return nil, fmt.Errorf("model: nothing to read")
	}
	if cache.Len+len(ids) > cache.MaxLen {
		return nil, mistake("model: %d tokens after %d do not fit in %d positions", len(ids), cache.Len, cache.MaxLen)
	}
	if err := CheckIDs(ids, d.vocab); err != nil {
		return nil, err
	}
	for len(ids) > 0 {
		n := min(len(ids), d.graph.Capacity())
		for i := range n {
			d.positions[i] = int32(cache.Len + i)
		}
		d.graph.env.Needed = d.row[:0]
		if n == len(ids) {
			d.row[0] = int32(n - 1)
			d.graph.env.Needed = d.row[:1]
		}
		b := Batch{Tokens: ids[:n], Positions: d.positions[:n], Targets: d.targets[:n], Weights: d.weights[:n]}
		if _, err := d.graph.Run(b); err != nil {
			return nil, err
		}
		cache.Len += n
		ids = ids[n:]
	}
	return d.graph.Logits(), nil
}

// Logits returns the logits (R, V) of the positions that the last run of an inference graph was asked for.
func (g *Graph) Logits() []float32 {
	return g.logits.Out()
}

// CheckIDs makes sure that every token id is in the vocabulary.
func CheckIDs(ids []int32, vocab int) error {
	for i, id := range ids {
		if id < 0 || int(id) >= vocab {
			return mistake("model: token id %d at position %d is outside the vocabulary of %d", id, i, vocab)
		}
	}
	return nil
}
