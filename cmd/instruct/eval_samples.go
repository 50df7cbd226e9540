package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"instruct/data/checks"
	"instruct/tokenizer/chat"
	"instruct/train/eval"
)

// sampleLine is a line of samples-N-SUITE.jsonl: the fields of lm-eval 0.4's samples, in its meaning, and pass, score
// and the test's metrics by their names. What follows on the hashes is ours.
type sampleLine struct {
	ID         int                       `json:"doc_id"`
	Doc        sampleDoc                 `json:"doc"`
	Target     string                    `json:"target"`
	Arguments  map[string]sampleArgument `json:"arguments"`
	Answers    [][]string                `json:"resps"`
	Filtered   []string                  `json:"filtered_resps"`
	Filter     string                    `json:"filter"`
	Metrics    []string                  `json:"metrics"` // the names of those that follow
	DocHash    string                    `json:"doc_hash"`
	PromptHash string                    `json:"prompt_hash"`
	TargetHash string                    `json:"target_hash"`
	Test       string                    `json:"test"`
	Reason     string                    `json:"reason,omitempty"`
	Pass       bool                      `json:"pass"`
	Score      float64                   `json:"score"`
	Violated   []violation               `json:"violations,omitempty"` // rules of a policy

	Logprobs []float64               `json:"logprobs,omitempty"` // of the answer's tokens, for perplexity
	Margins  []checks.MarginLogprobs `json:"margins,omitempty"`  // of the answers of logprob-margins
	Loss     *eval.Loss              `json:"loss,omitempty"`     // of the target
}

// sampleDoc is a test.
type sampleDoc struct {
	ID       string         `json:"id"`
	Kind     string         `json:"kind,omitempty"`
	Tags     []string       `json:"tags,omitempty"`
	Messages []chat.Message `json:"messages"`
	Target   string         `json:"target"`
}

// sampleArgument is what the model is asked. As for lm-eval's models behind a chat interface, the prompt is the JSON of
// the messages.
type sampleArgument struct {
	Prompt string          `json:"arg_0"`
	How    sampleArguments `json:"arg_1"`
}

// sampleArguments are lm-eval's generation arguments; empty for answers made elsewhere.
type sampleArguments struct {
	Until  []string `json:"until,omitempty"`
	MaxNew int      `json:"max_gen_toks,omitempty"`
	Sample *bool    `json:"do_sample,omitempty"`
}

// writeSample writes the line of test j of suite i.
func (r *results) writeSample(b *bytes.Buffer, c *candidate, i, j int) error {
	t, x := &r.suites[i].Tests[j], &c.samples[i][j]
	doc := sampleDoc{ID: t.ID, Kind: t.Kind, Tags: t.Tags, Messages: t.Messages, Target: t.Want}
	prompt, err := unescaped(t.Messages, "")
	if err != nil {
		return err
	}
	docText, err := unescaped(doc, "  ")
	if err != nil {
		return err
	}
	names, values := metricsOf(x)
	line := sampleLine{ID: j, Doc: doc, Target: t.Want, Answers: [][]string{{x.Answer}}, Filtered: []string{x.Answer},
		Filter: "none", Metrics: append([]string{"pass", "score"}, names...), Test: t.ID, Reason: x.Reason,
		Pass: x.Pass, Score: x.Score, DocHash: hash(docText), PromptHash: hash(prompt), TargetHash: hash(t.Want)}
	line.Arguments = map[string]sampleArgument{"gen_args_0": {Prompt: prompt, How: r.arguments(t)}}
	line.Logprobs, line.Margins = x.Logprobs, x.Margins
	if x.Loss.Tokens > 0 {
		line.Loss = &x.Loss
	}
	if c.judged != nil {
		line.Violated = violations(r.suites[i], j, c.judged[i][j])
	}
	text, err := unescaped(line, "")
	if err != nil {
		return err
	}
	b.WriteString(text[:len(text)-1])
	for i, name := range names {
		field, err := unescaped(map[string]any{name: values[i]}, "")
		if err != nil {
			return err
		}
		b.WriteString("," + field[1:len(field)-1])
	}
	b.WriteString("}\n")
	return nil
}

// arguments are how the answers were made.
func (r *results) arguments(t *eval.Test) sampleArguments {
	if r.maxNew == 0 {
		return sampleArguments{}
	}
	most := r.maxNew
	if t.MaxNew > 0 {
		most = t.MaxNew
	}
	return sampleArguments{MaxNew: most, Sample: new(bool)}
}

// metricsOf are the names of a sample's metrics in the order of their first use, and for each its score, or its scores
// where it has several, as an instruction of IFEval has. A name that a field has is put behind "metric ".
func metricsOf(x *eval.Sample) (names []string, values []any) {
	var line map[string]json.RawMessage
	text, _ := json.Marshal(sampleLine{Reason: "-", Violated: []violation{{}}, Logprobs: []float64{0},
		Margins: []checks.MarginLogprobs{{}}, Loss: new(eval.Loss)}) // strings and numbers always are JSON
	_ = json.Unmarshal(text, &line)
	scores := map[string][]float64{}
	for _, m := range x.Metrics {
		name := m.Name
		if line[name] != nil {
			name = "metric " + name
		}
		if scores[name] == nil {
			names = append(names, name)
		}
		scores[name] = append(scores[name], m.Score)
	}
	for _, name := range names {
		if s := scores[name]; len(s) == 1 {
			values = append(values, s[0])
		} else {
			values = append(values, s)
		}
	}
	return names, values
}

// unescaped is JSON as Python writes it: with <, > and & as they are.
func unescaped(v any, indent string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}

// hash is lm-eval's hash of a text.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
