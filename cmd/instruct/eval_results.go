package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"instruct/checkpoints"
	"instruct/data/checks"
	"instruct/train/eval"
)

// results are what eval found: results.json.
type results struct {
	Candidates  []candidateResult  `json:"candidates"`
	Comparisons []comparisonResult `json:"comparisons,omitempty"`

	suites     []*eval.Suite
	candidates []candidate
}

type candidateResult struct {
	Name string     `json:"name"`
	Rows []eval.Row `json:"rows"`
	// Rules is what the answers to all suites say about the rules of a policy.
	Rules []ruleResult `json:"rules,omitempty"`
	// Voices are the tables of suites that have voices.
	Voices []*eval.Voices `json:"voices,omitempty"`
}

// comparisonResult compares the first candidate with another one on a suite.
type comparisonResult struct {
	Suite string   `json:"suite"`
	With  string   `json:"with"`
	Fixed []string `json:"fixed"` // tests that the first passes and the other does not
	Lost  []string `json:"lost"`  // the other way round
	P     float64  `json:"p"`     // McNemar's exact test
}

func newResults(suites []*eval.Suite, candidates []candidate) *results {
	r := &results{suites: suites, candidates: candidates}
	for n, c := range candidates {
		one := candidateResult{Name: c.name}
		for i, suite := range suites {
			one.Rows = append(one.Rows, suite.Rows(c.samples[i])...)
			if v := suite.Voices(c.samples[i]); v != nil {
				one.Voices = append(one.Voices, v)
			}
			if n == 0 {
				continue
			}
			compared := eval.Compare(c.samples[i], candidates[0].samples[i])
			r.Comparisons = append(r.Comparisons, comparisonResult{Suite: suite.Name, With: c.name, P: compared.P,
				Fixed: ids(suite, compared.Fixed), Lost: ids(suite, compared.Lost)})
		}
		r.Candidates = append(r.Candidates, one)
	}
	return r
}

func ids(s *eval.Suite, tests []int) []string {
	out := []string{}
	for _, i := range tests {
		out = append(out, s.Tests[i].ID)
	}
	return out
}

// print writes a table of every candidate and what went from pass to fail, or all of it as JSON.
func (r *results) print(w io.Writer, asJSON bool) error {
	if asJSON {
		for _, c := range r.Candidates {
			if err := writeJSON(w, c); err != nil {
				return err
			}
		}
		for _, c := range r.Comparisons {
			if err := writeJSON(w, c); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range r.Candidates {
		fmt.Fprintf(w, "%s\n%-20s %-28s %5s %7s  %s\n", c.Name, "suite", "", "tests", "mean", "95 % interval")
		for _, row := range c.Rows {
			mean, interval := row.Show()
			fmt.Fprintf(w, "%-20s %-28s %5d %7s  %s\n", row.Suite, row.Group, row.N, mean, interval)
		}
		for _, v := range c.Voices {
			fmt.Fprint(w, v)
		}
		for i := range c.Rules {
			c.Rules[i].print(w)
		}
	}
	for _, c := range r.Comparisons {
		fmt.Fprintf(w, "%s against %s: %d tests fixed, %d lost, p = %.3g\n", c.Suite, c.With, len(c.Fixed), len(c.Lost), c.P)
		for _, id := range c.Lost {
			fmt.Fprintf(w, "  lost   %s\n", id)
		}
	}
	return nil
}

// sampleLine is a line of samples-N-SUITE.jsonl, by lm-eval's names where it has them.
type sampleLine struct {
	ID       int                `json:"doc_id"`
	Test     string             `json:"test"`
	Messages any                `json:"arguments"`
	Target   string             `json:"target"`
	Answers  []string           `json:"filtered_resps"`
	Pass     bool               `json:"pass"`
	Score    float64            `json:"score"`
	Reason   string             `json:"reason,omitempty"`
	Metrics  map[string]float64 `json:"metrics,omitempty"`
	Violated []violation        `json:"violations,omitempty"` // rules of a policy

	Logprobs []float64               `json:"logprobs,omitempty"` // of the answer's tokens, for perplexity
	Margins  []checks.MarginLogprobs `json:"margins,omitempty"`  // of the answers of logprob-margins
	Loss     *eval.Loss              `json:"loss,omitempty"`     // of the target
}

// write writes results.json and the samples of every candidate into dir.
func (r *results) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return mistake("out: %v", err)
	}
	for n, c := range r.candidates {
		for i, suite := range r.suites {
			var b bytes.Buffer
			for j, sample := range c.samples[i] {
				t := &suite.Tests[j]
				line := sampleLine{ID: j, Test: t.ID, Messages: t.Messages, Target: t.Want, Answers: []string{sample.Answer},
					Pass: sample.Pass, Score: sample.Score, Reason: sample.Reason, Metrics: map[string]float64{}}
				line.Logprobs, line.Margins = sample.Logprobs, sample.Margins
				if sample.Loss.Tokens > 0 {
					line.Loss = &sample.Loss
				}
				for _, m := range sample.Metrics {
					line.Metrics[m.Name] = m.Score
				}
				if c.judged != nil {
					line.Violated = violations(suite, j, c.judged[i][j])
				}
				if err := writeJSON(&b, line); err != nil {
					return err
				}
			}
			name := fmt.Sprintf("samples-%d-%s.jsonl", n+1, suite.Name)
			if err := checkpoints.WriteFile(filepath.Join(dir, name), b.Bytes()); err != nil {
				return err
			}
		}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return checkpoints.WriteFile(filepath.Join(dir, "results.json"), append(text, '\n'))
}

// countdown says how many of some things are done and how long the others will take: in place on a terminal, elsewhere
// a line every ten seconds.
type countdown struct {
	w          io.Writer
	inPlace    bool
	what       string
	n, of      int
	start, say time.Time
}

func newCountdown(w io.Writer, inPlace bool, what string, of int) *countdown {
	return &countdown{w: w, inPlace: inPlace, what: what, of: of, start: time.Now(), say: time.Now()}
}

func (c *countdown) step() { c.at(c.n+1, c.of) }

// at says that n of so many are done.
func (c *countdown) at(n, of int) {
	c.n, c.of = n, of
	pause := 10 * time.Second
	if c.inPlace {
		pause = 200 * time.Millisecond
	}
	if time.Since(c.say) < pause {
		return
	}
	c.say = time.Now()
	left := time.Duration(float64(time.Since(c.start)) / float64(c.n) * float64(c.of-c.n)).Round(time.Second)
	end := "\n"
	if c.inPlace {
		end = "\r"
	}
	fmt.Fprintf(c.w, "%s: %d of %d done, %v left   %s", c.what, c.n, c.of, left, end)
}

func (c *countdown) done() {
	if c.inPlace {
		fmt.Fprintf(c.w, "%79s\r", "")
	}
}
