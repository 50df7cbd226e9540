package eval_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"instruct/data"
	"instruct/data/checks"
	"instruct/model/kernel"
	"instruct/model/pretrained"
	"instruct/tokenizer"
	"instruct/tokenizer/chat"
	"instruct/train/eval"
)

// rows are conversations of two kinds whose answers are wanted word for word.
func rows() []data.Row {
	row := func(kind string, messages ...chat.Message) data.Row { return data.Row{Kind: kind, Messages: messages} }
	user := func(text string) chat.Message { return chat.Message{Role: "user", Content: text} }
	assistant := func(text string) chat.Message { return chat.Message{Role: "assistant", Content: text} }
	return []data.Row{
		row("greet", user("Say hi."), assistant("hi")),
		row("add", chat.Message{Role: "system", Content: "Be brief."}, user("2 + 3"), assistant("5")),
		row("greet", user("Say bye."), assistant("bye")),
	}
}

// unlearned is a model that knows nothing.
func unlearned(t *testing.T) *pretrained.Model {
	t.Helper()
	m, err := pretrained.Make(pretrained.Scratch{Path: "tiny", Tokenizer: tokenizer.Bytes(chat.LessonsTokens()...),
		ChatTemplate: "lessons",
		Config:       []byte(`{"model_type":"gpt2","n_embd":16,"n_layer":1,"n_head":2,"n_positions":64}`)})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.ReadWeights(kernel.F32); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// session is one with that model.
func session(t *testing.T) *pretrained.Session {
	t.Helper()
	m := unlearned(t)
	pool := kernel.NewPool(1)
	t.Cleanup(pool.Close)
	s, err := m.NewSession(pool, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestExactAnswers(t *testing.T) {
	suite := eval.ExactAnswers("mine", rows())
	if suite.Name != "mine" || len(suite.Tests) != 3 {
		t.Fatalf("%+v", suite)
	}
	for i, test := range suite.Tests {
		row := rows()[i]
		last := row.Messages[len(row.Messages)-1]
		if test.Kind != row.Kind || test.Want != last.Content || len(test.Messages) != len(row.Messages)-1 {
			t.Errorf("test %d is %+v of the row %+v", i, test, row)
		}
		if test.MaxNew <= len(test.Want) {
			t.Errorf("test %d: %d tokens are too few for %q and its end", i, test.MaxNew, test.Want)
		}
		if !test.Check(test.Want).Pass || test.Check(test.Want+"!").Pass {
			t.Errorf("test %d does not want %q and nothing else", i, test.Want)
		}
	}
}

// TestAsk asks a model that knows nothing: the samples are its answers in the order of the tests, judged.
func TestAsk(t *testing.T) {
	suite := eval.ExactAnswers("mine", rows())
	s := session(t)
	samples, err := suite.Ask(t.Context(), s)
	if err != nil || len(samples) != len(suite.Tests) {
		t.Fatalf("%d samples, error %v", len(samples), err)
	}
	for i, test := range suite.Tests {
		want, err := s.Answer(t.Context(), test.Messages, pretrained.Decoding{MaxNew: test.MaxNew})
		if err != nil {
			t.Fatal(err)
		}
		if samples[i].Answer != want.Text || samples[i].Verdict != test.Check(want.Text).Verdict {
			t.Errorf("sample %d is %+v, the model answers %q", i, samples[i], want.Text)
		}
	}
	suite.Tests[1].Check = func(answer string) checks.Result {
		return checks.Result{Verdict: checks.Equals(samples[1].Answer)(answer)}
	}
	again, err := suite.Ask(t.Context(), s)
	if err != nil || !again[1].Pass || again[1].Answer != samples[1].Answer {
		t.Errorf("a test that wants what the model says: %+v, error %v", again, err)
	}
}

func TestAskIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	samples, err := eval.ExactAnswers("mine", rows()).Ask(ctx, session(t))
	if !errors.Is(err, context.Canceled) || samples != nil {
		t.Errorf("%d samples, error %v; want none and that of the context", len(samples), err)
	}
}

// judged makes samples of answers.
func judged(s *eval.Suite, answers ...string) []eval.Sample {
	samples := make([]eval.Sample, len(answers))
	for i, a := range answers {
		samples[i] = eval.Sample{Answer: a, Result: s.Tests[i].Check(a)}
	}
	return samples
}

func TestReport(t *testing.T) {
	suite := eval.ExactAnswers("mine", rows())
	after := judged(suite, "hi", "6", "bye")
	for _, c := range []struct {
		name   string
		before []eval.Sample
		shares []any
		want   []string // lines
	}{
		{"asked before", judged(suite, "hi", "5", "no"), []any{2. / 3, 2. / 3, true}, []string{
			"kind                rows  before   after",
			"greet                  2   50.0%  100.0%",
			"add                    1  100.0%    0.0%",
			"total                  3   66.7%   66.7%",
			"1 of 2 kinds above 80 %",
			"",
			"right answers",
			"  Say hi.",
			"    -> hi",
			"",
			"wrong answers",
			"  [system] Be brief.  2 + 3",
			"    -> 6   (should be: 5)",
		}},
		{"a resumed run", nil, []any{0., 2. / 3, false}, []string{
			"kind                rows  before   after",
			"greet                  2    0.0%  100.0%",
			"add                    1    0.0%    0.0%",
			"total                  3    0.0%   66.7%",
			"(the run was resumed: the model before training was not asked)",
			"1 of 2 kinds above 80 %",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := eval.Report{Suite: suite, Before: c.before, After: after}
			lines := strings.Split(strings.TrimSuffix(r.String(), "\n"), "\n")
			if len(lines) < len(c.want) || !slices.Equal(lines[:len(c.want)], c.want) {
				t.Errorf("the report is\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(c.want, "\n"))
			}
			before, after, asked := r.Shares()
			if got := []any{before, after, asked}; !slices.Equal(got, c.shares) {
				t.Errorf("the shares are %v, want %v", got, c.shares)
			}
		})
	}
	empty := eval.Report{Suite: eval.ExactAnswers("none", nil)}
	if _, share, _ := empty.Shares(); share != 0 {
		t.Errorf("of no tests a share of %v passes", share)
	}
}

// A suite is made of held-out conversations; what counts is the answer, word for word.
func ExampleExactAnswers() {
	suite := eval.ExactAnswers("greetings", []data.Row{{Kind: "greet", Messages: []chat.Message{
		{Role: "user", Content: "Say hi."}, {Role: "assistant", Content: "hi"}}}})
	test := suite.Tests[0]
	fmt.Println(test.Messages[0].Content, test.Check("hi").Pass, test.Check("hello").Pass)
	// Output: Say hi. true false
}
