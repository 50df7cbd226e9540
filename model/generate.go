package model

import (
	"cmp"
	"context"
	"slices"

	"instruct/model/kernel/exact"
	"instruct/model/kernel/rng"
)

// Sampling says how the next token is chosen from the logits. The order of the steps is that of transformers:
// repetition penalty, temperature, top-k, top-p.
type Sampling struct {
	Temperature       float64 // 0: greedy
	TopK              int     // keep the k most likely tokens; 0: all
	TopP              float64 // keep the smallest set of tokens whose probability reaches p; 0 or 1: all
	RepetitionPenalty float64 // Keskar et al. 2019, arXiv:1909.05858; 0 or 1: none
	Seed              uint64
}

// Validate checks the ranges.
func (s Sampling) Validate() error {
	switch {
	case s.Temperature < 0:
		return mistake("temperature is %g; it must be 0 (greedy) or more", s.Temperature)
	case s.TopK < 0:
		return mistake("top_k is %d; it must be 0 (all tokens) or more", s.TopK)
	case s.TopP < 0 || s.TopP > 1:
		return mistake("top_p is %g; it must be between 0 and 1", s.TopP)
	case s.RepetitionPenalty < 0:
		return mistake("repetition_penalty is %g; it must be positive (1 means none)", s.RepetitionPenalty)
	}
	return nil
}

// Request is a prompt to be continued.
type Request struct {
	Prompt    []int32
	MaxNew    int
	Stop      []int32 // token ids that end the answer; they are not part of it
	Sampling  Sampling
	Emit      func(id int32) // called for each new token, may be nil
	KeepCache bool           // the decoder has already read Prompt[:Len()]
}

// Finish reasons.
const (
	FinishStop   = "stop"   // a stop token came
	FinishLength = "length" // MaxNew tokens, or no positions left
	FinishCancel = "cancelled"
)

// Generate continues a prompt and returns the new ids and why it ended.
func (d *Decoder) Generate(ctx context.Context, r Request) (ids []int32, finish string, err error) {
	if err := r.Sampling.Validate(); err != nil {
		return nil, "", err
	}
	if !r.KeepCache {
		d.Truncate(0)
	}
	logits, err := d.Read(r.Prompt[d.Len():])
	if err != nil {
		return nil, "", err
	}
	s := sampler{Sampling: r.Sampling, seen: make([]bool, d.vocab)}
	for _, id := range r.Prompt {
		s.seen[id] = true
	}
	for len(ids) < r.MaxNew {
		if ctx.Err() != nil {
			return ids, FinishCancel, nil
		}
		id := s.next(logits, len(ids))
		if slices.Contains(r.Stop, id) {
			return ids, FinishStop, nil
		}
		ids = append(ids, id)
		s.seen[id] = true
		if r.Emit != nil {
			r.Emit(id)
		}
		if len(ids) == r.MaxNew || d.Len() == d.MaxLen() {
			break
		}
		logits, err = d.Read(ids[len(ids)-1:])
		if err != nil {
			return ids, "", err
		}
	}
	return ids, FinishLength, nil
}

// sampler chooses tokens and remembers which were seen.
type sampler struct {
	Sampling
	seen  []bool
	order []int32 // candidate ids, most likely first
	prob  []float64
}

// next chooses the step-th token of an answer. It may change logits.
func (s *sampler) next(logits []float32, step int) int32 {
	if p := float32(s.RepetitionPenalty); p != 0 && p != 1 {
		for id, seen := range s.seen {
			if !seen {
				continue
			}
			if logits[id] > 0 {
				logits[id] /= p
			} else {
				logits[id] *= p
			}
		}
	}
	if s.Temperature == 0 {
		return argmax(logits)
	}
	if s.order == nil {
		s.order, s.prob = make([]int32, len(logits)), make([]float64, len(logits))
	}
	for i := range s.order {
		s.order[i] = int32(i)
	}
	slices.SortFunc(s.order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(logits[b], logits[a]), cmp.Compare(a, b))
	})
	n := len(s.order)
	if s.TopK > 0 {
		n = min(n, s.TopK)
	}
	sum, top := 0.0, float64(logits[s.order[0]])
	for i, id := range s.order[:n] {
		s.prob[i] = exact.Exp((float64(logits[id]) - top) / s.Temperature)
		sum += s.prob[i]
	}
	if s.TopP > 0 && s.TopP < 1 {
		kept := 0.0
		for i := range n {
			kept += s.prob[i]
			if kept >= s.TopP*sum {
				n, sum = i+1, kept
				break
			}
		}
	}
	r := rng.NewRand(s.Seed, "sample", uint64(step), 0)
	u := float64(r.Float64() * sum)
	for i := range n {
		u -= s.prob[i]
		if u < 0 {
			return s.order[i]
		}
	}
	return s.order[n-1]
}

// argmax returns the index of the largest value, the lowest of equals.
func argmax(x []float32) int32 {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return int32(best)
}
