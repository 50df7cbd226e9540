package train

import (
	"slices"
	"strings"
	"testing"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/kernel/rng"
	"instruct/model/ops"
	"instruct/train/recipe"
)

// TestFrozenParameters makes some steps of a model whose first layer, embedding and head are frozen, with each
// optimizer. The frozen values keep their bits and have neither gradients nor moments; the others get the bits of a run
// that computes all gradients, throws away those of the frozen ones and puts their values back after each step.
func TestFrozenParameters(t *testing.T) {
	pool := kernel.NewPool(2)
	defer pool.Close()
	frozen := func(p *ops.Param) bool {
		return !strings.HasPrefix(p.Name, "layers.1.") && !strings.HasPrefix(p.Name, "layers.2.")
	}
	for name, config := range families() {
		c := withVocabulary(t, config)
		for _, optim := range []string{"adamw", "muon"} {
			part := newSteps(t, pool, c, optim, frozen)
			all := newSteps(t, pool, c, optim, func(*ops.Param) bool { return false })
			first := values(part.model)
			for range 4 {
				part.step(func() {})
				all.step(func() {
					for _, p := range all.model.Params {
						if frozen(p) {
							clear(p.Grad)
						}
					}
				})
				for i, p := range all.model.Params {
					if frozen(p) {
						copy(p.Value, first[i])
					}
				}
			}
			n := 0
			for i, p := range part.model.Params {
				same := slices.Equal(p.Value, first[i])
				switch {
				case frozen(p) && (!same || p.Grad != nil || part.opt.m[p] != nil || part.opt.v[p] != nil):
					t.Errorf("%s, %s: the frozen %s has a gradient or moments, or has moved (%v)", name, optim, p.Name, !same)
				case !frozen(p) && (same || !slices.Equal(p.Value, all.model.Params[i].Value)):
					t.Errorf("%s, %s: %s has other bits than with all gradients, or has not moved (%v)", name, optim, p.Name, same)
				}
				if !frozen(p) {
					n += kernel.Lines(p.Size())
				}
			}
			moments := 2 * n
			if optim == "muon" {
				moments = int(momentBytes(part.model, optim)) / 4
			}
			const line = 64 // each block is a cache line larger
			if got := part.opt.memory.Bytes(); got != 4*moments+line {
				t.Errorf("%s, %s: the moments take %d bytes, want %d", name, optim, got, 4*moments+line)
			}
			if got := part.model.Bytes() - part.model.WeightBytes(); got != 4*n+line {
				t.Errorf("%s, %s: the gradients take %d bytes, want %d", name, optim, got, 4*n+line)
			}
		}
	}
}

// steps is a model that is trained on one batch.
type steps struct {
	t     *testing.T
	model *model.Model
	graph *model.Graph
	opt   *optimizer
	batch model.Batch
}

func newSteps(t *testing.T, pool *kernel.Pool, c model.Config, optim string, frozen func(*ops.Param) bool) *steps {
	t.Helper()
	m, err := model.Outline(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Allocate(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	m.Init(5)
	if err := m.Freeze(kernel.F32, frozen); err != nil {
		t.Fatal(err)
	}
	g, err := m.NewTraining(pool, 64, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	opt, err := newOptimizer(pool, m, optim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opt.close)
	return &steps{t: t, model: m, graph: g, opt: opt, batch: randomBatch(2, 20, c.Vocab)}
}

// step makes one step; between runs after the gradients are known.
func (s *steps) step(between func()) {
	s.t.Helper()
	if _, err := s.graph.Run(s.batch); err != nil {
		s.t.Fatal(err)
	}
	between()
	r, weight := recipe.Default(), float64(s.batch.Len())
	s.opt.step(&r, 1e-2, s.opt.gradNorm(weight), weight)
}

// values copies a model's parameters.
func values(m *model.Model) [][]float32 {
	var out [][]float32
	for _, p := range m.Params {
		out = append(out, slices.Clone(p.Value))
	}
	return out
}

// TestFrozenFLOPs: a product costs two operations a value forward, two for the gradient of its matrix and two for that
// of its input; what is frozen, or has nothing trained before it, does without.
func TestFrozenFLOPs(t *testing.T) {
	c := withVocabulary(t, families()["llama"])
	const qkv, out, gateUp, down = 64 * 16, 16 * 32, 48 * 16, 16 * 24
	const layer, heads, head = qkv + out + gateUp + down, 4 * 8, 300 * 16
	for _, tt := range []struct {
		trained    string
		body, head float64 // head: for a trained token
	}{
		{"", 6*3*layer + 6*3*heads*10, 6 * head},
		{"layers.2.", 2*2*layer + 6*layer + (2+2+6)*heads*10, 4 * head}, // its first norm stands before qkv
		{"layers.2.qkv", 2*2*layer + 4*layer + (2+2+6)*heads*10, 4 * head},
		{"layers.2.down", 2*3*layer + 2*down + 2*3*heads*10, 4 * head},
		{"embed", 4*3*layer + 6*3*heads*10, 6 * head},
		{"norm", 4*3*layer + 6*3*heads*10, 4 * head}, // the first norm stands before all products
	} {
		m, err := model.Outline(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Freeze(kernel.F32, func(p *ops.Param) bool { return !strings.Contains(p.Name, tt.trained) }); err != nil {
			t.Fatal(err)
		}
		if got := BodyFLOPs(m, 10); got != tt.body {
			t.Errorf("training %q: %v operations a token in the layers, want %v", tt.trained, got, tt.body)
		}
		if got := HeadFLOPs(m); got != tt.head {
			t.Errorf("training %q: %v operations a trained token in the head, want %v", tt.trained, got, tt.head)
		}
	}
}

// randomBatch has rows of n random tokens, all trained.
func randomBatch(rows, n, vocab int) model.Batch {
	var b model.Batch
	r := rng.NewRand(1, "test", 0, 0)
	for i := range rows {
		b.Segments = append(b.Segments, model.Segment{Start: i * n, End: (i + 1) * n})
		for j := range n {
			b.Tokens = append(b.Tokens, int32(r.Intn(vocab)))
			b.Positions = append(b.Positions, int32(j))
			b.Targets = append(b.Targets, int32(r.Intn(vocab)))
			b.Weights = append(b.Weights, 1)
		}
	}
	return b
}
