package data

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"instruct/model/kernel/rng"
)

func TestMixture(t *testing.T) {
	for _, x := range []struct {
		rows    []int
		weights []float64
		want    []int
	}{
		{[]int{10, 10}, []float64{1, 1}, []int{10, 10}},
		{[]int{100, 4}, []float64{0.5, 0.5}, []int{52, 52}},
		{[]int{3, 3, 4}, []float64{1, 1, 1}, []int{4, 3, 3}},
		{[]int{7}, []float64{0.2}, []int{7}},
		{[]int{50, 50}, []float64{0.99, 0.01}, []int{99, 1}},
		{[]int{1, 1, 1}, []float64{1e300, 1e300, 1e-300}, nil},
	} {
		shares, err := Mixture(x.rows, x.weights)
		var got []int
		for _, s := range shares {
			got = append(got, s.Quota)
		}
		if !slices.Equal(got, x.want) || (err != nil) != (x.want == nil) {
			t.Errorf("%v, %v: %v (%v), want %v", x.rows, x.weights, got, err, x.want)
		}
	}
	if _, err := Mixture([]int{2, 0}, []float64{1, 1}); err == nil || !strings.Contains(err.Error(), "dataset 2") {
		t.Errorf("an empty part: %v", err)
	}
}

// TestMixedPlans: every epoch has each part's quota, close to it in every beginning; a part's rows all come before one
// comes again; and no micro-batch is larger than MaxTokens says.
func TestMixedPlans(t *testing.T) {
	for n := range 20 {
		r := rng.NewRand(7, "mixtures", uint64(n), 0)
		parts := make([]int, 1+r.Intn(4))
		weights := make([]float64, len(parts))
		var lengths []int32
		var part []int // of each row
		for i := range parts {
			parts[i], weights[i] = 1+r.Intn(60), 0.3+r.Float64()
			for range parts[i] {
				lengths, part = append(lengths, int32(1+r.Intn(100))), append(part, i)
			}
		}
		shares, err := Mixture(parts, weights)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []PlanOptions{{Rows: 3}, {Rows: 64}, {Rows: 3, Strategy: Sequential},
			{Rows: 4, Strategy: GroupByLength}, {Packing: true, Capacity: 150}} {
			o.Shares, o.Seed = shares, uint64(n)
			checkMixed(t, NewPlan(lengths, o), part, o)
		}
	}
}

func checkMixed(t *testing.T, plan *Plan, part []int, o PlanOptions) {
	t.Helper()
	seen := make([]int, len(part))
	for epoch := range 4 {
		batches := plan.Epoch(epoch)
		if !reflect.DeepEqual(batches, plan.Epoch(epoch)) {
			t.Fatalf("%+v, epoch %d: another order the second time", o, epoch)
		}
		given, k := make([]int, len(o.Shares)), 0
		for _, batch := range batches {
			tokens := 0
			for _, row := range batch {
				seen[row]++
				given[part[row]]++
				k++
				tokens += int(plan.lengths[row])
				for i, s := range o.Shares {
					ideal := float64(k) * float64(s.Quota) / float64(len(part))
					if off := float64(given[i]) - ideal; o.Strategy != GroupByLength && (off < -2 || off > 1) {
						t.Fatalf("%+v: %d of the first %d rows are of part %d", o, given[i], k, i)
					}
				}
			}
			if tokens > plan.MaxTokens() {
				t.Fatalf("%+v: %d tokens, MaxTokens %d", o, tokens, plan.MaxTokens())
			}
		}
		for i, s := range o.Shares {
			if given[i] != s.Quota {
				t.Fatalf("%+v, epoch %d: %d rows of part %d", o, epoch, given[i], i)
			}
		}
		for i := range o.Shares {
			var times []int
			for row, n := range seen {
				if part[row] == i {
					times = append(times, n)
				}
			}
			if slices.Max(times)-slices.Min(times) > 1 {
				t.Fatalf("%+v, epoch %d: rows of part %d came %v times", o, epoch, i, times)
			}
		}
	}
}
