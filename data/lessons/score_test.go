package lessons

import (
	"fmt"
	"testing"

	"instruct/data"
	"instruct/tokenizer/chat"
)

func TestScore(t *testing.T) {
	row := data.Row{Messages: []chat.Message{{Role: "user", Content: "Put cat in capitals."}, {Role: "assistant", Content: "CAT"}}}
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
