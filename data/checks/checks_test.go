package checks

import (
	"fmt"
	"strings"
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
		if got, want := c.Judge(x.answer), (Verdict{x.reason == "", x.reason}); got != want {
			t.Errorf("%s %q judges %q: %+v, want %+v", x.kind, x.value, x.answer, got, want)
		}
	}
}

// TestTable makes sure that every type is known by one name.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range table() {
		if seen[e.kind] {
			t.Errorf("%s stands in the table twice", e.kind)
		}
		seen[e.kind] = true
	}
	_, err := New("equal", "x")
	if err == nil || !strings.Contains(err.Error(), `unknown type "equal"; known: equals`) {
		t.Errorf("error %v", err)
	}
}

func ExampleNew() {
	c, err := New("equals", "Paris")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Judge("Paris\n").Pass)
	fmt.Println(c.Judge("London").Reason)
	// Output:
	// true
	// expected "Paris", got "London"
}
