package eval

import (
	"encoding/json"
	"encoding/xml"
	"regexp"
	"strings"
	"testing"

	"instruct/data/checks"
	"instruct/tokenizer/chat"
)

// nasty is what an answer may hold that a file of another format must not take as its own.
const nasty = "</script><script>alert(1)</script><!-- ]]> &amp; \x00\x1b\u2028 \"'` {{.}} \uffff"

// nastySuite has a test that passes and one that fails, of an assert-set, with answers to both.
func nastySuite() (*Suite, []Sample) {
	s := &Suite{Name: "nasty " + nasty}
	for _, pass := range []bool{true, false} {
		part := checks.Result{Verdict: checks.Verdict{Pass: pass}, Type: "contains"}
		if !pass {
			part.Reason = "expected " + nasty
		}
		r := checks.Result{Verdict: part.Verdict, Parts: []checks.Result{{Verdict: part.Verdict, Type: "assert-set",
			Parts: []checks.Result{part}}}, Metrics: []checks.Metric{{Name: "m " + nasty, Weight: 1}}}
		s.Tests = append(s.Tests, Test{ID: "id " + nasty, Kind: nasty, Tags: []string{"t", nasty},
			Messages: []chat.Message{{Role: "user", Content: nasty}}, Want: nasty,
			Check: func(string) checks.Result { return r }})
	}
	var samples []Sample
	for i := range s.Tests {
		samples = append(samples, s.Tests[i].sample(nasty))
	}
	return s, samples
}

func TestJUnit(t *testing.T) {
	s, samples := nastySuite()
	text, err := JUnit([]*Suite{s, s}, Candidate{Name: "runs/" + nasty, Samples: [][]Sample{samples, samples}})
	if err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if got.Tests != 4 || got.Failures != 2 || len(got.Suites) != 2 || got.Suites[1].Failures != 1 {
		t.Errorf("%+v", got)
	}
	cases := got.Suites[0].Cases
	if len(cases) != 2 || cases[0].Failure != nil || cases[1].Failure == nil {
		t.Fatalf("%+v", cases)
	}
	shown := strings.NewReplacer("\x00", "\ufffd", "\x1b", "\ufffd", "\uffff", "\ufffd").Replace(nasty)
	f := cases[1].Failure
	if f.Message != "expected "+shown || cases[1].Name != "id "+shown || cases[1].Class != "nasty "+shown {
		t.Errorf("%+v", cases[1])
	}
	for _, want := range []string{"contains: expected " + shown, "[user]\n" + shown, "[answer]\n" + shown} {
		if !strings.Contains(f.Text, want) {
			t.Errorf("%q is not in %q", want, f.Text)
		}
	}
}

// TestPage: everything is in the data as it is, and nothing of it is markup.
func TestPage(t *testing.T) {
	s, samples := nastySuite()
	other := []Sample{samples[1], samples[0]}
	p := Page{Suites: []*Suite{s}, Models: []Candidate{
		{Name: "new " + nasty, Rows: s.Rows(samples), Samples: [][]Sample{samples}},
		{Name: "old", Rows: s.Rows(other), Samples: [][]Sample{other}, Against: []Comparison{Compare(other, samples)}}}}
	var b strings.Builder
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	if n := strings.Count(html, "<script"); n != 2 || strings.Count(html, "</script") != 2 {
		t.Errorf("there are %d scripts in place of the data and the page's own", n)
	}
	if m := regexp.MustCompile(`(src|href)=|https?:|@import|url\(|innerHTML`).FindString(html); m != "" {
		t.Errorf("the page has %q", m)
	}
	_, text, _ := strings.Cut(html, `<script type="application/json" id="data">`)
	text, _, _ = strings.Cut(text, "</script>")
	var d pageData
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Tests) != 2 || len(d.Models) != 2 || len(d.Models[0].Rows) != len(s.Rows(samples)) {
		t.Fatalf("%+v", d)
	}
	x := d.Tests[1]
	if x.ID != "id "+nasty || x.Messages[0].Content != nasty || x.Want != nasty || x.Samples[0].Answer != nasty ||
		x.Samples[0].Pass || !x.Samples[1].Pass || x.Samples[0].Checks[0].Checks[0].Reason != "expected "+nasty {
		t.Errorf("%+v", x)
	}
	if len(x.Groups) != 4 || x.Groups[3] != "metric m "+nasty {
		t.Errorf("groups %q", x.Groups)
	}
	if a := d.Models[1].Against[0]; a.Fixed != 1 || a.Lost != 1 || a.P != 1 {
		t.Errorf("%+v", a)
	}
}
