package coach

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"instruct/data"
	"instruct/data/checks"
	"instruct/model"
	"instruct/model/kernel/rng"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
	"instruct/train/eval"
)

// Practice is learning without a person: a model samples answers to the tests that its greedy answer fails, and those
// that pass are trained. It is one step of RAFT (Dong et al. 2023, arXiv:2304.06767) with checks for a reward model.
type Practice struct {
	Answers     int     `json:"answers"` // to each test that is practised
	Seed        uint64  `json:"seed"`
	Parent      int     `json:"parent"` // number of the round whose model answers
	MaxNew      int     `json:"max_new_tokens"`
	Temperature float64 `json:"temperature"`
	TopP        float64 `json:"top_p"`

	Tests   int `json:"tests"`   // that the greedy answer fails
	Solved  int `json:"solved"`  // of those, with an answer that passes
	Sampled int `json:"sampled"` // answers
	Cut     int `json:"cut"`     // answers that did not end within MaxNew tokens, which are never trained
	Passed  int `json:"passed"`  // answers
	Trained int `json:"trained"` // answers
}

// String is a line for people.
func (p *Practice) String() string {
	return fmt.Sprintf("%d of %d sampled answers pass (%d did not end), to %d of the %d tests that failed; %d are trained",
		p.Passed, p.Sampled, p.Cut, p.Solved, p.Tests, p.Trained)
}

// perTest is how many answers to one test are trained: the first ones in the order of sampling whose texts differ. They
// are draws from what the model says where it is right; the shortest or the likeliest would be another style.
const perTest = 2

// Practised is a sampled answer that passed all checks and is trained: a line of a round's practised.jsonl.
type Practised struct {
	Suite  string         `json:"suite"`
	Test   string         `json:"test"`
	Sample int            `json:"sample"` // from 1
	Prompt []chat.Message `json:"prompt"`
	Answer string         `json:"answer"`
	Checks []string       `json:"checks"` // that it passed
}

// practisedLines is answers as the text of a file.
func practisedLines(all []Practised) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for i := range all {
		if err := e.Encode(&all[i]); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// Row is the answer as it is trained: the last turn alone.
func (p *Practised) Row() data.Row {
	return data.Row{Source: fmt.Sprintf("sampled answer %d to %s", p.Sample, p.Test),
		Messages: append(untrained(p.Prompt), chat.Message{Role: "assistant", Content: p.Answer})}
}

// Practises says whether a test can be practised: whether it judges the text of an answer.
func Practises(t *eval.Test) bool { return t.Scored == nil && !t.Free }

// Divide gives the tests of a suite that are practised, which are those that can be and whose greedy answers fail, and
// the prompts of those that pass.
func Divide(s *eval.Suite, greedy []eval.Sample) (failed []int, passed [][]chat.Message) {
	for i := range s.Tests {
		t := &s.Tests[i]
		switch {
		case !Practises(t):
		case greedy[i].Pass:
			passed = append(passed, t.Messages)
		default:
			failed = append(failed, i)
		}
	}
	return failed, passed
}

// Sample asks the tests of a suite, p.Answers times each, and gives the answers to train, in the order of the tests. An
// answer depends on seed, parent, test and its place among the answers to it, and on nothing that is asked beside it.
// done, which may be nil, is told of each answer as it comes.
func (p *Practice) Sample(ctx context.Context, a eval.Asker, s *eval.Suite, tests []int, done func()) (
	[]Practised, error) {
	passed := make([][]Practised, len(tests)) // by sample; without an answer where it did not pass
	for i := range passed {
		passed[i] = make([]Practised, p.Answers)
	}
	asked := 0
	err := a.Ask(ctx, func(bool) (q pretrained.Question, ok bool) {
		if asked == len(tests)*p.Answers {
			return q, false
		}
		t := &s.Tests[tests[asked/p.Answers]]
		q = pretrained.Question{Messages: t.Messages, Decoding: p.decoding(t, asked%p.Answers)}
		asked++
		return q, true
	}, func(got pretrained.Answer) error {
		i, k := got.Index/p.Answers, got.Index%p.Answers
		t := &s.Tests[tests[i]]
		if got.Err != nil {
			return fmt.Errorf("%s: %w", t.ID, got.Err)
		}
		if got.Finish == model.FinishCancel {
			return nil
		}
		if p.judge(t, got) {
			passed[i][k] = Practised{Suite: s.Name, Test: t.ID, Sample: k + 1, Prompt: t.Messages, Answer: got.Text,
				Checks: checkNames(t.Check(got.Text))}
		}
		if done != nil {
			done()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.Tests += len(tests)
	return p.choose(passed), nil
}

// decoding is how answer k to a test is sampled.
func (p *Practice) decoding(t *eval.Test, k int) pretrained.Decoding {
	r := rng.NewRand(p.Seed, "practice "+filepath.Base(t.ID), uint64(p.Parent), uint64(k)) // wherever the file lies
	d := pretrained.Decoding{MaxNew: p.MaxNew,
		Sampling: model.Sampling{Temperature: p.Temperature, TopP: p.TopP, Seed: r.Uint64()}}
	if t.MaxNew > 0 {
		d.MaxNew = t.MaxNew
	}
	return d
}

// judge counts an answer and says whether it passed: it ends, says something and passes the test's checks.
func (p *Practice) judge(t *eval.Test, a pretrained.Answer) bool {
	p.Sampled++
	if a.Finish != model.FinishStop {
		p.Cut++
		return false
	}
	if strings.TrimSpace(a.Text) == "" || !t.Check(a.Text).Pass {
		return false
	}
	p.Passed++
	return true
}

// choose gives the answers that are trained.
func (p *Practice) choose(passed [][]Practised) []Practised {
	var chosen []Practised
	for _, answers := range passed {
		texts := map[string]bool{}
		for _, x := range answers {
			text := strings.TrimSpace(x.Answer)
			if text == "" || texts[text] || len(texts) == perTest {
				continue
			}
			texts[text] = true
			chosen = append(chosen, x)
		}
		if len(texts) > 0 {
			p.Solved++
		}
	}
	p.Trained += len(chosen)
	return chosen
}

// checkNames names what a result consists of.
func checkNames(r checks.Result) []string {
	if len(r.Parts) == 0 && r.Type == "" {
		return []string{"the wanted answer"} // of a data file: the only check without a name
	}
	if len(r.Parts) == 0 {
		return []string{r.Type}
	}
	var names []string
	for _, part := range r.Parts {
		names = append(names, checkNames(part)...)
	}
	return names
}
