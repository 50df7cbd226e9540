package chat

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Arguments come as an object or as its JSON; a template that prints JSON, one that prints a text and one that goes
// through them show the same of both.
func TestArgumentsOfCalls(t *testing.T) {
	loop := func(body string) string {
		return "{% for m in messages %}{% for c in m.tool_calls %}{% set f = c.function %}" + body +
			"{% endfor %}{% endfor %}"
	}
	for name, test := range map[string]struct{ source, want string }{
		"tojson":         {loop("{{ f.arguments | tojson }}"), `{"b": 1, "a": "x\"y"}`},
		"tojson of call": {loop("{{ f | tojson }}"), `{"name": "f", "arguments": {"b": 1, "a": "x\"y"}}`},
		"text or JSON": {loop("{% if f.arguments is string %}{{ f.arguments }}{% else %}" +
			"{{ f.arguments | tojson }}{% endif %}"), `{"b": 1, "a": "x\"y"}`},
		"text":  {loop("{{ 'call ' + f.arguments }}"), `call {"b": 1, "a": "x\"y"}`},
		"items": {loop("{% for k, v in f.arguments.items() %}{{ k }}={{ v }};{% endfor %}"), `b=1;a=x"y;`},
	} {
		tp, err := NewTemplate(test.source, nil)
		if err != nil {
			t.Fatal(err)
		}
		const object = `{"b": 1, "a": "x\"y"}`
		text, _ := json.Marshal(object)
		for _, arguments := range []string{object, string(text)} {
			calls := json.RawMessage(`[{"function":{"name":"f","arguments":` + arguments + `}}]`)
			r, err := tp.RenderConversation(&Conversation{Messages: []Message{{Role: "assistant", ToolCalls: calls}}}, false)
			if err != nil || r.Text != test.want || len(r.Unused) > 0 || len(r.Empty) > 0 {
				t.Errorf("%s: got %q, %v, want %q", name, r.Text, err, test.want)
			}
		}
	}
	tp, _ := NewTemplate(loop("{{ f.arguments | tojson }}"), nil)
	for _, arguments := range []string{"null", `""`, `"{}"`, "{}", `"null"`} {
		calls := json.RawMessage(`[{"function":{"name":"f","arguments":` + arguments + `}}]`)
		text, _, err := tp.Render([]Message{{Role: "assistant", ToolCalls: calls}}, false)
		if err != nil || text != "{}" {
			t.Errorf("%s: got %q, %v", arguments, text, err)
		}
	}
	// What is no object stays what it is.
	for _, arguments := range []string{`"tomorrow"`, `"[1"`, `[1, 2]`, `"7"`} {
		calls := json.RawMessage(`[{"function":{"name":"f","arguments":` + arguments + `}}]`)
		text, _, err := tp.Render([]Message{{Role: "assistant", ToolCalls: calls}}, false)
		if err != nil || text != arguments {
			t.Errorf("%s: got %q, %v", arguments, text, err)
		}
	}
}

// A template that cuts the thoughts out of earlier answers leaves a trace in Unused.
func TestThoughtsCutOut(t *testing.T) {
	const source = "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' and not loop.last %}" +
		"{{ m.content.split('</think>')[-1] }}{% else %}{{ m.content }}{% endif %}{% endfor %}"
	tp, err := NewTemplate(source, nil)
	if err != nil {
		t.Fatal(err)
	}
	think := "<think>\nhm\n</think>\n\nyes"
	talk := []Message{{Role: "user", Content: "q"}, {Role: "assistant", Content: think}}
	for _, test := range []struct {
		messages []Message
		want     bool
	}{{talk, false}, {append(slices.Clone(talk), Message{Role: "user", Content: "r"}, talk[1]), true}} {
		r, err := tp.RenderConversation(&Conversation{Messages: test.messages}, false)
		if err != nil || slices.Contains(r.Unused, "thoughts") != test.want || strings.Contains(r.Text, "hm") == false {
			t.Errorf("%q: unused %v, %v", r.Text, r.Unused, err)
		}
	}
}
