package model

import (
	"fmt"
	"strings"
	"time"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"instruct/model/kernel"
	"instruct/model/ops"
)

// Batch is one micro-batch of whole rows; see [ops.Batch].
type Batch = ops.Batch

// Segment bounds one row of a batch.
type Segment = kernel.Segment

// builder collects what the graph of a family needs. A failure unwinds to catch, so that families read as straight lines.
type builder struct {
	model  *Model
	env    *ops.Env
	tokens *gorgonia.Node
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

// maybe returns a parameter or nil.
func (b *builder) maybe(name string) *ops.Param { return b.model.byName[name] }

func (b *builder) param(name string) *ops.Param {
	p := b.maybe(name)
	if p == nil {
		panic(buildError{fmt.Errorf("model: no parameter %s", name)})
	}
	return p
}

// head returns the head's weights (V, C): those of the embedding when tied.
func (b *builder) head() *ops.Param {
	if b.model.Config.Tied {
		return b.param("embed")
	}
	return b.param("head")
}

// Graph is a compiled graph over a model's parameters. A graph is used by one goroutine at a time; several graphs of one
// model may exist, for training and for evaluation.
type Graph struct {
	env    *ops.Env
	vm     gorgonia.VM
	loss   *ops.Loss
	logits *ops.Logits
	out    *gorgonia.Node
	arena  int
}

// kind of graph to build.
type kind uint8

const (
	training   kind = iota // loss and gradients
	evaluation             // loss only
	inference              // logits
)

// NewTraining builds the graph of loss and gradients for batches of up to capacity tokens.
func (m *Model) NewTraining(pool *kernel.Pool, capacity int) (*Graph, error) {
	for _, p := range m.Params {
		p.NeedGrad()
	}
	return m.build(pool, training, capacity, 0)
}

// NewEvaluation builds the forward graph of the loss for batches of up to capacity tokens.
func (m *Model) NewEvaluation(pool *kernel.Pool, capacity int) (*Graph, error) {
	return m.build(pool, evaluation, capacity, 0)
}

func (m *Model) build(pool *kernel.Pool, k kind, capacity, rows int) (g *Graph, err error) {
	fam, ok := familyOf(m.Config.Family)
	if !ok {
		return nil, fmt.Errorf("model: unknown family %q", m.Config.Family)
	}
	eg := gorgonia.NewGraph()
	ids := tensor.New(tensor.WithShape(capacity), tensor.Of(tensor.Int32))
	b := &builder{model: m, env: &ops.Env{Pool: pool, Capacity: capacity},
		tokens: gorgonia.NewTensor(eg, tensor.Int32, 1, gorgonia.WithShape(capacity), gorgonia.WithName("tokens"), gorgonia.WithValue(ids))}
	defer b.catch(&err)
	if m.Config.RopeTheta > 0 {
		b.env.Rope = kernel.NewRope(m.Config.MaxLength, m.Config.invFreq())
	}
	g = &Graph{env: b.env}
	h := b.try(fam.graph(b))
	if k == inference {
		g.logits = &ops.Logits{W: b.head(), MaxRows: rows}
		g.out = b.try(g.logits.Apply(b.env, h))
	} else {
		g.loss = &ops.Loss{W: b.head(), Grad: k == training}
		g.out = b.try(g.loss.Apply(b.env, h))
	}
	if k == training {
		var leaves gorgonia.Nodes
		for _, n := range eg.AllNodes() {
			if n.IsVar() && n != b.tokens && n.Op() == nil {
				leaves = append(leaves, n)
			}
		}
		if _, err := gorgonia.Grad(g.out, leaves...); err != nil {
			return nil, fmt.Errorf("model: derive graph: %w", err)
		}
	}
	if g.arena, err = b.env.Plan(eg, g.out); err != nil {
		return nil, err
	}
	prog, locs, err := gorgonia.Compile(eg)
	if err != nil {
		return nil, fmt.Errorf("model: compile graph: %w", err)
	}
	g.vm = gorgonia.NewTapeMachine(eg, gorgonia.WithPrecompiled(prog, locs))
	return g, nil
}

// Capacity returns how many tokens a batch may have.
func (g *Graph) Capacity() int { return g.env.Capacity }

// ArenaBytes returns the memory of all activations together.
func (g *Graph) ArenaBytes() int { return 4 * g.arena }

// Ops returns how many of our ops a run executes.
func (g *Graph) Ops() int { return len(g.env.Ops()) }

// Profile makes the following runs measure the time of every op.
func (g *Graph) Profile() { g.env.Profile = true }

// Spent returns the time spent in each kind of op since the last call: ops of all layers together, by name.
func (g *Graph) Spent() map[string]time.Duration {
	out := map[string]time.Duration{}
	for _, o := range g.env.Ops() {
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
// It returns the weighted sum of the losses (0 for an inference graph).
func (g *Graph) Run(b Batch) (float64, error) {
	if n := b.Len(); n == 0 || n > g.env.Capacity {
		return 0, fmt.Errorf("model: batch has %d tokens; the graph holds 1 to %d", n, g.env.Capacity)
	}
	g.env.Batch = b
	if g.loss != nil {
		g.env.Needed = g.env.Needed[:0]
		for i, w := range b.Weights {
			if w > 0 {
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

// Losses returns -log p of each trained position of the last batch, 0 elsewhere. The slice is reused by the next run.
func (g *Graph) Losses() []float64 { return g.loss.Losses[:g.env.Batch.Len()] }
