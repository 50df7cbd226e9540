package coach

import (
	"context"
	"slices"

	"instruct/data"
	"instruct/model"
	"instruct/model/kernel/exact"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

// Kept is an answer of the parent that is to stay as it is.
type Kept struct {
	example data.Example
	top     []model.Top // of each trained token
}

// Keep asks the parent and keeps its answers with the likeliest tokens of each step.
func Keep(ctx context.Context, s *pretrained.Session, prompts [][]chat.Message, o Options) ([]Kept, error) {
	kept := make([]Kept, len(prompts))
	asked := 0
	err := s.Ask(ctx, func(bool) (q pretrained.Question, ok bool) {
		if asked == len(prompts) {
			return q, false
		}
		asked++
		return pretrained.Question{Messages: prompts[asked-1],
			Decoding: pretrained.Decoding{MaxNew: o.KeptTokens, Top: o.Top}}, true
	}, func(a pretrained.Answer) error {
		if a.Err != nil {
			return a.Err
		}
		kept[a.Index] = keep(a)
		return nil
	})
	return slices.DeleteFunc(kept, func(k Kept) bool { return len(k.top) == 0 }), err
}

// keep makes a row of an answer. The stop token is one of its tokens.
func keep(a pretrained.Answer) Kept {
	ids := slices.Concat(a.PromptIDs, a.IDs)
	if len(a.Top) > len(a.IDs) {
		ids = append(ids, a.Top[len(a.IDs)].IDs[0])
	}
	k := Kept{top: a.Top, example: data.Example{IDs: ids, Mask: make([]bool, len(ids))}}
	for i := range a.Top {
		k.example.Mask[len(a.PromptIDs)+i] = true
	}
	return k
}

// fill writes the distributions of k, whose row is segment s of b, over the targets. The probabilities of the likeliest
// tokens are scaled so that their sum is 1.
func (k *Kept) fill(b *data.Batch, s data.Segment) {
	first := k.example.Inputs() - len(k.top) // position in the row of the first distribution
	shared := s.PrefixEnd - s.PrefixStart
	for i, top := range k.top {
		at := (s.Start + first + i - shared) * b.Soft.K
		sum := 0.0
		for _, l := range top.Logprobs {
			sum += exact.Exp(float64(l))
		}
		for j, id := range top.IDs {
			b.Soft.IDs[at+j] = id
			b.Soft.Probs[at+j] = float32(exact.Exp(float64(top.Logprobs[j])) / sum)
		}
	}
}
