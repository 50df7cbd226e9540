package data

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"instruct/model/kernel/rng"
)

// randomLengths are many short rows and some long ones.
func randomLengths(r *rng.Rand) []int32 {
	lengths := make([]int32, r.Intn(200))
	for i := range lengths {
		lengths[i] = int32(1 + r.Intn(1+r.Intn(300)))
	}
	return lengths
}

// No plan loses or doubles a row, holds its bounds, and depends on anything but its options and the epoch.
func TestPlans(t *testing.T) {
	for n := range 25 {
		r := rng.NewRand(6, "lengths", uint64(n), 0)
		lengths := randomLengths(&r)
		for _, strategy := range []string{"", Random, Sequential, GroupByLength} {
			for _, o := range []PlanOptions{
				{Rows: 1},
				{Rows: 7},
				{Rows: 1000},
				{Packing: true, Capacity: 1},
				{Packing: true, Capacity: 150},
				{Packing: true, Capacity: 1 << 20},
			} {
				o.Strategy, o.Seed = strategy, uint64(n)
				plan := NewPlan(lengths, o)
				for epoch := range 3 {
					checkEpoch(t, plan, lengths, o, epoch)
				}
			}
		}
	}
}

func checkEpoch(t *testing.T, plan *Plan, lengths []int32, o PlanOptions, epoch int) {
	t.Helper()
	batches := plan.Epoch(epoch)
	if again := NewPlan(lengths, o).Epoch(epoch); !reflect.DeepEqual(batches, again) {
		t.Fatalf("%+v, epoch %d: another order the second time", o, epoch)
	}
	seen := make([]int, len(lengths))
	for i, batch := range batches {
		tokens := 0
		for _, row := range batch {
			seen[row]++
			tokens += int(lengths[row])
		}
		switch {
		case len(batch) == 0:
			t.Fatalf("%+v: an empty micro-batch", o)
		case tokens > plan.MaxTokens():
			t.Fatalf("%+v: a micro-batch of %d positions, more than MaxTokens %d", o, tokens, plan.MaxTokens())
		case o.Packing && tokens > o.Capacity && len(batch) > 1:
			t.Fatalf("%+v: %d positions in a micro-batch", o, tokens)
		case o.Packing && i+1 < len(batches) && tokens+int(lengths[batches[i+1][0]]) <= o.Capacity:
			t.Fatalf("%+v: the next row would have fitted", o)
		case !o.Packing && len(batch) != o.Rows && i+1 < len(batches):
			t.Fatalf("%+v: %d rows in a micro-batch", o, len(batch))
		}
	}
	for row, count := range seen {
		if count != 1 {
			t.Fatalf("%+v, epoch %d: row %d occurs %d times", o, epoch, row, count)
		}
	}
	order := slices.Concat(batches...)
	if o.Strategy == Sequential && !slices.IsSorted(order) {
		t.Fatalf("%+v: not in sequence", o)
	}
	if o.Strategy == GroupByLength && len(order) > 0 && lengths[order[0]] != slices.Max(lengths) {
		t.Fatalf("%+v: the longest row does not come first", o)
	}
}

func TestOrders(t *testing.T) {
	lengths := make([]int32, 100)
	for i := range lengths {
		lengths[i] = int32(1 + i)
	}
	orders := map[string]bool{}
	for _, seed := range []uint64{1, 2} {
		for epoch := range 3 {
			order := fmt.Sprint(NewPlan(lengths, PlanOptions{Rows: 1, Seed: seed}).Epoch(epoch))
			if orders[order] {
				t.Errorf("seed %d, epoch %d has the order of another", seed, epoch)
			}
			orders[order] = true
		}
	}
	// Rows of about one length stand together: with 50 micro-batches of two rows all 100 are sorted.
	for _, batch := range NewPlan(lengths, PlanOptions{Rows: 2, Strategy: GroupByLength}).Epoch(0) {
		if d := batch[0] - batch[1]; d != 1 {
			t.Errorf("rows %v stand together", batch)
		}
	}
	// A shuffle puts every row everywhere: its mean place is about the middle.
	places := make([]int, len(lengths))
	for epoch := range 200 {
		for at, row := range slices.Concat(NewPlan(lengths, PlanOptions{Rows: 1}).Epoch(epoch)...) {
			places[row] += at
		}
	}
	for row, sum := range places {
		if mean := float64(sum) / 200; mean < 38 || mean > 61 { // 49.5 with a deviation of 2
			t.Errorf("row %d stands at %.1f on average", row, mean)
		}
	}
}

func TestMaxTokens(t *testing.T) {
	lengths := []int32{5, 1, 9, 2}
	tests := []struct {
		o    PlanOptions
		want int
	}{
		{PlanOptions{Rows: 2}, 14},
		{PlanOptions{Rows: 2, Strategy: Sequential}, 11},
		{PlanOptions{Rows: 99}, 17},
		{PlanOptions{Packing: true, Capacity: 10}, 10},
		{PlanOptions{Packing: true, Capacity: 6}, 9},
		{PlanOptions{Packing: true, Capacity: 100}, 17},
	}
	for _, test := range tests {
		if got := NewPlan(lengths, test.o).MaxTokens(); got != test.want {
			t.Errorf("%+v: %d, want %d", test.o, got, test.want)
		}
	}
	if got := NewPlan(nil, PlanOptions{Rows: 2}).MaxTokens(); got != 0 {
		t.Errorf("no rows: %d", got)
	}
}

func TestPlanOptions(t *testing.T) {
	tests := []struct {
		o    PlanOptions
		want string
	}{
		{PlanOptions{Rows: 1, Strategy: "shuffled"},
			`train_sampling_strategy "shuffled" is unknown; use random, sequential or group_by_length`},
		{PlanOptions{}, "per_device_train_batch_size must be at least 1"},
		{PlanOptions{Rows: 4, Packing: true}, "packing needs a capacity"},
	}
	for _, test := range tests {
		if err := test.o.Validate(); err == nil || !strings.Contains(err.Error(), test.want) || !isUserError(err) {
			t.Errorf("%+v: %v", test.o, err)
		}
	}
	if err := (PlanOptions{Rows: 1}).Validate(); err != nil {
		t.Error(err)
	}
}
