package schedule

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

// TestRates compares with transformers; testdata/rates.py made the values.
func TestRates(t *testing.T) {
	text, err := os.ReadFile("testdata/rates.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Kind    string
		Options map[string]string
		Rates   []float64
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"constant": true}
	for _, c := range cases {
		s, err := New(c.Kind, 2e-3, 4, len(c.Rates), c.Options)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.Rates {
			if got := s.Rate(i + 1); math.Abs(got-want) > 1e-8*want+1e-15 {
				t.Errorf("%s %v: step %d has rate %.9g, want %.9g", c.Kind, c.Options, i+1, got, want)
			}
		}
		seen[c.Kind] = true
	}
	for _, name := range Kinds() {
		if !seen[name] {
			t.Errorf("%s was not compared", name)
		}
	}
}

// TestRatesAreRates holds all kinds to rates of 0 to the peak, at and after the ends of runs with odd numbers.
func TestRatesAreRates(t *testing.T) {
	for _, name := range Kinds() {
		options := map[string]string{}
		if name == "cosine_with_min_lr" {
			options["min_lr_rate"] = "0.5"
		}
		for _, x := range []struct{ warmup, total int }{{0, 1}, {1, 1}, {5, 3}, {0, 7}, {7, 7}, {3, 1000}} {
			for _, peak := range []float64{0, 1e-3} {
				s, err := New(name, peak, x.warmup, x.total, options)
				if err != nil {
					t.Fatal(err)
				}
				for step := 1; step <= x.total+2; step++ {
					if r := s.Rate(step); !(r >= 0 && r <= peak) {
						t.Errorf("%s, %v: step %d has rate %g", name, x, step, r)
					}
				}
			}
		}
	}
}

// TestStableDecayByItself falls in the last tenth where nothing is said.
func TestStableDecayByItself(t *testing.T) {
	s, err := New("warmup_stable_decay", 1, 0, 100, nil)
	if err != nil || s.Rate(91) != 1 || s.Rate(92) >= 1 || s.Rate(100) >= 0.1 {
		t.Errorf("%v: rates %g, %g, %g", err, s.Rate(91), s.Rate(92), s.Rate(100))
	}
}

func TestMistakes(t *testing.T) {
	for _, x := range []struct {
		name    string
		options map[string]string
		want    string
	}{
		{"step", nil, `lr_scheduler_type is "step"; known: constant`},
		{"linear", map[string]string{"num_cycles": "2"}, `has "num_cycles"; linear takes none`},
		{"cosine", map[string]string{"cycles": "2"}, `has "cycles"; cosine takes num_cycles`},
		{"cosine", map[string]string{"num_cycles": "many"}, `num_cycles is "many"`},
		{"cosine", map[string]string{"num_cycles": "-1"}, `not negative`},
		{"cosine", map[string]string{"num_cycles": "nan"}, `expected a number`},
		{"cosine_with_min_lr", nil, "takes one of min_lr"},
		{"cosine_with_min_lr", map[string]string{"min_lr": "1e-5", "min_lr_rate": "0.1"}, "takes one of min_lr"},
		{"cosine_with_min_lr", map[string]string{"min_lr": "1"}, "above learning_rate"},
		{"polynomial", map[string]string{"lr_end": "1"}, "lr_end is 1; it must be below learning_rate"},
	} {
		if _, err := New(x.name, 1e-3, 0, 10, x.options); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s %v: %v, want %q", x.name, x.options, err, x.want)
		}
	}
}
