package checks

import (
	"fmt"
	"testing"
)

func TestVerdicts(t *testing.T) {
	for _, x := range []struct {
		want, answer, reason string
	}{
		{"CAT", "CAT", ""},
		{"CAT", " CAT\n", ""},
		{"\tCAT ", "CAT", ""},
		{"", "\n", ""},
		{"CAT", "cat", `expected "CAT", got "cat"`},
		{"CAT", "CAT.", `expected "CAT", got "CAT."`},
		{"a b", "a  b", `expected "a b", got "a  b"`},
		{"CAT", "", `expected "CAT", got ""`},
		{"", "CAT", `expected "", got "CAT"`},
	} {
		if got, want := Equals(x.want)(x.answer), (Verdict{x.reason == "", x.reason}); got != want {
			t.Errorf("%q judges %q: %+v, want %+v", x.want, x.answer, got, want)
		}
	}
}

func ExampleEquals() {
	c := Equals("Paris")
	fmt.Println(c("Paris\n").Pass)
	fmt.Println(c("London").Reason)
	// Output:
	// true
	// expected "Paris", got "London"
}
