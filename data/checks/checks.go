// Package checks gives verdicts on answers: pure functions of text.
package checks

import (
	"fmt"
	"strings"
)

// Check judges an answer.
type Check func(answer string) Verdict

// Verdict says whether an answer passed and, where it did not, why.
type Verdict struct {
	Pass   bool
	Reason string
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
