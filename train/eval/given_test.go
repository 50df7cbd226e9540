package eval_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"instruct/data"
	"instruct/model/kernel"
	"instruct/tokenizer/chat"
	"instruct/train/eval"
)

// TestGiven encodes answers as text and as tokens.
func TestGiven(t *testing.T) {
	m := tiny(t, kernel.F32)
	prompt := []chat.Message{{Role: "user", Content: "Hi"}, {Role: "assistant", Content: "Yes?"},
		{Role: "user", Content: "Bye"}}
	ids, err := m.Prompt(prompt)
	if err != nil {
		t.Fatal(err)
	}
	answer := m.Tokenizer.Encode("See you.", false)
	all := slices.Concat(ids, answer)
	for _, x := range []struct {
		name  string
		given eval.Given
		ended bool // with the end of the turn
	}{
		{"text", eval.Given{Messages: prompt, Text: "See you."}, true},
		{"messages and ids", eval.Given{Messages: prompt, IDs: answer}, false},
		{"ids and text", eval.Given{PromptIDs: ids, Text: "See you."}, false},
		{"ids", eval.Given{PromptIDs: ids, IDs: answer}, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			e, err := x.given.Example(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			trained := len(answer)
			if x.ended {
				trained++
				if last := e.IDs[len(all)]; !slices.Contains(m.Stop, last) {
					t.Errorf("the answer ends with token %d, which does not end a turn", last)
				}
			}
			if !reflect.DeepEqual(e.IDs[:len(all)], all) || e.Trained() != trained {
				t.Errorf("ids %v, want %v; %d are trained, want %d", e.IDs, all, e.Trained(), trained)
			}
			for i := range e.Mask {
				if e.Mask[i] != (i >= len(ids) && i < len(ids)+trained) {
					t.Errorf("token %d: trained is %v", i, e.Mask[i])
				}
			}
		})
	}
	if prompt[1].Train != nil {
		t.Error("the prompt was changed")
	}
	long := eval.Given{Source: "s.yaml:3", Messages: prompt, Text: strings.Repeat("long ", 30)}
	_, err = long.Example(t.Context(), m)
	if err == nil || !strings.HasPrefix(err.Error(), "s.yaml:3: prompt and answer have ") ||
		!strings.Contains(err.Error(), "the model reads 128 at the most") {
		t.Errorf("error %v", err)
	}
	alone := eval.Given{IDs: answer} // nothing stands before its first token
	if e, err := alone.Example(t.Context(), m); err != nil || e.Trained() != len(answer)-1 {
		t.Errorf("%+v, error %v", e, err)
	}
	none := data.Example{}
	if e, err := (&eval.Given{}).Example(t.Context(), m); err != nil || e.Trained() != none.Trained() {
		t.Errorf("%+v, error %v", e, err)
	}
}
