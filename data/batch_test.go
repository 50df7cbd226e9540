package data

import (
	"reflect"
	"slices"
	"testing"

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
	}
	if !reflect.DeepEqual(batch, want) {
		t.Errorf("got  %+v\nwant %+v", batch, want)
	}
	if got := Lengths(examples); !slices.Equal(got, []int{3, 1, 1, 0}) {
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
					if int(batch.Positions[i]) != at || batch.Tokens[i] != e.IDs[at] || batch.Targets[i] != e.IDs[at+1] || (batch.Weights[i] == 1) != e.Mask[at+1] {
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
