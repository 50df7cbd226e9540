package data

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"instruct/tokenizer/chat"
)

// The reasons for which a pair of answers, or a labelled one, gives no examples.
const (
	DroppedEmpty   = "an answer is empty"
	DroppedEqual   = "both answers are the same"
	DroppedEqualTo = "both answers are the same up to max_length"
)

// AnswersTogether is how many examples belong to one prompt in what EncodePairs and EncodeLabelled give.
const AnswersTogether = 2

// EncodePairs encodes preference rows as [Encoder.EncodeAll] does others: examples 2i and 2i+1 are prompt and better
// answer, prompt and worse answer of a pair. The audit counts pairs as rows. A row without a pair is an error, a pair
// that nothing can be learned from is dropped.
func (e *Encoder) EncodePairs(ctx context.Context, rows []Row, threads int) ([]Example, *Audit, error) {
	answers := make([]Row, 0, 2*len(rows))
	for i := range rows {
		row := &rows[i]
		if row.chosen == 0 {
			return nil, nil, mistake("data: %s: the loss learns from pairs of answers, and this row has one answer only; "+
				"expected the keys prompt, chosen and rejected", row.Source)
		}
		worse := *row
		if !row.blank() {
			worse = row.worse()
		}
		answers = append(answers, *row, worse)
	}
	examples, outcomes, err := e.encodeRows(ctx, answers, threads)
	if err != nil {
		return nil, nil, err
	}
	audit := newAudit()
	kept := examples[:0]
	for i := range rows {
		pair := examples[2*i : 2*i+2]
		pair[0].Row, pair[1].Row = i, i
		outcome := pairOutcome(&rows[i], pair, outcomes[2*i:2*i+2])
		source := audit.add(&rows[i], &pair[0], &outcome)
		if outcome.Dropped == "" {
			audit.count(source, &pair[1])
			kept = append(kept, pair...)
		}
	}
	audit.finish()
	if len(kept) == 0 {
		return nil, audit, e.noAnswers(audit, "pairs")
	}
	return kept, audit, nil
}

// pairOutcome is what became of a pair.
func pairOutcome(row *Row, pair []Example, of []Outcome) Outcome {
	out := Outcome{Dropped: cmp.Or(of[0].Dropped, of[1].Dropped), Truncated: of[0].Truncated + of[1].Truncated,
		TruncatedTrained: of[0].TruncatedTrained + of[1].TruncatedTrained, Unended: of[0].Unended || of[1].Unended,
		Unused: of[0].Unused, Special: of[0].Special || of[1].Special, Doubled: of[0].Doubled || of[1].Doubled}
	switch {
	case row.blank():
		out.Dropped = DroppedEmpty
	case out.Dropped != "":
	case slices.Equal(pair[0].IDs, pair[1].IDs) && out.Truncated > 0:
		out.Dropped = DroppedEqualTo
	case slices.Equal(pair[0].IDs, pair[1].IDs):
		out.Dropped = DroppedEqual
	}
	return out
}

// blank tells whether the worse answer of a preference row says nothing.
func (row *Row) blank() bool {
	return !slices.ContainsFunc(row.Rejected, func(m chat.Message) bool {
		return strings.TrimSpace(m.Content+m.Reasoning) != "" || m.ToolCalls != nil
	})
}

// worse is the prompt of a preference row with its worse answer.
func (row *Row) worse() Row {
	out := *row
	out.Messages = slices.Concat(row.Messages[:len(row.Messages)-row.chosen], row.Rejected)
	return out
}

// EncodeLabelled encodes answers that are labelled good or bad, one by one, and of pairs the better ones before the
// worse. Example 2i is prompt and answer, which is good where good[i] says so, and example 2i+1 the same prompt with
// the answer of another row, from which KTO estimates how far the model went: that of the row before it among as many
// as a micro-batch has, the last one for the first, as in TRL. The audit counts answers as rows.
func (e *Encoder) EncodeLabelled(ctx context.Context, rows []Row, threads, batch int) (examples []Example, good []bool,
	audit *Audit, err error) {
	var answers []Row
	for i := range rows {
		row := &rows[i]
		switch {
		case row.Label == nil && row.chosen == 0:
			return nil, nil, nil, mistake("data: %s: the loss learns from answers that are labelled, and this row has no "+
				"label; expected the keys prompt, completion and label (true or false), or prompt, chosen and rejected", row.Source)
		case row.Label == nil:
			better := *row
			better.Label = new(true)
			answers = append(answers, better)
		default:
			answers = append(answers, *row)
		}
	}
	for i := range rows {
		if row := &rows[i]; row.chosen > 0 {
			worse := *row
			if !row.blank() {
				worse = row.worse()
			}
			worse.Label = new(false)
			answers = append(answers, worse)
		}
	}
	all, outcomes, err := e.encodeRows(ctx, answers, threads)
	if err != nil {
		return nil, nil, nil, err
	}
	audit = newAudit()
	kept := all[:0]
	for i := range answers {
		row := &answers[i]
		all[i].Row = i
		if row.chosen > 0 && !*row.Label && row.blank() {
			outcomes[i].Dropped = DroppedEmpty
		}
		audit.add(row, &all[i], &outcomes[i])
		if outcomes[i].Dropped == "" {
			kept = append(kept, all[i])
			good = append(good, *row.Label)
		}
	}
	examples = e.mismatched(kept, batch)
	audit.finish()
	audit.Hash = labelHash(Hash(examples), good)
	if len(kept) == 0 {
		return nil, nil, audit, e.noAnswers(audit, "answers")
	}
	return examples, good, audit, nil
}

// mismatched gives every example, and behind each its prompt with the answer of another among so many.
func (e *Encoder) mismatched(kept []Example, batch int) []Example {
	out := make([]Example, 0, 2*len(kept))
	for chunk := range slices.Chunk(kept, batch) {
		for i := range chunk {
			other := &chunk[(i+len(chunk)-1)%len(chunk)]
			out = append(out, chunk[i], e.joined(&chunk[i], other))
		}
	}
	return out
}

// joined is the prompt of one example with the answer of another, as long as rows may be.
func (e *Encoder) joined(prompt, answer *Example) Example {
	out := Example{Row: prompt.Row, Source: prompt.Source, Kind: prompt.Kind}
	first, from := prompt.Untrained()+1, answer.Untrained()+1
	out.IDs = slices.Concat(prompt.IDs[:first], answer.IDs[from:])
	out.Mask = slices.Concat(prompt.Mask[:first], answer.Mask[from:])
	if n := e.limit(); n > 0 && len(out.IDs) > n {
		out.IDs, out.Mask = out.IDs[:n], out.Mask[:n]
	}
	return out
}

// labelHash is the hash of examples and their labels.
func labelHash(examples string, good []bool) string {
	h := sha256.New()
	h.Write([]byte(examples))
	for _, g := range good {
		if g {
			h.Write([]byte{1})
		} else {
			h.Write([]byte{0})
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// noAnswers explains why nothing is left to learn from.
func (e *Encoder) noAnswers(a *Audit, what string) error {
	if a.Rows == 0 || a.Dropped[DroppedTooLong] == a.Rows {
		return e.nothingLeft(a)
	}
	first := a.DroppedRows[0]
	return mistake("data: none of the %d %s can be learned from (the first: %s, %s)", a.Rows, what, first.Source,
		first.Reason)
}
