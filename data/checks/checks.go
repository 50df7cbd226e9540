package checks

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// Check judges an answer.
type Check func(answer string) Verdict

// Verdict says whether an answer passed and, where it did not, why.
type Verdict struct {
	Pass   bool
	Reason string
}

// Equals passes the answer that is want; white space around either does not count. The assertion equals, which is
// promptfoo's, is stricter: there white space counts.
func Equals(want string) Check {
	want = strings.TrimSpace(want)
	return func(answer string) Verdict {
		answer = strings.TrimSpace(answer)
		if answer == want {
			return Verdict{Pass: true}
		}
		return Verdict{Reason: fmt.Sprintf("expected %q, got %q", want, answer)}
	}
}

// Spec is an assertion as it is written in a suite.
type Spec struct {
	Type      string          `json:"type"`
	Value     json.RawMessage `json:"value,omitempty"` // nil where there is none
	Threshold *float64        `json:"threshold,omitempty"`
	Weight    *float64        `json:"weight,omitempty"` // 1 where it is nil
	Metric    string          `json:"metric,omitempty"`
	Assert    []Spec          `json:"assert,omitempty"` // of an assert-set
	// Line and ValueLine are where the assertion and its value begin in its file, 0 where that is not known.
	Line      int `json:"-"`
	ValueLine int `json:"-"`
}

// Error is a mistake in an assertion. Line is where it stands, 0 where that is not known.
type Error struct {
	Line   int
	Reason string
}

// Error is the reason alone; whoever knows the file says path:line before it.
func (e *Error) Error() string { return e.Reason }

// UserError reports that the mistake lies in the user's input.
func (e *Error) UserError() bool { return true }

// Answer is what a model said, with the numbers that some assertions want of it.
type Answer struct {
	Text string
	// Logprobs are the log-probabilities of the answer's tokens in nats, for perplexity.
	Logprobs []float64
	// Margins are the log-probabilities that [Set.Margins] asks for, in its order.
	Margins []MarginLogprobs
}

// Result is the outcome of an assertion, of an assert-set or of all assertions of a test.
type Result struct {
	Verdict
	// Score is promptfoo's: 1 or 0, the score of a ROUGE, or the weighted mean of the parts.
	Score float64
	// Type and Metric are those of the assertion, "" for a test as a whole.
	Type, Metric string
	// Parts are the results of an assert-set or a test, in the order of its assertions.
	Parts []Result
	// Metrics are the named scores of an assert-set or a test, in the order of their first use.
	Metrics []Metric
}

// Metric is the weighted mean of the scores that carry a name.
type Metric struct {
	Name          string
	Score, Weight float64
}

// Set is the assertions of a test. The zero value passes every answer.
type Set struct {
	assertions []assertion
	threshold  *float64
}

// assertion is a Spec that is ready to judge.
type assertion struct {
	kind    string // with its not-
	metric  string
	weight  float64
	inverse bool
	judge   judge
	set     *Set    // of an assert-set
	margin  *Margin // of a logprob-margin
	numbers bool    // whether it wants Logprobs
}

// NewSet makes the assertions of a test. Without a threshold an answer passes that passes all of them; with one, an
// answer whose score, the weighted mean of theirs, reaches it. Errors are of type *[Error].
func NewSet(specs []Spec, threshold *float64) (*Set, error) {
	s := &Set{threshold: threshold}
	for _, spec := range specs {
		a, err := newAssertion(spec)
		if err != nil {
			return nil, err
		}
		s.assertions = append(s.assertions, a)
	}
	return s, nil
}

// newAssertion makes one assertion, an assert-set included.
func newAssertion(spec Spec) (assertion, error) {
	fail := func(line int, format string, args ...any) (assertion, error) {
		return assertion{}, &Error{Line: line, Reason: fmt.Sprintf(format, args...)}
	}
	a := assertion{kind: spec.Type, metric: spec.Metric, weight: 1}
	if spec.Weight != nil {
		a.weight = *spec.Weight
	}
	if a.weight < 0 || math.IsInf(a.weight, 0) || math.IsNaN(a.weight) {
		return fail(spec.Line, "%s: weight must be 0 or more, found %g", spec.Type, a.weight)
	}
	if spec.Type == setType {
		if spec.Value != nil {
			return fail(spec.Line, "%s takes assertions in assert, and no value", setType)
		}
		return a, a.fill(spec)
	}
	if spec.Assert != nil {
		return fail(spec.Line, "%s takes no assert; only %s does", spec.Type, setType)
	}
	base, inverse := strings.CutPrefix(spec.Type, "not-")
	a.inverse = inverse
	for _, t := range table() {
		if t.kind != base {
			continue
		}
		if spec.Threshold != nil && !t.threshold {
			return fail(spec.Line, "%s takes no threshold", spec.Type)
		}
		if err := t.make(&a, spec); err != nil {
			return fail(max(spec.Line, spec.ValueLine), "%s: %v", spec.Type, err)
		}
		return a, nil
	}
	if spec.Type == "" {
		return fail(spec.Line, "an assertion needs a type")
	}
	return fail(spec.Line, "unknown type %q; did you mean %q?", spec.Type, Nearest(spec.Type, Types()))
}

// fill makes the assertions of an assert-set.
func (a *assertion) fill(spec Spec) error {
	if len(spec.Assert) == 0 {
		return &Error{Line: spec.Line, Reason: setType + " needs assertions in assert"}
	}
	for _, s := range spec.Assert {
		if s.Type == setType {
			return &Error{Line: s.Line, Reason: "an " + setType + " cannot stand in another"}
		}
	}
	set, err := NewSet(spec.Assert, spec.Threshold)
	a.set = set
	return err
}

// Empty says whether there are no assertions, so that every answer passes.
func (s *Set) Empty() bool { return len(s.assertions) == 0 }

// NeedsLogprobs says whether some assertion judges [Answer].Logprobs.
func (s *Set) NeedsLogprobs() bool {
	for _, a := range s.assertions {
		if a.numbers || a.set != nil && a.set.NeedsLogprobs() {
			return true
		}
	}
	return false
}

// Judge gives the verdict on an answer as promptfoo would. An assertion fails when the numbers that it wants are
// missing.
func (s *Set) Judge(answer Answer) Result {
	if len(s.assertions) == 0 {
		return Result{Verdict: Verdict{Pass: true}, Score: 1}
	}
	r := Result{Verdict: Verdict{Pass: true}, Parts: make([]Result, len(s.assertions))}
	for i, a := range s.assertions {
		part := &r.Parts[i]
		if a.set != nil {
			n := min(len(a.set.Margins()), len(answer.Margins))
			of := answer
			of.Margins, answer.Margins = answer.Margins[:n], answer.Margins[n:]
			*part = a.set.Judge(of)
		} else {
			*part = a.one(answer)
			if a.margin != nil && len(answer.Margins) > 0 {
				answer.Margins = answer.Margins[1:]
			}
		}
		part.Type, part.Metric = a.kind, a.metric
	}
	s.add(&r)
	return r
}

// one judges by an assertion that is no set.
func (a *assertion) one(answer Answer) Result {
	pass, score, reason := a.judge(answer)
	if a.weight == 0 {
		pass = true
	}
	if pass {
		reason = ""
	}
	return Result{Verdict: Verdict{Pass: pass, Reason: reason}, Score: score}
}

// add makes the score, the metrics and the verdict of the parts. Those that are no sets come first, as in promptfoo,
// where that decides the last bit of a sum.
func (s *Set) add(r *Result) {
	var total, weights float64
	var metrics metrics
	for _, sets := range []bool{false, true} {
		for i, a := range s.assertions {
			if (a.set != nil) != sets {
				continue
			}
			part := &r.Parts[i]
			total += float64(part.Score * a.weight)
			weights += a.weight
			if a.metric != "" {
				metrics.add(a.metric, part.Score, a.weight)
			}
			for _, m := range part.Metrics {
				if m.Name != a.metric {
					metrics.add(m.Name, m.Score, m.Weight*a.weight)
				}
			}
			if !part.Pass {
				r.Pass, r.Reason = false, part.Reason
			}
		}
	}
	if weights > 0 {
		r.Score = total / weights
	}
	r.Metrics = metrics.means()
	if s.threshold == nil {
		return
	}
	r.Pass = r.Score >= *s.threshold
	r.Reason = ""
	if !r.Pass {
		r.Reason = fmt.Sprintf("the score %.3g is below the threshold %g", r.Score, *s.threshold)
	}
}

// metrics adds up named scores.
type metrics []Metric

func (m *metrics) add(name string, score, weight float64) {
	for i := range *m {
		if (*m)[i].Name == name {
			(*m)[i].Score += float64(score * weight)
			(*m)[i].Weight += float64(weight) // never fused with the product that weight may be
			return
		}
	}
	*m = append(*m, Metric{name, score * weight, weight})
}

func (m metrics) means() []Metric {
	for i := range m {
		if m[i].Weight > 0 {
			m[i].Score /= m[i].Weight
		} else {
			m[i].Score = 0
		}
	}
	return m
}
