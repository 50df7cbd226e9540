package coach

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"instruct/data"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

// okRows are n rows of which every second one is long.
func okRows(n int) []data.Row {
	var rows []data.Row
	for i := range n {
		answer := "ok"
		if i%2 > 0 {
			answer = "oook"
		}
		messages := append(untrained(asked(fmt.Sprint("q", i))), chat.Message{Role: "assistant", Content: answer})
		rows = append(rows, data.Row{Source: fmt.Sprint("row ", i), Messages: messages})
	}
	return rows
}

// TestRows: rows alone are trained for so many steps as their number asks for, beside what is kept, and the same round
// has the same bits.
func TestRows(t *testing.T) {
	var hash string
	for range 2 {
		m, pool := tiny(t)
		o := options()
		o.Rows, o.Passes = 2, 12
		l := Lesson{Rows: okRows(5), Kept: others(t, m, pool)}
		got, err := Teach(t.Context(), m, pool, l, o, t.Logf)
		if err != nil {
			t.Fatal(err)
		}
		if got.Steps != 30 || got.Tries != 1 || got.Rows != 5 || got.Kept != 2 || got.Share != 1 {
			t.Errorf("%+v", got)
		}
		s, err := m.NewSession(pool, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		a, err := s.Answer(t.Context(), asked("q1"), pretrained.Decoding{MaxNew: 8})
		if err != nil || a.Text != "ok" && a.Text != "oook" {
			t.Errorf("after rows that say ok the model says %q (%v)", a.Text, err)
		}
		now := m.WeightsHash()
		if hash != "" && now != hash {
			t.Error("the same round has other bits")
		}
		hash = now
	}
}

// TestRowsBesideCorrections: both are learned, and nothing goes back.
func TestRowsBesideCorrections(t *testing.T) {
	m, pool := tiny(t)
	l := lesson()
	l.Rows = okRows(4)
	got, err := Teach(t.Context(), m, pool, l, options(), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	if got.Right != 2 || got.Rows != 4 || got.Share != 1 || got.Steps < 20 {
		t.Errorf("%+v", got)
	}
}

// TestRowBatches: the rows of a step come in micro-batches that are no longer than they may be, each row once in a
// pass, with weights that add up to 1, and a step's divisors add up to 1.
func TestRowBatches(t *testing.T) {
	s := &steps{options: Options{Rows: 3, Passes: 2, Seed: 5}}
	for i := range 5 {
		n := most/2 - 10*i
		e := data.Example{IDs: make([]int32, n+1), Mask: make([]bool, n+1)}
		for j := range i + 2 {
			e.Mask[n-j] = true
		}
		e.IDs[0] = int32(i) // no prefix is shared
		s.extra.rows = append(s.extra.rows, e)
	}
	if got := s.length(0); got != 4 {
		t.Errorf("2 passes over 5 rows, 3 a step: %d steps", got)
	}
	var seen []int
	for range 5 {
		total, divisor, batches := 0.0, 0.0, 0
		if err := s.prepare(); err != nil {
			t.Fatal(err)
		}
		for b := range s.Next() {
			divisor += sum{s}.Divisor(b)
			batches++
			if len(b.Tokens) > s.extra.capacity() {
				t.Errorf("%d positions, more than %d", len(b.Tokens), s.extra.capacity())
			}
			for _, w := range b.Weights {
				total += float64(w)
			}
			for _, row := range b.Rows {
				if row >= 0 {
					seen = append(seen, row)
				}
			}
		}
		if batches != 2 || math.Abs(total-1) > 1e-5 || divisor != 1 {
			t.Errorf("%d micro-batches, weights that add up to %v, divisors to %v", batches, total, divisor)
		}
	}
	for pass := range 3 {
		part := slices.Sorted(slices.Values(seen[5*pass:][:5]))
		if !slices.Equal(part, []int{0, 1, 2, 3, 4}) {
			t.Errorf("pass %d takes %v", pass, part)
		}
	}
}
