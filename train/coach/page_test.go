package coach

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"instruct/data"
	"instruct/tokenizer/chat"
)

// told is a correction with its answers; what is said in it looks like markup.
func told(i int, before, now bool) Told {
	wanted := fmt.Sprintf("You have %d days <from> delivery.", i)
	prompt := asked(fmt.Sprintf("How long may I wait, case %d?", i))
	c := data.NewCorrection(prompt, wanted, "For ever & ever.", time.Unix(0, 0))
	c.ID, c.Note, c.Rule = fmt.Sprintf("c-%d", i), "Refunds within so many days.", "refund-days"
	say := func(right bool) Said {
		if right {
			return Say(&c, wanted+"\n", true)
		}
		return Say(&c, "<script>alert(1)</script>", false)
	}
	return Told{c, say(before), say(now)}
}

// example is a round of n corrections and as many earlier ones, with a suite of so many tests.
func example(n, tests int) (*Round, *Answers) {
	a := &Answers{}
	for i := range n {
		a.New = append(a.New, told(i, false, i%8 != 3))
		a.Earlier = append(a.Earlier, told(1000+i, i%7 != 1, i%5 != 2))
	}
	s := SuiteAnswers{Suite: "manners"}
	for i := range tests {
		t := Tested{ID: fmt.Sprintf("manners.yaml:%d", 3*i), Wanted: "short",
			Prompt: []chat.Message{{Role: "system", Content: "Be short."}, {Role: "user", Content: fmt.Sprint("Question ", i)}}}
		t.Before = Said{Text: strings.Repeat("A long answer. ", 1+i%80), Right: i%3 != 0}
		t.Now = Said{Text: "short", Right: i%20 != 7}
		for _, said := range []*Said{&t.Before, &t.Now} {
			if !said.Right {
				said.Reason = "expected at most 9 words"
			}
		}
		s.Tests = append(s.Tests, t)
	}
	a.Suites = []SuiteAnswers{s}
	r := &Round{Round: 3, Parent: 2, Verdict: Rejected, Reason: "10 of 300 tests of manners are lost, more than 3%",
		Corrections: n, Seconds: 155.2, Author: "ada", Time: "2026-11-26T01:12:44Z", Options: Default(),
		Taught: Taught{Steps: 20, Tries: 2, Share: 0.9, Right: n - n/8, Kept: 96}, Kept: []string{"keep.jsonl"}}
	r.Tell(a)
	return r, a
}

// TestPage: what a person has to know stands in the page in its order, nothing is read as markup, nothing is fetched.
func TestPage(t *testing.T) {
	r, a := example(8, 40)
	var b bytes.Buffer
	if err := WritePage(&b, "some/shop", r, a); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("INSTRUCT_TEST_PAGE"); dir != "" { // to look at it
		big, answers := example(40, 300)
		var page bytes.Buffer
		if err := WritePage(&page, "some/shop", big, answers); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	html, rest := b.String(), b.String()
	for _, want := range []string{"Round 3 of shop is", ">rejected<", r.Reason, "ada", "round 2", "2m35s", ">Corrections<",
		"How long may I wait, case 0?", "Refunds within", "refund-days", "said when it was corrected", "For ever &amp; ever.",
		"before the round", "&lt;script&gt;", "wanted", "days &lt;from&gt; delivery", "says now", "Earlier corrections",
		"2 broke", "c-1002", "From right to wrong: 1", "manners.yaml:21", "expected at most 9 words",
		"From wrong to right", "Wrong before and now", "Right before and now", "96 answers", "keep.jsonl", "90 %",
		"learning_rate", fmt.Sprint(Default().LearningRate)} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("%q does not come, or not in its place, in\n%s", want, rest[:min(len(rest), 3000)])
		}
		rest = after
	}
	if m := regexp.MustCompile(`<script|src=|href="[^#]|https?:|@import|url\(`).FindString(html); m != "" {
		t.Errorf("the page has %q", m)
	}
}

// TestAnswers: what was recorded is read again, and what is no record is a mistake that names the file.
func TestAnswers(t *testing.T) {
	_, a := example(8, 40)
	text, err := a.text()
	if err != nil {
		t.Fatal(err)
	}
	again, err := parseAnswers(text)
	if err != nil {
		t.Fatal(err)
	}
	back, err := again.text()
	if err != nil || !bytes.Equal(back, text) {
		t.Errorf("read and written again it differs: %v", err)
	}
	if broken := again.Broken(); len(broken) != 2 || broken[0].ID != "c-1002" || broken[1].ID != "c-1007" {
		t.Errorf("broken: %+v", broken)
	}
	if m := again.Suites[0].Move(); m.Tests != 40 || m.Before != 26 || m.After != 38 || len(m.Lost) != 1 {
		t.Errorf("%+v", m)
	}
}

func FuzzAnswers(f *testing.F) {
	r, a := example(2, 3)
	text, err := a.text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"corrections":[{}],"suites":[{"tests":[{}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := parseAnswers(text)
		if err != nil {
			return
		}
		if err := WritePage(new(bytes.Buffer), "b", r, a); err != nil {
			t.Error(err)
		}
	})
}
