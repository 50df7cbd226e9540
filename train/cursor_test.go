package train

import (
	"encoding/json"
	"slices"
	"testing"

	"instruct/data"
)

// stored keeps examples in a file.
func stored(t *testing.T, examples []data.Example) *data.Store {
	t.Helper()
	s := &data.Store{Dir: t.TempDir(), Memory: 1}
	t.Cleanup(func() { s.Close() })
	for i := range examples {
		if err := s.Add(&examples[i]); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// twoEpochs plans rows of unequal lengths so that steps of two micro-batches do not divide an epoch.
func twoEpochs(t *testing.T) (*data.Store, *data.Plan, [][]int) {
	t.Helper()
	var examples []data.Example
	for i := range 13 {
		e := data.Example{Row: i, IDs: make([]int32, i%5+2), Mask: make([]bool, i%5+2)}
		for j := range e.IDs {
			e.IDs[j] = int32(100*i + j)
			e.Mask[j] = j > 0
		}
		examples = append(examples, e)
	}
	plan := data.NewPlan(data.Lengths(examples), data.PlanOptions{Rows: 3, Strategy: data.Random, Seed: 7})
	batches := slices.Concat(plan.Epoch(0), plan.Epoch(1))
	if len(batches) != 10 || slices.Equal(batches[0], batches[5]) {
		t.Fatalf("the plan is no test: %v", batches)
	}
	return stored(t, examples), plan, batches
}

// take gives the rows of the micro-batches of so many steps.
func take(c *Cursor, steps int) (rows [][]int) {
	for range steps {
		for b := range c.Next() {
			rows = append(rows, slices.Clone(b.Rows))
		}
	}
	return rows
}

func TestCursorFollowsThePlan(t *testing.T) {
	examples, plan, want := twoEpochs(t)
	c := NewCursor(examples, plan, 2, false)
	equalBatches(t, take(c, 6), want) // steps of 2, 2 and 1 micro-batches, twice
	if c.Place != (Place{Epoch: 2}) {
		t.Errorf("after two epochs the cursor stands at %+v", c.Place)
	}
	var got, tokens []int32
	for b := range c.Next() {
		got = slices.Clone(b.Tokens)
	}
	for _, row := range plan.Epoch(2)[1] {
		e, err := examples.Example(row)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, e.IDs[:e.Inputs()]...)
	}
	if !slices.Equal(got, tokens) {
		t.Errorf("the second micro-batch of the third epoch has the tokens %v, want %v", got, tokens)
	}
}

// TestCursorGoesOnFromItsPlace: a place that was written and read again gives the micro-batches that were left,
// wherever it was taken.
func TestCursorGoesOnFromItsPlace(t *testing.T) {
	examples, plan, want := twoEpochs(t)
	for steps, used := range []int{0, 2, 4, 5, 7, 9, 10} {
		first := NewCursor(examples, plan, 2, false)
		equalBatches(t, take(first, steps), want[:used])
		text, err := json.Marshal(first.Place)
		if err != nil {
			t.Fatal(err)
		}
		second := NewCursor(examples, plan, 2, false)
		take(second, 1) // it may have stood elsewhere before
		if err := json.Unmarshal(text, &second.Place); err != nil {
			t.Fatal(err)
		}
		equalBatches(t, take(second, 6-steps), want[used:])
	}
}

// TestCursorStoppedInAStep: a step that was not finished is given again as a whole.
func TestCursorStoppedInAStep(t *testing.T) {
	examples, plan, want := twoEpochs(t)
	c := NewCursor(examples, plan, 2, false)
	take(c, 1)
	before := c.Place
	for range c.Next() {
		break
	}
	if c.Place != before {
		t.Errorf("the cursor moved from %+v to %+v", before, c.Place)
	}
	equalBatches(t, take(c, 1), want[2:4])
}

func TestCursorPasses(t *testing.T) {
	examples, plan, _ := twoEpochs(t)
	c := NewCursor(examples, plan, 2, false)
	for steps, want := range []float64{0, 2. / 5, 4. / 5, 1, 1 + 2./5, 1 + 4./5, 2} {
		if got := c.Passes(); got != want {
			t.Errorf("after %d steps %v passes, want %v", steps, got, want)
		}
		if starts := steps%3 == 0; c.EpochStarts() != starts {
			t.Errorf("after %d steps an epoch starts: %v, want %v", steps, c.EpochStarts(), starts)
		}
		take(c, 1)
	}
}

func equalBatches(t *testing.T, got, want [][]int) {
	t.Helper()
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("the micro-batches are %v, want %v", got, want)
	}
}
