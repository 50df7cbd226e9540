package data

import (
	"testing"

	"instruct/tokenizer/chat"
)

func TestCommonSystem(t *testing.T) {
	with := func(system string) Row {
		return Row{Messages: append([]chat.Message{{Role: "system", Content: system}}, talk("U", "A")...)}
	}
	without := Row{Messages: talk("U", "A")}
	many := func(n int, row Row) (rows []Row) {
		for range n {
			rows = append(rows, row)
		}
		return rows
	}
	for name, test := range map[string]struct {
		rows []Row
		want string
	}{
		"all":        {many(3, with("S")), "S"},
		"none":       {many(3, without), ""},
		"no rows":    {nil, ""},
		"19 of 20":   {append(many(19, with("S")), with("T")), "S"},
		"18 of 20":   {append(many(18, with("S")), without, without), ""},
		"two halves": {append(many(5, with("S")), many(5, with("T"))...), ""},
		"texts":      {many(3, Row{Text: "S"}), ""},
	} {
		var c systems
		for i := range test.rows {
			c.add(&test.rows[i])
		}
		if got := c.common(); got != test.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}
