package ifeval

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// settings are the kwargs of one instruction. As in the reference, null, "", 0, false and empty lists count as absent.
// The first mistake is kept in err, and later ones are not reported.
type settings struct {
	values map[string]any
	used   []string
	shared *shared
	err    error
}

func newSettings(raw json.RawMessage, s *shared) *settings {
	all := &settings{values: map[string]any{}, shared: s}
	var values map[string]any
	err := json.Unmarshal(raw, &values)
	if err != nil || values == nil {
		all.fail("expected an object of kwargs, found %s", shorten(raw))
		return all
	}
	for key, value := range values {
		if !absent(value) {
			all.values[key] = value
		}
	}
	return all
}

func absent(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case float64:
		return v == 0
	case bool:
		return !v
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func (s *settings) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// expect reports a kwarg that is missing or has the wrong type.
func (s *settings) expect(key, expected string) {
	value, ok := s.values[key]
	if !ok {
		s.fail("%s is missing: expected %s", key, expected)
		return
	}
	text, _ := json.Marshal(value)
	s.fail("%s: expected %s, found %s", key, expected, shorten(text))
}

// text gives a string that is not empty.
func (s *settings) text(key string) string {
	s.used = append(s.used, key)
	text, ok := s.values[key].(string)
	if !ok {
		s.expect(key, "a text that is not empty")
	}
	return text
}

// texts gives a list of strings.
func (s *settings) texts(key string) []string {
	s.used = append(s.used, key)
	list, _ := s.values[key].([]any)
	var texts []string
	for _, item := range list {
		if text, ok := item.(string); ok {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 || len(texts) != len(list) {
		s.expect(key, "a list of texts")
	}
	return texts
}

// number gives a whole number above 0. It may be written as 3.0, as some tools do.
func (s *settings) number(key string) int {
	s.used = append(s.used, key)
	n, ok := s.values[key].(float64)
	if !ok || n < 1 || n != math.Trunc(n) || n > math.MaxInt32 {
		s.expect(key, "a whole number above 0")
		return 0
	}
	return int(n)
}

// oneOf gives one of several texts.
func (s *settings) oneOf(key string, choices ...string) string {
	text, _ := s.values[key].(string)
	s.used = append(s.used, key)
	if !slices.Contains(choices, text) {
		var quoted []string
		for _, c := range choices {
			quoted = append(quoted, strconv.Quote(c))
		}
		s.expect(key, "one of "+strings.Join(quoted, ", "))
	}
	return text
}

// limit gives a relation and a number.
func (s *settings) limit(relation, number string) limit {
	return limit{s.oneOf(relation, atLeast, lessThan), s.number(number)}
}

// pattern compiles a regular expression that has a setting in it.
func (s *settings) pattern(key, source string, f flags) *pattern {
	p, err := compile(source, dialectRe, f)
	if err != nil {
		s.fail("%s: %w", key, err)
	}
	return p
}

// finish reports the first mistake, a kwarg of another kind among them.
func (s *settings) finish() error {
	var other []string
	for key := range s.values {
		if !slices.Contains(s.used, key) {
			other = append(other, key)
		}
	}
	if len(other) > 0 {
		slices.Sort(other)
		expected := "none"
		if len(s.used) > 0 {
			expected = strings.Join(s.used, ", ")
		}
		s.fail("unknown kwarg %s: expected %s", strings.Join(other, ", "), expected)
	}
	return s.err
}

// shorten keeps messages short.
func shorten(text []byte) string {
	const longest = 60
	runes := []rune(string(text))
	if len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return string(runes)
}

// shared holds the tables of the checks of one file. They are read when the first check needs them.
type shared struct {
	split  *splitter
	tokens *tokenizer
}

func (s *settings) splitter() *splitter {
	if s.shared.split == nil {
		var err error
		s.shared.split, err = newSplitter()
		if err != nil {
			s.fail("%w", err)
		}
	}
	return s.shared.split
}

func (s *settings) tokenizer() *tokenizer {
	if s.shared.tokens == nil {
		s.shared.tokens = newTokenizer(s.splitter())
	}
	return s.shared.tokens
}
