package lessons

import (
	"fmt"
	"strings"
	"testing"

	"instruct/data"
)

func TestScore(t *testing.T) {
	row := data.Row{Messages: []data.Message{
		{Role: "user", Content: "Put cat in capitals."},
		{Role: "assistant", Content: "CAT"},
	}}
	for _, c := range []struct {
		answer string
		want   bool
	}{{"CAT", true}, {" CAT\n", true}, {"cat", false}, {"CAT.", false}, {"", false}} {
		if got := Score(row, c.answer); got != c.want {
			t.Errorf("Score(%q) = %v, want %v", c.answer, got, c.want)
		}
	}
	if Score(data.Row{}, "") {
		t.Error("an empty row cannot be answered right")
	}
}

// TestScoreOfEveryKind holds the rule for all lessons: the answer's own text is right, with white space around it or
// without, and nothing near it is.
func TestScoreOfEveryKind(t *testing.T) {
	_, rows := Generate(Options{Seed: 3, HeldOut: 20 * len(kinds)})
	for _, row := range rows {
		want := row.Messages[len(row.Messages)-1].Content
		for _, right := range []string{want, want + "\n", " " + want, "\t" + want + "\r\n"} {
			if !Score(row, right) {
				t.Errorf("%s: %q is not right for %q", row.Kind, right, want)
			}
		}
		turned := []byte(want)
		turned[0] ^= 1
		for _, wrong := range []string{
			"", want + ".", want + " " + want, want[1:], want[:len(want)-1], `"` + want + `"`, string(turned),
			row.Messages[len(row.Messages)-2].Content,
		} {
			if Score(row, wrong) && strings.TrimSpace(wrong) != want {
				t.Errorf("%s: %q is right for %q", row.Kind, wrong, want)
			}
		}
		if v := Check(row)(want + "!"); v.Pass || v.Reason == "" {
			t.Errorf("%s: the check gives %+v", row.Kind, v)
		}
	}
}

func ExampleReport() {
	var r Report
	r.Add("spell", false, true)
	r.Add("spell", false, true)
	r.Add("sum", true, false)
	fmt.Print(r.String())
	above, all := r.KindsAbove(0.8)
	fmt.Printf("%d of %d kinds above 80%%\n", above, all)
	// Output:
	// kind                rows  before   after
	// spell                  2    0.0%  100.0%
	// sum                    1  100.0%    0.0%
	// total                  3   33.3%   66.7%
	// 1 of 2 kinds above 80%
}
