package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

type generated struct {
	Prompt    string  `json:"prompt"`
	PromptIDs []int32 `json:"prompt_ids"`
	IDs       []int32 `json:"ids"`
	Text      string  `json:"text"`
	Finish    string  `json:"finish_reason"`
}

func TestGenerate(t *testing.T) {
	workdir(t)
	const command = "generate --model model --max_new_tokens 12 "
	ask := func(prompt string, more ...string) generated {
		t.Helper()
		return decode[generated](t, ok(t, "", command+"--json", append(more, "--prompt", prompt)...))
	}
	text := ok(t, "", command, "--prompt", "Say hi <now>")
	g := ask("Say hi <now>")
	if g.Text+"\n" != text {
		t.Errorf("--json gives %q, plain text is %q", g.Text, text)
	}
	if g.Prompt != "Say hi <now>" || len(g.IDs) == 0 || len(g.IDs) > 12 || g.Finish != "length" && g.Finish != "stop" {
		t.Errorf("%+v", g)
	}
	raw := ask("Say hi <now>", "--raw")
	if len(raw.PromptIDs) != len("Say hi <now>") || len(raw.PromptIDs) >= len(g.PromptIDs) {
		t.Errorf("raw prompt has %d ids, in the template %d", len(raw.PromptIDs), len(g.PromptIDs))
	}
	system := ask("Say hi <now>", "--system", "Be brief")
	if len(system.PromptIDs) <= len(g.PromptIDs) {
		t.Errorf("the system prompt is not in the prompt: %d ids, without it %d", len(system.PromptIDs), len(g.PromptIDs))
	}
	other := ask("Say hi <now>", "--chat_template", "chatml")
	if len(other.PromptIDs) <= len(g.PromptIDs) {
		t.Errorf("--chat_template chatml: %d ids, with the model's own %d", len(other.PromptIDs), len(g.PromptIDs))
	}
	if strings.Contains(ok(t, "", command+"--json --prompt <a>"), `\u003c`) {
		t.Error("--json escapes < for HTML")
	}

	all := lines[generated](t, ok(t, "one\n\n  \ntwo\nthree", command+"--json"))
	var prompts []string
	for _, g := range all {
		prompts = append(prompts, g.Prompt)
		if alone := ask(g.Prompt); !slices.Equal(alone.IDs, g.IDs) {
			t.Errorf("%s: %v among others, %v alone", g.Prompt, g.IDs, alone.IDs)
		}
	}
	if !slices.Equal(prompts, []string{"one", "two", "three"}) {
		t.Errorf("prompts from standard input: %q", prompts)
	}
}

// TestGenerateManyAtOnce: answers come in the order of the prompts, the same ones however many are made at one time,
// and a prompt that cannot be answered harms no other.
func TestGenerateManyAtOnce(t *testing.T) {
	workdir(t)
	var prompts []string
	for i := range 40 {
		prompts = append(prompts, strings.Repeat("ab ", i%7)+fmt.Sprint(i))
	}
	const command = "generate --model model --max_new_tokens 9 --temperature 0.8 --rows "
	in := strings.Join(prompts, "\n")
	for _, format := range []string{"", " --json"} {
		want := ok(t, in, command+"1"+format)
		for _, rows := range []string{"7", "16"} {
			if got := ok(t, in, command+rows+format); got != want {
				t.Errorf("%s rows%s:\n%s\none:\n%s", rows, format, got, want)
			}
		}
	}
	prompts[3] = strings.Repeat("x", 200)
	o := call(t, strings.Join(prompts, "\n"), command+"7 --json")
	if o.code != exitMistake {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.err, "prompt 4: the prompt has", "1 of 40 prompts have no answer")
	got := lines[generated](t, o.out)
	for i, g := range got {
		if g.Prompt != prompts[i] || (g.Finish == "") != (i == 3) {
			t.Errorf("line %d: %+v", i+1, g)
		}
	}
	if len(got) != len(prompts) {
		t.Errorf("%d lines", len(got))
	}
	mistaken(t, call(t, "", command+"0"), "rows is 0")
	mistaken(t, call(t, "", command+"1000"), "at one time")
}

func TestGenerateStops(t *testing.T) {
	workdir(t)
	g := decode[generated](t, ok(t, "", "generate --model model --prompt a --json --max_new_tokens 500"))
	if n := len(g.PromptIDs) + len(g.IDs); n > 129 || g.Finish == "length" && n < 129 {
		t.Errorf("%d tokens of 128 positions, finish_reason %s", n, g.Finish)
	}
	// A model whose first greedy token counts as the end of a turn says nothing.
	first := g.IDs[0]
	write(t, "model/generation_config.json", fmt.Sprintf(`{"eos_token_id": [%d]}`, first))
	g = decode[generated](t, ok(t, "", "generate --model model --prompt a --json"))
	if g.Finish != "stop" || g.Text != "" {
		t.Errorf("%+v; expected a stop at token %d", g, first)
	}
}

func TestSamplingIsRepeatable(t *testing.T) {
	workdir(t)
	const command = "generate --model model --prompt tell --max_new_tokens 16 --json "
	sample := func(flags string) string { return ok(t, "", command+"--temperature 1.5 "+flags) }
	if sample("--seed 3") != sample("--seed 3 --threads 1") {
		t.Error("the same seed gives another answer")
	}
	if sample("--seed 3") == sample("--seed 4") {
		t.Error("another seed gives the same answer")
	}
	greedy := decode[generated](t, ok(t, "", command))
	if one := decode[generated](t, sample("--top_k 1")); !slices.Equal(one.IDs, greedy.IDs) {
		t.Errorf("top_k 1 gives %v, greedy %v", one.IDs, greedy.IDs)
	}
	if tiny := decode[generated](t, sample("--top_p 1e-9")); !slices.Equal(tiny.IDs, greedy.IDs) {
		t.Errorf("top_p 1e-9 gives %v, greedy %v", tiny.IDs, greedy.IDs)
	}
}

func TestChat(t *testing.T) {
	workdir(t)
	script := `hello
/save a.jsonl
/system Be brief
how are you
and now
/save b.jsonl
/foo
/save
/reset
/save c.jsonl
/system
again
/save b.jsonl
/help
/quit
never read
`
	o := call(t, script, "chat --model model --max_new_tokens 4")
	if o.code != exitDone {
		t.Fatalf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "added to a.jsonl", "system prompt set", "unknown command /foo; /help lists them",
		"/save needs a file name", "the conversation starts anew", "nothing to save yet", "system prompt removed", "/quit")
	if n := strings.Count(o.out, "\n"); n < 4 {
		t.Errorf("%d lines of answers, want 4 answers:\n%q", n, o.out)
	}
	type row struct {
		Messages []struct{ Role, Content string }
	}
	shape := func(path string) (all []string) {
		for _, r := range lines[row](t, read(t, path)) {
			s := ""
			for _, m := range r.Messages {
				s += m.Role[:1]
			}
			all = append(all, s)
		}
		return all
	}
	if got := shape("a.jsonl"); !slices.Equal(got, []string{"ua"}) {
		t.Errorf("a.jsonl: %v", got)
	}
	if got := shape("b.jsonl"); !slices.Equal(got, []string{"suaua", "ua"}) {
		t.Errorf("b.jsonl: %v", got)
	}
	one := lines[row](t, read(t, "b.jsonl"))[0].Messages
	if one[0].Content != "Be brief" || one[1].Content != "how are you" || one[3].Content != "and now" {
		t.Errorf("b.jsonl: %v", one)
	}
	// The cache that turns share changes nothing: chat and generate answer alike.
	want := ok(t, "how are you", "generate --model model --max_new_tokens 4 --system", "Be brief")
	if got := one[2].Content + "\n"; got != want {
		t.Errorf("chat answers %q, generate %q", got, want)
	}
}

func TestChatSurvivesALongTurn(t *testing.T) {
	workdir(t)
	o := call(t, strings.Repeat("x", 200)+"\nhi\n/save c.jsonl\n", "chat --model model --max_new_tokens 2")
	if o.code != exitDone || strings.Contains(read(t, "c.jsonl"), "xxx") {
		t.Errorf("exit %d\n%s", o.code, o.err)
	}
	has(t, o.err, "the model reads at most 128", "/reset starts anew")
}

// TestSignalEndsTheWaitForInput checks that Ctrl-C at a prompt ends the program, although nobody typed.
func TestSignalEndsTheWaitForInput(t *testing.T) {
	workdir(t)
	for _, c := range []struct{ command, line string }{
		{"chat --model model", ""}, // stopped once it asks
		{"generate --model model --max_new_tokens 2", "hi\n"},
		{"tokenizer encode --tokenizer model", "\"hi\"\n"},
		{"tokenizer decode --tokenizer model", "[1]\n"},
	} {
		in, keep := io.Pipe()
		defer keep.Close()
		ctx, cancel := context.WithCancel(context.Background())
		log := &trigger{text: "> ", do: cancel}
		if c.line != "" {
			go func() {
				_, _ = keep.Write([]byte(c.line))
				cancel()
			}()
		}
		o := callContext(t, ctx, in, log, c.command)
		if o.code != exitInterrupted {
			t.Errorf("%s: exit %d", c.command, o.code)
		}
		has(t, o.err, "instruct: stopped")
		cancel()
	}
}

type scored struct {
	Row      *int      `json:"row"`
	IDs      []int32   `json:"ids"`
	Mask     []int     `json:"mask"`
	Logprobs []float64 `json:"logprobs"`
	LossSum  float64   `json:"loss_sum"`
	Trained  int       `json:"trained_tokens"`
	Rows     int       `json:"rows"`
	Mean     float64   `json:"mean_loss"`
}

func TestScore(t *testing.T) {
	workdir(t)
	write(t, "held.jsonl", rows(6))
	all := lines[scored](t, ok(t, "", "score --model model --dataset held.jsonl --json"))
	if len(all) != 7 {
		t.Fatalf("%d lines, want 6 rows and the totals", len(all))
	}
	total, sum, trained := all[6], 0.0, 0
	for i, r := range all[:6] {
		mask, s := 0, 0.0
		for _, m := range r.Mask {
			mask += m
		}
		for _, l := range r.Logprobs {
			if l > 0 {
				t.Errorf("row %d: a log-probability of %v", i, l)
			}
			s -= l
		}
		if r.Row == nil || *r.Row != i || len(r.IDs) != len(r.Mask) || mask != r.Trained ||
			len(r.Logprobs) != r.Trained || math.Abs(s-r.LossSum) > 1e-9 {
			t.Errorf("row %d: %+v; the mask has %d, the logprobs sum to %v", i, r, mask, s)
		}
		sum += r.LossSum
		trained += r.Trained
	}
	if total.Row != nil || total.Rows != 6 || total.Trained != trained || total.LossSum != sum ||
		math.Abs(total.Mean-sum/float64(trained)) > 1e-12 {
		t.Errorf("totals %+v, want %v over %d", total, sum, trained)
	}
	has(t, ok(t, "", "score --model model --dataset held.jsonl"), "held.jsonl:6  loss ",
		fmt.Sprintf("6 rows, %d trained tokens, mean loss %.4f", trained, total.Mean))

	ok(t, "", tune+"--dataset rows.jsonl --eval_dataset held.jsonl --max_steps 3")
	after := lines[scored](t, ok(t, "", "score --model out --dataset held.jsonl --json"))[6].Mean
	if want := runJSON(t, "out").EvalLoss; math.Abs(after-want) > 1e-9 {
		t.Errorf("score says %v of the run, train said %v", after, want)
	}
	if after >= total.Mean {
		t.Errorf("training did not help: %v before, %v after", total.Mean, after)
	}
	whole := lines[scored](t, ok(t, "", "score --model model --dataset held.jsonl --json --train_on_inputs"))[6]
	if whole.Trained <= trained {
		t.Errorf("--train_on_inputs: %d trained tokens, without it %d", whole.Trained, trained)
	}
}

func TestDataInspect(t *testing.T) {
	workdir(t)
	write(t, "more.tsv", "instruction\toutput\nsay <b>\tb\n")
	out := ok(t, "", "data inspect --model model --dataset rows.jsonl,more.tsv --show 1")
	has(t, out, "rows            21", "trained tokens  ", "longest  ", "rows.jsonl:1", "⟦it is 0<|end|>⟧")
	if strings.Count(out, "rows.jsonl:1:") != 1 || strings.Contains(out, "rows.jsonl:2:") ||
		strings.Contains(out, "\x1b") {
		t.Errorf("expected one row shown, without colours:\n%s", out)
	}
	audit := decode[map[string]any](t, ok(t, "", inspect+"--dataset more.tsv --json"))
	for key, want := range map[string]float64{"rows": 21, "examples": 21, "truncated": 0} {
		if audit[key] != want {
			t.Errorf("%s is %v, want %v", key, audit[key], want)
		}
	}
	if audit["trained_tokens"].(float64) >= audit["tokens"].(float64) {
		t.Errorf("every token is trained: %v", audit)
	}
	cut := ok(t, "", "data inspect --model model --dataset rows.jsonl --max_length 14 --json")
	if n := decode[map[string]any](t, cut)["truncated"].(float64); n != 20 {
		t.Errorf("--max_length 14 truncates %v rows of 20: %s", n, cut)
	}
}

func TestTokenizerRoundTrip(t *testing.T) {
	workdir(t)
	texts := "\"hello\"\n\"\"\n\n\"Grüße, 世界 🙂 <|end|>\"\n\"a\\nb\"\n"
	ids := ok(t, texts, "tokenizer encode --tokenizer model")
	if n := len(lines[[]int32](t, ids)); n != 4 {
		t.Errorf("%d arrays, want 4:\n%s", n, ids)
	}
	has(t, ids, "[]\n")
	back := ok(t, ids, "tokenizer decode --tokenizer model/tokenizer.json")
	if back != strings.Replace(texts, "\n\n", "\n", 1) {
		t.Errorf("encoded and decoded:\n%swant\n%s", back, texts)
	}
	if skip := ok(t, ids, "tokenizer decode --tokenizer model --skip-special-tokens"); strings.Contains(skip, "<|end|>") {
		t.Errorf("special tokens are not skipped: %s", skip)
	}
	mistaken(t, call(t, "[1]\n[1,", "tokenizer encode --tokenizer nowhere"), "nowhere")
}

func TestTokenizerTrain(t *testing.T) {
	workdir(t)
	write(t, "plain.txt", strings.Repeat("the cat and the hat\n", 20))
	out := ok(t, "", "tokenizer train --dataset plain.txt,rows.jsonl --vocab_size 280 "+
		"--special_tokens <|end|>,<|user|> --output_dir tok")
	has(t, out, "280 tokens, saved in tok")
	out = ok(t, "", "tokenizer inspect --tokenizer tok --text", "the cat<|end|>")
	has(t, out, "tokens   280", `"the"`, `"<|end|>"`)
	ids := ok(t, `"the cat<|end|>"`, "tokenizer encode --tokenizer tok")
	if n := len(decode[[]int32](t, ids)); n > 5 {
		t.Errorf("nothing was merged: %s", ids)
	}
	has(t, ok(t, ids, "tokenizer decode --tokenizer tok"), `"the cat<|end|>"`)
	mistaken(t, call(t, "", "tokenizer train --dataset plain.txt --vocab_size 100 --output_dir tok2"), "100", "256")
}

func TestModelInspect(t *testing.T) {
	workdir(t)
	has(t, ok(t, "", "model inspect --model model"), "family      llama", "layers      2", "width       32",
		"4 query, 2 key/value", "vocabulary  260 (tokenizer 260)", "tied head   false", `"<|end|>"`,
		"model.layers.1.mlp.down_proj.weight", "[32 48]")
	m := decode[struct {
		Type       string `json:"model_type"`
		Parameters int    `json:"parameters"`
		Tensors    []struct {
			Name  string `json:"name"`
			Shape []int  `json:"shape"`
		} `json:"tensors"`
	}](t, ok(t, "", "model inspect --model model --json"))
	n := 0
	for _, x := range m.Tensors {
		size := 1
		for _, d := range x.Shape {
			size *= d
		}
		n += size
	}
	if m.Type != "llama" || n != m.Parameters || n == 0 {
		t.Errorf("%s with %d parameters; the tensors have %d", m.Type, m.Parameters, n)
	}
}

func TestBench(t *testing.T) {
	const command = "bench --preset lessons-1m --batch 1 --seq 8 --steps 1"
	m := decode[map[string]any](t, ok(t, "", command+" --json"))
	for key, want := range map[string]any{"preset": "lessons-1m", "dtype": "fp32", "batch": 1.0, "seq": 8.0} {
		if m[key] != want {
			t.Errorf("%s is %v, want %v", key, m[key], want)
		}
	}
	for _, key := range []string{"ns_per_step", "tokens_per_second", "gflops", "peak_gflops", "peak_fraction",
		"peak_rss_bytes"} {
		if strings.HasPrefix(key, "peak_") && key != "peak_rss_bytes" && m["kernels"] == "generic" {
			continue // the portable kernels have no peak to compare with
		}
		if v, _ := m[key].(float64); v <= 0 {
			t.Errorf("%s is %v", key, m[key])
		}
	}
	if _, found := m["allocs_per_step"]; !found {
		t.Errorf("no allocs_per_step: %v", m)
	}
	has(t, ok(t, "", command), "BenchmarkStep/preset=lessons-1m/dtype=fp32/batch=1/seq=8-",
		" ns/op ", " tokens/s ", " GFLOP/s ")
}

func TestStoppedBench(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o := callContext(t, ctx, nil, new(trigger), "bench --preset lessons-1m --batch 1 --seq 8")
	if o.code != exitInterrupted {
		t.Errorf("exit %d\n%s", o.code, o.err)
	}
}
