package coach

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"instruct/data"
	"instruct/data/checks"
	"instruct/data/policy"
	"instruct/train/eval"
)

// vowels is a suite of tests that pass where an answer has one.
func vowels(names ...string) *eval.Suite {
	s := &eval.Suite{Name: "vowels"}
	for _, name := range names {
		s.Tests = append(s.Tests, eval.Test{ID: name, Messages: asked(name), Check: func(answer string) checks.Result {
			return checks.Result{Verdict: checks.Verdict{Pass: strings.ContainsAny(answer, "aeiou")}}
		}})
	}
	return s
}

// TestSample: what is sampled for a test does not depend on the others or on where its file lies, only on seed and
// parent; every answer is counted.
func TestSample(t *testing.T) {
	m, pool := tiny(t)
	session, err := m.NewSession(pool, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	sample := func(p Practice, names ...string) string {
		t.Helper()
		p.Answers, p.MaxNew, p.Temperature, p.TopP = 40, 40, 1, 1
		s := vowels(names...)
		failed, passed := Divide(s, make([]eval.Sample, len(names)))
		if len(passed) > 0 || len(failed) != len(names) {
			t.Errorf("%v fail, %v pass", failed, passed)
		}
		done := 0
		trained, err := p.Sample(t.Context(), session, s, failed, func() { done++ })
		if err != nil {
			t.Fatal(err)
		}
		all := 40 * len(names)
		if done != all || p.Sampled != all || p.Tests != len(names) || p.Trained != len(trained) || p.Solved > p.Trained ||
			p.Trained > perTest*p.Solved || p.Passed+p.Cut > all || p.Solved == 0 {
			t.Errorf("%d of %d done, %d trained: %+v", done, all, len(trained), p)
		}
		var of []string
		for _, x := range trained {
			if strings.HasSuffix(x.Test, "a:1") {
				of = append(of, fmt.Sprint(x.Sample, x.Answer))
			}
		}
		return strings.Join(of, "\n")
	}
	alone := sample(Practice{Seed: 1}, "a:1")
	if others := sample(Practice{Seed: 1}, "b:1", "a:1", "c:1"); others != alone {
		t.Errorf("beside others %q, alone %q", others, alone)
	}
	for _, p := range []Practice{{Seed: 2}, {Seed: 1, Parent: 1}} {
		if other := sample(p, "a:1"); other == alone {
			t.Errorf("%+v gives the same answers %q", p, other)
		}
	}
}

// TestChoose: the first answers of a test whose texts differ.
func TestChoose(t *testing.T) {
	answers := func(texts ...string) []Practised {
		all := make([]Practised, len(texts))
		for i, text := range texts {
			all[i] = Practised{Sample: i + 1, Answer: text}
		}
		return all
	}
	p := Practice{}
	var got []string
	for _, x := range p.choose([][]Practised{answers("", "a", "a ", "b", "c"), answers("", ""), answers("d")}) {
		got = append(got, fmt.Sprint(x.Sample, x.Answer))
	}
	if !slices.Equal(got, []string{"2a", "4b", "1d"}) || p.Solved != 2 || p.Trained != 3 {
		t.Errorf("%v, %+v", got, p)
	}
}

// TestFromPolicy: the first good example of a prompt that no block rule forbids is taught.
func TestFromPolicy(t *testing.T) {
	p, err := policy.Parse("p.yaml", []byte(`rules:
  - {id: hello, text: Greet., severity: warn, assert: [{type: contains, value: hi}],
     good: [{prompt: a, answer: HI hi}, {prompt: a, answer: hi}, {prompt: b, answer: oh hi}],
     bad: [{prompt: b, answer: Yo}]}
  - {id: calm, text: Be calm., severity: block, assert: [{type: not-contains, value: HI}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	s, err := eval.FromPolicy(p, "")
	if err != nil {
		t.Fatal(err)
	}
	taught, untaught, err := FromPolicy(p, s, time.Unix(0, 0), nil)
	if err != nil || len(taught) != 2 || len(untaught) != 1 || untaught[0].ID != "calm" {
		t.Fatalf("%+v, %v, %v", taught, untaught, err)
	}
	Reject(taught, s, []eval.Sample{{Answer: "hm"}, {Answer: "hm"}}, "hash")
	for i, want := range []string{"hi hm hash", "oh hi Yo "} {
		c := taught[i]
		if got := fmt.Sprint(c.Chosen[0].Content, " ", c.Rejected[0].Content, " ", c.Model); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}

	// Without the first of them another example of its prompt is taught; a prompt that has no other is not asked.
	withheld := []string{taughtHash(&taught[0]), taughtHash(&taught[1])}
	left, _, err := FromPolicy(p, s, time.Unix(1, 0), withheld)
	if err != nil || len(left) != 0 || len(s.Tests) != 0 {
		// "HI hi" violates the rule that blocks, so that nothing is left of prompt a
		t.Errorf("%+v, %+v, %v", left, s.Tests, err)
	}
	if s, err = eval.FromPolicy(p, ""); err != nil {
		t.Fatal(err)
	}
	left, _, err = FromPolicy(p, s, time.Unix(1, 0), withheld[1:])
	if err != nil || len(left) != 1 || len(s.Tests) != 1 || s.Tests[0].Prompt() != "a" {
		t.Fatalf("%+v, %+v, %v", left, s.Tests, err)
	}
	person := data.NewCorrection(taught[1].Prompt, "ho", "", time.Unix(2, 0))
	own, again := ExamplesAgain([]data.Correction{person, taught[0]}, left)
	if len(own) != 1 || own[0].ID != person.ID || len(again) != 1 || again[0].ID != taught[0].ID || again[0].Model != "" {
		t.Errorf("%+v, %+v", own, again)
	}
}
