package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"instruct/model/kernel"
	"instruct/model/kernel/rng"
)

// testRequests are prompts of 1 to 300 tokens, some of which begin alike, with answers of up to 14 tokens.
func testRequests(n int, temperature float64) []Request {
	r := rng.NewRand(5, "requests", 0, 0)
	random := func(n int) []int32 {
		ids := make([]int32, n)
		for i := range ids {
			ids[i] = int32(r.Intn(50))
		}
		return ids
	}
	beginnings := [][]int32{nil, random(40), random(7), random(100)}
	beginnings = append(beginnings, slices.Concat(beginnings[1], random(30)))
	requests := make([]Request, n)
	for i := range requests {
		length := 1 + r.Intn(40)
		if r.Intn(20) == 0 {
			length = 200 + r.Intn(100)
		}
		requests[i] = Request{
			Prompt: slices.Concat(beginnings[r.Intn(len(beginnings))], random(length)), MaxNew: 1 + r.Intn(14),
			Stop: []int32{int32(r.Intn(50))}, Sampling: Sampling{Temperature: temperature, Seed: uint64(i % 3)},
		}
	}
	return requests
}

// testCount is few in the short form, which the race detector runs too.
func testCount(n int) int {
	if testing.Short() {
		return 15
	}
	return n
}

// source gives requests; it also says "not now", at random, while others are being answered.
func source(requests []Request, seed uint64) func(idle bool) (Request, bool) {
	r := rng.NewRand(seed, "source", 0, 0)
	at := 0
	return func(idle bool) (q Request, ok bool) {
		if at == len(requests) || !idle && r.Intn(3) == 0 {
			return q, false
		}
		at++
		return requests[at-1], true
	}
}

// answerAll answers requests together.
func answerAll(t *testing.T, d *Decoder, requests []Request, seed uint64) []Answer {
	t.Helper()
	answers := make([]Answer, len(requests))
	err := d.Generate(t.Context(), source(requests, seed), func(a Answer) error {
		if answers[a.Index].Finish != "" {
			t.Errorf("answer %d came twice", a.Index)
		}
		answers[a.Index] = a
		checkCache(t, d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

// checkCache makes sure that runs do not lie on one another and that nobody uses what nobody should.
func checkCache(t *testing.T, d *Decoder) {
	t.Helper()
	end := 0
	for _, r := range d.cache.runs {
		if r.start < end || r.read > len(r.ids) || r.read > r.room {
			t.Fatalf("run of rows %d to %d, %d read, behind row %d", r.start, r.start+r.room, r.read, end)
		}
		end = r.start + r.room
		users := 0
		for _, s := range d.active {
			for x := s.run; x != &d.cache.root; x = x.parent {
				if x == r {
					users++
				}
			}
		}
		if users != r.users {
			t.Fatalf("%d sequences use a run, it says %d", users, r.users)
		}
	}
	if end > d.cache.rows.Rows() {
		t.Fatalf("runs reach to row %d of %d", end, d.cache.rows.Rows())
	}
}

func newDecoder(t testing.TB, m *Model, o DecoderOptions) *Decoder {
	t.Helper()
	d, err := m.NewDecoder(testPool(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// alone answers each request with an empty cache.
func alone(t *testing.T, m *Model, requests []Request) []Answer {
	t.Helper()
	d := newDecoder(t, m, DecoderOptions{})
	answers := make([]Answer, len(requests))
	for i, r := range requests {
		var err error
		if answers[i], err = d.Answer(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		d.cache.forget()
	}
	return answers
}

func sameAnswers(t *testing.T, what string, got, want []Answer) {
	t.Helper()
	for i := range want {
		if !slices.Equal(got[i].IDs, want[i].IDs) || got[i].Finish != want[i].Finish {
			t.Fatalf("%s: answer %d is %v (%s), alone %v (%s)", what, i, got[i].IDs, got[i].Finish, want[i].IDs,
				want[i].Finish)
		}
	}
}

// TestManyAtOnce: an answer has the ids that it has alone, whatever else is answered at the same time and wherever its
// tokens lie in the cache.
func TestManyAtOnce(t *testing.T) {
	count := testCount(200)
	configs := testConfigs(t)
	cases := []struct {
		name  string
		dtype kernel.DType
	}{{"mistral", kernel.F32}, {"gpt2", kernel.Q8_0}, // with a window, with learned positions
		{"qwen3", kernel.F32}, {"qwen3", kernel.BF16}, {"qwen3", kernel.Q8_0}, {"gemma3_text", kernel.Q8_0},
		{"qwen3", kernel.Q4_0}, {"gpt2", kernel.Q4_0},
		{"gpt2", kernel.F32}}
	if testing.Short() { // the portable kernels under the race detector
		cases = cases[:2]
	}
	for _, tt := range cases {
		for _, temperature := range []float64{0, 0.8} {
			t.Run(fmt.Sprintf("%s/%v/temperature=%g", tt.name, tt.dtype, temperature), func(t *testing.T) {
				m := testModelIn(t, configs[tt.name], tt.dtype)
				requests := testRequests(count, temperature)
				want := alone(t, m, requests)
				for i, o := range []DecoderOptions{{}, {Sequences: 7}, {Sequences: 16}, {Sequences: 16, Rows: 600},
					{Sequences: 5, Rows: 2000}} {
					got := answerAll(t, newDecoder(t, m, o), requests, uint64(i))
					sameAnswers(t, fmt.Sprintf("%+v", o), got, want)
				}
			})
		}
	}
}

// testModelIn is testModel with its matrices in that format.
func testModelIn(t testing.TB, c Config, d kernel.DType) *Model {
	t.Helper()
	m, err := Outline(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.AllocateIn(d); err != nil {
		t.Fatal(err)
	}
	m.Init(1)
	return m
}

// TestCancelInTheMiddle: what was not finished is given as far as it is, and the decoder answers on.
func TestCancelInTheMiddle(t *testing.T) {
	m := testModel(t, testConfigs(t)["qwen3"])
	requests := testRequests(testCount(60), 0.8)
	want := alone(t, m, requests)
	d := newDecoder(t, m, DecoderOptions{Sequences: 7})
	for _, after := range []int{0, 1, 20, 50} {
		ctx, cancel := context.WithCancel(t.Context())
		n, asked := 0, slices.Clone(requests)
		for i := range asked {
			asked[i].Emit = func(int32) {
				if n++; n >= after {
					cancel()
				}
			}
		}
		if after == 0 {
			cancel()
		}
		err := d.Generate(ctx, source(asked, 1), func(a Answer) error {
			whole := want[a.Index]
			if a.Finish == FinishCancel && (len(a.IDs) > len(whole.IDs) || !slices.Equal(a.IDs, whole.IDs[:len(a.IDs)])) ||
				a.Finish != FinishCancel && !slices.Equal(a.IDs, whole.IDs) {
				t.Errorf("answer %d is %v (%s), alone %v", a.Index, a.IDs, a.Finish, whole.IDs)
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
		checkCache(t, d)
		cancel()
	}
	sameAnswers(t, "after all", answerAll(t, d, requests, 2), want)

	stop := errors.New("stop")
	if err := d.Generate(t.Context(), source(requests, 3), func(Answer) error { return stop }); err != stop {
		t.Errorf("error of done: %v", err)
	}
	sameAnswers(t, "after an error", answerAll(t, d, requests, 4), want)
}

// TestMistakesAmongGoodRequests: a request that cannot be answered has an error of its own.
func TestMistakesAmongGoodRequests(t *testing.T) {
	m := testModel(t, testConfigs(t)["qwen3"])
	requests := testRequests(30, 0)
	want := alone(t, m, requests)
	bad := map[int]Request{0: {Prompt: make([]int32, 600)}, 7: {Prompt: []int32{50}}, 8: {},
		20: {Prompt: []int32{1}, Sampling: Sampling{TopP: 2}}}
	for i, r := range bad {
		requests[i] = r
	}
	got := answerAll(t, newDecoder(t, m, DecoderOptions{Sequences: 7}), requests, 1)
	for i := range got {
		_, wrong := bad[i]
		var user interface{ UserError() bool }
		if wrong != errors.As(got[i].Err, &user) {
			t.Errorf("answer %d: error %v", i, got[i].Err)
		}
		if wrong {
			got[i], want[i] = Answer{}, Answer{}
		}
	}
	sameAnswers(t, "the others", got, want)
}

// TestCommonBeginnings: what several prompts begin with is read once, and so is what a conversation had before.
func TestCommonBeginnings(t *testing.T) {
	m := testModel(t, testConfigs(t)["qwen3"])
	d := newDecoder(t, m, DecoderOptions{Sequences: 16})
	common := testBatch(50, 330).Tokens
	var requests []Request
	for i := range 16 {
		requests = append(requests, Request{Prompt: append(slices.Clone(common), int32(i), int32(i+1)), MaxNew: 3})
	}
	want := alone(t, m, requests)
	sameAnswers(t, "common beginning", answerAll(t, d, requests, 1), want)
	rows := 0
	for _, r := range d.cache.runs {
		rows += r.read
	}
	if most := 330 + 16*4; rows > most {
		t.Errorf("the cache holds %d rows of 16 prompts, want at most %d", rows, most)
	}

	d = newDecoder(t, m, DecoderOptions{})
	prompt := common[:20]
	for turn := range 20 {
		_, _, held := d.cache.match(prompt, 0)
		if turn > 0 && held != len(prompt)-4 { // the answer's last token was not read, and three are new
			t.Errorf("turn %d: %d of %d tokens are in the cache", turn, held, len(prompt))
		}
		a, err := d.Answer(t.Context(), Request{Prompt: prompt, MaxNew: 6})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(d.cache.place(nil, d.cache.runs[len(d.cache.runs)-1])); n != 1 {
			t.Errorf("turn %d: the conversation lies in %d pieces", turn, n)
		}
		prompt = slices.Concat(prompt, a.IDs, []int32{1, 2, 3})
	}
}

// TestOldestIsForgotten: a cache that is full forgets what was not used for the longest time.
func TestOldestIsForgotten(t *testing.T) {
	d := newDecoder(t, testModel(t, testConfigs(t)["qwen3"]), DecoderOptions{Rows: 100})
	prompts := [3][]int32{}
	for i := range prompts {
		prompts[i] = testBatch(50, 40+i).Tokens
		prompts[i][0] = int32(i)
	}
	for _, i := range []int{0, 1, 0, 2} {
		if _, err := d.Answer(t.Context(), Request{Prompt: prompts[i], MaxNew: 1}); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []bool{true, false, true} {
		if _, _, held := d.cache.match(prompts[i], 0); held > 0 != want {
			t.Errorf("prompt %d: %d tokens are held", i, held)
		}
	}
}

// TestStepAllocatesLittle: a step allocates what Gorgonia's machine does, however many sequences there are.
func TestStepAllocatesLittle(t *testing.T) {
	m := testModel(t, testConfigs(t)["qwen3"])
	allocations := func(n int) float64 {
		d := newDecoder(t, m, DecoderOptions{Sequences: n})
		for i := range n {
			s, err := d.begin(Request{Prompt: []int32{int32(i), 1, 2}, MaxNew: 200, Sampling: Sampling{Temperature: 0.8}})
			if err != nil || !d.enter(s) {
				t.Fatal(err)
			}
		}
		step := func() {
			if err := d.step(); err != nil {
				t.Fatal(err)
			}
			d.choose.run()
			for _, row := range d.choose.rows {
				d.take(row.s)
			}
		}
		step()
		return testing.AllocsPerRun(100, step)
	}
	one, many := allocations(1), allocations(16)
	t.Logf("%g allocations in a step of 1 sequence, %g of 16", one, many)
	if many > one+2 {
		t.Errorf("%g allocations in a step of 1 sequence, %g of 16", one, many)
	}
}
