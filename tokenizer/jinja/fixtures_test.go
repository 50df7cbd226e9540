package jinja

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"instruct/tokenizer/internal/fixture"
)

// fixed is the day that the references were made for.
var fixed = Options{Now: time.Date(2024, 7, 26, 0, 0, 0, 0, time.UTC)}

// value decodes a JSON text and fails the test if it cannot.
func value(t *testing.T, data string) Value {
	t.Helper()
	v, err := FromJSON([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSnippetsOfFixtures(t *testing.T) {
	var f struct {
		Ctx   json.RawMessage
		Cases []struct {
			T, Out string
			Err    *string
		}
	}
	fixture.ReadJSON(t, fixture.Path(t, "chat/snippets.json"), &f)
	if len(f.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range f.Cases {
		t.Run(c.T, func(t *testing.T) {
			tp, err := Parse(c.T)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tp.Render(value(t, string(f.Ctx)).(*Dict), fixed)
			if err != nil {
				t.Fatal(err)
			}
			if got.Text != c.Out {
				t.Errorf("got %q, want %q", got.Text, c.Out)
			}
		})
	}
}

func TestTemplatesOfFixtures(t *testing.T) {
	var templates map[string]struct{ Template, BOS, EOS string }
	var convs []struct {
		N        string
		Messages json.RawMessage
		Tools    json.RawMessage
	}
	var expected []struct {
		Tpl, Conv string
		AGP       bool
		Out, Err  string
		Gen       [][2]int
	}
	fixture.ReadJSON(t, fixture.Path(t, "chat/templates.json"), &templates)
	fixture.ReadJSON(t, fixture.Path(t, "chat/convs.json"), &convs)
	fixture.ReadJSON(t, fixture.Path(t, "chat/expected_py.json"), &expected)
	if len(expected) != 286 {
		t.Fatalf("%d expected renders, want 286", len(expected))
	}
	for _, e := range expected {
		source := templates[e.Tpl]
		tp, err := Parse(source.Template)
		if err != nil {
			t.Fatalf("%s: %v", e.Tpl, err)
		}
		vars := NewDict().Set("bos_token", plain(source.BOS)).Set("eos_token", plain(source.EOS)).Set("add_generation_prompt",
			e.AGP)
		for _, c := range convs {
			if c.N == e.Conv {
				vars.Set("messages", value(t, string(c.Messages)))
				if c.Tools != nil {
					vars.Set("tools", value(t, string(c.Tools)))
				}
			}
		}
		r, err := tp.Render(vars, fixed)
		if e.Err != "" {
			if err == nil || err.Error() != e.Err {
				t.Errorf("%s %s %v: error %v, want %q", e.Tpl, e.Conv, e.AGP, err, e.Err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s %v: %v", e.Tpl, e.Conv, e.AGP, err)
			continue
		}
		if r.Text != e.Out {
			t.Errorf("%s %s %v: got\n%q, want\n%q", e.Tpl, e.Conv, e.AGP, r.Text, e.Out)
		}
		var gen [][2]int // the references count characters
		for _, s := range r.Generation {
			gen = append(gen, [2]int{utf8.RuneCountInString(r.Text[:s.Start]), utf8.RuneCountInString(r.Text[:s.End])})
		}
		if !slices.Equal(gen, e.Gen) {
			t.Errorf("%s %s %v: generation spans %v, want %v", e.Tpl, e.Conv, e.AGP, gen, e.Gen)
		}
	}
}
