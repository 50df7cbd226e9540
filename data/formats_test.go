package data

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"instruct/tokenizer/chat"
)

func TestFormats(t *testing.T) {
	no := false
	tests := []struct {
		name, row string
		want      []chat.Message
	}{
		{"alpaca", `{"instruction":"I","input":"X","output":"O"}`, talk("I\nX", "O")},
		{"alpaca without input", `{"instruction":"I","output":"O"}`, talk("I", "O")},
		{"alpaca with empty and null", `{"instruction":"I","input":"","system":null,"output":"O"}`, talk("I", "O")},
		{"alpaca with system", `{"system":"S","instruction":"I","output":"O"}`,
			append([]chat.Message{{Role: "system", Content: "S"}}, talk("I", "O")...)},
		{"prompt", `{"prompt":"P","completion":"C"}`, talk("P", "C")},
		{"prompt of messages",
			`{"prompt":[{"role":"user","content":"P"},{"role":"assistant","content":"before"},` +
				`{"role":"user","content":"Q"}],"completion":[{"role":"assistant","content":"C"}]}`,
			[]chat.Message{
				{Role: "user", Content: "P"}, {Role: "assistant", Content: "before", Train: &no}, {Role: "user", Content: "Q"},
				{Role: "assistant", Content: "C"},
			}},
		{"messages",
			`{"messages":[{"role":"system","content":"S"},{"role":"user","content":"U"},{"role":"assistant","content":"A"},` +
				`{"role":"tool","content":"T"}]}`,
			[]chat.Message{
				{Role: "system", Content: "S"}, {Role: "user", Content: "U"}, {Role: "assistant", Content: "A"},
				{Role: "tool", Content: "T"},
			}},
		{"messages with parts",
			`{"messages":[{"role":"user","content":[{"type":"text","text":"U"},{"type":"text","text":"V"}]},` +
				`{"role":"assistant","content":"A","tool_calls":[]}]}`,
			talk("UV", "A")},
		{"messages not trained",
			`{"messages":[{"role":"user","content":"U"},{"role":"assistant","content":"A","train":false},` +
				`{"role":"user","content":"V"},{"role":"assistant","content":"","weight":0},{"role":"user","content":"W"},` +
				`{"role":"assistant","content":"C","weight":1}]}`,
			[]chat.Message{
				{Role: "user", Content: "U"}, {Role: "assistant", Content: "A", Train: &no}, {Role: "user", Content: "V"},
				{Role: "assistant", Content: "", Train: &no}, {Role: "user", Content: "W"}, {Role: "assistant", Content: "C"},
			}},
		{"conversations", `{"id":"x","conversations":[{"from":"human","value":"U"},{"from":"gpt","value":"A"}]}`,
			talk("U", "A")},
		{"conversations with system",
			`{"system":"S","conversations":[{"from":"human","value":"U"},{"from":"gpt","value":"A"}]}`,
			append([]chat.Message{{Role: "system", Content: "S"}}, talk("U", "A")...)},
		{"conversations with roles",
			`{"conversations":[{"role":"user","content":"U"},{"role":"assistant","content":"A"}]}`, talk("U", "A")},
		{"question", `{"question":"Q","answer":"A"}`, talk("Q", "A")},
		{"tool calls",
			`{"messages":[{"role":"user","content":"U"},{"role":"assistant","content":null,"reasoning_content":"R",` +
				`"tool_calls":[{"function":{"name":"f","arguments":{"z":1,"a":2.50}}}]},` +
				`{"role":"tool","tool_call_id":"c1","name":"f","content":"7"},{"role":"assistant","thinking":"T","content":"A"}]}`,
			[]chat.Message{
				{Role: "user", Content: "U"},
				{
					Role: "assistant", Reasoning: "R",
					ToolCalls: json.RawMessage(`[{"function":{"name":"f","arguments":{"z":1,"a":2.50}}}]`),
				},
				{Role: "tool", Content: "7", ToolCallID: "c1", Name: "f"}, {Role: "assistant", Content: "A", Reasoning: "T"},
			}},
		{"tool calls in strings",
			`{"messages":"[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":\"[{\\\"b\\\":1,\\\"a\\\":2}]\"}]"}`,
			[]chat.Message{{Role: "assistant", ToolCalls: json.RawMessage(`[{"b":1,"a":2}]`)}}},
		{"observation",
			`{"conversations":[{"from":"human","value":"U"},{"from":"observation","value":"7"},{"from":"gpt","value":"A"}]}`,
			[]chat.Message{{Role: "user", Content: "U"}, {Role: "tool", Content: "7"}, {Role: "assistant", Content: "A"}}},
		{"preference", `{"prompt":"P","chosen":"C","rejected":"R"}`, talk("P", "C")},
		{"preference with instruction", `{"instruction":"I","input":"X","output":"O","chosen":"C","rejected":"R"}`,
			talk("I\nX", "C")},
		{"preference of conversations",
			`{"chosen":[{"role":"user","content":"U"},{"role":"assistant","content":"A"}],` +
				`"rejected":[{"role":"user","content":"U"},{"role":"assistant","content":"B"}]}`,
			talk("U", "A")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rows := load(t, write(t, "rows.jsonl", test.row))
			if len(rows) != 1 || !reflect.DeepEqual(rows[0].Messages, test.want) || rows[0].Text != "" {
				t.Errorf("got %+v, want %+v", rows, test.want)
			}
		})
	}
}

func TestPlainText(t *testing.T) {
	rows := load(t, write(t, "rows.jsonl", `{"text":" plain\n"}`))
	if len(rows) != 1 || rows[0].Messages != nil || rows[0].Text != " plain\n" {
		t.Errorf("text: got %+v", rows)
	}
}

func TestToolsAndVariables(t *testing.T) {
	chat := `"messages":[{"role":"user","content":"U"},{"role":"assistant","content":"A"}]`
	tests := []struct{ name, row, tools, variables string }{
		{"none", `{` + chat + `}`, "", ""},
		{"null", `{` + chat + `,"tools":null,"chat_template_kwargs":null}`, "", ""},
		{"an empty string", `{` + chat + `,"tools":""}`, "", ""},
		{"lists keep the order of keys",
			`{` + chat + `,"tools": [{"z":1,"a":{"y":1.0,"b":2}}] ,"chat_template_kwargs":{"enable_thinking":false}}`,
			`[{"z":1,"a":{"y":1.0,"b":2}}]`, `{"enable_thinking":false}`},
		{"a string", `{` + chat + `,"tools":" [{\"z\":1,\"a\":2}]"}`, `[{"z":1,"a":2}]`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, content := range []string{test.row, "[\n" + test.row + "]"} {
				name := "r.jsonl"
				if content[0] == '[' {
					name = "r.json"
				}
				row := load(t, write(t, name, content))[0]
				if string(row.Tools) != test.tools || string(row.Variables) != test.variables || len(row.Ignored) > 0 {
					t.Errorf("got %s, %s, ignored %v", row.Tools, row.Variables, row.Ignored)
				}
			}
		})
	}
	// An instruction's tools are no tools.
	row := load(t, write(t, "r.jsonl", `{"instruction":"I","output":"O","tools":"hammer"}`))[0]
	if row.Tools != nil || !slices.Equal(row.Ignored, []string{"tools"}) {
		t.Errorf("got %+v", row)
	}
}

// Tables are headed in any case; a column that has the very key is the one.
func TestColumnsInAnyCase(t *testing.T) {
	path := write(t, "r.tsv", "Question\tAnswer\tSource\tMetadata\nQ\tA\ts\tm\n")
	want := []Row{{Source: path + ":2", Messages: talk("Q", "A"), Ignored: []string{"Metadata", "Source"}}}
	if rows := load(t, path); !reflect.DeepEqual(rows, want) {
		t.Errorf("got %+v", rows)
	}
	path = write(t, "r.csv", "INSTRUCTION,Output,output\nI,no,O\n")
	if rows := load(t, path); !reflect.DeepEqual(rows[0].Messages, talk("I", "O")) {
		t.Errorf("got %+v", rows)
	}
}

func TestIgnoredKeysAndKind(t *testing.T) {
	rows := load(t, write(t, "rows.jsonl", `{"instruction":"I","output":"O","kind":"sum","zz":1,"id":[2]}`))
	if rows[0].Kind != "sum" || !slices.Equal(rows[0].Ignored, []string{"id", "zz"}) {
		t.Errorf("got %+v", rows[0])
	}
}

// A cell of a table holds messages as JSON.
func TestMessagesInACell(t *testing.T) {
	cell := `"[{""role"":""user"",""content"":""U""},{""role"":""assistant"",""content"":""A""}]"`
	rows := load(t, write(t, "r.csv", "messages\n"+cell+"\n"))
	if !reflect.DeepEqual(rows[0].Messages, talk("U", "A")) {
		t.Errorf("got %+v", rows)
	}
}
