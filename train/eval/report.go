package eval

import (
	"fmt"
	"strings"

	"instruct/tokenizer/chat"
)

// Report says how a model did on a suite, before and after training.
type Report struct {
	Suite  *Suite
	Before []Sample // nil where the untrained model was not asked
	After  []Sample
}

// count is of the tests of one kind, or of all.
type count struct{ tests, before, after int }

func (c *count) add(before, after bool) {
	c.tests++
	if before {
		c.before++
	}
	if after {
		c.after++
	}
}

// counts gives the numbers of every kind, the kinds in the order of the tests, and of all tests.
func (r *Report) counts() (kinds []string, of map[string]*count, all count) {
	of = map[string]*count{}
	for i, t := range r.Suite.Tests {
		c := of[t.Kind]
		if c == nil {
			c = &count{}
			of[t.Kind] = c
			kinds = append(kinds, t.Kind)
		}
		before := r.Before != nil && r.Before[i].Pass
		c.add(before, r.After[i].Pass)
		all.add(before, r.After[i].Pass)
	}
	return kinds, of, all
}

// Shares returns the shares of the tests that pass, 0 to 1, and whether the untrained model was asked.
func (r *Report) Shares() (before, after float64, asked bool) {
	_, _, all := r.counts()
	return share(all.before, all.tests), share(all.after, all.tests), r.Before != nil
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// String is a table by kind, in percent, with some right and some wrong answers of the trained model.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %5s %7s %7s\n", "kind", "rows", "before", "after")
	line := func(name string, c *count) {
		before, after := 100*share(c.before, c.tests), 100*share(c.after, c.tests)
		fmt.Fprintf(&b, "%-18s %5d %6.1f%% %6.1f%%\n", name, c.tests, before, after)
	}
	kinds, of, all := r.counts()
	above := 0
	for _, k := range kinds {
		line(k, of[k])
		if share(of[k].after, of[k].tests) > 0.8 {
			above++
		}
	}
	line("total", &all)
	if r.Before == nil {
		b.WriteString("(the run was resumed: the model before training was not asked)\n")
	}
	fmt.Fprintf(&b, "%d of %d kinds above 80 %%\n", above, len(kinds))
	r.examples(&b, "right answers", true, 8)
	r.examples(&b, "wrong answers", false, 5)
	return b.String()
}

// KindCount is how many tests of a kind there are, and how many passed before and after training.
type KindCount struct {
	Name                 string
	Tests, Before, After int
}

// Kinds are the kinds in the order of the tests.
func (r *Report) Kinds() []KindCount {
	kinds, of, _ := r.counts()
	out := make([]KindCount, len(kinds))
	for i, k := range kinds {
		out[i] = KindCount{k, of[k].tests, of[k].before, of[k].after}
	}
	return out
}

// Examples are the numbers of the first tests that pass, or do not, one of a kind and most in all.
func (r *Report) Examples(pass bool, most int) (tests []int) {
	shown := map[string]bool{}
	for i := range r.Suite.Tests {
		kind := r.Suite.Tests[i].Kind
		if r.After[i].Pass == pass && !shown[kind] && len(shown) < most {
			shown[kind] = true
			tests = append(tests, i)
		}
	}
	return tests
}

// examples writes such tests.
func (r *Report) examples(b *strings.Builder, title string, pass bool, most int) {
	for n, i := range r.Examples(pass, most) {
		t, answer := &r.Suite.Tests[i], r.After[i]
		if n == 0 {
			fmt.Fprintf(b, "\n%s\n", title)
		}
		fmt.Fprintf(b, "  %s\n    -> %s", onOneLine(t.Messages), answer.Answer)
		if answer.Answer != t.Want {
			fmt.Fprintf(b, "   (should be: %s)", t.Want)
		}
		b.WriteByte('\n')
	}
}

// onOneLine writes a conversation; the speakers other than the user are named.
func onOneLine(messages []chat.Message) string {
	parts := make([]string, len(messages))
	for i, m := range messages {
		parts[i] = m.Content
		if m.Role != "user" {
			parts[i] = "[" + m.Role + "] " + m.Content
		}
	}
	return strings.Join(parts, "  ")
}
