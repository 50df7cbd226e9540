package attribute

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// shownText is how much of a row or an answer is shown on a line, in characters.
const shownText = 70

// brief is the beginning of a text on one line, quoted.
func brief(text string) string {
	r := []rune(text)
	if len(r) <= shownText {
		return strconv.Quote(text)
	}
	return strconv.Quote(string(r[:shownText])) + "..."
}

// WriteText writes an explanation for people.
func (x *Explanation) WriteText(w io.Writer) error {
	var b strings.Builder
	if x.ID != "" {
		fmt.Fprintf(&b, "test      %s\n", x.ID)
	}
	fmt.Fprintf(&b, "prompt    %q\nanswer    %q\n", x.Prompt, x.Answer)
	if x.Greedy != x.Answer {
		fmt.Fprintf(&b, "          the model itself answers %q\n", x.Greedy)
	}
	fmt.Fprintf(&b, "          log-probability %.4f over %d tokens", x.Logprob, len(x.Tokens))
	if x.BaseLogprob != nil {
		fmt.Fprintf(&b, ", %.4f before the run, by %s,\n          which answers %s", *x.BaseLogprob, x.Base,
			brief(x.BaseAnswer))
	}
	b.WriteString("\n\n")
	x.writeTokens(&b)
	x.writeRows(&b)
	if x.Proof != nil {
		x.Proof.write(&b, x)
	}
	for _, note := range x.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeTokens is the answer token by token.
func (x *Explanation) writeTokens(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	head := "token\tlog-prob\tlikeliest\n"
	if x.BaseLogprob != nil {
		head = "token\tlog-prob\tlikeliest\tbefore\tlikeliest before\n"
	}
	fmt.Fprint(t, head)
	for i, token := range x.Tokens {
		fmt.Fprintf(t, "%q\t%.3f\t%s", token.Text, token.Logprob, others(token.Top))
		if token.Base != nil {
			fmt.Fprintf(t, "\t%.3f\t%s", token.Base.Logprob, others(token.Base.Top))
			if i == x.Parts {
				fmt.Fprint(t, "  <- here they part")
			}
		}
		fmt.Fprintln(t)
	}
	t.Flush()
	b.WriteByte('\n')
}

// others are the likeliest tokens with their probabilities.
func others(top []Other) string {
	var all []string
	for _, o := range top[:min(3, len(top))] {
		all = append(all, fmt.Sprintf("%q %.3f", o.Text, o.Probability()))
	}
	return strings.Join(all, ", ")
}

// writeRows is the rows on both sides.
func (x *Explanation) writeRows(b *strings.Builder) {
	what := "nats of the answer's log-probability, to first order"
	if x.Method == "bm25" {
		what = "BM25 of its words, which knows nothing of the model"
	}
	for _, side := range []struct {
		title string
		rows  []Row
	}{{"rows that pushed towards the answer", x.Towards}, {"rows that pushed against it", x.Against}} {
		if x.Method == "bm25" && len(side.rows) == 0 {
			continue
		}
		fmt.Fprintf(b, "%s (%s)\n", side.title, what)
		for _, r := range side.rows {
			fmt.Fprintf(b, "  %+9.4f  %s  %s -> %s\n", r.Score, r.Source, brief(r.Prompt), brief(r.Answer))
			if n := len(r.Alike); n > 0 {
				fmt.Fprintf(b, "             with %d that say almost the same %+.4f: %s\n", n, r.Group, listed(r.Alike))
			}
		}
	}
	if x.Method == "bm25" {
		return
	}
	fmt.Fprintf(b, "all %d rows: %+.4f towards, %+.4f against, together %+.4f", x.Rows, x.Pushed, x.Pulled,
		x.Pushed+x.Pulled)
	if x.BaseLogprob != nil {
		fmt.Fprintf(b, "; the run changed the log-probability by %+.4f", x.Logprob-*x.BaseLogprob)
	}
	b.WriteByte('\n')
	if top := x.largest(); top > 0 && top < shareAlone {
		fmt.Fprintf(b, "no single row explains the answer: the first is %.0f %% of all that pushed towards it\n", 100*top)
	}
	if x.Smooth != nil {
		fmt.Fprintf(b, "smoothness of the run %.2f of 1\n", *x.Smooth)
	}
	if x.Method == "trace" {
		fmt.Fprintf(b, "trace over the weights after step %s\n", steps(x.Steps))
	}
}

// shareAlone is the share of the push from which on a row explains an answer.
const shareAlone = 0.2

// largest is the share of the first row, with those that are alike, in all that pushed towards the answer.
func (x *Explanation) largest() float64 {
	if len(x.Towards) == 0 || x.Pushed == 0 {
		return 0
	}
	return max(x.Towards[0].Score, x.Towards[0].Group) / x.Pushed
}

func steps(list []int) string {
	text := strings.Trim(fmt.Sprint(list), "[]")
	return strings.ReplaceAll(text, " ", ", ")
}

// listed names the first of some rows.
func listed(sources []string) string {
	const most = 5
	if n := len(sources) - most; n > 0 {
		return strings.Join(sources[:most], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(sources, ", ")
}

// write says what the runs without rows gave.
func (p *Proof) write(b *strings.Builder, x *Explanation) {
	fmt.Fprintf(b, "without the first of them, %s: log-probability %.4f, which is %+.4f\n", rowsText(len(p.Rows)),
		p.Logprob, p.Change)
	if p.Flips {
		fmt.Fprintf(b, "  the model then answers %q\n", p.Answer)
	} else {
		fmt.Fprintf(b, "  the model still answers %q\n", x.Greedy)
	}
	if len(p.Random) == 0 {
		return
	}
	low, high, flips := p.Random[0].Change, p.Random[0].Change, 0
	for _, t := range p.Random {
		low, high = min(low, t.Change), max(high, t.Change)
		if t.Flips {
			flips++
		}
	}
	fmt.Fprintf(b, "  without %s drawn at random, %d times: %+.4f to %+.4f, the answer changes %d times; %.0f %% of them "+
		"lower it less\n", rowsText(len(p.Rows)), len(p.Random), low, high, flips, p.Percentile)
}

func rowsText(n int) string {
	if n == 1 {
		return "one row"
	}
	return fmt.Sprintf("%d rows", n)
}
