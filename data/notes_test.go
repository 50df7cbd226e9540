package data

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"instruct/tokenizer/chat"
)

func TestNotes(t *testing.T) {
	e := encoder(t, "lessons", byteTokenizer(t))
	e.MaxLength = 40
	thinking := talk("q", "a", "r", "b")
	thinking[1].Reasoning = "hm"
	rows := []Row{
		{Source: "f:1", Messages: talk("q", "a"), Ignored: []string{"id", "messages.lang"},
			Mapped: []string{"bing as assistant"}},
		{Source: "f:2", Messages: talk("q", "a"), Ignored: []string{"id"}, Tools: json.RawMessage(`[{"name":"f"}]`)},
		{Source: "f:3", Messages: talk("q", strings.Repeat("long ", 20))},
		{Source: "f:4", Messages: talk(strings.Repeat("long ", 20), "a")},
		{Source: "f:5", Messages: thinking},
		{Source: "f:6", Messages: talk("", "a"), Silent: true},
		{Source: "f:7", Messages: talk("q<|end|>", "a")},
		{Source: "f:8", Text: "x<|end|><|end|>y"},
	}
	_, audit, err := e.EncodeAll(context.Background(), rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"nothing to train on: longer than max_length before its first trained token in 1 row (first: f:4)",
		"cut at max_length: 1 row (first: f:3)",
		"answers cut at max_length, which do not teach to stop: 1 row (first: f:3)",
		`keys that are not read: "id" in 2 rows, "messages.lang" in 1 row (first: f:1)`,
		"not shown by the chat template: reasoning_content in 1 row, tools in 1 row (first: f:2)",
		"roles read as others: bing as assistant in 1 row (first: f:1)",
		"a user's turn without text: 1 row (first: f:6)",
		"the text of a special token inside a message, read as that token: 1 row (first: f:7)",
		"a special token twice in one place: 1 row (first: f:8)",
	}
	if got := audit.Notes(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if err := audit.NeverStops(); err != nil {
		t.Error(err)
	}
}

// A template whose end of a turn is no token of the tokenizer makes a model that never stops.
func TestNeverStops(t *testing.T) {
	for _, test := range []struct {
		ended, open, texts int
		template, want     string
		length             int
	}{
		{0, 40, 0, "chatml", "data: 40 of 40 conversations do not end with a stop token (the first: f:0), so the model " +
			"would never learn to stop: the chat template ends an answer with what is no stop token of this model", 0},
		{0, 2, 30, "chatml", "2 of 2 conversations do not end", 0},
		{5, 5, 0, "lessons", "", 40},
		{4, 5, 0, "lessons", "5 of 9 conversations do not end with a stop token (the first: f:4), so the model would " +
			"never learn to stop: they are cut at max_length: raise it, or set allow_unended: true", 40},
		{0, 0, 9, "chatml", "", 0},
	} {
		e := encoder(t, test.template, byteTokenizer(t))
		e.MaxLength = test.length
		var rows []Row
		add := func(n int, row Row) {
			for range n {
				row.Source = fmt.Sprintf("f:%d", len(rows))
				rows = append(rows, row)
			}
		}
		add(test.ended, Row{Messages: talk("q", "a")})
		add(test.open, Row{Messages: talk("q", strings.Repeat("a", 60))})
		add(test.texts, Row{Text: "text"})
		_, audit, err := e.EncodeAll(context.Background(), rows, 1)
		if err != nil {
			t.Fatal(err)
		}
		err = audit.NeverStops()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: got %v", test, err)
		}
	}
}

// A template that does not show a call would train an empty answer.
func TestEmptyAnswers(t *testing.T) {
	e := encoder(t, "lessons", byteTokenizer(t))
	call := talk("q", "")
	call[1].ToolCalls = json.RawMessage(`[{"function":{"name":"f","arguments":{"a":1}}}]`)
	const want = "data: f:1: the chat template does not show its tool_calls (message 2), so an empty answer " +
		"would be trained"
	for _, on := range []bool{false, true} {
		e.TrainOnInputs = on
		if _, _, err := e.Encode(Row{Source: "f:1", Messages: call}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v", err)
		}
	}
	thought := talk("q", "")
	thought[1].Reasoning = "hm"
	_, _, err := e.Encode(Row{Source: "f:1", Messages: thought})
	if err == nil || !strings.Contains(err.Error(), "what it says") {
		t.Errorf("got %v", err)
	}
	e.TrainOnInputs = false
	more := func(m []chat.Message) []chat.Message { return append(m, talk("r", "b")...) }
	saying := slices.Clone(call)
	saying[1].Content = "Let me see."
	untrained := slices.Clone(call)
	untrained[1].Train = new(false)
	for _, messages := range [][]chat.Message{saying, more(untrained)} {
		if _, outcome, err := e.Encode(Row{Source: "f:1", Messages: messages}); err != nil || len(outcome.Unused) != 1 {
			t.Errorf("%+v: %+v, %v", messages, outcome, err)
		}
	}
	shown := encoder(t, "chatml", byteTokenizer(t))
	if _, outcome, err := shown.Encode(Row{Source: "f:1", Messages: call}); err != nil || len(outcome.Unused) > 0 {
		t.Errorf("%+v, %v", outcome, err)
	}
}
