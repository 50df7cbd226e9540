package ops

// softRows corrects the losses and gradients of a chunk of the head's rows for the positions with distributions.
type softRows struct {
	Soft
	v      int
	needed []int32   // positions of the rows
	kept   []float32 // (rows, K+1) logits of the tokens and of the target
}

// keep remembers the logits that finish needs, before the gradients take their place.
func (s *softRows) keep(logits []float32, targets []int32) {
	s.kept = s.kept[:0]
	for row, at := range s.needed {
		x := logits[row*s.v:][:s.v]
		for _, id := range s.ids(at) {
			s.kept = append(s.kept, x[id])
		}
		s.kept = append(s.kept, x[targets[row]])
	}
}

func (s *softRows) ids(at int32) []int32 { return s.IDs[int(at)*s.K:][:s.K] }

// finish makes the losses of the distributions of those of the targets and, with grad, the gradients too: there
// softmax - p stands in the place of softmax - onehot.
func (s *softRows) finish(logits []float32, targets []int32, weights []float32, losses []float64, grad bool) {
	for row, at := range s.needed {
		probs := s.Probs[int(at)*s.K:][:s.K]
		sum := 0.0
		for _, p := range probs {
			sum += float64(p)
		}
		if sum == 0 {
			continue
		}
		kept := s.kept[row*(s.K+1):][:s.K+1]
		loss := float64(sum * (losses[row] + float64(kept[s.K]))) // the first factor of which is log Σ exp
		for k, p := range probs {
			loss -= float64(float64(p) * float64(kept[k]))
		}
		losses[row] = loss
		if !grad {
			continue
		}
		x, w := logits[row*s.v:][:s.v], weights[row]
		x[targets[row]] += w
		for k, id := range s.ids(at) {
			x[id] -= float32(w * probs[k])
		}
	}
}
