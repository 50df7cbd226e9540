package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"instruct/train/eval"
)

// groups are the rows of the first candidate by group.
func groups(t *testing.T, out string) map[string]eval.Row {
	t.Helper()
	all := map[string]eval.Row{}
	for _, r := range lines[candidateResult](t, out)[0].Rows {
		all[r.Group] = r
	}
	return all
}

// TestEvalLoss makes sure that eval and score say the same of a data file.
func TestEvalLoss(t *testing.T) {
	workdir(t)
	for _, dtype := range []string{"fp32", "q8_0"} {
		all := lines[scored](t, ok(t, "", "score --model model --dataset rows.jsonl --json --dtype "+dtype))
		command := "eval --max_new_tokens 3 --suite rows.jsonl --model model --out found --dtype " + dtype
		of := groups(t, ok(t, "", command+" --json"))
		loss := of["held-out loss"]
		if total := all[len(all)-1]; loss.Mean != total.Mean || loss.N != total.Rows || loss.Unit != "nats a token" ||
			!(loss.Low < loss.Mean && loss.Mean < loss.High) {
			t.Errorf("%s: eval says %+v, score %+v", dtype, loss, total)
		}
		if of["metric token F1"].N != 20 || of["metric ROUGE-L"].N != 20 {
			t.Errorf("%+v", of)
		}
		for i, sample := range lines[sampleLine](t, read(t, "found/samples-1-rows.jsonl")) {
			if sample.Loss == nil || sample.Loss.Sum != all[i].LossSum || sample.Loss.Tokens != all[i].Trained {
				t.Errorf("%s: sample %d has the loss %+v, the row %+v", dtype, i, sample.Loss, all[i])
			}
		}
		has(t, ok(t, "", command), "held-out loss", fmt.Sprintf("%.4f", loss.Mean), "nats a token", "metric ROUGE-L")
	}
	same := "eval --max_new_tokens 3 --suite rows.jsonl --model model --json"
	plain, brief := groups(t, ok(t, "", same)), groups(t, ok(t, "", same+" --system", "Be brief."))
	if plain["held-out loss"] == brief["held-out loss"] {
		t.Error("the loss is the same with another system prompt")
	}
	// Answers made elsewhere have no loss, and are compared all the same.
	var b strings.Builder
	for i := range 20 {
		b.WriteString(answersOf(fmt.Sprintf("say %d", i), fmt.Sprintf("it was %d", i)))
	}
	write(t, "a.jsonl", b.String())
	of := groups(t, ok(t, "", "eval --suite rows.jsonl --answers a.jsonl --json"))
	if _, measured := of["held-out loss"]; measured || math.Abs(of["metric token F1"].Mean-2./3) > 1e-12 {
		t.Errorf("%+v", of)
	}
}

// TestEvalPerplexity compares with the perplexity of the model's own answer, scored as a row of its own.
func TestEvalPerplexity(t *testing.T) {
	workdir(t)
	suite := func(threshold float64) string {
		return fmt.Sprintf("prompts: [hello]\ntests:\n  - assert: [{type: perplexity, threshold: %.12f}]\n", threshold)
	}
	write(t, "s.yaml", suite(1))
	const command = "eval --max_new_tokens 8 --suite s.yaml --model model --out found"
	ok(t, "", command)
	sample := lines[sampleLine](t, read(t, "found/samples-1-s.jsonl"))[0]
	if n := len(sample.Logprobs); n == 0 || n > 8 || sample.Pass || !strings.Contains(sample.Reason, "above 1") {
		t.Fatalf("%+v", sample)
	}
	// Row and prompt have the same beginning, and the row goes on to the end of the turn.
	row, err := json.Marshal(map[string]string{"prompt": "hello", "completion": sample.Filtered[0]})
	if err != nil {
		t.Fatal(err)
	}
	write(t, "row.jsonl", string(row)+"\n")
	want := lines[scored](t, ok(t, "", "score --model model --dataset row.jsonl --json"))[0].Logprobs
	sum := 0.0
	for i, l := range sample.Logprobs {
		sum += l
		if l != want[i] {
			t.Errorf("token %d has the log-probability %v, score says %v", i, l, want[i])
		}
	}
	perplexity := math.Exp(-sum / float64(len(sample.Logprobs)))
	write(t, "s.yaml", suite(perplexity*1.001))
	has(t, ok(t, "", command), "100.0%")
	write(t, "s.yaml", suite(perplexity*0.999))
	has(t, ok(t, "", command), "0.0%")
}

// voices are a suite of two voices that answer two questions.
const voices = `defaultTest: {vars: {q: [Hi, Bye]}}
tests:
  - messages: [{role: system, content: Be kind.}, {role: user, content: "{{q}}"}]
    assert: [{type: logprob-margin, value: {better: {kind: [Hello, Dear]}, worse: {dry: it is}}, threshold: -99}]
  - messages: [{role: system, content: Be dry.}, {role: user, content: "{{q}}"}]
    assert: [{type: logprob-margin, value: {better: {dry: it is}, worse: {kind: [Hello, Dear]}}, threshold: 99}]
  - messages: [{role: user, content: "{{q}}"}]
    assert: [{type: not-logprob-margin, value: {better: [Hello], worse: [it is]}, threshold: 99}]
`

func TestEvalVoices(t *testing.T) {
	workdir(t)
	write(t, "v.yaml", voices)
	const command = "eval --suite v.yaml --model model --out found"
	has(t, ok(t, "", command), "66.7%", "voices of v", "of 6 answers are likeliest under their own voice")
	var saved results
	if err := json.Unmarshal([]byte(read(t, "found/results.json")), &saved); err != nil {
		t.Fatal(err)
	}
	v := saved.Candidates[0].Voices[0]
	if v.N != 6 || v.LeftOut != 0 || fmt.Sprint(v.Names) != "[kind dry]" || v.Counts[0][0]+v.Counts[0][1] != 4 ||
		v.Counts[1][0]+v.Counts[1][1] != 2 {
		t.Errorf("%+v", v)
	}
	samples := lines[sampleLine](t, read(t, "found/samples-1-v.jsonl"))
	if len(samples) != 6 || len(samples[0].Margins) != 1 || len(samples[0].Margins[0].Better) != 2 {
		t.Fatalf("%+v", samples)
	}
	// The mean log-probability is that of a row with the answer, the end of its turn included.
	write(t, "row.jsonl", `{"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Bye"}, `+
		`{"role": "assistant", "content": "Dear"}]}`+"\n")
	row := lines[scored](t, ok(t, "", "score --model model --dataset row.jsonl --json"))[0]
	if got, want := samples[1].Margins[0].Better[1], -row.LossSum/float64(row.Trained); got != want || row.Trained != 5 {
		t.Errorf("the mean is %v, score says %v of %d tokens", got, want, row.Trained)
	}
	again := ok(t, "", command+" --threads 1 --json")
	if again != ok(t, "", command+" --threads 2 --json") {
		t.Error("the results depend on the number of threads")
	}
}

func TestEvalNumbersMistakes(t *testing.T) {
	workdir(t)
	write(t, "v.yaml", voices)
	write(t, "kind.yaml", strings.ReplaceAll(voices, "worse: {kind:", "worse: {dry:"))
	write(t, "typo.yaml", strings.Replace(voices, "worse: {dry:", "worse: {dri:", 1))
	write(t, "long.yaml", strings.Replace(voices, "it is}", strings.Repeat("it is ", 30)+"}", 1))
	write(t, "p.yaml", "prompts: [hello]\ntests:\n  - assert: [{type: perplexity, threshold: 2}]\n")
	write(t, "a.jsonl", answersOf("hello", "1", "Hi", "x", "Bye", "y"))
	for _, c := range []struct {
		command string
		want    []string
	}{
		{"--suite p.yaml --answers a.jsonl", []string{"p.yaml:3", "--model in place of --answers"}},
		{"--suite v.yaml --answers a.jsonl", []string{"v.yaml:3", "--model in place of --answers"}},
		{"--suite kind.yaml --model model", []string{"kind.yaml:6", `"dry" stands in both better and worse`}},
		{"--suite typo.yaml --model model", []string{"typo.yaml:3", `the voice "dri"`, "better"}},
		{"--suite long.yaml --model model", []string{"long.yaml:3", "128 at the most"}},
	} {
		t.Run(c.command, func(t *testing.T) { mistaken(t, call(t, "", "eval "+c.command), c.want...) })
	}
}
