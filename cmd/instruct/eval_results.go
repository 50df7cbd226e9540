package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/train/eval"
)

// results are what eval found: results.json.
type results struct {
	Candidates  []candidateResult  `json:"candidates"`
	Comparisons []comparisonResult `json:"comparisons,omitempty"`

	suites     []*eval.Suite
	candidates []candidate
	compared   [][]eval.Comparison // by candidate, then by suite; none for the first
	maxNew     int                 // tokens of an answer; 0 for answers made elsewhere
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
	// How much larger the share of passing tests and the mean score of the first are, by the paired bootstrap.
	Pass  eval.Difference `json:"pass_difference"`
	Score eval.Difference `json:"score_difference"`
}

func newResults(suites []*eval.Suite, candidates []candidate) *results {
	r := &results{suites: suites, candidates: candidates}
	for n, c := range candidates {
		one := candidateResult{Name: c.name}
		var against []eval.Comparison
		for i, suite := range suites {
			one.Rows = append(one.Rows, suite.Rows(c.samples[i])...)
			if v := suite.Voices(c.samples[i]); v != nil {
				one.Voices = append(one.Voices, v)
			}
			if n == 0 {
				continue
			}
			compared := eval.Compare(c.samples[i], candidates[0].samples[i])
			against = append(against, compared)
			r.Comparisons = append(r.Comparisons, comparisonResult{Suite: suite.Name, With: c.name, P: compared.P,
				Pass: compared.Pass, Score: compared.Score, Fixed: ids(suite, compared.Fixed), Lost: ids(suite, compared.Lost)})
		}
		r.Candidates = append(r.Candidates, one)
		r.compared = append(r.compared, against)
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
		fmt.Fprintf(w, "  passes %+.1f points (95 %% interval %+.1f to %+.1f), score %+.3f (%+.3f to %+.3f)\n",
			100*c.Pass.Mean, 100*c.Pass.Low, 100*c.Pass.High, c.Score.Mean, c.Score.Low, c.Score.High)
		for _, id := range c.Lost {
			fmt.Fprintf(w, "  lost   %s\n", id)
		}
	}
	return nil
}

// write writes results.json and the samples of every candidate into dir.
func (r *results) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return mistake("out: %v", err)
	}
	for n, c := range r.candidates {
		for i, suite := range r.suites {
			var b bytes.Buffer
			for j := range suite.Tests {
				if err := r.writeSample(&b, &c, i, j); err != nil {
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
