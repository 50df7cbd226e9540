package train

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"

	"instruct/checkpoints"
	"instruct/tokenizer/chat"
)

// samplesFile shows people what the run was trained on and what its model says.
const samplesFile = "samples.json"

// Of the rows, and of the right and the wrong answers, so many are shown at most, and so many tokens of a row.
const (
	sampleRows    = 3
	sampleAnswers = 6
	sampleTokens  = 800
)

// samples is samples.json.
type samples struct {
	Rows    []sampleRow    `json:"rows"`
	Kinds   []sampleKind   `json:"kinds,omitempty"`   // of the suite that the data set brings
	Answers []sampleAnswer `json:"answers,omitempty"` // to it: wrong ones, then right ones
}

type sampleRow struct {
	Source string       `json:"source"`
	Parts  []samplePart `json:"parts"`
	Cut    bool         `json:"cut,omitempty"` // it has more tokens
}

// samplePart is text as the model sees it.
type samplePart struct {
	Text    string `json:"text"`
	Trained bool   `json:"trained"`
}

type sampleKind struct {
	Kind   string   `json:"kind"`
	Tests  int      `json:"tests"`
	Before *float64 `json:"before,omitempty"` // share that passes
	After  float64  `json:"after"`
}

type sampleAnswer struct {
	Kind   string         `json:"kind"`
	Prompt []chat.Message `json:"prompt"`
	Answer string         `json:"answer"`
	Want   string         `json:"want"`
	Right  bool           `json:"right"`
}

// writeSamples writes samples.json.
func (u *run) writeSamples() error {
	s := samples{Rows: []sampleRow{}}
	store := &u.rows.train.Store
	n := min(sampleRows, store.Len())
	for i := range n {
		e, err := store.Example(i * store.Len() / n)
		if err != nil {
			return err
		}
		if e.Withheld {
			continue
		}
		row := sampleRow{Source: e.Source, Cut: len(e.IDs) > sampleTokens}
		for from, end := 0, min(len(e.IDs), sampleTokens); from < end; {
			to := from + 1
			for to < end && e.Mask[to] == e.Mask[from] {
				to++
			}
			text, err := u.Model.Tokenizer.Decode(e.IDs[from:to], false)
			if err != nil {
				return err
			}
			row.Parts = append(row.Parts, samplePart{text, e.Mask[from]})
			from = to
		}
		s.Rows = append(s.Rows, row)
	}
	if u.report != nil && u.report.After != nil {
		for _, k := range u.report.Kinds() {
			kind := sampleKind{Kind: k.Name, Tests: k.Tests, After: float64(k.After) / float64(k.Tests)}
			if u.report.Before != nil {
				kind.Before = new(float64(k.Before) / float64(k.Tests))
			}
			s.Kinds = append(s.Kinds, kind)
		}
		for _, right := range []bool{false, true} {
			for _, i := range u.report.Examples(right, sampleAnswers) {
				t := &u.report.Suite.Tests[i]
				s.Answers = append(s.Answers, sampleAnswer{t.Kind, t.Messages, u.report.After[i].Answer, t.Want, right})
			}
		}
	}
	return writeJSON(filepath.Join(u.Recipe.OutputDir, samplesFile), s)
}

// readSamples reads samples.json; a run of an older program has none.
func readSamples(dir string) (s samples, err error) {
	path := filepath.Join(dir, samplesFile)
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return s, nil
	}
	if err = cmp.Or(err, json.Unmarshal(text, &s)); err != nil {
		return s, mistake("%s: %s", path, checkpoints.Reason(err))
	}
	return s, nil
}
