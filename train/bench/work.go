package bench

import (
	"strings"

	"instruct/model"
)

// work is the least that one kind of op does in a step: operations of matrix products, two for each multiply-add, and
// bytes that come from memory or go there.
type work struct{ flops, bytes float64 }

// limit says how fast the ops of a profile were: products against the peak, in GFLOP/s, where that is known.
func limit(ops []OpTime, works map[string]work, peak float64) {
	for i := range ops {
		op := &ops[i]
		w := works[op.Name]
		op.GFLOPS, op.GBPerSec = w.flops/op.Ns, w.bytes/op.Ns
		if peak > 0 {
			op.PeakFraction = op.GFLOPS / peak
		}
	}
}

// stepWork is the work of a training step over rows of seq tokens, all of them trained, by the names of
// [model.Graph.Spent]. A product is made once forward and twice backward; the head makes its gradients as it goes.
func stepWork(m *model.Model, tokens, seq float64) map[string]work {
	works := map[string]work{}
	add := func(name string, flops float64) {
		works[name] = work{flops: works[name].flops + flops}
	}
	for _, p := range m.Params {
		name := kindOf(p.Name)
		if !m.Hidden(p) {
			continue
		}
		products := float64(2 * tokens * float64(p.Size()))
		add(name, products)
		add(name+".again", products)
		add(name+".backward", float64(2*products))
		if name == "out" { // attention stands before it: two products over half of a row, four backward
			pairs := float64(2 * tokens * seq * float64(m.Config.Heads*m.Config.HeadDim))
			add("attention", pairs)
			add("attention.backward", float64(2*pairs))
		}
	}
	head := m.Head()
	add("loss", float64(6*tokens*float64(head.Size())))
	// The norm reads gradients; AdamW reads weights, gradients and moments and writes them, gradients as zeros.
	works[updateName] = work{bytes: 9 * 4 * float64(m.Size())}
	return works
}

// decodeWork is that of one step of decoding: products read their weights once.
func decodeWork(m *model.Model) map[string]work {
	works := map[string]work{}
	for _, p := range m.Params {
		name := kindOf(p.Name)
		if p == m.Head() {
			name = "logits"
		} else if !m.Hidden(p) {
			continue
		}
		bytes := 4 * len(p.Value)
		if p.Reduced != nil {
			bytes = p.Reduced.Bytes()
		}
		works[name] = work{bytes: works[name].bytes + float64(bytes)}
	}
	return works
}

// kindOf is the name of a parameter without its layer.
func kindOf(name string) string {
	if rest, ok := strings.CutPrefix(name, "layers."); ok {
		_, name, _ = strings.Cut(rest, ".")
	}
	return name
}
