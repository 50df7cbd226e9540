package coach

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"os"
	"slices"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model"
	"instruct/model/kernel/exact"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

// Kept is an answer that is to stay as it is.
type Kept struct {
	IDs   []int32 // prompt and answer, with its stop token
	First int     // index in IDs of the answer's first token
	// Top are the likeliest tokens of each step of the answer, as the model that gave it has them; none: the answer's
	// tokens alone are what is to stay.
	Top []model.Top
}

// example is the row that is trained.
func (k *Kept) example() data.Example {
	e := data.Example{IDs: k.IDs, Mask: make([]bool, len(k.IDs))}
	for i := k.First; i < len(k.IDs); i++ {
		e.Mask[i] = true
	}
	return e
}

// Keep asks a model and keeps its answers, of at most so many tokens, with the top likeliest tokens of each step.
// progress is told how many of them were given so far.
func Keep(ctx context.Context, s *pretrained.Session, prompts [][]chat.Message, tokens, top int,
	progress func(n, of int)) ([]Kept, error) {
	kept := make([]Kept, len(prompts))
	asked, given := 0, 0
	err := s.Ask(ctx, func(bool) (q pretrained.Question, ok bool) {
		if asked == len(prompts) {
			return q, false
		}
		asked++
		return pretrained.Question{Messages: prompts[asked-1],
			Decoding: pretrained.Decoding{MaxNew: tokens, Top: top}}, true
	}, func(a pretrained.Answer) error {
		if a.Err != nil {
			return a.Err
		}
		kept[a.Index] = keep(a)
		given++
		progress(given, len(prompts))
		return nil
	})
	return slices.DeleteFunc(kept, func(k Kept) bool { return len(k.Top) == 0 }), err
}

// keep makes a row of an answer. The stop token is one of its tokens.
func keep(a pretrained.Answer) Kept {
	ids := slices.Concat(a.PromptIDs, a.IDs)
	if len(a.Top) > len(a.IDs) {
		ids = append(ids, a.Top[len(a.IDs)].IDs[0])
	}
	return Kept{IDs: ids, First: len(a.PromptIDs), Top: a.Top}
}

// KeepRows keeps the answers that rows have, as tokens: replay of data.
func KeepRows(ctx context.Context, m *pretrained.Model, rows []data.Row) ([]Kept, error) {
	examples, _, err := encoder(m).EncodeAll(ctx, rows, 1)
	if err != nil {
		return nil, err
	}
	var kept []Kept
	for _, e := range examples {
		if first := slices.Index(e.Mask, true); first > 0 {
			kept = append(kept, Kept{IDs: e.IDs, First: first})
		}
	}
	return kept, nil
}

// encoder makes rows of messages for a model.
func encoder(m *pretrained.Model) *data.Encoder {
	return &data.Encoder{Tokenizer: m.Tokenizer, Template: m.Template, Stop: m.Stop, ModelLength: m.Config.MaxLength}
}

// fill writes the distributions of k, whose row is segment s of b, over the targets. The probabilities of the likeliest
// tokens are scaled so that their sum is 1.
func (k *Kept) fill(b *data.Batch, s data.Segment) {
	first := k.First - 1 - (s.PrefixEnd - s.PrefixStart) // place in the segment of the first distribution
	for i, top := range k.Top {
		at := (s.Start + first + i) * b.Soft.K
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

// keptText is the content of a file of kept answers.
func keptText(kept []Kept) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(kept)
	return b.Bytes(), err
}

// SaveKept writes a file of kept answers.
func SaveKept(path string, kept []Kept) error {
	text, err := keptText(kept)
	if err != nil {
		return err
	}
	return checkpoints.WriteFile(path, text)
}

// ReadKept reads a file of kept answers; vocab is the model's, for its ids to be held against.
func ReadKept(path string, vocab int) ([]Kept, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, mistake("kept answers: %s", checkpoints.Reason(err))
	}
	var kept []Kept
	if err := gob.NewDecoder(bytes.NewReader(text)).Decode(&kept); err != nil {
		return nil, mistake("kept answers: %s is not whole: %v; remove it, and it is made again", path, err)
	}
	for i := range kept {
		if err := kept[i].check(vocab); err != nil {
			return nil, mistake("kept answers: %s: answer %d: %w; remove it, and it is made again", path, i, err)
		}
	}
	return kept, nil
}

// check says what is wrong with an answer that was read.
func (k *Kept) check(vocab int) error {
	if k.First < 1 || k.First >= len(k.IDs) || len(k.Top) != 0 && len(k.Top) != len(k.IDs)-k.First {
		return fmt.Errorf("%d tokens, of which the answer's begin at %d, and %d distributions", len(k.IDs), k.First,
			len(k.Top))
	}
	if err := model.CheckIDs(k.IDs, vocab); err != nil {
		return err
	}
	for _, t := range k.Top {
		if len(t.IDs) != len(t.Logprobs) {
			return fmt.Errorf("a distribution of %d tokens and %d probabilities", len(t.IDs), len(t.Logprobs))
		}
		if err := model.CheckIDs(t.IDs, vocab); err != nil {
			return err
		}
	}
	return nil
}
