package data

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

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
		{"alpaca with system", `{"system":"S","instruction":"I","output":"O"}`, append([]chat.Message{{Role: "system", Content: "S"}}, talk("I", "O")...)},
		{"prompt", `{"prompt":"P","completion":"C"}`, talk("P", "C")},
		{"prompt of messages", `{"prompt":[{"role":"user","content":"P"},{"role":"assistant","content":"before"},{"role":"user","content":"Q"}],"completion":[{"role":"assistant","content":"C"}]}`,
			[]chat.Message{{Role: "user", Content: "P"}, {Role: "assistant", Content: "before", Train: &no}, {Role: "user", Content: "Q"}, {Role: "assistant", Content: "C"}}},
		{"messages", `{"messages":[{"role":"system","content":"S"},{"role":"user","content":"U"},{"role":"assistant","content":"A"},{"role":"tool","content":"T"}]}`,
			[]chat.Message{{Role: "system", Content: "S"}, {Role: "user", Content: "U"}, {Role: "assistant", Content: "A"}, {Role: "tool", Content: "T"}}},
		{"messages with parts", `{"messages":[{"role":"user","content":[{"type":"text","text":"U"},{"type":"text","text":"V"}]},{"role":"assistant","content":"A","tool_calls":[]}]}`, talk("UV", "A")},
		{"messages not trained", `{"messages":[{"role":"user","content":"U"},{"role":"assistant","content":"A","train":false},{"role":"user","content":"V"},{"role":"assistant","content":"","weight":0},{"role":"user","content":"W"},{"role":"assistant","content":"C","weight":1}]}`,
			[]chat.Message{{Role: "user", Content: "U"}, {Role: "assistant", Content: "A", Train: &no}, {Role: "user", Content: "V"}, {Role: "assistant", Content: "", Train: &no}, {Role: "user", Content: "W"}, {Role: "assistant", Content: "C"}}},
		{"conversations", `{"id":"x","conversations":[{"from":"human","value":"U"},{"from":"gpt","value":"A"}]}`, talk("U", "A")},
		{"conversations with system", `{"system":"S","conversations":[{"from":"human","value":"U"},{"from":"gpt","value":"A"}]}`,
			append([]chat.Message{{Role: "system", Content: "S"}}, talk("U", "A")...)},
		{"conversations with roles", `{"conversations":[{"role":"user","content":"U"},{"role":"assistant","content":"A"}]}`, talk("U", "A")},
		{"question", `{"question":"Q","answer":"A"}`, talk("Q", "A")},
		{"tool calls", `{"messages":[{"role":"user","content":"U"},{"role":"assistant","content":null,"reasoning_content":"R","tool_calls":[{"function":{"name":"f","arguments":{"z":1,"a":2.50}}}]},{"role":"tool","tool_call_id":"c1","name":"f","content":"7"},{"role":"assistant","thinking":"T","content":"A"}]}`,
			[]chat.Message{{Role: "user", Content: "U"}, {Role: "assistant", Reasoning: "R", ToolCalls: json.RawMessage(`[{"function":{"name":"f","arguments":{"z":1,"a":2.50}}}]`)}, {Role: "tool", Content: "7", ToolCallID: "c1", Name: "f"}, {Role: "assistant", Content: "A", Reasoning: "T"}}},
		{"tool calls in strings", `{"messages":"[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":\"[{\\\"b\\\":1,\\\"a\\\":2}]\"}]"}`, []chat.Message{{Role: "assistant", ToolCalls: json.RawMessage(`[{"b":1,"a":2}]`)}}},
		{"observation", `{"conversations":[{"from":"human","value":"U"},{"from":"observation","value":"7"},{"from":"gpt","value":"A"}]}`, []chat.Message{{Role: "user", Content: "U"}, {Role: "tool", Content: "7"}, {Role: "assistant", Content: "A"}}},
		{"preference", `{"prompt":"P","chosen":"C","rejected":"R"}`, talk("P", "C")},
		{"preference with instruction", `{"instruction":"I","input":"X","output":"O","chosen":"C","rejected":"R"}`, talk("I\nX", "C")},
		{"preference of conversations", `{"chosen":[{"role":"user","content":"U"},{"role":"assistant","content":"A"}],"rejected":[{"role":"user","content":"U"},{"role":"assistant","content":"B"}]}`, talk("U", "A")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rows := load(t, write(t, "rows.jsonl", test.row))
			if len(rows) != 1 || !reflect.DeepEqual(rows[0].Messages, test.want) || rows[0].Text != "" {
				t.Errorf("got %+v, want %+v", rows, test.want)
			}
		})
	}
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
		{"lists keep the order of keys", `{` + chat + `,"tools": [{"z":1,"a":{"y":1.0,"b":2}}] ,"chat_template_kwargs":{"enable_thinking":false}}`, `[{"z":1,"a":{"y":1.0,"b":2}}]`, `{"enable_thinking":false}`},
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
	if rows := load(t, path); !reflect.DeepEqual(rows, []Row{{Source: path + ":2", Messages: talk("Q", "A"), Ignored: []string{"Metadata", "Source"}}}) {
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

// The same two rows in every type of file, with what makes text files differ.
func TestSources(t *testing.T) {
	type row struct {
		Instruction string  `parquet:"instruction"`
		Input       *string `parquet:"input,optional"`
		Output      []byte  `parquet:"output"`
	}
	x := "X"
	var buf bytes.Buffer
	if err := parquet.Write(&buf, []row{{"é\n1", &x, []byte(`say "A"`)}, {"2", nil, []byte("B")}}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file, content string
		lines               []string
	}{
		{"jsonl", "r.jsonl", `{"instruction":"é\n1","input":"X","output":"say \"A\""}` + "\n" + `{"instruction":"2","output":"B"}`, []string{"1", "2"}},
		{"jsonl with BOM, CRLF and blank lines", "r.ndjson", "\ufeff\r\n" + `{"instruction":"é\n1","input":"X","output":"say \"A\""}` + "\r\n\r\n  \r\n" + `{"instruction":"2","output":"B"}` + "\r\n\r\n", []string{"2", "5"}},
		{"json", "r.json", `[{"instruction":"é\n1","input":"X","output":"say \"A\""},{"instruction":"2","output":"B"}]`, []string{"1", "1"}},
		{"json over lines with BOM and CRLF", "R.JSON", "\ufeff\r\n[\r\n  {\r\n    \"instruction\": \"é\\n1\",\r\n \"input\":\"X\",\"output\": \"say \\\"A\\\"\"\r\n  },\r\n\r\n  {\"instruction\":\"2\",\"output\":\"B\"}\r\n]\r\n", []string{"3", "8"}},
		{"json with a row a line", "r.json", `{"instruction":"é\n1","input":"X","output":"say \"A\""}` + "\n" + `{"instruction":"2","output":"B"}`, []string{"1", "2"}},
		{"csv", "r.csv", "instruction,input,output\n\"é\n1\",X,\"say \"\"A\"\"\"\n2,,B\n", []string{"2", "4"}},
		{"csv with BOM and CRLF", "r.csv", "\ufeffinstruction,input,output\r\n\r\n\"é\n1\",X,\"say \"\"A\"\"\"\r\n2,,B", []string{"3", "5"}},
		{"tsv", "r.tsv", "output\tinstruction\tinput\nsay \"A\"\té1\tX\nB\t2\t\n", []string{"2", "3"}},
		{"tsv with quotes, BOM and CRLF", "r.tsv", "\ufeffoutput\tinstruction\tinput\r\n\"say \"\"A\"\"\"\té1\tX\r\n\r\nB\t2\t\r\n", []string{"2", "4"}},
		{"parquet", "r.parquet", buf.String(), []string{"1", "2"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.file, test.content)
			rows := load(t, path)
			first := "é\n1\nX"
			if strings.HasSuffix(test.file, ".tsv") {
				first = "é1\nX" // a field of a TSV file has no line ends
			}
			want := []Row{
				{Source: path + ":" + test.lines[0], Messages: talk(first, `say "A"`)},
				{Source: path + ":" + test.lines[1], Messages: talk("2", "B")},
			}
			if !reflect.DeepEqual(rows, want) {
				t.Errorf("got  %+v\nwant %+v", rows, want)
			}
		})
	}
}

func TestNestedParquet(t *testing.T) {
	type message struct {
		Role    string `parquet:"role"`
		Content string `parquet:"content"`
		Weight  *int64 `parquet:"weight,optional"`
	}
	type row struct {
		Messages []message `parquet:"messages,list"`
	}
	zero, no := int64(0), false
	want := append(talk("U"), chat.Message{Role: "assistant", Content: "A", Train: &no}, chat.Message{Role: "user", Content: "V"}, chat.Message{Role: "assistant", Content: "B"})
	var many []row
	for range 300 { // several reads
		many = append(many, row{[]message{{"user", "U", nil}, {"assistant", "A", &zero}, {"user", "V", nil}, {"assistant", "B", nil}}})
	}
	var buf bytes.Buffer
	if err := parquet.Write(&buf, many, parquet.MaxRowsPerRowGroup(100)); err != nil {
		t.Fatal(err)
	}
	path := write(t, "r.parquet", buf.String())
	rows := load(t, path)
	if len(rows) != 300 || rows[299].Source != path+":300" {
		t.Fatalf("%d rows", len(rows))
	}
	for _, r := range rows {
		if !reflect.DeepEqual(r.Messages, want) {
			t.Fatalf("got %+v", r)
		}
	}
	// The form of older writers: list<item>.
	old := map[string]any{"list": []any{map[string]any{"item": map[string]any{"role": "user", "n": int32(2)}}, map[string]any{"item": nil}}}
	if got := plainValue(old); !reflect.DeepEqual(got, []any{map[string]any{"role": "user", "n": 2.0}, nil}) {
		t.Errorf("got %#v", got)
	}
	for _, content := range []string{"PAR1", "PAR1PAR1PAR1", buf.String()[:buf.Len()/2], "PAR1" + strings.Repeat("\xff", 100) + "\x60\x00\x00\x00PAR1"} {
		if _, err := Load(context.Background(), []string{write(t, "bad.parquet", content)}, ""); err == nil || !isUserError(err) {
			t.Errorf("a damaged file gives %v", err)
		}
	}
}

// A cell of a table holds messages as JSON.
func TestMessagesInACell(t *testing.T) {
	rows := load(t, write(t, "r.csv", `messages`+"\n"+`"[{""role"":""user"",""content"":""U""},{""role"":""assistant"",""content"":""A""}]"`+"\n"))
	if !reflect.DeepEqual(rows[0].Messages, talk("U", "A")) {
		t.Errorf("got %+v", rows)
	}
}

func TestSeveralFiles(t *testing.T) {
	a, b := write(t, "a.jsonl", `{"prompt":"P","completion":"C"}`), write(t, "b.csv", "instruction,output\nI,O\n")
	rows := load(t, b, a)
	if len(rows) != 2 || rows[0].Source != b+":2" || rows[1].Source != a+":1" {
		t.Errorf("got %+v", rows)
	}
	if _, err := Load(context.Background(), []string{a, b}, "prompt"); err == nil || !strings.Contains(err.Error(), b+":2: the row has the keys {instruction, output}, but the format prompt needs {prompt, completion}") {
		t.Errorf("a named format is not required of the second file: %v", err)
	}
	// A row has the keys of two formats: the name decides.
	both := write(t, "c.jsonl", `{"prompt":"P","completion":"C","text":"T"}`)
	rows, err := Load(context.Background(), []string{both}, "text")
	if err != nil || rows[0].Text != "T" {
		t.Errorf("got %+v, %v", rows, err)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	tests := []struct{ name, file, content, want string }{
		{"empty file", "r.jsonl", "", "r.jsonl is empty"},
		{"no rows", "r.jsonl", "\n \n", "r.jsonl has no rows"},
		{"empty array", "r.json", "[]", "r.json has no rows"},
		{"header only", "r.csv", "instruction,output\n", "r.csv has no rows"},
		{"unknown type", "r.xlsx", "x", `the file type ".xlsx" is unknown; the known ones are .jsonl .ndjson .json .csv .tsv .parquet`},
		{"invalid JSON", "r.jsonl", "{\"text\":\"a\"}\n{\"text\": é}\n", "r.jsonl:2:10: invalid JSON: invalid character 'é'"},
		{"cut JSON", "r.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"", "r.jsonl:2:12: invalid JSON: unexpected end"},
		{"two values on a line", "r.jsonl", "{\"text\":\"a\"} {\"text\":\"b\"}", "r.jsonl:1:14: invalid JSON"},
		{"array on a line", "r.jsonl", "[1]", "r.jsonl:1:1: expected an object, found array"},
		{"null on a line", "r.jsonl", "null", "r.jsonl:1: expected an object, found null"},
		{"invalid JSON array", "r.json", "[\n {\"text\":\"a\"},\n {\"text\":\"é\",}\n]", "r.json:3:14: invalid JSON"},
		{"cut JSON array", "r.json", "[\n {\"text\":\"a\"}", "r.json:2:14: invalid JSON: unexpected end"},
		{"number in an array", "r.json", "[{\"text\":\"a\"},\n 7]", "r.json:2:2: expected an object, found number"},
		{"null in an array", "r.json", "[{\"text\":\"a\"},\n null]", "r.json:2: expected an object, found null"},
		{"one object", "r.json", "{\n\"text\":\"a\"\n}", "r.json:1:1: expected an array of rows, found one object"},
		{"not UTF-8", "r.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\xff\"}", "r.jsonl:2:11: the text is not UTF-8"},
		{"UTF-16", "r.csv", "\xff\xfea\x00", "r.csv is UTF-16"},
		{"unknown format", "r.jsonl", `{"ask":"q","say":"a"}`, "r.jsonl:1: no format has the keys {ask, say}; the known formats are preference {chosen, rejected}, messages {messages}, conversations {conversations}, prompt {prompt, completion}, alpaca {instruction, output}, question {question, answer}, text {text}"},
		{"row of another format", "r.jsonl", "{\"instruction\":\"I\",\"output\":\"O\"}\n{\"prompt\":\"P\",\"completion\":\"C\"}", "r.jsonl:2: the row has the keys {completion, prompt}, but the format alpaca needs {instruction, output}; the known formats are"},
		{"empty response", "r.jsonl", "{\"instruction\":\"I\",\"output\":\"O\"}\n{\"instruction\":\"I\",\"output\":\" \\n\"}", "r.jsonl:2: the response is empty"},
		{"null response", "r.jsonl", `{"instruction":"I","output":null}`, "r.jsonl:1: the response is empty"},
		{"empty text", "r.jsonl", `{"text":" "}`, "r.jsonl:1: the text is empty"},
		{"wrong type", "r.jsonl", `{"instruction":"I","output":5}`, `r.jsonl:1: key "output" must be a string, found a number`},
		{"wrong type of input", "r.jsonl", `{"instruction":"I","input":["x"],"output":"O"}`, `key "input" must be a string, found an array`},
		{"messages are an object", "r.jsonl", `{"messages":{"role":"user"}}`, `key "messages" must be a list of messages, found an object`},
		{"messages are empty", "r.jsonl", `{"messages":[]}`, `key "messages" has no messages`},
		{"message is a string", "r.jsonl", `{"messages":["hello"]}`, "message 1: expected an object, found a string"},
		{"unknown role", "r.jsonl", `{"messages":[{"role":"user","content":"U"},{"role":"bot","content":"A"}]}`, `r.jsonl:1: key "messages", message 2: the role "bot" is unknown; the known ones are system, developer, user (human), assistant (gpt) and tool (observation)`},
		{"no role", "r.jsonl", `{"messages":[{"content":"U"}]}`, `message 1: key "role" must be a string, found null`},
		{"no content", "r.jsonl", `{"messages":[{"role":"user"}]}`, `message 1: key "content" must be a string, found null`},
		{"an image", "r.jsonl", `{"messages":[{"role":"user","content":[{"type":"image","url":"x"}]}]}`, `message 1: key "content" has a part that is no text`},
		{"tool calls are no list", "r.jsonl", `{"messages":[{"role":"assistant","content":"","tool_calls":{"function":{}}}]}`, `message 1: key "tool_calls" must be a list of calls`},
		{"tool calls are strings", "r.jsonl", `{"messages":[{"role":"assistant","content":"","tool_calls":["f"]}]}`, `message 1: key "tool_calls" must be a list of calls`},
		{"tools are an object", "r.jsonl", `{"messages":[{"role":"assistant","content":"A"}],"tools":{"name":"f"}}`, `r.jsonl:1: key "tools" must be a list of JSON schemas, found an object`},
		{"tools are no JSON", "r.jsonl", `{"messages":[{"role":"assistant","content":"A"}],"tools":"hammer"}`, `key "tools" is a string that is no JSON`},
		{"variables are a list", "r.jsonl", `{"messages":[{"role":"assistant","content":"A"}],"chat_template_kwargs":[1]}`, `key "chat_template_kwargs" must be an object, found an array`},
		{"train is a number", "r.jsonl", `{"messages":[{"role":"assistant","content":"A","train":1}]}`, `key "train" must be true or false, found a number`},
		{"weight is half", "r.jsonl", `{"messages":[{"role":"assistant","content":"A","weight":0.5}]}`, `key "weight" must be 0 or 1, found 0.5`},
		{"no answer", "r.jsonl", `{"messages":[{"role":"user","content":"U"}]}`, "r.jsonl:1: there is no assistant message to train on"},
		{"empty answer in a conversation", "r.jsonl", `{"conversations":[{"from":"human","value":"U"},{"from":"gpt","value":""}]}`, "r.jsonl:1: the response is empty (message 2)"},
		{"completion is a number", "r.jsonl", `{"prompt":"P","completion":3}`, `key "completion" must be a string or a list of messages, found a number`},
		{"preference without prompt", "r.jsonl", `{"chosen":"C","rejected":"R"}`, "a preference row needs a prompt"},
		{"rejected is a number", "r.jsonl", `{"prompt":"P","chosen":"C","rejected":1}`, `key "rejected" must be a string or a list of messages`},
		{"bare quote", "r.csv", "instruction,output\nI,say \"O\n", "r.csv:2:7: invalid CSV"},
		{"quote without end", "r.csv", "instruction,output\nI,\"O\n", "invalid CSV"},
		{"too few columns", "r.csv", "instruction,output\nI,O\nI\n", "r.csv:3: the row has 1 columns, but the header {instruction, output} has 2"},
		{"too many columns", "r.tsv", "instruction\toutput\nI\tO\tX\n", "r.tsv:2: the row has 3 columns"},
		{"column twice", "r.tsv", "output\toutput\nI\tO\n", `r.tsv:1: the column "output" occurs twice`},
		{"columns of no format", "r.tsv", "Query\tReply\tMetadata\nQ\tA\tM\n", "r.tsv:2: no format has the keys {Metadata, Query, Reply}"},
		{"a Parquet footer of 4 GB", "r.parquet", "PAR1PAR1\xff\xff\xff\xffPAR1", "its footer is said to be longer than the file"},
		{"no Parquet", "r.parquet", "hello, this is text", "no Parquet file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.file, test.content)
			rows, err := Load(context.Background(), []string{path}, "")
			if err == nil {
				t.Fatalf("no error, rows %+v", rows)
			}
			if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) || !isUserError(err) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
	for name, paths := range map[string][]string{
		"does not exist":       {filepath.Join(dir, "none.jsonl")},
		"is a folder":          {dir},
		"no data set is named": nil,
	} {
		if _, err := Load(context.Background(), paths, ""); err == nil || !strings.Contains(err.Error(), name) || !isUserError(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Load(context.Background(), []string{"x"}, "alpacca"); err == nil || !strings.Contains(err.Error(), `the format "alpacca" is unknown`) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Load(ctx, []string{write(t, "r.jsonl", `{"text":"a"}`)}, ""); err == nil || isUserError(err) {
		t.Errorf("a cancelled context gives %v", err)
	}
}

func TestFixtureFiles(t *testing.T) {
	tests := []struct {
		path string
		rows int
	}{
		{"data/rasbt-instruction/instruction-data.json", 1100},
		{"data/rasbt-instruction/instruction-data-with-preference.json", 1100},
		{"data/fastchat-sharegpt/dummy_conversation.json", 500},
		{"data/personality-chat/Queries_Responses_Friendly_QnAMaker.tsv", 165},
		{"data/personality-chat/Queries_Responses_Professional_QnAMaker.tsv", 165},
	}
	for _, test := range tests {
		if rows := load(t, fixture(t, test.path)); len(rows) != test.rows {
			t.Errorf("%s: %d rows, want %d", test.path, len(rows), test.rows)
		}
	}
}

func TestPlace(t *testing.T) {
	text := []byte("ab\nçd\n")
	for at, want := range map[int][2]int{0: {1, 1}, 2: {1, 3}, 3: {2, 1}, 5: {2, 2}, 99: {3, 1}, -1: {1, 1}} {
		if line, column := place(text, at); line != want[0] || column != want[1] {
			t.Errorf("byte %d: %d:%d, want %v", at, line, column, want)
		}
	}
}
