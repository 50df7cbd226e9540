package data

import (
	"reflect"
	"slices"
	"testing"

	"instruct/model/kernel"
	"instruct/model/kernel/rng"
)

func TestBuildBatch(t *testing.T) {
	examples := []Example{
		{IDs: []int32{10, 11, 12, 13, 14}, Mask: []bool{false, false, true, true, false}},
		{IDs: []int32{20, 21}, Mask: []bool{false, true}},
		{IDs: []int32{30, 31, 32}, Mask: []bool{false, true, false}},
		{IDs: []int32{40, 41}, Mask: []bool{true, false}}, // nothing stands before its only trained token
	}
	var batch Batch
	BuildBatch(&batch, examples, []int{1, 0, 3, 2})
	want := Batch{
		Tokens:        []int32{20, 10, 11, 12, 30},
		Positions:     []int32{0, 0, 1, 2, 0},
		Targets:       []int32{21, 11, 12, 13, 31},
		Weights:       []float32{1, 0, 1, 1, 1},
		Segments:      []Segment{{Start: 0, End: 1}, {Start: 1, End: 4}, {Start: 4, End: 5}},
		Rows:          []int{1, 0, 2},
		TrainedTokens: 4,
		RowTokens:     5,
	}
	if !reflect.DeepEqual(batch, want) {
		t.Errorf("got  %+v\nwant %+v", batch, want)
	}
	if got := Lengths(examples); !slices.Equal(got, []int32{3, 1, 1, 0}) {
		t.Errorf("lengths %v", got)
	}
	BuildBatch(&batch, examples, nil)
	if len(batch.Tokens)+len(batch.Segments)+len(batch.Rows)+batch.TrainedTokens != 0 {
		t.Errorf("an empty batch holds %+v", batch)
	}
	if n := testing.AllocsPerRun(100, func() { BuildBatch(&batch, examples, []int{1, 0, 2}) }); n != 0 {
		t.Errorf("%v allocations for a batch that fits into the memory of the last", n)
	}
}

func TestSharedPrefix(t *testing.T) {
	row := func(trained int, ids ...int32) Example {
		e := Example{IDs: append([]int32{1, 2, 3, 4, 5, 6, 7, 8, 9}, ids...)}
		e.Mask = make([]bool, len(e.IDs))
		for i := trained; i < len(e.IDs); i++ {
			e.Mask[i] = true
		}
		return e
	}
	examples := []Example{row(10, 10, 11, 12), row(11, 10, 21, 22), row(11, 30, 31, 32)}
	for _, x := range []struct {
		name   string
		idx    []int
		prefix int
	}{
		{"up to the position that predicts a trained token", []int{0, 1}, 9},
		{"up to the first difference", []int{1, 2}, 9},
		{"one row", []int{0}, 0},
	} {
		b := Batch{Share: true}
		BuildBatch(&b, examples, x.idx)
		if got := b.Segments[0].End; x.prefix > 0 && (got != x.prefix || b.Rows[0] != -1) {
			t.Errorf("%s: prefix of %d tokens, want %d", x.name, got, x.prefix)
		}
		if x.prefix == 0 && len(b.Segments) != len(x.idx) {
			t.Errorf("%s: %v", x.name, b.Segments)
		}
		saved := x.prefix * (len(x.idx) - 1)
		if len(b.Tokens)+saved != b.RowTokens || b.Shared(examples, x.idx) != saved {
			t.Errorf("%s: %d tokens of %d, saved %d", x.name, len(b.Tokens), b.RowTokens, saved)
		}
		var plain Batch
		BuildBatch(&plain, examples, x.idx)
		if plain.TrainedTokens != b.TrainedTokens || plain.RowTokens != b.RowTokens {
			t.Errorf("%s: %d trained tokens of %d, unshared %d of %d",
				x.name, b.TrainedTokens, b.RowTokens, plain.TrainedTokens, plain.RowTokens)
		}
		for i, s := range b.Segments { // every row's own positions are those of the unshared batch
			if b.Rows[i] < 0 {
				continue
			}
			p := plain.Segments[i-(len(b.Segments)-len(plain.Segments))]
			from := p.Start + s.PrefixEnd - s.PrefixStart
			if !slices.Equal(b.Tokens[s.Start:s.End], plain.Tokens[from:p.End]) ||
				!slices.Equal(b.Positions[s.Start:s.End], plain.Positions[from:p.End]) ||
				!slices.Equal(b.Targets[s.Start:s.End], plain.Targets[from:p.End]) ||
				!slices.Equal(b.Weights[s.Start:s.End], plain.Weights[from:p.End]) {
				t.Errorf("%s: row %d differs", x.name, b.Rows[i])
			}
		}
	}
	short := []Example{row(3), row(3)}
	b := Batch{Share: true}
	BuildBatch(&b, short, []int{0, 1})
	if len(b.Segments) != 2 {
		t.Errorf("a prefix of two tokens is shared: %v", b.Segments)
	}
}

// What all rows have in common stands once, what a group has in common behind it once a group, and each row has its own
// tokens, targets and weights at its own positions, whatever is shared.
func TestSharedByGroups(t *testing.T) {
	row := func(common, prompt, answer int) (e Example) {
		for i := range 30 {
			id := i
			switch {
			case i >= 25:
				id = 1000 + 100*answer + i
			case i >= common:
				id = 10000 + 100*prompt + i
			}
			e.IDs, e.Mask = append(e.IDs, int32(id)), append(e.Mask, i >= 25)
		}
		return e
	}
	trained := func(b *Batch, from, to int) []int32 { // targets, 0 where they count nothing
		out := slices.Clone(b.Targets[from:to])
		for i := range out {
			if b.Weights[from+i] != 1 {
				out[i] = 0
			}
		}
		return out
	}
	positions := func(b *Batch, k int) (tokens, targets []int32, weights []float32) {
		var parts []Segment
		for s := b.Segments[k]; ; {
			parts = append([]Segment{s}, parts...)
			if s.PrefixStart == s.PrefixEnd {
				break
			}
			at := slices.IndexFunc(b.Segments, func(p Segment) bool { return p.Start == s.PrefixStart })
			s = b.Segments[at]
		}
		for _, s := range parts {
			tokens = append(tokens, b.Tokens[s.Start:s.End]...)
			targets = append(targets, trained(b, s.Start, s.End)...)
			weights = append(weights, b.Weights[s.Start:s.End]...)
			for i := s.Start; i < s.End; i++ {
				if want := len(tokens) - (s.End - i); int(b.Positions[i]) != want {
					t.Errorf("position %d at %d, want %d", b.Positions[i], i, want)
				}
			}
		}
		return
	}
	for _, x := range []struct {
		name           string
		common         int
		prompts        bool
		saved, shared  int // positions, segments of what is shared
		prompt, answer []int
	}{
		{"three pairs", 10, false, 2*10 + 3*24, 4, []int{1, 1, 2, 2, 3, 3}, []int{1, 2, 1, 2, 1, 2}},
		{"a common part that is too short", 5, false, 3 * 24, 3, []int{1, 1, 2, 2, 3, 3}, []int{1, 2, 1, 2, 1, 2}},
		{"prompts that end soon behind it", 20, false, 5 * 20, 1, []int{1, 1, 2, 2, 3, 3}, []int{1, 2, 1, 2, 1, 2}},
		{"a group of other prompts", 10, false, 2*24 + 10 + 2*10, 3, []int{1, 1, 2, 3, 4, 4}, []int{1, 2, 1, 1, 1, 2}},
		{"prompts that are wanted", 10, true, 3 * 24, 3, []int{1, 1, 2, 2, 3, 3}, []int{1, 2, 1, 2, 1, 2}},
		{"one pair", 10, false, 24, 1, []int{1, 1}, []int{1, 2}},
	} {
		var examples []Example
		var idx []int
		for i := range x.prompt {
			examples, idx = append(examples, row(x.common, x.prompt[i], x.answer[i])), append(idx, i)
		}
		b := Batch{Share: true, Group: 2, Prompts: x.prompts}
		BuildBatch(&b, examples, idx)
		if saved := b.Shared(examples, idx); saved != x.saved || len(b.Tokens) != b.RowTokens-x.saved {
			t.Errorf("%s: %d positions of %d, saves %d; want %d", x.name, len(b.Tokens), b.RowTokens, saved, x.saved)
		}
		plain := Batch{Group: 2, Prompts: x.prompts}
		BuildBatch(&plain, examples, idx)
		if plain.TrainedTokens != b.TrainedTokens || plain.RowTokens != b.RowTokens {
			t.Errorf("%s: %d trained tokens, want %d", x.name, b.TrainedTokens, plain.TrainedTokens)
		}
		shared, at := 0, 0
		for k, row := range b.Rows {
			if row < 0 {
				shared++
				continue
			}
			tokens, targets, weights := positions(&b, k)
			s := plain.Segments[at]
			at++
			if !slices.Equal(tokens, plain.Tokens[s.Start:s.End]) || !slices.Equal(targets, trained(&plain, s.Start, s.End)) ||
				!x.prompts && !slices.Equal(weights, plain.Weights[s.Start:s.End]) {
				t.Errorf("%s: row %d is another one", x.name, row)
			}
		}
		if shared != x.shared {
			t.Errorf("%s: %d segments are shared, want %d", x.name, shared, x.shared)
		}
	}
}

// Of rows that stand side by side those that begin alike share it, at any depth, and each row has its own tokens at its
// own positions.
func TestNested(t *testing.T) {
	for n := range 200 {
		r := rng.NewRand(9, "rows", uint64(n), 0)
		var examples []Example
		for range 1 + r.Intn(7) {
			e := Example{IDs: []int32{1, 2, 3, 4, 5, 6, 7, 8, 9}[r.Intn(2):]}
			for range 5 + r.Intn(12) {
				e.IDs = append(e.IDs, int32(r.Intn(2)*r.Intn(2)*r.Intn(2)))
			}
			e.Mask = make([]bool, len(e.IDs))
			for i := len(e.IDs) - 1 - r.Intn(4); i < len(e.IDs); i++ {
				e.Mask[i] = true
			}
			examples = append(examples, e)
		}
		order, _ := Group(examples, 1<<20)
		b := Batch{Nested: true}
		BuildBatch(&b, examples, order[0])
		if saved := b.Shared(examples, order[0]); len(b.Tokens)+saved != b.RowTokens {
			t.Errorf("%d positions of %d, said to save %d", len(b.Tokens), b.RowTokens, saved)
		}
		if least := fewest(examples, order[0], 0); len(b.Tokens) != least {
			t.Errorf("%d positions, want %d", len(b.Tokens), least)
		}
		for k, row := range b.Rows {
			if row < 0 {
				continue
			}
			var tokens []int32
			for s := b.Segments[k]; ; {
				tokens = append(slices.Clone(b.Tokens[s.Start:s.End]), tokens...)
				if s.PrefixStart == s.PrefixEnd {
					break
				}
				s = b.Segments[slices.IndexFunc(b.Segments, func(p Segment) bool { return p.Start == s.PrefixStart })]
			}
			if e := &examples[row]; !slices.Equal(tokens, e.IDs[:e.Inputs()]) {
				t.Errorf("row %d is %v, want %v", row, tokens, e.IDs)
			}
		}
	}
}

// A row never stands behind more prefixes than attention takes, however deep rows agree.
func TestNestedDeep(t *testing.T) {
	var examples []Example
	var idx []int
	for row := range 12 { // each has two tokens more in common with the next one than with the one before
		e := Example{}
		for i := range 60 {
			id := i
			if i >= 10+2*row {
				id += 1000 * (row + 1)
			}
			e.IDs, e.Mask = append(e.IDs, int32(id)), append(e.Mask, i >= 55)
		}
		examples, idx = append(examples, e), append(idx, row)
	}
	b := Batch{Nested: true}
	BuildBatch(&b, examples, idx)
	deepest := 0
	for k, s := range b.Segments {
		depth := 0
		for ; s.PrefixStart < s.PrefixEnd; depth++ {
			s = b.Segments[slices.IndexFunc(b.Segments, func(p Segment) bool { return p.Start == s.PrefixStart })]
		}
		deepest = max(deepest, depth)
		if row := b.Rows[k]; row >= 0 && int(b.Positions[b.Segments[k].End-1]) != examples[row].Inputs()-1 {
			t.Errorf("row %d ends at position %d", row, b.Positions[b.Segments[k].End-1])
		}
	}
	if deepest != kernel.MaxPrefixes {
		t.Errorf("a row stands behind %d prefixes, want %d", deepest, kernel.MaxPrefixes)
	}
	if saved := b.Shared(examples, idx); len(b.Tokens)+saved != b.RowTokens {
		t.Errorf("%d positions of %d, said to save %d", len(b.Tokens), b.RowTokens, saved)
	}
}

// fewest is how many positions rows take that share whatever they have in common behind length positions, which each
// has. Of rows in order, neighbours have the most in common.
func fewest(examples []Example, idx []int, length int) (positions int) {
	least := minNested
	if length == 0 {
		least = minShared
	}
	for from := 0; from < len(idx); {
		common, end := examples[idx[from]].Inputs(), from+1
		for ; end < len(idx); end++ {
			a, b := &examples[idx[end-1]], &examples[idx[end]]
			n := 0
			for n < len(a.IDs) && n < len(b.IDs) && a.IDs[n] == b.IDs[n] && !a.Mask[n+1] && !b.Mask[n+1] {
				n++
			}
			if n < length+least {
				break
			}
			common = min(common, n)
		}
		positions += common - length
		if end > from+1 {
			positions += fewest(examples, idx[from:end], common)
		}
		from = end
	}
	return positions
}

// Every trained token of every row is a target of weight 1 exactly once, after the token before it, at its position.
func TestBatchesTrainEveryTokenOnce(t *testing.T) {
	for n := range 50 {
		r := rng.NewRand(5, "examples", uint64(n), 0)
		var examples []Example
		for row := range 1 + r.Intn(30) {
			var e Example
			for i := range 2 + r.Intn(20) {
				e.IDs = append(e.IDs, int32(100*row+i))
				e.Mask = append(e.Mask, i > 0 && r.Intn(3) == 0)
			}
			examples = append(examples, e)
		}
		trained := map[int32]int{}
		plan := NewPlan(Lengths(examples), PlanOptions{Packing: true, Capacity: 40, Seed: uint64(n)})
		var batch Batch
		for _, idx := range plan.Epoch(n) {
			BuildBatch(&batch, examples, idx)
			weights := 0
			for k, s := range batch.Segments {
				e := &examples[batch.Rows[k]]
				for i := s.Start; i < s.End; i++ {
					at := i - s.Start
					if int(batch.Positions[i]) != at || batch.Tokens[i] != e.IDs[at] ||
						batch.Targets[i] != e.IDs[at+1] || (batch.Weights[i] == 1) != e.Mask[at+1] {
						t.Fatalf("row %d, position %d: %+v", batch.Rows[k], at, batch)
					}
					if batch.Weights[i] == 1 {
						trained[batch.Targets[i]]++
						weights++
					}
				}
				if batch.Weights[s.End-1] != 1 {
					t.Fatalf("row %d goes on after its last trained token", batch.Rows[k])
				}
			}
			if weights != batch.TrainedTokens {
				t.Fatalf("%d trained tokens, want %d", batch.TrainedTokens, weights)
			}
		}
		want := 0
		for _, e := range examples {
			want += e.Trained()
		}
		for id, count := range trained {
			if count != 1 {
				t.Fatalf("token %d is trained %d times", id, count)
			}
		}
		if len(trained) != want {
			t.Fatalf("%d tokens are trained, want %d", len(trained), want)
		}
	}
}

func BenchmarkBuildBatch(b *testing.B) {
	var examples []Example
	for range 64 {
		e := Example{IDs: make([]int32, 200), Mask: make([]bool, 200)}
		for i := 100; i < 200; i++ {
			e.Mask[i] = true
		}
		examples = append(examples, e)
	}
	plan := NewPlan(Lengths(examples), PlanOptions{Rows: 64})
	var batch Batch
	for b.Loop() {
		BuildBatch(&batch, examples, plan.Epoch(0)[0])
	}
	b.ReportMetric(float64(64*199*b.N)/b.Elapsed().Seconds(), "tokens/s")
}
