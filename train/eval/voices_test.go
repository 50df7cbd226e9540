package eval_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"instruct/data/checks"
	"instruct/train/eval"
)

// voiceTest is a test of a suite, in the voice of a system message, with the value of its margin.
func voiceTest(system, question, value string) string {
	return fmt.Sprintf("  - messages:\n      - {role: system, content: %s}\n      - {role: user, content: %s}\n"+
		"    assert: [{type: logprob-margin, value: %s}]\n", system, question, value)
}

// readSuite reads a suite of tests, which begins in line 2.
func readSuite(t *testing.T, tests ...string) (*eval.Suite, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(path, []byte("tests:\n"+strings.Join(tests, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	return eval.Read(t.Context(), path, "")
}

// scoredAs makes the sample of a margin.
func scoredAs(better, worse []float64) eval.Sample {
	return eval.Sample{Margins: []checks.MarginLogprobs{{Better: better, Worse: worse}}}
}

func TestVoices(t *testing.T) {
	s, err := readSuite(t,
		voiceTest("Be kind.", "Hi", `{better: {kind: Hello!}, worse: {dry: ["Hi.", Yes.]}}`),
		voiceTest("Be dry.", "Hi", `{better: {dry: ["Hi.", Yes.]}, worse: {kind: Hello!}}`),
		voiceTest("Be kind.", "Bye", `{better: {kind: Farewell!}, worse: {dry: Bye.}}`),
		voiceTest("Be dry.", "Bye", `{better: {dry: Bye.}, worse: {kind: "Goodbye!"}}`),
		voiceTest("Be kind.", "Bye", `{better: {kind: [Goodbye!, Farewell!]}, worse: {dry: So long.}}`),
		"  - messages: [{role: user, content: Hi}]\n"+
			"    assert: [{type: logprob-margin, value: {better: [a], worse: [b]}}]\n")
	if err != nil {
		t.Fatal(err)
	}
	if s.Questions() != 0 {
		t.Errorf("%d questions for the model, which has nothing to answer", s.Questions())
	}
	v := s.Voices([]eval.Sample{
		scoredAs([]float64{-1}, []float64{-2, -1.5}), // Hello! is kind; Yes. is kind under kind
		scoredAs([]float64{-1, -1.75}, []float64{-3}),
		scoredAs([]float64{-1}, []float64{-2}), // Farewell! has no score under dry
		scoredAs([]float64{-2}, []float64{-4}), // Bye. is as likely under both: not dry's
		scoredAs([]float64{-5, -9}, []float64{-9}),
		scoredAs([]float64{0}, []float64{0}),
	})
	// Hi: Hello! kind, Hi. dry, Yes. kind; Bye: Bye. kind, Goodbye! dry; Farewell! and So long. are left out.
	want := [][]int{{1, 1}, {2, 1}}
	if !reflect.DeepEqual(v.Names, []string{"kind", "dry"}) || !reflect.DeepEqual(v.Counts, want) || v.N != 5 ||
		v.LeftOut != 2 || v.Share != 0.4 || !(v.Low < 0.4 && v.High > 0.4) {
		t.Errorf("%+v", v)
	}
	for _, text := range []string{"kind               1          1", "dry                2          1",
		"40.0 % of 5 answers", "2 answers are left out"} {
		if !strings.Contains(v.String(), text) {
			t.Errorf("the table has no %q:\n%s", text, v)
		}
	}
	plain := eval.ExactAnswers("mine", rows())
	if v := plain.Voices(make([]eval.Sample, len(plain.Tests))); v != nil {
		t.Errorf("a suite without voices has the table %v", v)
	}
}

func TestVoiceMistakes(t *testing.T) {
	kind := voiceTest("Be kind.", "Hi", `{better: {kind: Hello!}, worse: {dry: Hi.}}`)
	dry := voiceTest("Be dry.", "Hi", `{better: {dry: Hi.}, worse: {kind: Hello!}}`)
	for _, x := range []struct {
		second, message string
	}{
		{strings.Replace(dry, "dry: Hi.", "dri: Hi.", 1), `s.yaml:2: no test has the voice "dry" in better`},
		{strings.Replace(dry, "Be dry.", "Be kind.", 1), `s.yaml:6: the voice "dry" has the system message of "kind" in`},
		{strings.Replace(kind, "Be kind.", "Be kinder.", 1), `s.yaml:6: the voice "kind" has another system message than in`},
	} {
		_, err := readSuite(t, kind, x.second)
		if err == nil || !strings.Contains(err.Error(), x.message) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %s", err, x.message)
		}
	}
	if _, err := readSuite(t, kind, dry); err != nil {
		t.Error(err)
	}
}
