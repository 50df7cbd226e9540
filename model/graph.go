package model

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
	"instruct/model/ops"
)

// Batch is one micro-batch of whole examples; see [ops.Batch].
type Batch = ops.Batch

// Soft is distributions in the place of targets; see [ops.Soft].
type Soft = ops.Soft

// Segment bounds one example of a batch.
type Segment = kernel.Segment

// builder collects what the graph of a family needs. A failure unwinds to catch, so that families read as straight
// lines.
type builder struct {
	model  *Model
	graph  *ops.Graph
	tokens *gorgonia.Node

	from, to      int // the layers of the graph
	checkpointing bool
	layerStart    int // number of the first op of the layer at hand
	ropes         map[Rope]*kernel.Rope
}

type buildError struct{ err error }

func (b *builder) try(n *gorgonia.Node, err error) *gorgonia.Node {
	if err != nil {
		panic(buildError{err})
	}
	return n
}

func (b *builder) catch(err *error) {
	if r := recover(); r != nil {
		be, ok := r.(buildError)
		if !ok {
			panic(r)
		}
		*err = be.err
	}
}

// stream is what enters the first layer of the graph: the embedding or, above other layers, what they gave.
func (b *builder) stream(embed ops.Embed) *ops.Stream {
	if b.from > 0 {
		return &ops.Stream{X: b.try(ops.Hidden{C: b.model.Config.Width}.Apply(b.graph, b.tokens))}
	}
	return &ops.Stream{X: b.try(embed.Apply(b.graph, b.tokens))}
}

// startLayer begins a layer.
func (b *builder) startLayer() { b.layerStart = len(b.graph.Ops()) }

// endLayer ends layer l, whose output is x: with checkpointing only x is kept for the backward pass, which runs the
// rest of the layer again. The last layer is kept, since its backward pass comes at once.
func (b *builder) endLayer(l int, x *gorgonia.Node) {
	if b.checkpointing && l < b.model.Config.Layers-1 {
		b.graph.ForgetSince(b.layerStart, x)
	}
}

// maybe returns a parameter or nil.
func (b *builder) maybe(name string) *ops.Param { return b.model.byName[name] }

func (b *builder) param(name string) *ops.Param {
	p := b.maybe(name)
	if p == nil {
		panic(buildError{fmt.Errorf("model: no parameter %s", name)})
	}
	return p
}

// rope returns the tables of layer l, which layers of equal positions share; nil where it has no rotary positions. They
// are empty in a graph that is planned.
func (b *builder) rope(l int) *kernel.Rope {
	c := &b.model.Config
	r := c.layerRope(l)
	if r.Theta <= 0 {
		return nil
	}
	if b.ropes[r] == nil {
		b.ropes[r] = &kernel.Rope{}
		if !b.graph.Planning {
			b.ropes[r] = kernel.NewRope(c.MaxLength, r.invFreq(c.HeadDim), r.amplitude())
			b.ropes[r].Query = r.queryScale(c.MaxLength)
		}
	}
	return b.ropes[r]
}

// Graph is a compiled graph over a model's parameters. A graph is used by one goroutine at a time; several graphs of
// one model may exist, for training and for evaluation.
type Graph struct {
	ops    *ops.Graph
	env    *ops.Env
	vm     gorgonia.VM
	loss   *ops.Loss
	logits *ops.Logits
	out    *gorgonia.Node
	arena  int // float32 values, 0 where another graph's is used
	memory *kernel.Memory
	values []float32 // the arena
	rope   int       // float32 values of the position tables
}

// kind of graph to build.
type kind uint8

const (
	training   kind = iota // loss and gradients
	evaluation             // loss only
	inference              // logits
	lower                  // what the first layers give
)

// graphSpec says what graph to build.
type graphSpec struct {
	kind          kind
	capacity      int
	from, to      int // the layers of it; to 0: up to the last one
	checkpointing bool
	chunk         int    // positions whose logits exist at one time; 0: see ops.Loss
	beside        *Graph // whose arena is used where it is large enough, since it never runs at the same time; or nil
	logits        int    // of an inference graph: the most positions that may be needed
	planned       bool   // only to know its size: it has no memory and cannot run
}

// NewTraining builds the graph of the loss and of the gradients of the trained parameters, for batches of up to
// capacity tokens. With checkpointing only the input of each layer is kept for the backward pass, and the rest is
// computed again: the same bits in less memory and more time.
func (m *Model) NewTraining(pool *kernel.Pool, capacity int, checkpointing bool) (*Graph, error) {
	trained := m.Trained()
	if len(trained) == 0 {
		return nil, fmt.Errorf("model: every parameter is frozen")
	}
	for _, p := range trained {
		if p.Value == nil {
			return nil, fmt.Errorf("model: %s exists in fewer bits only and cannot be trained", p.Name)
		}
	}
	if err := m.needGrads(); err != nil {
		return nil, err
	}
	return m.build(pool, graphSpec{kind: training, capacity: capacity, checkpointing: checkpointing})
}

// NewLower builds the forward graph of the layers below the given one, of which [Graph.Hidden] tells what they give.
func (m *Model) NewLower(pool *kernel.Pool, capacity, layer int) (*Graph, error) {
	if err := m.between(layer); err != nil {
		return nil, err
	}
	return m.build(pool, graphSpec{kind: lower, capacity: capacity, to: layer})
}

// between checks that there are layers below the given one, and itself.
func (m *Model) between(layer int) error {
	if layer < 1 || layer >= m.Config.Layers {
		return fmt.Errorf("model: layer %d of %d has none below, or is not there", layer, m.Config.Layers)
	}
	return nil
}

// NewUpper is [Model.NewTraining] of the layers from the given one on, which batches have what the layers below gave as
// Hidden for: the same bits as those of the whole, where all that is left out is frozen.
func (m *Model) NewUpper(pool *kernel.Pool, capacity, layer int) (*Graph, error) {
	if err := m.between(layer); err != nil {
		return nil, err
	}
	for _, p := range m.Trained() {
		var l int
		_, err := fmt.Sscanf(p.Name, "layers.%d.", &l)
		if p.Name == "embed" || p.Name == "positions" || err == nil && l < layer {
			return nil, fmt.Errorf("model: %s is trained, and lies below layer %d", p.Name, layer)
		}
	}
	if err := m.needGrads(); err != nil {
		return nil, err
	}
	return m.build(pool, graphSpec{kind: training, capacity: capacity, from: layer})
}

// NewEvaluation builds the forward graph of the loss for batches of up to capacity tokens. beside may be nil, or a
// graph that never runs at the same time; its arena is used where it is large enough.
func (m *Model) NewEvaluation(pool *kernel.Pool, capacity int, beside *Graph) (*Graph, error) {
	return m.build(pool, graphSpec{kind: evaluation, capacity: capacity, beside: beside})
}

// GraphBytes computes, without making them, what a training graph and an evaluation graph beside it take, as
// [Graph.Bytes] gives it; no evaluation graph where its capacity is 0.
func (m *Model) GraphBytes(capacity int, checkpointing bool, evaluate int) (int, error) {
	g, err := m.build(nil, graphSpec{kind: training, capacity: capacity, checkpointing: checkpointing, planned: true})
	if err != nil || evaluate == 0 {
		return g.Bytes(), err
	}
	e, err := m.build(nil, graphSpec{kind: evaluation, capacity: evaluate, beside: g, planned: true})
	return g.Bytes() + e.Bytes(), err
}

// OperandBytes is the memory in which products that round their operands to pairs, see Rounds, keep one, for batches of
// that many tokens.
func (m *Model) OperandBytes(tokens int) int {
	if !m.Rounds || !kernel.Pairs() {
		return 0
	}
	n := 0
	for i, p := range m.Params {
		switch {
		case p == m.Head():
			rows := min(tokens, ops.LossChunk(p.Shape[0], true))
			n = max(n, kernel.PairBytes(max(rows, p.Shape[0]), rows*p.Shape[0]))
		case m.specs[i].product():
			n = max(n, kernel.PairBytes(tokens, tokens*slices.Max(p.Shape)))
		}
	}
	return n
}

// build makes a graph.
func (m *Model) build(pool *kernel.Pool, s graphSpec) (*Graph, error) {
	g, err := m.assemble(pool, s)
	if err != nil {
		return nil, err
	}
	if s.kind == training {
		if _, err := gorgonia.Grad(g.out, g.ops.Trained()...); err != nil {
			return nil, fmt.Errorf("model: derive graph: %w", err)
		}
	}
	size, place, err := g.ops.Plan(g.out)
	if err != nil {
		return nil, err
	}
	shared := s.beside != nil && s.beside.arena >= size
	if !shared {
		g.arena = size
	}
	if s.planned {
		return g, nil
	}
	prog, locs, err := gorgonia.Compile(g.out.Graph())
	if err != nil {
		return nil, fmt.Errorf("model: compile graph: %w", err)
	}
	if shared {
		g.values = s.beside.values[:size]
	} else {
		if g.memory, err = kernel.NewMemory(size); err != nil {
			return nil, fmt.Errorf("model: activations: %w", err)
		}
		g.values = g.memory.Take(size)
	}
	place(g.values)
	g.vm = gorgonia.NewTapeMachine(g.out.Graph(), gorgonia.WithPrecompiled(prog, locs))
	return g, nil
}

// assemble adds the ops of the forward pass.
func (m *Model) assemble(pool *kernel.Pool, s graphSpec) (g *Graph, err error) {
	c := &m.Config
	// A model that is trained in part has losses of the products that its gradients belong to.
	exact := s.kind == training || s.kind == lower || s.kind == evaluation && len(m.Trained()) < len(m.Params)
	rounds := m.Rounds && (s.kind == training || s.kind == lower)
	env := &ops.Env{Pool: pool, Exact: exact, Rounds: rounds, Drops: s.kind == training}
	g = &Graph{env: env, ops: &ops.Graph{Env: env, Capacity: s.capacity, Planning: s.planned}}
	if s.to == 0 {
		s.to = c.Layers
	}
	b := &builder{model: m, graph: g.ops, from: s.from, to: s.to, checkpointing: s.checkpointing,
		ropes: map[Rope]*kernel.Rope{}, tokens: tokensLeaf(s.capacity, s.planned)}
	defer b.catch(&err)
	h := b.try(c.family.graph(b))
	for r := range b.ropes {
		g.rope += c.MaxLength * r.dims(c.HeadDim)
	}
	scale := float32(c.options.logitScale)
	if s.kind == inference {
		g.logits = &ops.Logits{W: m.Head(), Scale: scale, MaxRows: s.logits}
		g.out = b.try(g.logits.Apply(g.ops, h))
		return g, nil
	}
	if s.kind == lower {
		g.out = h
		return g, nil
	}
	g.loss = &ops.Loss{W: m.Head(), Scale: scale, Grad: s.kind == training, Chunk: s.chunk}
	g.out = b.try(g.loss.Apply(g.ops, h))
	return g, nil
}

// tokensLeaf begins a graph with the token ids (N), which order the ops; the ids themselves are read from the batch.
func tokensLeaf(capacity int, planning bool) *gorgonia.Node {
	opts := []gorgonia.NodeConsOpt{gorgonia.WithShape(capacity), gorgonia.WithName("tokens")}
	if !planning {
		opts = append(opts, gorgonia.WithValue(tensor.New(tensor.WithShape(capacity), tensor.Of(tensor.Int32))))
	}
	return gorgonia.NewTensor(gorgonia.NewGraph(), tensor.Int32, 1, opts...)
}

// Capacity returns how many tokens a batch may have.
func (g *Graph) Capacity() int { return g.ops.Capacity }

// Bytes returns the memory of the graph: its arena, what ops hold outside it, and the tables of the positions.
func (g *Graph) Bytes() int {
	if g == nil {
		return 0
	}
	return 4*(g.arena+g.rope) + g.ops.Outside()
}

// Close gives the graph's memory back; the graph must not be used afterwards.
func (g *Graph) Close() { g.memory.Close() }

// Ops returns how many of our ops a run executes.
func (g *Graph) Ops() int { return len(g.ops.Ops()) }

// Profile makes the following runs measure the time of every op.
func (g *Graph) Profile() { g.env.Profile = true }

// Watch makes the following runs tell of the first value of each op's output that is not finite: the op's name, such as
// "layers.0.attention", and the place in the output. Ops are told of in the order in which they run.
func (g *Graph) Watch(tell func(op string, at int, value float32)) { g.env.Watch = tell }

// Spent returns the time spent in each kind of op since the last call: ops of all layers together, by name.
func (g *Graph) Spent() map[string]time.Duration {
	out := map[string]time.Duration{}
	for _, o := range g.ops.Ops() {
		name := o.Name()
		if rest, ok := strings.CutPrefix(name, "layers."); ok {
			_, name, _ = strings.Cut(rest, ".")
		}
		if d := o.Spent(); d > 0 && !strings.HasPrefix(name, "grad.") {
			out[name] += d
		}
	}
	return out
}

// Run sets the batch and runs the graph. A training graph adds the gradients of the batch's loss *sum* to Param.Grad.
// It returns that loss: the weighted sum over the positions, or what [ops.Batch] Weigh gives (0 for an inference
// graph).
func (g *Graph) Run(b Batch) (float64, error) {
	if n := b.Len(); n == 0 || n > g.ops.Capacity {
		return 0, fmt.Errorf("model: batch has %d tokens; the graph holds 1 to %d", n, g.ops.Capacity)
	}
	g.env.Batch = b
	if g.loss != nil {
		g.env.Needed = g.env.Needed[:0]
		for i, w := range b.Weights {
			if w != 0 {
				g.env.Needed = append(g.env.Needed, int32(i))
			}
		}
	}
	defer g.vm.Reset()
	if err := g.vm.RunAll(); err != nil {
		return 0, fmt.Errorf("model: run graph: %w", err)
	}
	if g.loss == nil {
		return 0, nil
	}
	return g.loss.Sum, nil
}

// Hidden returns what the layers of a graph of [Model.NewLower] gave for the last batch (N, C). The slice is reused by
// the next run.
func (g *Graph) Hidden() []float32 {
	out := ops.Values(g.out)
	return out[:g.env.Batch.Len()*(len(out)/g.ops.Capacity)]
}

// Logprobs returns log p of the target of each position of the last batch that has a weight, 0 elsewhere. The slice is
// reused by the next run.
func (g *Graph) Logprobs() []float64 { return g.loss.Logprobs[:g.env.Batch.Len()] }
