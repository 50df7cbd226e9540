package model

import (
	"context"
	"slices"
	"testing"
)

func TestGenerate(t *testing.T) {
	m := testModel(t, testConfig(t))
	d, err := m.NewDecoder(testPool(t), DecoderOptions{Rows: 20})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r := Request{Prompt: []int32{1, 2, 3}, MaxNew: 8, Sampling: Sampling{Temperature: 1.5, Seed: 4}}
	var emitted []int32
	r.Emit = func(id int32) { emitted = append(emitted, id) }
	first, err := d.Answer(ctx, r)
	a := first.IDs
	if err != nil || first.Finish != FinishLength || len(a) != 8 || !slices.Equal(a, emitted) {
		t.Fatalf("%+v, emitted %v, error %v", first, emitted, err)
	}
	if b, _ := d.Answer(ctx, r); !slices.Equal(a, b.IDs) {
		t.Errorf("the same seed gave %v and %v", a, b.IDs)
	}
	r.Sampling.Seed = 5
	if b, _ := d.Answer(ctx, r); slices.Equal(a, b.IDs) {
		t.Errorf("another seed gave the same %v", b.IDs)
	}
	r.Sampling.Seed = 4
	r.Stop = a[3:4]
	at := slices.Index(a, a[3])
	if b, _ := d.Answer(ctx, r); b.Finish != FinishStop || !slices.Equal(b.IDs, a[:at]) {
		t.Errorf("stop at %d: %+v", a[3], b)
	}
	r.Stop, r.MaxNew = nil, 100
	// There are 20 positions: 3 + 17 read, one more predicted.
	if b, _ := d.Answer(ctx, r); b.Finish != FinishLength || len(b.IDs) != 18 {
		t.Errorf("without room: %+v", b)
	}
	r.MaxNew = 0
	if b, err := d.Answer(ctx, r); b.Finish != FinishLength || len(b.IDs) != 0 || err != nil {
		t.Errorf("no token: %+v, %v", b, err)
	}
	r.MaxNew = 100
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if b, err := d.Answer(cancelled, r); b.Finish != FinishCancel || err != nil {
		t.Errorf("cancelled: %+v, %v", b, err)
	}
	for _, bad := range [][]int32{{50}, {-1}, {}, make([]int32, 21)} {
		r.Prompt = bad
		if _, err := d.Answer(ctx, r); err == nil {
			t.Errorf("prompt %v was read", bad)
		}
	}
}
