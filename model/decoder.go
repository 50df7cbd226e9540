package model

import (
	"slices"
	"time"

	"instruct/model/kernel"
	"instruct/model/ops"
)

// decoderRows is how many tokens a decoder reads in one run: a token of each sequence that is being answered, and of
// the others a part of the prompt.
const decoderRows = 256

// Decoder answers several prompts at once: sequences come and go at any step, and each answer has the bits that it has
// alone. What a prompt has in common with the beginning of what was read before is not read again, and held once. It is
// used by one goroutine at a time.
type Decoder struct {
	graph  *Graph
	config *Config
	cache  runCache
	most   int         // sequences
	echo   int         // rows of logits for tokens of prompts
	active []*sequence // in the order in which they came
	asked  int         // requests so far
	next   *sequence   // the one that is to come in

	positions []int32
	tokens    []int32
	weights   []float32
	targets   []int32
	spans     []kernel.Span
	choose    chooseTask
}

// DecoderOptions size a decoder.
type DecoderOptions struct {
	Sequences int // most at one time; 0: 1
	Rows      int // positions in the cache, of all sequences together; 0: it grows as they need it
	Echo      int // tokens of prompts whose log-probabilities one step computes; 0: no request may ask for them
}

// cacheRows is how large a cache begins that grows.
const cacheRows = 512

// NewDecoder makes a decoder.
func (m *Model) NewDecoder(pool *kernel.Pool, o DecoderOptions) (*Decoder, error) {
	c := &m.Config
	o.Sequences = max(1, o.Sequences)
	if o.Sequences > decoderRows {
		return nil, mistake("model: %d sequences at one time asked for; the most are %d", o.Sequences, decoderRows)
	}
	limit, rows := o.Rows, o.Rows
	if o.Rows == 0 {
		limit = o.Sequences * c.MaxLength
		rows = min(limit, cacheRows)
	}
	capacity := min(decoderRows, limit)
	g, err := m.build(pool, graphSpec{kind: inference, capacity: capacity, logits: o.Sequences + o.Echo})
	if err != nil {
		return nil, err
	}
	d := &Decoder{graph: g, config: c, most: min(o.Sequences, capacity), echo: o.Echo,
		positions: make([]int32, capacity), tokens: make([]int32, capacity), weights: make([]float32, capacity),
		targets: make([]int32, capacity), cache: runCache{rows: c.newCache(rows), limit: limit}}
	g.env.Cache = d.cache.rows
	d.choose = chooseTask{d: d, scratch: make([]candidates, pool.Threads())}
	return d, nil
}

// newCache makes the cache that layers need: keys and values, or the inputs of a convolution.
func (c *Config) newCache(rows int) *ops.Cache {
	keys, values := make([]int, c.Layers), make([]int, c.Layers)
	for l := range c.Layers {
		keys[l], values[l] = c.KVHeads*c.HeadDim, c.KVHeads*c.HeadDim
		if c.options.convTaps(l) > 0 {
			keys[l], values[l] = c.Width, 0
		}
	}
	return ops.NewCache(rows, keys, values)
}

// Close gives the decoder's memory back; the decoder must not be used afterwards.
func (d *Decoder) Close() { d.graph.Close() }

// Forget forgets what was read, which weights that have changed since make worthless. Nothing may be asked meanwhile.
func (d *Decoder) Forget() { d.cache.forget() }

// Profile makes the following runs measure the time of every op.
func (d *Decoder) Profile() { d.graph.Profile() }

// Spent is [Graph.Spent] of the decoder's graph.
func (d *Decoder) Spent() map[string]time.Duration { return d.graph.Spent() }

// sequence is a request that is being answered.
type sequence struct {
	Request
	index  int
	answer []int32
	run    *cachedRun // its own tokens
	read   int        // positions in the cache, shared ones included
	room   int        // positions that it may have
	keys   []kernel.Run
	seen   []bool // tokens of prompt and answer, where they matter
	latest Said   // the token that was chosen
	top    []Top  // of all tokens
	finish string
}

// begins is the position of the first token of the sequence's own run.
func (s *sequence) begins() int { return s.read - s.run.read }

// begin checks a request.
func (d *Decoder) begin(r Request) (*sequence, error) {
	c := d.config
	longest := min(c.MaxLength, d.cache.limit)
	if err := r.Sampling.Validate(); err != nil {
		return nil, err
	}
	switch n := len(r.Prompt); {
	case n == 0:
		return nil, mistake("the prompt is empty")
	case n >= c.MaxLength:
		return nil, mistake("the prompt has %d tokens; the model reads at most %d, its answer included", n, c.MaxLength)
	case n > longest:
		return nil, mistake("the prompt has %d tokens; there is room for %d", n, longest)
	}
	if err := CheckIDs(r.Prompt, c.Vocab); err != nil {
		return nil, err
	}
	if r.Echo && (d.echo == 0 || r.Say == nil) {
		return nil, mistake("log-probabilities of the prompt were asked for; this decoder was not made for them")
	}
	for id := range r.Bias {
		if err := CheckIDs([]int32{id}, c.Vocab); err != nil {
			return nil, mistake("token id %d of the bias is outside the vocabulary of %d", id, c.Vocab)
		}
	}
	s := &sequence{Request: r, room: min(len(r.Prompt)+max(0, r.MaxNew-1), longest)} // the last token is not read
	if s.Sampling.penalises() {
		s.seen = make([]bool, c.Vocab)
		for _, id := range r.Prompt {
			s.seen[id] = true
		}
	}
	if r.MaxNew < 1 {
		s.finish = FinishLength
	}
	return s, nil
}

// enter lets a sequence in, unless it has to wait for the others.
func (d *Decoder) enter(s *sequence) bool {
	if s.run, s.read = d.cache.open(s.Prompt, s.room, s.keeps()); s.run == nil {
		return false
	}
	if s.Echo {
		for _, x := range d.cache.known(s.run) {
			s.say(x)
		}
	}
	s.answer = make([]int32, 0, s.room-len(s.Prompt)+1)
	d.active = append(d.active, s)
	return true
}

// leave ends a sequence that is in. What it has read stays in the cache.
func (d *Decoder) leave(s *sequence) {
	d.cache.close(s.run)
	d.active = slices.DeleteFunc(d.active, func(other *sequence) bool { return other == s })
}

// step reads the next token of each sequence that is being answered, and of the others as much as fits. The rows of
// the graph's logits are then those of d.choose.
func (d *Decoder) step() error {
	d.spans, d.choose.rows = d.spans[:0], d.choose.rows[:0]
	needed := d.graph.env.Needed[:0]
	rows, echo := 0, d.echo
	for _, answering := range []bool{true, false} {
		for _, s := range d.active {
			left := len(s.run.ids) - s.run.read
			if (left == 1) != answering {
				continue
			}
			n := min(left, len(d.tokens)-rows)
			if s.Echo && !answering {
				n = min(n, echo)
				echo -= n
			}
			if n == 0 {
				continue
			}
			for i := range n {
				if s.Echo || i == left-1 {
					needed = append(needed, int32(rows+i))
					d.choose.rows = append(d.choose.rows, logitRow{s, s.read + i + 1})
				}
			}
			d.put(s, rows, n)
			rows += n
		}
	}
	d.graph.env.Needed, d.graph.env.Spans = needed, d.spans
	_, err := d.graph.Run(Batch{Tokens: d.tokens[:rows], Positions: d.positions[:rows], Targets: d.targets[:rows],
		Weights: d.weights[:rows]})
	if err != nil {
		for _, s := range d.active { // nobody knows what the cache holds now
			s.run.read = 0
		}
	}
	return err
}

// put lays the next n tokens of s into the batch, from row at on.
func (d *Decoder) put(s *sequence, at, n int) {
	copy(d.tokens[at:], s.run.ids[s.run.read:][:n])
	for i := range n {
		d.positions[at+i] = int32(s.read + i)
	}
	s.run.read += n
	s.read += n
	s.keys = d.cache.place(s.keys[:0], s.run)
	d.spans = append(d.spans, kernel.Span{Lo: at, Hi: at + n, Keys: s.keys})
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
