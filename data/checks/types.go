package checks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// setType is the type that holds assertions of its own.
const setType = "assert-set"

// judge is the verdict of one assertion, its not- considered. The reason counts where pass is false.
type judge func(Answer) (pass bool, score float64, reason string)

// entry is one type of assertion; make says what is wrong with a spec that it cannot use.
type entry struct {
	kind      string
	threshold bool // whether it takes one
	make      func(a *assertion, spec Spec) error
}

// table lists all types but assert-set. A new one is a function and a line here.
func table() []entry {
	return []entry{
		{"equals", false, equals},
		{"contains", false, contains(false)},
		{"icontains", false, contains(true)},
		{"contains-any", false, containsList(false, false)},
		{"contains-all", false, containsList(false, true)},
		{"icontains-any", false, containsList(true, false)},
		{"icontains-all", false, containsList(true, true)},
		{"starts-with", false, startsWith},
		{"regex", false, matches},
		{"is-json", false, isJSON},
		{"contains-json", false, containsJSON},
		{"word-count", false, wordCount},
		{"levenshtein", true, levenshtein},
		{"rouge-n", true, rougeN},
		{"is-refusal", false, isRefusal},
		{"perplexity", true, perplexity},
		{"logprob-margin", true, logprobMargin},
	}
}

// Types names all types of assertion, each with its not-.
func Types() []string {
	types := []string{setType}
	for _, e := range table() {
		types = append(types, e.kind, "not-"+e.kind)
	}
	return types
}

// simple makes the judge of a type whose score is 1 or 0: holds says whether the answer is as wanted, want is what was
// wanted of it, such as "contain \"x\"".
func (a *assertion) simple(want string, holds func(answer string) bool) {
	inverse := a.inverse
	a.judge = func(answer Answer) (bool, float64, string) {
		if holds(answer.Text) != inverse {
			return true, 1, ""
		}
		if inverse {
			return false, 0, "expected the answer not to " + want
		}
		return false, 0, "expected the answer to " + want
	}
}

var (
	errNoValue = errors.New("a value is missing")
	errTake    = errors.New("it takes no value")
)

// decode reads JSON with its numbers as JavaScript has them.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err == nil || !errors.Is(err, io.EOF) {
		return nil, errors.New("text behind the value")
	}
	return floats(v), nil
}

// floats makes float64 of the numbers of a value. What is too large becomes infinite.
func floats(v any) any {
	switch v := v.(type) {
	case json.Number:
		x, _ := strconv.ParseFloat(string(v), 64) // The number is valid; beyond the range it is infinite or 0.
		return x
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = floats(v[k])
		}
	}
	return v
}

// value is the value of a spec, which must be there.
func (spec Spec) value() (any, error) {
	if spec.Value == nil {
		return nil, errNoValue
	}
	v, err := decode(spec.Value)
	if err != nil {
		return nil, fmt.Errorf("the value is no JSON: %w", err)
	}
	return v, nil
}

// text is the value of a spec, which must be text, and not empty unless empty says so.
func (spec Spec) text(empty bool) (string, error) {
	v, err := spec.value()
	if err != nil {
		return "", err
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("the value must be text, found %s", describe(v))
	}
	if s == "" && !empty {
		return "", errors.New("the value must not be empty")
	}
	return s, nil
}

// scalar is text, a number or a truth value as text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		return numberText(v), !math.IsInf(v, 0)
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// describe names the type of a value.
func describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case float64:
		return "a number"
	case bool:
		return "a truth value"
	case []any:
		return "a list"
	}
	return "a mapping"
}

func equals(a *assertion, spec Spec) error {
	v, err := spec.value()
	if err != nil {
		return err
	}
	if want, ok := scalar(v); ok {
		a.simple(fmt.Sprintf("equal %q", want), func(answer string) bool { return answer == want })
		return nil
	}
	a.simple(fmt.Sprintf("equal %s", spec.Value), func(answer string) bool {
		got, err := decode([]byte(answer))
		return err == nil && equal(got, v)
	})
	return nil
}

// equal says whether two JSON values are the same, as Node's isDeepStrictEqual does: 0 and -0 differ.
func equal(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			other, ok := b[k]
			if !ok || !equal(v, other) {
				return false
			}
		}
		return true
	}
	return a == b // Text, a truth value or null.
}

// folded is the text in which a search ignores case, or text itself.
func folded(text string, fold bool) string {
	if fold {
		return lower(text)
	}
	return text
}

// contains makes contains and, with fold, icontains.
func contains(fold bool) func(*assertion, Spec) error {
	return func(a *assertion, spec Spec) error {
		v, err := spec.value()
		if err != nil {
			return err
		}
		want, ok := scalar(v)
		if _, truth := v.(bool); !ok || truth {
			return fmt.Errorf("the value must be text or a number, found %s", describe(v))
		}
		if want == "" {
			return errors.New("the value must not be empty")
		}
		sought := folded(want, fold)
		a.simple(fmt.Sprintf("contain %q", want), func(answer string) bool {
			return strings.Contains(folded(answer, fold), sought)
		})
		return nil
	}
}

// containsList makes contains-any and contains-all and, with fold, those that ignore case.
func containsList(fold, all bool) func(*assertion, Spec) error {
	return func(a *assertion, spec Spec) error {
		sought, err := spec.list()
		if err != nil {
			return err
		}
		quantity := "one"
		if all {
			quantity = "all"
		}
		want := fmt.Sprintf("contain %s of %q", quantity, sought)
		for i := range sought {
			sought[i] = folded(sought[i], fold)
		}
		a.simple(want, func(answer string) bool {
			answer = folded(answer, fold)
			for _, s := range sought {
				if strings.Contains(answer, s) != all {
					return !all
				}
			}
			return all
		})
		return nil
	}
}

// list is the value of a spec that is a list, or text with commas.
func (spec Spec) list() ([]string, error) {
	v, err := spec.value()
	if err != nil {
		return nil, err
	}
	var out []string
	switch v := v.(type) {
	case string:
		if out, err = commaSeparated(v); err != nil {
			return nil, err
		}
	case []any:
		for _, item := range v {
			s, ok := scalar(item)
			if !ok {
				return nil, fmt.Errorf("the list must hold text and numbers, found %s", describe(item))
			}
			out = append(out, s)
		}
	default:
		return nil, fmt.Errorf("the value must be a list, or text with commas, found %s", describe(v))
	}
	if len(out) == 0 {
		return nil, errors.New("the list is empty")
	}
	if slices.Contains(out, "") {
		return nil, errors.New("the list holds an empty text, which every answer contains")
	}
	return out, nil
}

func startsWith(a *assertion, spec Spec) error {
	want, err := spec.text(false)
	if err != nil {
		return err
	}
	a.simple(fmt.Sprintf("start with %q", want), func(answer string) bool { return strings.HasPrefix(answer, want) })
	return nil
}
