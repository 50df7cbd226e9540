package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
)

// ReadAnswers reads answers that were made elsewhere: JSON lines with prompt and response.
func ReadAnswers(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, mistake("answers: %v", err)
	}
	answers := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var row struct{ Prompt, Response *string }
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil || row.Prompt == nil || row.Response == nil {
			return nil, mistake(`answers %s:%d: expected {"prompt": "...", "response": "..."}`, path, n)
		}
		answers[*row.Prompt] = *row.Response
	}
	return answers, nil
}

// Judge judges answers that were made elsewhere, by the last message of each prompt. path is where they come from.
func (s *Suite) Judge(path string, answers map[string]string) ([]Sample, error) {
	samples := make([]Sample, len(s.Tests))
	for i := range s.Tests {
		t := &s.Tests[i]
		if t.Scored != nil {
			return nil, mistake("suite %s: perplexity and logprob-margin need a model's log-probabilities; "+
				"give --model in place of --answers", t.ID)
		}
		answer, ok := answers[t.Prompt()]
		if !ok {
			return nil, mistake("answers %s: there is none to the prompt of %s: %.60q", path, t.ID, t.Prompt())
		}
		samples[i] = t.sample(answer)
	}
	return samples, nil
}
