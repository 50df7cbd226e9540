package checks

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Margin is what a logprob-margin asks of the model: how likely it holds these answers to the test's messages to be.
// Every better answer must have a mean log-probability that is above that of every worse one by the threshold at least,
// in nats a token.
//
// In a suite, better and worse are lists of texts; or both are mappings from the name of a voice to a text or a list of
// texts. better then has the one voice that the test's system message asks for, and worse others:
//
//	{type: logprob-margin, value: {better: {friendly: [Sure!, "Okay!"]}, worse: {professional: Certainly.}}}
type Margin struct{ Better, Worse []Given }

// Given is an answer that stands in a suite, and the voice that it speaks with, "" where it has no name.
type Given struct{ Voice, Text string }

// MarginLogprobs are the answers of a [Margin] by their mean log-probability in nats a token, in its order. The token
// that ends the turn counts as one of the answer's.
type MarginLogprobs struct {
	Better []float64 `json:"better"`
	Worse  []float64 `json:"worse"`
}

// Voice is that of the better answers, "" where the answers have no voices.
func (m *Margin) Voice() string { return m.Better[0].Voice }

// Margins are what the assertions want to know of the model, for [Answer].Margins.
func (s *Set) Margins() []Margin {
	var all []Margin
	for _, a := range s.assertions {
		if a.margin != nil {
			all = append(all, *a.margin)
		}
		if a.set != nil {
			all = append(all, a.set.Margins()...)
		}
	}
	return all
}

// NeedsAnswer says whether the verdict depends on what the model answers: not when every assertion is a logprob-margin.
func (s *Set) NeedsAnswer() bool {
	for _, a := range s.assertions {
		if a.margin == nil && (a.set == nil || a.set.NeedsAnswer()) {
			return true
		}
	}
	return len(s.assertions) == 0
}

// logprobMargin makes logprob-margin.
func logprobMargin(a *assertion, spec Spec) error {
	if spec.Value == nil {
		return errNoValue
	}
	var sides map[string]json.RawMessage
	if err := json.Unmarshal(spec.Value, &sides); err != nil || sides == nil {
		return errors.New("the value must be a mapping with better and worse")
	}
	for _, key := range slices.Sorted(maps.Keys(sides)) {
		if key != "better" && key != "worse" {
			return fmt.Errorf("unknown key %q; known: better, worse", key)
		}
	}
	a.margin = &Margin{}
	var err error
	if a.margin.Better, err = givenAnswers("better", sides["better"]); err != nil {
		return err
	}
	if a.margin.Worse, err = givenAnswers("worse", sides["worse"]); err != nil {
		return err
	}
	if err := a.margin.checkVoices(); err != nil {
		return err
	}
	least := 0.0
	if spec.Threshold != nil {
		least = *spec.Threshold
	}
	inverse := a.inverse
	a.judge = func(answer Answer) (bool, float64, string) { return judgeMargin(answer.Margins, least, inverse) }
	return nil
}

// givenAnswers reads better or worse.
func givenAnswers(key string, side json.RawMessage) ([]Given, error) {
	if side == nil {
		return nil, errors.New("the value needs answers in both better and worse")
	}
	v, err := decode(side)
	if err != nil {
		return nil, fmt.Errorf("%s is no JSON: %w", key, err)
	}
	voices, named := v.(map[string]any)
	if !named {
		if _, ok := v.([]any); !ok {
			return nil, fmt.Errorf("%s must be a list of texts, or a mapping from voices to texts, found %s", key, describe(v))
		}
		return givenTexts(nil, key, "", v)
	}
	var all []Given
	for _, voice := range slices.Sorted(maps.Keys(voices)) {
		if voice == "" {
			return nil, fmt.Errorf("%s: a voice needs a name", key)
		}
		if all, err = givenTexts(all, fmt.Sprintf("%s: %q", key, voice), voice, voices[voice]); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no answers", key)
	}
	return all, nil
}

// givenTexts appends a text, or those of a list.
func givenTexts(to []Given, where, voice string, v any) ([]Given, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no answers", where)
	}
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("%s must hold text, found %s", where, describe(item))
		}
		if text == "" {
			return nil, fmt.Errorf("%s holds an empty text", where)
		}
		to = append(to, Given{voice, text})
	}
	return to, nil
}

// checkVoices makes sure that a margin with voices has one on the better side and others on the worse.
func (m *Margin) checkVoices() error {
	voice := m.Voice()
	for _, g := range m.Worse {
		switch {
		case (g.Voice == "") != (voice == ""):
			return errors.New("better and worse must both be lists of texts, or both mappings from voices to texts")
		case voice != "" && g.Voice == voice:
			return fmt.Errorf("the voice %q stands in both better and worse", voice)
		}
	}
	for _, g := range m.Better {
		if g.Voice != voice {
			return fmt.Errorf("better must have one voice, found %q and %q", voice, g.Voice)
		}
	}
	return nil
}

// judgeMargin judges by the first of the margins.
func judgeMargin(margins []MarginLogprobs, least float64, inverse bool) (bool, float64, string) {
	if len(margins) == 0 || len(margins[0].Better) == 0 || len(margins[0].Worse) == 0 {
		return false, 0, "the model's log-probabilities of better and worse are missing"
	}
	margin := math.Inf(1)
	for _, better := range margins[0].Better {
		for _, worse := range margins[0].Worse {
			margin = min(margin, better-worse)
		}
	}
	if (margin >= least) != inverse {
		return true, 1, ""
	}
	if inverse {
		return false, 0, fmt.Sprintf("the margin is %.4g nats a token, not below %g", margin, least)
	}
	return false, 0, fmt.Sprintf("the margin is %.4g nats a token, below %g", margin, least)
}
