package coach

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"instruct/model"
	"instruct/model/kernel"
	"instruct/model/ops"
)

// way is what a round trains: the weights of the last layers, or an adapter beside them. One can go back on it, from
// what was trained towards the parent.
type way struct {
	model         *model.Model
	parent, child [][]float32 // the trained weights; none with an adapter
}

// newWay begins at the parent: it freezes what is not trained, and puts the adapter on the model.
func newWay(m *model.Model, o Options, round int) (*way, error) {
	if o.LoRAR > 0 {
		return &way{model: m}, m.Beside(model.AdapterConfig{R: o.LoRAR, Alpha: 2 * float64(o.LoRAR),
			Targets: m.LinearsFrom(frozenLayers(m, o.Frozen)), Seed: o.Seed + uint64(round)})
	}
	if err := freeze(m, o.Frozen); err != nil {
		return nil, err
	}
	return &way{model: m, parent: copied(m)}, nil
}

// frozenLayers is how many of the layers are frozen: not all of them.
func frozenLayers(m *model.Model, share float64) int {
	return min(int(share*float64(m.Config.Layers)), m.Config.Layers-1)
}

// freeze keeps the first layers, and with them the embedding, from being trained.
func freeze(m *model.Model, share float64) error {
	if share <= 0 {
		return nil
	}
	first := frozenLayers(m, share)
	return m.Freeze(kernel.F32, func(p *ops.Param) bool {
		for part := range strings.SplitSeq(p.Name, ".") {
			if layer, err := strconv.Atoi(part); err == nil {
				return layer < first
			}
		}
		return len(p.Shape) > 1 // the embedding and the head; a last norm is trained
	})
}

// copied are the values of the parameters that are trained.
func copied(m *model.Model) [][]float32 {
	var all [][]float32
	for _, p := range m.Trained() {
		all = append(all, slices.Clone(p.Value))
	}
	return all
}

// end remembers what was trained as the end of the way.
func (w *way) end() {
	if w.model.Adapter() == nil {
		w.child = copied(w.model)
	}
}

// put makes the model parent + share * (child - parent).
func (w *way) put(share float64) {
	if w.model.Adapter() != nil {
		w.model.ScaleAdapter(share)
		return
	}
	s := float32(share)
	for i, x := range w.model.Trained() {
		p, c := w.parent[i], w.child[i]
		if share == 1 { // exactly, whatever rounding says
			copy(x.Value, c)
			continue
		}
		for j := range x.Value {
			x.Value[j] = p[j] + float32(s*(c[j]-p[j]))
		}
	}
}

// goBack puts the weights between the parent and what was trained: the least tenth of the way at which as many new
// corrections are right as at its end, and options.Back more. More of the way is taken to be no worse; the earlier
// corrections are the parent's, so going back towards it does them no harm.
func (t *teacher) goBack(ctx context.Context, w *way, out *Taught) error {
	w.end()
	wrong, enough := 0, 10 // tenths
	for enough-wrong > 1 {
		tenths := (wrong + enough) / 2
		w.put(float64(tenths) / 10)
		right, err := Right(ctx, t.model, t.session, t.lesson.New, t.options.AnswerTokens)
		if err != nil {
			return err
		}
		n := count(right)
		t.say("%d of %d corrections are right at %d %% of the way", n, len(right), 10*tenths)
		if n < out.Right {
			wrong = tenths
		} else {
			enough = tenths
		}
	}
	return t.settle(ctx, w, float64(enough)/10, out)
}

// settle takes options.Back more of the way than least, unless more of all corrections are right without.
func (t *teacher) settle(ctx context.Context, w *way, least float64, out *Taught) error {
	out.Share = min(1, least+t.options.Back)
	w.put(out.Share)
	if err := t.count(ctx, out); err != nil {
		return err
	}
	all := len(t.lesson.New) + len(t.lesson.Earlier)
	if out.Right+out.Earlier == all || out.Share == least {
		return nil
	}
	less := *out
	less.Share = least
	w.put(least)
	if err := t.count(ctx, &less); err != nil {
		return err
	}
	if less.Right+less.Earlier > out.Right+out.Earlier {
		*out = less
		return nil
	}
	w.put(out.Share)
	return nil
}

// arrive adds the adapter to the weights, and counts once more: the sums of a product with whole weights are rounded
// otherwise than those with an adapter beside them.
func (t *teacher) arrive(ctx context.Context, w *way, out *Taught) error {
	if w.model.Adapter() == nil {
		return nil
	}
	w.model.Fold(t.pool)
	session, err := t.model.NewSession(t.pool, sessionRows)
	if err != nil {
		return err
	}
	defer session.Close()
	t.session = session
	return t.count(ctx, out)
}
