package checks

import (
	"fmt"
	"testing"
)

func TestVerdicts(t *testing.T) {
	for _, x := range []struct {
		kind, value, answer, reason string
	}{
		{"equals", "CAT", "CAT", ""},
		{"equals", "CAT", " CAT\n", ""},
		{"equals", "\tCAT ", "CAT", ""},
		{"equals", "", "\n", ""},
		{"equals", "CAT", "cat", `expected "CAT", got "cat"`},
		{"equals", "CAT", "CAT.", `expected "CAT", got "CAT."`},
		{"equals", "a b", "a  b", `expected "a b", got "a  b"`},
		{"equals", "CAT", "", `expected "CAT", got ""`},
		{"equals", "", "CAT", `expected "", got "CAT"`},
	} {
		c, err := New(x.kind, x.value)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := c(x.answer), (Verdict{x.reason == "", x.reason}); got != want {
			t.Errorf("%s %q judges %q: %+v, want %+v", x.kind, x.value, x.answer, got, want)
		}
	}
}

func TestUnknownType(t *testing.T) {
	_, err := New("equal", "x")
	if err == nil || err.Error() != `checks: unknown type "equal"; known: equals` {
		t.Errorf("error %v", err)
	}
}

func ExampleNew() {
	c, err := New("equals", "Paris")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c("Paris\n").Pass)
	fmt.Println(c("London").Reason)
	// Output:
	// true
	// expected "Paris", got "London"
}
