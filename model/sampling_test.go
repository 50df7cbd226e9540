package model

import (
	"testing"

	"instruct/model/kernel/rng"
)

func TestSampler(t *testing.T) {
	logits := []float32{1, 3, 2, -1, 3}
	var c candidates
	draw := func(s Sampling, n int) map[int32]int {
		got := map[int32]int{}
		for i := range n {
			got[c.next(&Request{Sampling: s}, logits, nil, i)]++
		}
		return got
	}
	if got := draw(Sampling{}, 3); got[1] != 3 {
		t.Errorf("greedy: %v, want the lowest of the equal best", got)
	}
	all := draw(Sampling{Temperature: 1}, 4000)
	softmax := map[int32]float64{0: 0.0537, 1: 0.3966, 2: 0.1459, 3: 0.0073, 4: 0.3966}
	for id, want := range softmax {
		if got := float64(all[id]) / 4000; got < want-0.03 || got > want+0.03 {
			t.Errorf("temperature 1: token %d in %.3f of the draws, want %.3f", id, got, want)
		}
	}
	if got := draw(Sampling{Temperature: 1, TopK: 2}, 300); got[1]+got[4] != 300 || got[1] == 0 || got[4] == 0 {
		t.Errorf("top-k 2: %v", got)
	}
	if got := draw(Sampling{Temperature: 1, TopP: 0.7}, 300); got[1]+got[4] != 300 {
		t.Errorf("top-p 0.7: %v", got)
	}
	if got := draw(Sampling{Temperature: 1, TopP: 0.39}, 300); got[1] != 300 {
		t.Errorf("top-p 0.39: %v", got)
	}
	s, seen := Sampling{RepetitionPenalty: 2}, []bool{false, true, false, true, true}
	if got := c.next(&Request{Sampling: s}, logits, seen, 0); got != 2 {
		t.Errorf("repetition penalty: token %d, want 2 (logits %v)", got, c.changed)
	}
	l := c.changed
	if l[3] != -2 || l[1] != 1.5 || l[0] != 1 {
		t.Errorf("repetition penalty: logits %v", l)
	}
	for _, bad := range []Sampling{{Temperature: -1}, {TopK: -1}, {TopP: 2}, {RepetitionPenalty: -1}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is valid", bad)
		}
	}
}

// TestChoiceIsThatOfSorting: the shortcuts choose what sorting the whole vocabulary does.
func TestChoiceIsThatOfSorting(t *testing.T) {
	r := rng.NewRand(9, "choice", 0, 0)
	var fast, slow candidates
	shortcuts, total := 0, 0
	for _, vocab := range []int{1, 5, 300, 5000} {
		logits := make([]float32, vocab)
		for round := range 300 {
			spread := []float64{0, 0.5, 3, 10, 200}[round%5]
			for i := range logits {
				logits[i] = float32(r.Normal() * spread)
				if round%3 == 0 { // equal ones
					logits[i] = float32(int(logits[i]))
				}
			}
			s := Sampling{Temperature: []float64{0.01, 0.8, 1, 3}[r.Intn(4)], TopK: []int{0, 0, 1, 40, 4000}[r.Intn(5)],
				TopP: []float64{0, 1, 0.1, 0.9, 0.999}[r.Intn(5)]}
			u := r.Float64()
			slow.sort(logits, s.TopK)
			if got, want := fast.choose(&s, logits, u), slow.draw(&s, u); got != want {
				t.Fatalf("%+v, %d tokens, spread %g: token %d, sorted %d", s, vocab, spread, got, want)
			}
			total++
			if len(fast.order) < vocab {
				shortcuts++
			}
		}
	}
	t.Logf("%d of %d by a shortcut", shortcuts, total)
	if shortcuts < total/4 {
		t.Errorf("only %d of %d were chosen by a shortcut", shortcuts, total)
	}
}

// TestOnlyAllowed: a token that is not allowed is never chosen, however it is sampled, and the others are as likely as
// they would be without it.
func TestOnlyAllowed(t *testing.T) {
	logits := make([]float32, 200)
	for i := range logits {
		logits[i] = float32(i % 7)
	}
	logits[3], logits[64], logits[130] = 30, 12, 11
	allowed := make([]uint64, 3) // shorter than the vocabulary: what has no bit is not allowed
	allowed[1], allowed[2] = 1, 1<<2
	var c candidates
	for _, s := range []Sampling{{}, {Temperature: 1}, {Temperature: 1e-8}, {Temperature: 1e6}, {Temperature: 1, TopK: 50},
		{Temperature: 1, TopP: 0.9}, {Temperature: 1, RepetitionPenalty: 1.5}, {Temperature: 2, TopK: 1}} {
		seen := make([]bool, len(logits))
		seen[3] = true
		got := map[int32]int{}
		for i := range 2000 {
			r := Request{Sampling: s, Bias: map[int32]float32{3: 100}, Allowed: func() []uint64 { return allowed }}
			got[c.next(&r, logits, seen, i)]++
		}
		if got[64]+got[130] != 2000 || got[64] == 0 {
			t.Errorf("%+v: %v", s, got)
		}
		if share := float64(got[64]) / 2000; s == (Sampling{Temperature: 1}) && (share < 0.70 || share > 0.76) {
			t.Errorf("token 64 in %.3f of the draws, want 0.731", share)
		}
	}
	forbid(logits, []uint64{})
	if c.sort(logits, 5); len(c.order) != 1 {
		t.Errorf("with nothing left: %v", c.order)
	}
}
