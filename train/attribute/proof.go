package attribute

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"instruct/model/kernel"
	"instruct/model/kernel/rng"
	"instruct/model/pretrained"
	"instruct/train"
)

// Proof is what became of an answer when the run was made again without the rows that explain it, with the same bits
// otherwise, and without random rows of like length.
type Proof struct {
	Trial
	Random     []Trial `json:"random"`
	Percentile float64 `json:"percentile"` // of the random sets, how many percent lower the log-probability less
}

// Trial is the run made again without some rows.
type Trial struct {
	Rows    []string `json:"rows"`
	Logprob float64  `json:"logprob"` // of the answer
	Change  float64  `json:"change"`  // from that with the rows, in nats
	Answer  string   `json:"answer"`  // what the model answers now
	Flips   bool     `json:"flips"`   // another one than with the rows
}

// ProofOptions say how a proof is made.
type ProofOptions struct {
	Rows   int // the highest ones that are taken out; a row's near-duplicates are rows of their own
	Random int // sets of as many others
	MaxNew int
	Run    train.Options
	Begin  func(what string)           // is told what will be done; may be nil
	Made   func(done, of int, t Trial) // is told of each trial; may be nil
}

// Prove trains the run again without the rows that pushed towards the answer most, and without random sets of as many
// rows of like length. The folders are removed.
func Prove(ctx context.Context, p *train.Past, q *Question, x *Explanation, o ProofOptions) error {
	l, err := placesOf(p)
	if err != nil {
		return err
	}
	if o.Rows >= len(l.names) {
		return mistake("verify is %d; the run has %d rows, and some must be left", o.Rows, len(l.names))
	}
	top := make([]int, o.Rows)
	for i := range top {
		top[i] = l.byName[x.ranking[i].Source]
	}
	sets := [][]int{top}
	for i := range o.Random {
		sets = append(sets, l.like(top, rng.NewRand(p.Seed(), "explain random rows", uint64(i), 0)))
	}
	p.Model.Close() // the runs need the memory
	if o.Begin != nil {
		o.Begin(fmt.Sprintf("verify: %d runs of %d steps, about %.0f s each", len(sets), len(p.Steps), p.Seconds))
	}
	scratch, err := os.MkdirTemp("", "instruct-explain-")
	if err != nil {
		return fmt.Errorf("explain: verify: %w", err)
	}
	defer os.RemoveAll(scratch)
	var trials []Trial
	for i, set := range sets {
		t, err := l.without(ctx, p, q, set, filepath.Join(scratch, "run"), o)
		if err != nil {
			return err
		}
		t.Change = t.Logprob - x.Logprob
		trials = append(trials, t)
		if o.Made != nil {
			o.Made(i+1, len(sets), t)
		}
	}
	proof := &Proof{Trial: trials[0], Random: trials[1:]}
	for _, t := range proof.Random {
		if t.Change > proof.Change {
			proof.Percentile += 100 / float64(len(proof.Random))
		}
	}
	x.Proof = proof
	return nil
}

// without makes the run without some rows.
func (l *places) without(ctx context.Context, p *train.Past, q *Question, rows []int, dir string, o ProofOptions) (
	t Trial, err error) {
	for _, i := range rows {
		t.Rows = append(t.Rows, l.names[i])
	}
	defer os.RemoveAll(dir)
	if _, err = p.Without(ctx, t.Rows, dir, o.Run); err != nil {
		return t, err
	}
	m, err := pretrained.Load(dir, pretrained.Options{})
	if err != nil {
		return t, err
	}
	defer m.Close()
	pool := kernel.NewPool(0)
	defer pool.Close()
	if t.Logprob, err = Logprob(ctx, m, pool, &q.Example); err != nil {
		return t, err
	}
	a, err := greedy(ctx, m, pool, q.Messages, o.MaxNew)
	t.Answer, t.Flips = a.Text, a.Text != q.Greedy
	return t, err
}

// likeLength is among how many rows of the nearest lengths one is drawn.
const likeLength = 20

// like draws, for each of some rows, another one that has about as many trained tokens: one of the nearest 20 in the
// order of lengths that is none of the rows and was not drawn yet.
func (l *places) like(rows []int, r rng.Rand) []int {
	order := make([]int, len(l.names))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(l.tokens[a], l.tokens[b]) })
	taken := map[int]bool{}
	for _, i := range rows {
		taken[i] = true
	}
	var drawn []int
	for _, i := range rows {
		at := slices.Index(order, i)
		var near []int
		for d := 1; d < len(order) && len(near) < likeLength; d++ {
			for _, k := range []int{at - d, at + d} {
				if k >= 0 && k < len(order) && !taken[order[k]] {
					near = append(near, order[k])
				}
			}
		}
		if len(near) == 0 { // more than half of all rows are taken out
			break
		}
		one := near[r.Intn(len(near))]
		taken[one] = true
		drawn = append(drawn, one)
	}
	return drawn
}
