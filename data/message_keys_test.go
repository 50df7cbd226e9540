package data

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"instruct/tokenizer/chat"
)

// untrained is a talk whose first answer is not trained.
func untrained(turns ...string) []chat.Message {
	out := talk(turns...)
	out[1].Train = new(false)
	return out
}

func TestMessageKeys(t *testing.T) {
	two := func(more string) string {
		return `{"messages":[{"role":"user","content":"U"},{"role":"assistant","content":"BAD"` + more +
			`},{"role":"user","content":"V"},{"role":"assistant","content":"A"}]}`
	}
	trained := talk("U", "BAD", "V", "A")
	trained[1].Train = new(true)
	system := append([]chat.Message{{Role: "system", Content: "S"}}, talk("U", "A")...)
	thought := talk("U", "A")
	thought[1].Reasoning = "T"
	tests := []struct {
		name, row string
		want      []chat.Message
		ignored   []string
	}{
		{"loss", two(`,"loss":false`), untrained("U", "BAD", "V", "A"), nil},
		{"trainable", two(`,"trainable":false`), untrained("U", "BAD", "V", "A"), nil},
		{"training", two(`,"training":false`), untrained("U", "BAD", "V", "A"), nil},
		{"train_on_turn", two(`,"train_on_turn":false`), untrained("U", "BAD", "V", "A"), nil},
		{"loss_weight", two(`,"loss_weight":0`), untrained("U", "BAD", "V", "A"), nil},
		{"loss_mask", two(`,"loss_mask":0`), untrained("U", "BAD", "V", "A"), nil},
		{"loss_mask false", two(`,"loss_mask":false`), untrained("U", "BAD", "V", "A"), nil},
		{"loss true", two(`,"loss":true`), trained, nil},
		{"weight 1", two(`,"weight":1.0`), talk("U", "BAD", "V", "A"), nil},
		{"null says nothing", two(`,"loss":null,"name":null,"id":"","tags":[]`), talk("U", "BAD", "V", "A"), nil},
		{"two that agree", two(`,"train":false,"weight":0`), untrained("U", "BAD", "V", "A"), nil},
		{"unknown ones are counted", two(`,"id":3,"lang":"en"`), talk("U", "BAD", "V", "A"),
			[]string{"messages.id", "messages.lang"}},
		{"text for content", `{"conversations":[{"from":"human","text":"U"},{"from":"gpt","text":"A"}]}`,
			talk("U", "A"), nil},
		{"the first place counts",
			`{"conversations":[{"from":"human","value":"U","text":"x"},{"from":"gpt","value":"A","markdown":null}]}`,
			talk("U", "A"), []string{"conversations.text"}},
		{"parts", `{"messages":[{"role":"user","content":[{"type":"text","text":"U","image_url":null},"V"]},` +
			`{"role":"assistant","content":{"type":"output_text","text":"A","annotations":[1]}}]}`,
			talk("UV", "A"), []string{"messages.content.annotations"}},
		{"a part that thinks", `{"messages":[{"role":"user","content":[{"text":"U"}]},` +
			`{"role":"assistant","content":[{"type":"thinking","thinking":"T"},{"type":"text","text":"A"}]}]}`, thought, nil},
		{"a system beside the messages", `{"system":"S","messages":[{"role":"user","content":"U"},` +
			`{"role":"assistant","content":"A"}]}`, system, nil},
		{"a system in both places", `{"system":"T","messages":[{"role":"system","content":"S"},` +
			`{"role":"user","content":"U"},{"role":"assistant","content":"A"}]}`, system, []string{"system"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			row := load(t, write(t, "r.jsonl", test.row))[0]
			if !reflect.DeepEqual(row.Messages, test.want) || !slices.Equal(row.Ignored, test.ignored) {
				t.Errorf("got %+v, ignored %v", row.Messages, row.Ignored)
			}
		})
	}
}

func TestMessageKeysThatAreRefused(t *testing.T) {
	one := func(more string) string {
		return `{"messages":[{"role":"user","content":"U"},{"role":"assistant","content":"A",` + more + `}]}`
	}
	loadFails(t, []failing{
		{"mask", "r.jsonl", one(`"mask":true`), `message 2: key "mask": "mask" says in some data what is trained`},
		{"a part of a turn", "r.jsonl", one(`"train_detail":[{"begin_offset":0}]`), `key "train_detail": parts of a turn`},
		{"half a weight", "r.jsonl", one(`"loss_weight":0.3`), `key "loss_weight" must be 0 or 1, found 0.3`},
		{"loss as text", "r.jsonl", one(`"loss":"no"`), `key "loss" must be true or false, found a string`},
		{"two that differ", "r.jsonl", one(`"train":true,"loss":false`), `key "loss" says otherwise than another key`},
		{"images", "r.jsonl", one(`"images":["a.png"]`), `key "images": this program reads text only`},
		{"audio", "r.jsonl", `{"messages":[{"role":"user","content":[{"type":"input_audio","data":"x"}]}]}`,
			`a part of the type "input_audio" that is no text`},
		{"a number as content", "r.jsonl", `{"messages":[{"role":"user","content":3}]}`,
			`key "content" must be a string, found a number`},
		{"a name that is none", "r.jsonl", one(`"name":{"x":1}`), `key "name" must be a string, found an object`},
		{"calls in a text that is no JSON", "r.jsonl", `{"conversations":[{"from":"function_call","value":"f(x)"}]}`,
			`message 1: the text of a call must be the JSON of {"name", "arguments"}`},
		{"function_call is a list", "r.jsonl", one(`"function_call":["f"]`), `key "function_call" must be a call`},
	})
}

func TestRolesOfOtherData(t *testing.T) {
	for name, mapped := range map[string]string{
		"gpt": "", "chatgpt": "chatgpt as assistant", "bing": "bing as assistant", "bot": "bot as assistant",
		"model": "model as assistant", "bard": "bard as assistant", "Assistant": "Assistant as assistant",
	} {
		content := `{"conversations":[{"from":"human","value":"U"},{"from":"` + name + `","value":"A"}]}`
		row := load(t, write(t, "r.jsonl", content))[0]
		if !reflect.DeepEqual(row.Messages, talk("U", "A")) || slices.Contains(row.Mapped, mapped) != (mapped != "") {
			t.Errorf("%s: got %+v, mapped %v", name, row.Messages, row.Mapped)
		}
	}
}

// Calls in the styles before tools, and JSON that stands in texts.
func TestCallsAndTools(t *testing.T) {
	const wrapped = `[{"type":"function","function":{"name":"f","arguments":{"z":1,"a":2}}}]`
	const call = `{"name":"f","arguments":{"z":1,"a":2}}`
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	talk := func(answer, more string) string {
		return `{"messages":[{"role":"user","content":"U"},` + answer + `]` + more + `}`
	}
	for name, test := range map[string]struct{ row, calls, tools string }{
		"function_call": {talk(`{"role":"assistant","content":null,"function_call":`+call+`}`, ""), wrapped, ""},
		"functions": {talk(`{"role":"assistant","function_call":`+call+`}`, `,"functions":[{"name":"f"}]`), wrapped,
			`[{"type":"function","function":{"name":"f"}}]`},
		"ShareGPT's role": {`{"conversations":[{"from":"human","value":"U"},{"from":"function_call","value":` + quoted(call) +
			`}]}`, wrapped, ""},
		"ShareGPT's role with a list": {`{"conversations":[{"from":"human","value":"U"},{"from":"function_call","value":` +
			quoted("["+call+"]") + `}]}`, wrapped, ""},
		"calls as texts": {talk(`{"role":"assistant","tool_calls":[`+quoted(wrapped[1:len(wrapped)-1])+`]}`, ""),
			wrapped, ""},
		"tools as texts": {talk(`{"role":"assistant","tool_calls":`+wrapped+`}`, `,"tools":[`+
			quoted(`{"name":"f","x":null}`)+`]`), wrapped, `[{"name":"f","x":null}]`},
		"tools as a text of texts": {talk(`{"role":"assistant","tool_calls":`+wrapped+`}`, `,"tools":`+
			quoted(`[{"name":"f"}]`)), wrapped, `[{"name":"f"}]`},
		"no tools": {talk(`{"role":"assistant","tool_calls":`+wrapped+`}`, `,"tools":"[]","functions":[]`), wrapped, ""},
	} {
		row := load(t, write(t, "r.jsonl", test.row))[0]
		m := row.Messages[1]
		if m.Role != "assistant" || m.Content != "" || string(m.ToolCalls) != test.calls || string(row.Tools) != test.tools {
			t.Errorf("%s: got %s %q %s, tools %s", name, m.Role, m.Content, m.ToolCalls, row.Tools)
		}
	}
}
