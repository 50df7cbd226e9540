// Package checks judges answers: pure text in, verdict out.
package checks

import "strings"

// Verdict is what a check says of an answer.
type Verdict struct {
	Pass   bool
	Reason string
}

// Check judges answers.
type Check interface{ Judge(answer string) Verdict }

// Equals passes the answer Want; white space around either does not count.
type Equals struct{ Want string }

// Judge implements Check.
func (c Equals) Judge(answer string) Verdict {
	return Verdict{Pass: strings.TrimSpace(answer) == strings.TrimSpace(c.Want)}
}
