package eval

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"instruct/data/checks"
	"instruct/data/policy"
)

// junitSuites and what is in it are JUnit's report as CI systems read it.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// JUnit is what was found of a model as a JUnit report: a case for each test and, of a policy, for each block rule that
// applies to its answer. Characters that XML does not allow, which an answer may have, are written as U+FFFD.
func JUnit(suites []*Suite, c Candidate) ([]byte, error) {
	all := junitSuites{Name: c.Name}
	for i, s := range suites {
		one := junitSuite{Name: s.Name}
		for j := range s.Tests {
			t, x := &s.Tests[j], &c.Samples[i][j]
			one.add(t.ID, x.Verdict, "check", t.failure(x))
			if c.Judged == nil {
				continue
			}
			for _, r := range c.Judged[i][j] {
				if r.Rule.Severity == policy.Block {
					one.add(t.ID+", "+ruleGroup(r.Rule), r.Verdict, "rule", r.Reason+"\n"+t.dialogue(x))
				}
			}
		}
		all.Tests += one.Tests
		all.Failures += one.Failures
		all.Suites = append(all.Suites, one)
	}
	b := bytes.NewBufferString(xml.Header)
	e := xml.NewEncoder(b)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return nil, fmt.Errorf("eval: JUnit report: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// add adds a case, with text where it failed.
func (s *junitSuite) add(name string, v checks.Verdict, kind, text string) {
	c := junitCase{Class: s.Name, Name: name}
	if s.Tests++; !v.Pass {
		s.Failures++
		c.Failure = &junitFailure{Message: v.Reason, Type: kind, Text: text}
	}
	s.Cases = append(s.Cases, c)
}

// failure says all that failed, and the dialogue.
func (t *Test) failure(x *Sample) string {
	var b strings.Builder
	failed := failedParts(x.Parts)
	for _, p := range failed {
		fmt.Fprintf(&b, "%s: %s\n", p.Type, p.Reason)
	}
	if len(failed) == 0 {
		fmt.Fprintln(&b, x.Reason)
	}
	return b.String() + t.dialogue(x)
}

// dialogue is what was asked and answered.
func (t *Test) dialogue(x *Sample) string {
	var b strings.Builder
	for _, m := range t.Messages {
		fmt.Fprintf(&b, "\n[%s]\n%s\n", m.Role, m.Content)
	}
	if t.Asked() {
		fmt.Fprintf(&b, "\n[answer]\n%s\n", x.Answer)
	}
	return b.String()
}

// failedParts are the assertions that failed, those inside of an assert-set in its place.
func failedParts(parts []checks.Result) (failed []checks.Result) {
	for _, p := range parts {
		if p.Pass {
			continue
		}
		inside := failedParts(p.Parts)
		if len(inside) == 0 {
			inside = []checks.Result{p}
		}
		failed = append(failed, inside...)
	}
	return failed
}
