package coach

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
)

// tiny is a model that knows nothing.
func tiny(t *testing.T) (*pretrained.Model, *kernel.Pool) {
	t.Helper()
	m, err := pretrained.Make(pretrained.Scratch{Path: "tiny", Tokenizer: tokenizer.Bytes(chat.LessonsTokens()...),
		ChatTemplate: "lessons",
		Config:       []byte(`{"model_type":"gpt2","n_embd":32,"n_layer":2,"n_head":2,"n_positions":64}`)})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.ReadWeights(kernel.F32); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	pool := kernel.NewPool(2)
	t.Cleanup(pool.Close)
	return m, pool
}

func quiet(int, int) {}

func asked(text string) []chat.Message { return []chat.Message{{Role: "user", Content: text}} }

// lesson is two corrections and two other prompts.
func lesson() Lesson {
	one := data.NewCorrection(asked("ab"), "x", "?", time.Unix(0, 0))
	one.Paraphrases = []string{"abc"}
	one.Near = []string{"abd"}
	return Lesson{New: []data.Correction{one, data.NewCorrection(asked("cd"), "yz", "?", time.Unix(0, 0))}}
}

// others are answers to two other prompts.
func others(t *testing.T, m *pretrained.Model, pool *kernel.Pool) []Kept {
	t.Helper()
	kept, err := ask(t.Context(), m, pool, [][]chat.Message{asked("ef"), asked("gh")}, options(), quiet)
	if err != nil || len(kept) != 2 {
		t.Fatal(len(kept), err)
	}
	return kept
}

func options() Options {
	o := Default()
	o.LearningRate, o.Steps, o.Tries, o.KeptTokens, o.NearTokens = 1e-2, 20, 3, 6, 4
	return o
}

// TestTeach teaches a model that knows nothing: the corrections decode as they are wanted, the weights lie between
// those of before and of after, and the same round has the same bits.
func TestTeach(t *testing.T) { testTeach(t, options()) }

// TestTeachAdapter: the same by an adapter, which is part of the weights afterwards.
func TestTeachAdapter(t *testing.T) {
	o := options()
	o.LoRAR, o.LearningRate, o.Frozen = 16, 3e-2, 0
	testTeach(t, o)
}

func testTeach(t *testing.T, o Options) {
	t.Helper()
	var hash string
	for i := range 2 {
		m, pool := tiny(t)
		before := m.WeightsHash()
		l := lesson()
		l.Kept = others(t, m, pool)
		got, err := Teach(t.Context(), m, pool, l, o, t.Logf)
		if err != nil {
			t.Fatal(err)
		}
		if got.Right != 2 || got.Kept != 3 || len(got.Near) != 1 || got.Share <= 0 || got.Share > 1 {
			t.Errorf("%+v", got)
		}
		s, err := m.NewSession(pool, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for prompt, want := range map[string]string{"ab": "x", "cd": "yz"} {
			a, err := s.Answer(t.Context(), asked(prompt), pretrained.Decoding{MaxNew: 8})
			if err != nil || a.Text != want {
				t.Errorf("%q is answered %q (%v), want %q", prompt, a.Text, err, want)
			}
		}
		if m.Adapter() != nil || len(m.Trained()) == 0 {
			t.Error("the adapter is still there")
		}
		switch now := m.WeightsHash(); {
		case now == before:
			t.Error("nothing was trained")
		case i == 0:
			hash = now
		case now != hash:
			t.Error("the same round has other bits")
		}
	}
}

// TestBatch: the weights of a step's batch are means over tokens, and the distributions stand where the answers' tokens
// are predicted.
func TestBatch(t *testing.T) {
	for _, weights := range [][kinds]float64{{1, 3, 2}, {1, 3, 0}} {
		testBatch(t, weights)
	}
}

func testBatch(t *testing.T, want [kinds]float64) {
	t.Helper()
	m, pool := tiny(t)
	l, o := lesson(), options()
	o.KeptWeight, o.NearWeight = want[stays], want[nearby]
	l.Kept = others(t, m, pool)
	near, err := ask(t.Context(), m, pool, near(l.New), o, quiet)
	if err != nil {
		t.Fatal(err)
	}
	s, err := (&teacher{model: m, lesson: l, options: o, near: near, given: 1}).steps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.prepare(); err != nil {
			t.Fatal(err)
		}
		for b := range s.Next() {
			var sums [kinds]float64
			for i, row := range b.Rows {
				seg := b.Segments[i]
				for at := seg.Start; row >= 0 && at < seg.End; at++ {
					w := float64(b.Weights[at])
					kind := 0
					if row >= s.first {
						kind = 1
					}
					sums[s.kind(row)] += w
					p := b.Soft.Probs[at*b.Soft.K:][:b.Soft.K]
					total := 0.0
					for _, x := range p {
						total += float64(x)
					}
					if want := float64(kind); w != 0 && math.Abs(total-want) > 1e-5 || w == 0 && total != 0 {
						t.Fatalf("row %d, position %d, weight %v: probabilities of sum %v", row, at, w, total)
					}
					if kind == 1 && w != 0 && b.Soft.IDs[at*b.Soft.K] != b.Targets[at] {
						t.Errorf("the likeliest token of a greedy answer is not its token")
					}
				}
			}
			for kind, sum := range sums {
				if math.Abs(sum-want[kind]) > 1e-5 {
					t.Errorf("the weights add up to %v, want %v", sums, want)
				}
			}
			if len(b.Tokens) > s.longest() {
				t.Errorf("%d positions, more than %d", len(b.Tokens), s.longest())
			}
		}
	}
}

// TestBehaviour walks through a folder: rounds, an earlier one, a rejected one, back, and what is half written.
func TestBehaviour(t *testing.T) {
	m, pool := tiny(t)
	dir := t.TempDir()
	base, folder := filepath.Join(dir, "base"), filepath.Join(dir, "b")
	if err := os.Mkdir(base, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := m.Save(base); err != nil {
		t.Fatal(err)
	}
	if err := pretrained.Begin(folder, pretrained.Base{Model: base, Weights: m.WeightsHash()}); err != nil {
		t.Fatal(err)
	}
	l := lesson()
	save := func(parent int, verdict string, corrections []data.Correction) Round {
		r := Round{Parent: parent, Verdict: verdict}
		if err := r.Save(folder, m, corrections); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if _, err := Teach(t.Context(), m, pool, l, options(), t.Logf); err != nil {
		t.Fatal(err)
	}
	save(0, Accepted, l.New[:1])
	save(1, Rejected, l.New)
	third := save(1, Accepted, l.New[1:])
	if n, err := pretrained.Current(folder); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if path, err := pretrained.Resolve(folder); err != nil || path != pretrained.RoundDir(folder, 3) {
		t.Error(path, err)
	}
	loaded, err := pretrained.Load(folder, pretrained.Options{})
	if err != nil || loaded.WeightsHash() != third.Weights {
		t.Error(err)
	}
	earlier, err := Earlier(folder, 3)
	if err != nil || len(earlier) != 2 || earlier[0].ID != l.New[0].ID || earlier[1].ID != l.New[1].ID {
		t.Errorf("%+v, %v", earlier, err)
	}
	if err := RollBack(folder, 0, false, "me", "now"); err != nil {
		t.Fatal(err)
	}
	if path, err := pretrained.Resolve(folder); err != nil || path != base {
		t.Error(path, err)
	}
	ledger, err := Ledger(folder)
	if err != nil || len(ledger) != 4 || ledger[1].Verdict != Rejected || ledger[3].Verdict != RolledBack {
		t.Errorf("%+v, %v", ledger, err)
	}
	unlock, err := Lock(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(folder); err == nil || !strings.Contains(err.Error(), "another round") {
		t.Errorf("two rounds at once: %v", err)
	}
	unlock()
	again, err := Lock(folder)
	if err != nil {
		t.Fatal(err)
	}
	again()
	for _, to := range []int{0, 9} {
		if err := RollBack(folder, to, false, "", ""); err == nil {
			t.Errorf("rolled back to %d", to)
		}
	}
	if err := os.Remove(filepath.Join(folder, "current")); err != nil {
		t.Fatal(err)
	}
	if _, err := pretrained.Resolve(folder); err == nil || !strings.Contains(err.Error(), "not whole") {
		t.Errorf("a folder without current: %v", err)
	}
}

// TestTurns: every kept answer comes once before one comes again.
func TestTurns(t *testing.T) {
	s := &steps{options: Options{KeptRows: 3, Seed: 1}, kept: []int{0, 1, 2, 3, 4, 5, 6}}
	var seen []int
	for range 7 {
		s.choose()
		seen = append(seen, s.rows...)
		s.step++
	}
	for round := range 3 {
		part := slices.Clone(seen[round*7:][:7])
		slices.Sort(part)
		if !slices.Equal(part, s.kept) {
			t.Errorf("pass %d takes %v", round, part)
		}
	}
}

// TestBelow: the frozen layers run once for each example, and the weights are those of a round in which they run in
// every step.
func TestBelow(t *testing.T) {
	var hashes []string
	for _, whole := range []bool{true, false} {
		m, pool := tiny(t)
		l, o := lesson(), options()
		l.Kept = others(t, m, pool)
		o.Frozen, o.Steps, o.Tries, o.Back = 0.5, 6, 2, 0
		before := m.WeightsHash()
		got, err := (&teacher{model: m, pool: pool, options: o, lesson: l, say: t.Logf, whole: whole}).teach(t.Context())
		if err != nil || got.Steps != 12 || m.WeightsHash() == before {
			t.Fatalf("%+v, %v", got, err)
		}
		hashes = append(hashes, m.WeightsHash())
	}
	if hashes[0] != hashes[1] {
		t.Error("the weights differ")
	}
}

// TestEveryday: the embedded prompts are read, and no two are the same.
func TestEveryday(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Everyday() {
		text := r.Messages[0].Content
		if strings.TrimSpace(text) == "" || seen[text] {
			t.Errorf("%q is empty, or stands twice", text)
		}
		seen[text] = true
	}
	if len(seen) != 96 {
		t.Errorf("%d prompts", len(seen))
	}
}
