package openai

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// The functions here read fields that are more than one plain value.

func readStreamOptions(q *request, v value) error {
	var o struct {
		IncludeUsage bool `json:"include_usage"`
	}
	if err := v.into(&o, `{"include_usage": true or false}`); err != nil {
		return err
	}
	q.includeUsage = o.IncludeUsage
	return nil
}

func readMaxNew(q *request, v value) error { return v.integer(&q.maxNew, 0, math.MaxInt) }

func readStop(q *request, v value) error {
	const expected = "text, or a list of at most 64 texts, none of them empty"
	var one string
	if json.Unmarshal(v.json, &one) == nil {
		q.stop = []string{one}
	} else if err := v.into(&q.stop, expected); err != nil {
		return err
	}
	if len(q.stop) > maxStops {
		return v.wrong(expected)
	}
	for _, s := range q.stop {
		if s == "" {
			return v.wrong(expected)
		}
	}
	return nil
}

func readSeed(q *request, v value) error {
	var seed int64
	if err := v.into(&seed, "a whole number"); err != nil {
		return err
	}
	q.sampling.Seed = uint64(seed)
	return nil
}

func readTemperature(q *request, v value) error { return v.number(&q.sampling.Temperature, 0, 1e6) }

func readAddSpecial(q *request, v value) error { return v.into(&q.addSpecial, "true or false") }

func readTopP(q *request, v value) error {
	if err := v.number(&q.sampling.TopP, 0, 1); err != nil {
		return err
	}
	if q.sampling.TopP == 0 {
		return v.wrong("a number above 0, up to 1")
	}
	return nil
}

// readTopK takes -1 and 0 for all tokens, as vLLM does.
func readTopK(q *request, v value) error {
	if err := v.integer(&q.sampling.TopK, -1, math.MaxInt32); err != nil {
		return err
	}
	q.sampling.TopK = max(0, q.sampling.TopK)
	return nil
}

func readPenalty(q *request, v value) error {
	if err := v.number(&q.sampling.RepetitionPenalty, 0, 1e6); err != nil {
		return err
	}
	if q.sampling.RepetitionPenalty == 0 {
		return v.wrong("a number above 0; 1 changes nothing")
	}
	return nil
}

func readBias(q *request, v value) error {
	const expected = "an object of token ids and numbers from -100 to 100"
	var bias map[string]float64
	if err := v.into(&bias, expected); err != nil {
		return err
	}
	q.bias = make(map[int32]float32, len(bias))
	for key, by := range bias {
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil || math.Abs(by) > 100 {
			return v.wrong(expected)
		}
		q.bias[int32(id)] = float32(by)
	}
	return nil
}

// readLogprobs reads how many alternatives are asked for; with it come the log-probabilities of the tokens themselves.
func readLogprobs(q *request, v value) error {
	if string(v.json) == "false" {
		return nil
	}
	q.logprobs = true
	return v.integer(&q.top, 0, maxTop)
}

func readVariables(q *request, v value) error {
	var object map[string]json.RawMessage
	q.variables = v.json
	return v.into(&object, "an object")
}

// readPrompt reads text, a list of texts, token ids or a list of those.
func readPrompt(q *request, v value) error {
	const expected = "text, a list of texts, token ids or a list of those"
	var one string
	if json.Unmarshal(v.json, &one) == nil {
		q.prompts = []prompt{{text: one}}
		return nil
	}
	if ids, ok := idsOf(v.json); ok && len(ids) > 0 {
		q.prompts = []prompt{{ids: ids}}
		return nil
	}
	var list []json.RawMessage
	if err := v.into(&list, expected); err != nil {
		return err
	}
	if len(list) > maxChoices {
		return invalid(v.name, "there are %d prompts; the most are %d in one request", len(list), maxChoices)
	}
	for _, x := range list {
		p, ok := prompt{}, !isNull(x)
		if json.Unmarshal(x, &p.text) != nil {
			p.ids, ok = idsOf(x)
		}
		if !ok {
			return v.wrong(expected)
		}
		q.prompts = append(q.prompts, p)
	}
	return nil
}

// idsOf reads a list of token ids, of which none is null.
func idsOf(src []byte) (ids []int32, ok bool) {
	var list []*int32
	if json.Unmarshal(src, &list) != nil || list == nil {
		return nil, false
	}
	ids = make([]int32, len(list))
	for i, id := range list {
		if id == nil {
			return nil, false
		}
		ids[i] = *id
	}
	return ids, true
}

// textOf reads the content of a message: text, or a list of parts that are text.
func textOf(v value) (string, error) {
	var text string
	if len(v.json) == 0 || json.Unmarshal(v.json, &text) == nil {
		return text, nil
	}
	const expected = `text, or a list of {"type": "text", "text": "..."}`
	var parts []struct {
		Type string  `json:"type"`
		Text *string `json:"text"`
	}
	if err := v.into(&parts, expected); err != nil {
		return "", err
	}
	var all strings.Builder
	for _, p := range parts {
		if p.Type != "text" || p.Text == nil {
			return "", invalid(v.name, "%s has a part of type %q; this model reads text only", v.name, p.Type)
		}
		all.WriteString(*p.Text)
	}
	return all.String(), nil
}
