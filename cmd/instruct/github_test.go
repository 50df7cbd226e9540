package main

import "testing"

// TestAnnotation escapes as GitHub unescapes.
func TestAnnotation(t *testing.T) {
	for want, a := range map[string]annotation{
		"::error::100%25 wrong%0Ayes%0D": {level: "error", message: "100% wrong\nyes\r"},
		"::warning file=a%2Cb%3A%25.yaml,line=3,title=x%3Ay::a: b, c::d": {level: "warning", file: "a,b:%.yaml", line: 3,
			title: "x:y", message: "a: b, c::d"},
		"::error title=t::": {level: "error", title: "t"},
	} {
		if got := a.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestEvalGitHub writes failed tests with their places: warnings, or errors where a limit does not hold.
func TestEvalGitHub(t *testing.T) {
	workdir(t)
	write(t, "s.yaml", manners)
	write(t, "a.jsonl", answersOf("one", "it is 1", "two", "2!\n::error::mine"))
	const command = "eval --suite s.yaml --answers a.jsonl --github"
	out := ok(t, "", command)
	has(t, out, "\n::warning file=s.yaml,line=6,title=s.yaml%3A6::", "%0Aanswered: 2!%0A::error::mine\n")
	o := call(t, "", command+" --min 0.9")
	if o.code != exitFailed {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.out, "\n::error title=instruct eval::eval: s passes 50.0 %25, below 90.0 %25\n",
		"\n::error file=s.yaml,line=6,title=s.yaml%3A6::")
	mistaken(t, call(t, "", command+" --json"), "github and json")
	mistaken(t, call(t, "", "bench --github"), "--against")
}
