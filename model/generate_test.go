package model

import (
	"context"
	"slices"
	"testing"
)

func TestSampler(t *testing.T) {
	logits := []float32{1, 3, 2, -1, 3}
	draw := func(s Sampling, n int) map[int32]int {
		got := map[int32]int{}
		for i := range n {
			sm := sampler{Sampling: s, seen: make([]bool, len(logits))}
			got[sm.next(slices.Clone(logits), i)]++
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
	s := sampler{Sampling: Sampling{RepetitionPenalty: 2}, seen: []bool{false, true, false, true, true}}
	l := slices.Clone(logits)
	if got := s.next(l, 0); got != 2 {
		t.Errorf("repetition penalty: token %d, want 2 (logits %v)", got, l)
	}
	if l[3] != -2 || l[1] != 1.5 || l[0] != 1 {
		t.Errorf("repetition penalty: logits %v", l)
	}
	for _, bad := range []Sampling{{Temperature: -1}, {TopK: -1}, {TopP: 2}, {RepetitionPenalty: -1}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is valid", bad)
		}
	}
}

func TestGenerate(t *testing.T) {
	m := testModel(t, testConfig(t))
	d, err := m.NewDecoder(testPool(t), 20)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r := Request{Prompt: []int32{1, 2, 3}, MaxNew: 8, Sampling: Sampling{Temperature: 1.5, Seed: 4}}
	var emitted []int32
	r.Emit = func(id int32) { emitted = append(emitted, id) }
	a, finish, err := d.Generate(ctx, r)
	if err != nil || finish != FinishLength || len(a) != 8 || !slices.Equal(a, emitted) {
		t.Fatalf("ids %v, emitted %v, finish %s, error %v", a, emitted, finish, err)
	}
	if b, _, _ := d.Generate(ctx, r); !slices.Equal(a, b) {
		t.Errorf("the same seed gave %v and %v", a, b)
	}
	r.Sampling.Seed = 5
	if b, _, _ := d.Generate(ctx, r); slices.Equal(a, b) {
		t.Errorf("another seed gave the same %v", b)
	}
	r.Sampling.Seed = 4
	r.Stop = a[3:4]
	at := slices.Index(a, a[3])
	if b, finish, _ := d.Generate(ctx, r); finish != FinishStop || !slices.Equal(b, a[:at]) {
		t.Errorf("stop at %d: %v, %s", a[3], b, finish)
	}
	r.Stop, r.MaxNew = nil, 100
	// There are 20 positions: 3 + 17 read, one more predicted.
	if b, finish, _ := d.Generate(ctx, r); finish != FinishLength || len(b) != 18 {
		t.Errorf("without room: %d ids, %s", len(b), finish)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, finish, err := d.Generate(cancelled, r); finish != FinishCancel || err != nil {
		t.Errorf("cancelled: %s, %v", finish, err)
	}
	r.Prompt = []int32{50}
	if _, _, err := d.Generate(ctx, r); err == nil {
		t.Error("a token outside the vocabulary was read")
	}
}
