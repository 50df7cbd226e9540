package coach

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"instruct/checkpoints"
	"instruct/data"
	"instruct/model/pretrained"
	"instruct/tokenizer/chat"
)

// Answers are what the parent and the model of a round said: answers.json in the folder of the round.
type Answers struct {
	New     []Told         `json:"corrections"` // the round's
	Earlier []Told         `json:"earlier"`     // of the rounds before, where no new one took their place
	Suites  []SuiteAnswers `json:"suites"`
}

// Told is a correction with the answers to its prompt.
type Told struct {
	data.Correction
	Before Said `json:"before"`
	Now    Said `json:"now"`
}

// SuiteAnswers are the answers to a suite.
type SuiteAnswers struct {
	Suite string   `json:"suite"`
	Tests []Tested `json:"tests"`
}

// Tested is a test of a suite with its answers.
type Tested struct {
	ID     string         `json:"id"`
	Prompt []chat.Message `json:"prompt"`
	Wanted string         `json:"wanted,omitempty"` // an answer that passes, where one is known
	Before Said           `json:"before"`
	Now    Said           `json:"now"`
}

// Said is an answer, and whether it is right.
type Said struct {
	Text     string `json:"text"`
	Right    bool   `json:"right"`
	Cut      bool   `json:"cut,omitempty"`       // it was longer than the most tokens
	NotAsked bool   `json:"not_asked,omitempty"` // the verdict is by log-probabilities alone
	Reason   string `json:"reason,omitempty"`    // why it is not right
}

// Say holds an answer against what a correction wants: the text, but for white space around it, and then the end.
func Say(c *data.Correction, text string, stopped bool) Said {
	same := strings.TrimSpace(text) == strings.TrimSpace(c.Chosen[0].Content)
	return Said{Text: text, Right: same && stopped, Cut: !stopped}
}

// Tell gives the round what its models said, and what follows from it.
func (r *Round) Tell(a *Answers) {
	r.Answers, r.Broken = a, []string{}
	for _, t := range a.New {
		r.About = append(r.About, t.Asked())
	}
	for _, t := range a.Broken() {
		r.Broken = append(r.Broken, t.ID)
	}
	for i := range a.Suites {
		r.Suites = append(r.Suites, a.Suites[i].Move())
	}
}

// Standing are the earlier corrections of the lesson that still count.
func (l Lesson) Standing() []data.Correction { return standing(l) }

// Rights counts the corrections that are answered right, before and now.
func Rights(told []Told) (before, now int) {
	for i := range told {
		if told[i].Before.Right {
			before++
		}
		if told[i].Now.Right {
			now++
		}
	}
	return before, now
}

// Broken are the earlier corrections that were answered right before the round, and no longer are.
func (a *Answers) Broken() []Told {
	var out []Told
	for _, t := range a.Earlier {
		if t.Before.Right && !t.Now.Right {
			out = append(out, t)
		}
	}
	return out
}

// Asked is the last thing that is said to the model.
func (t *Told) Asked() string { return lastOf(t.Prompt) }

// Asked is the last thing that is said to the model.
func (t *Tested) Asked() string { return lastOf(t.Prompt) }

func lastOf(messages []chat.Message) string {
	if len(messages) == 0 {
		return ""
	}
	return messages[len(messages)-1].Content
}

// Lost are the tests that passed before the round and do not now.
func (s *SuiteAnswers) Lost() []Tested { return s.which(true, false) }

// Move counts what the round did to the suite.
func (s *SuiteAnswers) Move() SuiteMove {
	m := SuiteMove{Suite: s.Suite, Tests: len(s.Tests), Lost: []string{}}
	for i := range s.Tests {
		if s.Tests[i].Before.Right {
			m.Before++
		}
		if s.Tests[i].Now.Right {
			m.After++
		}
	}
	for _, t := range s.Lost() {
		m.Lost = append(m.Lost, t.ID)
	}
	return m
}

// which are the tests with these verdicts.
func (s *SuiteAnswers) which(before, now bool) []Tested {
	var out []Tested
	for _, t := range s.Tests {
		if t.Before.Right == before && t.Now.Right == now {
			out = append(out, t)
		}
	}
	return out
}

// Report is the path of the page that tells people of a round.
func Report(behaviour string, round int) string {
	return filepath.Join(pretrained.RoundDir(behaviour, round), reportFile)
}

// ReadRound reads what is known of a round that was made. The answers are nil where the round did not record them, as
// those of older programs.
func ReadRound(behaviour string, round int) (Round, *Answers, error) {
	var r Round
	dir := pretrained.RoundDir(behaviour, round)
	text, err := os.ReadFile(filepath.Join(dir, roundFile))
	if os.IsNotExist(err) {
		return r, nil, mistake("behaviour %s has no round %d; `instruct log %s` lists them", behaviour, round, behaviour)
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return r, nil, mistake("behaviour %s: %s is not a round's: %s", behaviour, filepath.Join(dir, roundFile),
			checkpoints.Reason(err))
	}
	path := filepath.Join(dir, answersFile)
	text, err = os.ReadFile(path)
	if os.IsNotExist(err) {
		return r, nil, nil
	}
	if err != nil {
		return r, nil, mistake("behaviour %s: %s", behaviour, checkpoints.Reason(err))
	}
	a, err := parseAnswers(text)
	if err != nil {
		return r, nil, mistake("behaviour %s: %s holds no answers of a round: %w", behaviour, path, err)
	}
	return r, a, nil
}

func parseAnswers(text []byte) (*Answers, error) {
	var a Answers
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, err
	}
	for _, told := range [][]Told{a.New, a.Earlier} {
		for i := range told {
			if err := told[i].Validate(); err != nil {
				return nil, err
			}
		}
	}
	return &a, nil
}

// text is the content of answers.json, with < and > as they are.
func (a *Answers) text() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(a)
	return b.Bytes(), err
}

// save writes the answers and the page into the folder of a round.
func (a *Answers) save(dir, behaviour string, r *Round) error {
	text, err := a.text()
	if err != nil {
		return err
	}
	if err := checkpoints.WriteFile(filepath.Join(dir, answersFile), text); err != nil {
		return err
	}
	var page bytes.Buffer
	if err := WritePage(&page, behaviour, r, a); err != nil {
		return err
	}
	return checkpoints.WriteFile(filepath.Join(dir, reportFile), page.Bytes())
}
