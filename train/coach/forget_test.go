package coach

import (
	"slices"
	"strings"
	"testing"
)

// TestParseIDs reads ids and corrections.
func TestParseIDs(t *testing.T) {
	ids, err := parseIDs("f", "a1\n\n  b2 \n{\"id\":\"c3\",\"prompt\":[]}\na1")
	if err != nil || !slices.Equal(ids, []string{"a1", "b2", "c3"}) {
		t.Errorf("%q, %v", ids, err)
	}
	for text, want := range map[string]string{"": "it has none", "\n": "it has none", "a\n{}": "f:2", "{": "f:1"} {
		if _, err := parseIDs("f", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzParseIDs: any text gives ids without space around them, or a message.
func FuzzParseIDs(f *testing.F) {
	f.Add("a1\n{\"id\":\"c3\"}\n")
	f.Fuzz(func(t *testing.T, text string) {
		ids, err := parseIDs("f", text)
		if (err == nil) == (len(ids) == 0) {
			t.Errorf("%q, %v", ids, err)
		}
	})
}
