// Package checks gives verdicts on answers: pure functions of text, by the names that promptfoo gives its assertions.
package checks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Check judges an answer.
type Check func(answer string) Verdict

// Verdict says whether an answer passed and, where it did not, why.
type Verdict struct {
	Pass   bool
	Reason string
}

// types is the table of all types of check and how each is made from its value. A new one is a function and a line
// here.
func types() map[string]func(value string) (Check, error) {
	return map[string]func(value string) (Check, error){
		"equals": func(value string) (Check, error) { return Equals(value), nil },
	}
}

// New makes a check of the named type, such as equals. It is an error when there is no such type, or when the type
// cannot use the value.
func New(name, value string) (Check, error) {
	build, ok := types()[name]
	if !ok {
		known := slices.Sorted(maps.Keys(types()))
		return nil, fmt.Errorf("checks: unknown type %q; known: %s", name, strings.Join(known, ", "))
	}
	return build(value)
}

// Equals passes the answer that is want; white space around either does not count.
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
