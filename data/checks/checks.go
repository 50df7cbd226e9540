// Package checks gives verdicts on answers: pure functions of text, by the names that promptfoo gives its assertions.
package checks

import (
	"fmt"
	"strings"
)

// Check is what an answer must satisfy.
type Check interface {
	Judge(answer string) Verdict
}

// Verdict says whether an answer passed and, where it did not, why.
type Verdict struct {
	Pass   bool
	Reason string
}

// New makes the check of a type, such as equals, from its value. The error names the types that there are.
func New(kind, value string) (Check, error) {
	var known []string
	for _, t := range table() {
		if t.kind == kind {
			return t.make(value)
		}
		known = append(known, t.kind)
	}
	return nil, fmt.Errorf("checks: unknown type %q; known: %s", kind, strings.Join(known, ", "))
}

// entry is one type of check; make says what is wrong with a value that it cannot use.
type entry struct {
	kind string
	make func(value string) (Check, error)
}

// table lists all types. A new one is a function and a line here.
func table() []entry {
	return []entry{
		{"equals", func(value string) (Check, error) { return Equals(value), nil }},
	}
}

// check is a Check of one function, which gives the reason why an answer fails, or "".
type check func(answer string) (reason string)

func (c check) Judge(answer string) Verdict {
	reason := c(answer)
	return Verdict{Pass: reason == "", Reason: reason}
}

// Equals passes the answer that is want; white space around either does not count.
func Equals(want string) Check {
	want = strings.TrimSpace(want)
	return check(func(answer string) string {
		answer = strings.TrimSpace(answer)
		if answer != want {
			return fmt.Sprintf("expected %q, got %q", want, answer)
		}
		return ""
	})
}
