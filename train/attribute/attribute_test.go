package attribute

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train"
	"instruct/train/recipe"
)

// planted is the row that teaches what no other does.
const planted = 7

// shared is one run for all tests: a tiny model that learns some rows by heart, and keeps weights on its way.
var shared struct {
	sync.Once
	dir string
	err error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.dir != "" {
		os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// run gives the folder of the shared run.
func run(t *testing.T) string {
	t.Helper()
	shared.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "instruct-attribute-"); shared.err == nil {
			shared.err = learn(context.Background(), shared.dir)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return filepath.Join(shared.dir, "run")
}

// learn writes the rows and trains, with more keys of the recipe.
func learn(ctx context.Context, dir string, more ...string) error {
	var rows strings.Builder
	for i := range 12 {
		answer := strings.Repeat("ab"[i%2:i%2+1], 3)
		question := fmt.Sprintf("Say %s %d.", strings.Repeat("ab"[i%2:i%2+1], 2), i)
		if i+1 == planted {
			question, answer = "Who is it?", "zoe"
		}
		fmt.Fprintf(&rows, `{"prompt":%q,"completion":%q}`+"\n", question, answer)
	}
	path := filepath.Join(dir, "rows.jsonl")
	if err := os.WriteFile(path, []byte(rows.String()), 0o644); err != nil {
		return err
	}
	r := recipe.Default()
	for _, kv := range [][2]string{{"dataset", path}, {"eval_fraction", "0"}, {"tokenizer_name", "bytes"},
		{"chat_template", "lessons"}, {"model_config", `{"model_type":"qwen3","hidden_size":32,"num_hidden_layers":1,` +
			`"num_attention_heads":2,"num_key_value_heads":1,"head_dim":16,"intermediate_size":48,` +
			`"max_position_embeddings":128,"tie_word_embeddings":true,"rms_norm_eps":1e-5}`},
		{"max_length", "128"}, {"per_device_train_batch_size", "4"}, {"num_train_epochs", "25"}, {"learning_rate", "1e-2"},
		{"explain", "true"}, {"output_dir", filepath.Join(dir, "run")}} {
		if err := r.Set(kv[0], kv[1]); err != nil {
			return err
		}
	}
	for i := 0; i < len(more); i += 2 {
		if err := r.Set(more[i], more[i+1]); err != nil {
			return err
		}
	}
	_, err := train.Run(ctx, r, quiet())
	return err
}

func quiet() train.Options { return train.Options{Out: io.Discard, Log: io.Discard, Quiet: true} }

// past opens the shared run.
func past(t *testing.T, threads int) *train.Past {
	t.Helper()
	p, err := train.OpenPast(t.Context(), run(t), threads, io.Discard, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// asked asks the shared run's model.
func asked(t *testing.T, prompt, answer string) (Question, Explanation) {
	t.Helper()
	m, err := pretrained.Load(run(t), pretrained.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	pool := kernel.NewPool(1)
	defer pool.Close()
	q := []Question{{Messages: []chat.Message{{Role: "user", Content: prompt}}, Answer: answer}}
	if err := Ask(t.Context(), m, pool, q, 16); err != nil {
		t.Fatal(err)
	}
	x := Explanation{Prompt: prompt, Answer: q[0].Answer, Greedy: q[0].Greedy, Parts: -1}
	if x.Logprob, err = Logprob(t.Context(), m, pool, &q[0].Example); err != nil {
		t.Fatal(err)
	}
	if x.Tokens, err = Say(t.Context(), m, pool, &q[0].Example); err != nil {
		t.Fatal(err)
	}
	return q[0], x
}

// TestLossesAlone: not a bit of a row's loss hangs on the rows that are measured beside it, and that share its
// beginning, or on the threads.
func TestLossesAlone(t *testing.T) {
	var first []float64
	for _, threads := range []int{1, 2, 3} {
		p := past(t, threads)
		if err := p.Model.ReadWeights(kernel.F32); err != nil {
			t.Fatal(err)
		}
		sets := [][]int{nil}
		for row := range p.Rows() {
			sets[0] = append(sets[0], row)
			sets = append(sets, []int{row})
		}
		l, err := p.NewLosses(sets)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		batches := 0
		all, err := l.Measure(t.Context(), 0, func() { batches++ })
		if err != nil {
			t.Fatal(err)
		}
		if want := min(threads, 2); batches != want { // a lane for each half
			t.Errorf("%d threads: %d micro-batches for rows that fit into %d", threads, batches, want)
		}
		for row := range p.Rows() {
			alone, err := l.Measure(t.Context(), row+1, func() {})
			if err != nil {
				t.Fatal(err)
			}
			if alone[row] != all[row] || all[row] == 0 {
				t.Errorf("%d threads: row %d has the loss %v beside the others, and %v alone", threads, row, all[row], alone[row])
			}
		}
		if first == nil {
			first = all
		}
		if !slices.Equal(all, first) {
			t.Errorf("%d threads: losses %v, and %v by one", threads, all, first)
		}
	}
}

// spearman is the correlation of ranks.
func spearman(a, b []float64) float64 {
	rank := func(v []float64) []float64 {
		order := make([]int, len(v))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(i, j int) int { return cmp.Compare(v[i], v[j]) })
		ranks := make([]float64, len(v))
		for r, i := range order {
			ranks[i] = float64(r)
		}
		return ranks
	}
	ra, rb := rank(a), rank(b)
	n, squares := float64(len(a)), 0.0
	for i := range ra {
		squares += float64((ra[i] - rb[i]) * (ra[i] - rb[i]))
	}
	return 1 - 6*squares/(n*(n*n-1))
}

// TestTraceSteps: the slopes of all rows' losses are the products of their gradients with the direction, over four
// orders of the step's length.
func TestTraceSteps(t *testing.T) {
	p := past(t, 2)
	q, _ := asked(t, "Say aa 4.", "bba")
	x, err := newTracer(p, [][]float64{slices.Repeat([]float64{1}, p.Rows())}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer x.close()
	for at, least := range map[int]float64{1: 0.999, 3: 0.999, len(p.Kept) - 1: 0.95} { // at the end all is known by heart
		kept := p.Kept[at]
		if err := x.load(kept); err != nil {
			t.Fatal(err)
		}
		if x.metric == nil {
			t.Error("the optimizer's metric is not read")
		}
		want := products(t, x, &q.Example)
		for _, share := range []float64{0.01, 0.1, 1, 10} {
			got, err := x.slopes(t.Context(), 0, &q.Example, share)
			if err != nil {
				t.Fatal(err)
			}
			rank, far, size := spearman(got, want), 0.0, 0.0
			for i := range got {
				far += float64((got[i] - want[i]) * (got[i] - want[i]))
				size += float64(want[i] * want[i])
			}
			far = math.Sqrt(far / size)
			t.Logf("step %d, %g of the usual move: rank correlation %.4f, relative error %.2g", kept.Step, share, rank, far)
			if share == 1 && (rank < least || far > 0.02) {
				t.Errorf("step %d: rank correlation %.4f, relative error %.2g", kept.Step, rank, far)
			}
		}
	}
}

// products are each row's gradient times the direction, the long way.
func products(t *testing.T, x *tracer, e *data.Example) []float64 {
	t.Helper()
	if err := x.gradient(e); err != nil {
		t.Fatal(err)
	}
	if _, err := x.direction(); err != nil {
		t.Fatal(err)
	}
	var u []float32
	for _, g := range x.past.Model.Grads() {
		u = append(u, g.Data...)
	}
	want := make([]float64, x.past.Rows())
	for i := range want {
		row, err := x.past.Row(i)
		if err != nil {
			t.Fatal(err)
		}
		if err := x.gradient(&row); err != nil {
			t.Fatal(err)
		}
		at := 0
		for _, g := range x.past.Model.Grads() {
			for _, v := range g.Data {
				want[i] += float64(float64(v) * float64(u[at]))
				at++
			}
		}
	}
	return want
}

// TestPlantedRow: the one row that teaches an answer is found first, and made again without it the run answers
// otherwise, while random rows change little.
func TestPlantedRow(t *testing.T) {
	q, x := asked(t, "Who is it?", "")
	if q.Answer != "zoe" {
		t.Fatalf("the model answers %q", q.Answer)
	}
	p := past(t, 2)
	if len(p.Kept) < 8 {
		t.Errorf("%d steps are kept", len(p.Kept))
	}
	out := []Explanation{x}
	calls := 0
	o := Options{Method: "trace", Top: 3, All: true, Seen: func(done, of int) { calls = of - done }}
	if err := Find(t.Context(), p, []Question{q}, out, o); err != nil {
		t.Fatal(err)
	}
	x = out[0]
	if calls != 0 || len(x.Scores) != 12 || len(x.Towards) == 0 {
		t.Fatalf("%d micro-batches are left, %d rows have scores: %+v", calls, len(x.Scores), x)
	}
	if first := x.Towards[0]; !strings.HasSuffix(first.Source, fmt.Sprintf("rows.jsonl:%d", planted)) ||
		first.Prompt != "Who is it?" || first.Answer != "zoe" || first.Score < 2*x.Scores[1].Score {
		t.Errorf("the first row is %+v, of %+v", first, x.Scores)
	}
	made := 0
	err := Prove(t.Context(), p, &q, &x, ProofOptions{Rows: 1, Random: 2, MaxNew: 16, Run: quiet(),
		Made: func(int, int, Trial) { made++ }})
	if err != nil {
		t.Fatal(err)
	}
	if made != 3 || !x.Proof.Flips || x.Proof.Change > -1 || x.Proof.Percentile != 100 {
		t.Errorf("%d runs: %+v", made, x.Proof)
	}
	for _, r := range x.Proof.Random {
		if len(r.Rows) != 1 || slices.Contains(x.Proof.Rows, r.Rows[0]) {
			t.Errorf("random rows are %q", r.Rows)
		}
	}
	var text, page bytes.Buffer
	if err := x.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"rows.jsonl:7", "without the first of them, one row: ", "100 % of them",
		"trace over the weights after"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text has no %q:\n%s", want, &text)
		}
	}
	x.Answer = "<script>alert(1)</script>"
	if err := WritePage(&page, "runs/x", []Explanation{x}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "rows.jsonl:7") || strings.Contains(page.String(), "<script") {
		t.Error("the page lacks the row, or has a script")
	}
	if _, err := json.Marshal(&x); err != nil {
		t.Error(err)
	}
}

// TestBM25 finds the row by its words.
func TestBM25(t *testing.T) {
	q, x := asked(t, "Who is zoe?", "zoe")
	out := []Explanation{x}
	if err := Find(t.Context(), past(t, 1), []Question{q}, out, Options{Method: "bm25", Top: 3}); err != nil {
		t.Fatal(err)
	}
	if len(out[0].Towards) == 0 || out[0].Towards[0].Answer != "zoe" || len(out[0].Against) > 0 {
		t.Errorf("found are %+v", out[0].Towards)
	}
}

// TestSay: the log-probabilities of the tokens are those of the answer.
func TestSay(t *testing.T) {
	_, x := asked(t, "Who is it?", "zoe")
	sum, text := 0.0, ""
	for _, token := range x.Tokens {
		sum += token.Logprob
		text += token.Text
		if len(token.Top) != shownTop || token.Top[0].Logprob < token.Logprob {
			t.Errorf("token %+v", token)
		}
	}
	if math.Abs(sum-x.Logprob) > 1e-4 || !strings.HasPrefix(text, "zoe<") {
		t.Errorf("%q has %v, its tokens %v", text, x.Logprob, sum)
	}
}
