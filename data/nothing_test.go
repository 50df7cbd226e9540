package data

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// Rows of several data sets in one table: what one has, the others have empty.
func TestJoinedDataSets(t *testing.T) {
	for name, content := range map[string]string{
		"absent.jsonl": `{"instruction":"I","output":"O"}` + "\n" + `{"prompt":"P","completion":"C"}` + "\n" +
			`{"conversations":["U","A"]}`,
		"null.jsonl": `{"instruction":"I","output":"O","prompt":null,"completion":null,"conversations":null}` + "\n" +
			`{"instruction":null,"output":null,"prompt":"P","completion":"C"}` + "\n" +
			`{"instruction":null,"conversations":["U","A"],"output":null}`,
		"empty.json": `[{"instruction":"I","output":"O","prompt":"","completion":""},` +
			`{"instruction":"","output":"","prompt":"P","completion":"C","conversations":[]},` +
			`{"prompt":"","completion":"","conversations":["U","A"]}]`,
		"table.csv": "instruction,output,prompt,completion,conversations\nI,O,,,\n,,P,C,\n" +
			`,,,,"[""U"",""A""]"` + "\n",
		"table.tsv": "instruction\toutput\tprompt\tcompletion\tconversations\n" + "I\tO\t\t\t\n" +
			"\t\tP\tC\t\n\t\t\t\t[\"U\",\"A\"]\n",
		"rows.parquet": joinedParquet(t),
	} {
		rows := load(t, write(t, name, content))
		for i, want := range [][2]string{{"I", "O"}, {"P", "C"}, {"U", "A"}} {
			if len(rows) != 3 || !reflect.DeepEqual(rows[i].Messages, talk(want[0], want[1])) || rows[i].Ignored != nil {
				t.Errorf("%s: got %+v", name, rows)
				break
			}
		}
	}
}

func joinedParquet(t *testing.T) string {
	type row struct {
		Instruction   *string  `parquet:"instruction,optional"`
		Output        *string  `parquet:"output,optional"`
		Prompt        *string  `parquet:"prompt,optional"`
		Completion    *string  `parquet:"completion,optional"`
		Conversations []string `parquet:"conversations,list"`
	}
	var b bytes.Buffer
	err := parquet.Write(&b, []row{{new("I"), new("O"), nil, nil, nil}, {nil, nil, new("P"), new("C"), nil},
		{nil, nil, nil, nil, []string{"U", "A"}}})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A column of a Parquet file has the keys of all rows: a row's own are those that are not null. The null of a JSON file
// stays, which may be meant.
func TestNullsInToolsAndArguments(t *testing.T) {
	type arguments struct {
		Currency *string `parquet:"currency,optional"`
		Harbour  *string `parquet:"harbour,optional"`
	}
	type function struct {
		Name      string     `parquet:"name"`
		Arguments *arguments `parquet:"arguments,optional"`
	}
	type call struct {
		Function function `parquet:"function"`
	}
	type message struct {
		Role    string  `parquet:"role"`
		Content *string `parquet:"content,optional"`
		Calls   []call  `parquet:"tool_calls,list"`
		Name    *string `parquet:"name,optional"`
	}
	type row struct {
		Messages []message `parquet:"messages,list"`
		Tools    []function
	}
	calls := func(a *arguments) row {
		return row{Messages: []message{{"user", new("U"), nil, nil}, {"assistant", nil, []call{{function{"f", a}}}, nil}}}
	}
	var b bytes.Buffer
	if err := parquet.Write(&b, []row{calls(&arguments{nil, new("Brest")}), calls(&arguments{new("EUR"), nil}),
		calls(&arguments{}), calls(nil)}); err != nil {
		t.Fatal(err)
	}
	rows := load(t, write(t, "r.parquet", b.String()))
	for i, want := range []string{`{"arguments":{"harbour":"Brest"},"name":"f"}`,
		`{"arguments":{"currency":"EUR"},"name":"f"}`, `{"arguments":{},"name":"f"}`, `{"name":"f"}`} {
		if got := string(rows[i].Messages[1].ToolCalls); got != `[{"function":`+want+`}]` {
			t.Errorf("row %d: got %s", i+1, got)
		}
	}
	const meant = `[{"function":{"name":"f","arguments":{"harbour":null}}}]`
	got := load(t, write(t, "r.jsonl", `{"messages":[{"role":"assistant","tool_calls":`+meant+`}],`+
		`"tools":[{"name":"f","default":null}]}`))[0]
	if string(got.Messages[0].ToolCalls) != meant || string(got.Tools) != `[{"name":"f","default":null}]` {
		t.Errorf("got %+v", got)
	}
}

// Null, missing and empty are the same everywhere.
func TestNothing(t *testing.T) {
	for _, kind := range []string{`"content":null,`, `"content":"",`, `"content":[],`, ``} {
		row := load(t, write(t, "r.jsonl", `{"messages":[{`+kind+`"role":"user"},{"role":"assistant","content":"A"}]}`))[0]
		if !row.Silent || !reflect.DeepEqual(row.Messages, talk("", "A")) {
			t.Errorf("%s: got %+v", kind, row)
		}
		loadFails(t, []failing{{"answer " + kind, "r.jsonl",
			`{"messages":[{"role":"user","content":"U"},{` + kind + `"role":"assistant"}]}`,
			"the response is empty (message 2)"}})
	}
	for _, row := range []string{`{"instruction":"I","output":null}`, `{"instruction":"I","output":""}`} {
		loadFails(t, []failing{{row, "r.jsonl", row, "the response is empty"}})
	}
	for _, more := range []string{`,"input":null,"system":null,"history":null,"id":null`,
		`,"input":"","history":[],"id":""`, ``} {
		row := load(t, write(t, "r.jsonl", `{"instruction":"I","output":"O"`+more+`}`))[0]
		if !reflect.DeepEqual(row.Messages, talk("I", "O")) || row.Ignored != nil {
			t.Errorf("%s: got %+v", more, row)
		}
	}
	// An empty instruction is none.
	row := load(t, write(t, "r.jsonl", `{"instruction":"","input":"X","output":"O"}`))[0]
	if row.Messages[0].Content != "X" {
		t.Errorf("got %+v", row)
	}
}
