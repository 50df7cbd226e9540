package checks

import (
	"regexp"
	"sync"
)

// lazy gives a regular expression that is compiled when it is first used: no start of the program has to wait for it.
func lazy(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
