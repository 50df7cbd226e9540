package train

import (
	"io"
	"math"
	"testing"

	"instruct/model/kernel"
	"instruct/model/pretrained"
)

// TestUnrollMove: how far the weights are moved for a difference is found by the run itself, wherever the search
// begins, so the derivative of what the run gives, here half the squared norm of the weights, is the same.
func TestUnrollMove(t *testing.T) {
	r := set(t, dropping(t, prefixed(t, 24)), "adam_epsilon", "1e-3")
	mustRun(t, r)
	p, err := OpenPast(t.Context(), r.OutputDir, 1, io.Discard, false)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	gradient := func(m *pretrained.Model, _ *kernel.Pool, _ int) error {
		for _, q := range m.Trained() {
			copy(q.Grad, q.Value)
		}
		return nil
	}
	var first []float64
	for _, share := range []float64{unrollShare, 1e-9, 1e-2} {
		u, err := p.newUnroll(t.Context(), 1, func() {})
		if err != nil {
			t.Fatal(err)
		}
		u.answers[0].share = share
		scores, _, err := u.scores(t.Context(), p, gradient)
		u.close()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = scores[0]
		}
		far, size := 0.0, 0.0
		for row, x := range scores[0] {
			far, size = max(far, math.Abs(x-first[row])), max(size, math.Abs(first[row]))
		}
		t.Logf("from %g: at most %.2g of the highest score apart", share, far/size)
		if far > 0.01*size || size == 0 {
			t.Errorf("from %g: scores %.4g, from %g they are %.4g", share, scores[0], unrollShare, first)
		}
	}
}
