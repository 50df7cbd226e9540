package ops

import (
	"unsafe"

	"gorgonia.org/gorgonia"

	"instruct/model/kernel"
)

// Batch is one micro-batch: whole rows (examples) laid end to end, never padded.
//
// Segments tell where each row lies; attention is causal inside a segment and never crosses its bounds. Targets[i] is
// the token that position i has to predict, or -1; the loss is the sum of Weights[i] * -log p(Targets[i]).
type Batch struct {
	Tokens    []int32          // (N) token ids
	Positions []int32          // (N) position of each token in its row
	Targets   []int32          // (N) token to predict, -1 where there is none
	Weights   []float32        // (N) weight of that prediction in the loss
	Segments  []kernel.Segment // bounds of the rows
}

// Len returns N, the number of tokens in the batch.
func (b *Batch) Len() int { return len(b.Tokens) }

// Env is what the ops of one graph share: the workers, the batch at hand and the tables of the positions.
// It is used by one goroutine at a time.
type Env struct {
	Pool     *kernel.Pool
	Capacity int          // rows every buffer of the graph can hold
	Batch    Batch        // the batch at hand, set before each run
	Rope     *kernel.Rope // rotary tables, nil for models with learned positions
	Needed   []int32      // rows whose logits are wanted, ascending; set before each run
	Cache    *Cache       // keys and values of earlier positions, nil unless decoding
	Profile  bool         // measure the time of every op, see [Op.Spent]
	Planning bool         // the graph is planned and never run: nothing is allocated
	nodes    []*Op        // every op made for this graph, in creation order
	selected map[*gorgonia.Node]bool
	own      int // bytes outside the arena

	attention []*kernel.Attention // one for all layers of a shape, since it holds scratch

	forgotten map[*gorgonia.Node]bool           // see Forget
	reruns    map[*gorgonia.Node]*gorgonia.Node // of forgotten nodes, once they were wanted
}

// rows counts the rows that an op works on: all of the batch, or those that [Select] has kept.
type rows struct {
	env    *Env
	needed bool
}

func (r rows) len() int {
	if r.needed {
		return len(r.env.Needed)
	}
	return r.env.Batch.Len()
}

// rowsOf tells which rows a node has.
func (e *Env) rowsOf(n *gorgonia.Node) rows { return rows{e, e.selected[n]} }

// keep notes that a node has the needed rows only.
func (e *Env) keep(n *gorgonia.Node) {
	if e.selected == nil {
		e.selected = map[*gorgonia.Node]bool{}
	}
	e.selected[n] = true
}

// attentionKernel returns the kernel of that shape.
func (e *Env) attentionKernel(a kernel.Attention) *kernel.Attention {
	for _, b := range e.attention {
		if b.Heads == a.Heads && b.KVHeads == a.KVHeads && b.D == a.D && b.Scale == a.Scale {
			return b
		}
	}
	e.attention = append(e.attention, &a)
	return &a
}

// buffer makes a buffer that lives as long as the graph, outside the arena: what a backward op needs beside outputs. It is
// nil in a graph that is only planned.
func buffer[T any](e *Env, n int) []T {
	var one T
	e.own += n * int(unsafe.Sizeof(one))
	if e.Planning {
		return nil
	}
	return make([]T, n)
}

// Own returns how many bytes the ops hold outside the arena.
func (e *Env) Own() int { return e.own }

// Ops returns every op of the graph in the order in which it was made.
func (e *Env) Ops() []*Op { return e.nodes }

// Cache holds the keys and values of the positions that a decoding model has already read.
type Cache struct {
	Len    int         // positions held
	MaxLen int         // positions it can hold
	K, V   [][]float32 // per layer (MaxLen, K*D)
}

// NewCache makes an empty cache for layers layers of width kvWidth = K*D.
func NewCache(layers, maxLen, kvWidth int) *Cache {
	c := &Cache{MaxLen: maxLen, K: make([][]float32, layers), V: make([][]float32, layers)}
	for l := range layers {
		c.K[l] = make([]float32, maxLen*kvWidth)
		c.V[l] = make([]float32, maxLen*kvWidth)
	}
	return c
}
