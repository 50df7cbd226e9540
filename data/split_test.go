package data

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"instruct/tokenizer/chat"
)

// saying is a row of a question and an answer.
func saying(source, question, answer string) Row {
	return Row{Source: source, Messages: []chat.Message{{Role: "user", Content: question},
		{Role: "assistant", Content: answer}}}
}

// numbered gives n rows.
func numbered(n int) []Row {
	var rows []Row
	for i := range n {
		rows = append(rows, saying(fmt.Sprintf("f:%d", i+1), fmt.Sprintf("What is %d?", i), "A number."))
	}
	return rows
}

// heldSources splits rows and returns the sources of those held out.
func heldSources(t *testing.T, rows []Row, fraction float64, seed uint64) []string {
	t.Helper()
	train, held, err := Split(rows, fraction, seed)
	if err != nil {
		t.Fatal(err)
	}
	if len(train)+len(held) != len(rows) {
		t.Fatalf("%d and %d of %d rows", len(train), len(held), len(rows))
	}
	place := func(source string) int {
		return slices.IndexFunc(rows, func(r Row) bool { return r.Source == source })
	}
	for _, part := range [][]Row{train, held} {
		if !slices.IsSortedFunc(part, func(a, b Row) int { return place(a.Source) - place(b.Source) }) {
			t.Error("the order of the rows is lost")
		}
	}
	var names []string
	for _, r := range held {
		names = append(names, r.Source)
	}
	return names
}

// TestSplitFraction: the fraction is met on average, and both sides have a row where two differ.
func TestSplitFraction(t *testing.T) {
	rows := numbered(4000)
	for _, fraction := range []float64{0.01, 0.05, 0.5, 0.95} {
		n := float64(len(heldSources(t, rows, fraction, 42)))
		mean := float64(fraction * 4000)
		if sd := math.Sqrt(mean * (1 - fraction)); math.Abs(n-mean) > 4*sd {
			t.Errorf("fraction %g: %g of 4000 rows held out", fraction, n)
		}
	}
	for _, x := range []struct {
		n        int
		fraction float64
		held     int
	}{{100, 1e-9, 1}, {100, 1 - 1e-9, 99}, {2, 1e-9, 1}, {2, 1 - 1e-9, 1}} {
		if n := len(heldSources(t, rows[:x.n], x.fraction, 42)); n != x.held {
			t.Errorf("%d rows, fraction %g: %d held out, want %d", x.n, x.fraction, n, x.held)
		}
	}
	for _, x := range []struct {
		n        int
		fraction float64
	}{{10, 1.5}, {10, -1}, {10, math.NaN()}} {
		if _, _, err := Split(rows[:x.n], x.fraction, 1); err == nil || !isUserError(err) {
			t.Errorf("%+v: %v", x, err)
		}
	}
}

// TestSplitFollowsTheContent: rows that are added, taken away or moved leave every other row on its side.
func TestSplitFollowsTheContent(t *testing.T) {
	rows := numbered(300)
	want := heldSources(t, rows, 0.1, 42)
	if again := heldSources(t, rows, 0.1, 42); !slices.Equal(again, want) {
		t.Error("the same split again is another one")
	}
	if other := heldSources(t, rows, 0.1, 43); slices.Equal(other, want) {
		t.Error("another seed gives the same split")
	}
	reversed := slices.Clone(rows)
	slices.Reverse(reversed)
	moved := heldSources(t, reversed, 0.1, 42)
	slices.Reverse(moved)
	if !slices.Equal(moved, want) {
		t.Error("another order of the rows gives another split")
	}
	for i := range 50 { // one row more, here and there
		more := slices.Insert(slices.Clone(rows), i*6, saying("new", fmt.Sprintf("A new question %d", i), "Yes."))
		got := slices.DeleteFunc(heldSources(t, more, 0.1, 42), func(s string) bool { return s == "new" })
		if !slices.Equal(got, want) {
			t.Fatalf("a row at %d moved others: %v, want %v", i*6, got, want)
		}
	}
	fewer := heldSources(t, rows[:200], 0.1, 42)
	if !slices.Equal(fewer, want[:len(fewer)]) {
		t.Errorf("the first 200 rows: %v, of all %v", fewer, want)
	}
	bigger := heldSources(t, rows, 0.2, 42)
	for _, s := range want {
		if !slices.Contains(bigger, s) {
			t.Errorf("%s is held out of a tenth and not of a fifth", s)
		}
	}
}

// TestSplitKeepsDuplicatesTogether: rows that say the same are on one side.
func TestSplitKeepsDuplicatesTogether(t *testing.T) {
	base := numbered(100)
	rows := slices.Clone(base)
	for _, r := range base {
		q, a := r.Messages[0].Content, r.Messages[1].Content
		rows = append(rows, saying(r.Source+" again", q, a), saying(r.Source+" loud", "  "+q+"\n", "A  NUMBER."))
	}
	held := heldSources(t, rows, 0.2, 42)
	if len(held)%3 != 0 || len(held) == 0 {
		t.Fatalf("%d rows held out", len(held))
	}
	for _, s := range held[:len(held)/3] {
		if !slices.Contains(held, s+" again") || !slices.Contains(held, s+" loud") {
			t.Errorf("%s is held out, a duplicate of it is not", s)
		}
	}
	same := []Row{saying("a", "Q", "A"), saying("b", "Q", "A")}
	if held := heldSources(t, same, 0.5, 42); len(held) > 0 {
		t.Errorf("of two equal rows %v are held out", held)
	}
	if a, b := splitKey(&Row{Text: "one"}, 1), splitKey(&Row{Text: "two"}, 1); a == b {
		t.Error("texts have one key")
	}
}

// TestNear: which held-out rows are told from the rows of training.
func TestNear(t *testing.T) {
	set := func(rows []Row) *Set {
		var s Set
		for i := range rows {
			s.near.add(new(sign(&rows[i])), rows[i].Source)
		}
		return &s
	}
	long := "The harbour of Brest lies in the west of the country and has been a place of ships for many hundred " +
		"years now."
	filler := numbered(40)
	for _, x := range []struct {
		name        string
		train, held Row
		near        bool
	}{
		{"equal", saying("t", "Say it.", long), saying("h", "Say it.", long), true},
		{"case and marks", saying("t", "Say it.", long), saying("h", "say it", "“"+long+"”"), true},
		{"numbers", saying("t", "Say 1", "The thing is box 1."), saying("h", "Say 77", "The thing is box 77."), true},
		{"one word more", saying("t", "Say it.", long), saying("h", "Say it.", long+" Indeed."), true},
		{"another answer", saying("t", "Say it.", long), saying("h", "Say it.", "No."), false},
		{"other words", saying("t", "Which town?", "Brest"), saying("h", "Which river?", "The Elorn"), false},
		{"the prompt of the system", Row{Messages: []chat.Message{{Role: "system", Content: long},
			{Role: "user", Content: "Hi"}}},
			Row{Messages: []chat.Message{{Role: "system", Content: long}, {Role: "user", Content: "Who are you?"}}}, false},
		{"short texts", Row{Text: "Yes"}, Row{Text: "yes."}, true},
		{"short and different", Row{Text: "Yes"}, Row{Text: "No"}, false},
	} {
		rows := append(slices.Clone(filler), x.train)
		near := Near(set(rows), set([]Row{saying("x", "Nothing like it", "at all"), x.held}))
		if (len(near) == 1) != x.near || len(near) > 1 {
			t.Errorf("%s: %d near rows", x.name, len(near))
		}
		if x.near && (near[0].HeldOut != x.held.Source || near[0].Train != x.train.Source) {
			t.Errorf("%s: %s is near %s", x.name, near[0].HeldOut, near[0].Train)
		}
	}
	if near := Near(set(numbered(40)), set(numbered(30))); len(near) != 30 {
		t.Errorf("%d of 30 rows are near", len(near))
	}
}
