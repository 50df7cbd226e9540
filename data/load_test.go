package data

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

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
		{"jsonl", "r.jsonl",
			`{"instruction":"é\n1","input":"X","output":"say \"A\""}` + "\n" + `{"instruction":"2","output":"B"}`,
			[]string{"1", "2"}},
		{"jsonl with BOM, CRLF and blank lines", "r.ndjson",
			"\ufeff\r\n" + `{"instruction":"é\n1","input":"X","output":"say \"A\""}` +
				"\r\n\r\n  \r\n" + `{"instruction":"2","output":"B"}` + "\r\n\r\n",
			[]string{"2", "5"}},
		{"json", "r.json", `[{"instruction":"é\n1","input":"X","output":"say \"A\""},{"instruction":"2","output":"B"}]`,
			[]string{"1, row 1", "1, row 2"}},
		{"json over lines with BOM and CRLF", "R.JSON",
			"\ufeff\r\n[\r\n  {\r\n    \"instruction\": \"é\\n1\",\r\n \"input\":\"X\"," +
				"\"output\": \"say \\\"A\\\"\"\r\n  },\r\n\r\n  {\"instruction\":\"2\",\"output\":\"B\"}\r\n]\r\n",
			[]string{"3", "8"}},
		{"json with a row a line", "r.json",
			`{"instruction":"é\n1","input":"X","output":"say \"A\""}` + "\n" + `{"instruction":"2","output":"B"}`,
			[]string{"1", "2"}},
		{"csv", "r.csv", "instruction,input,output\n\"é\n1\",X,\"say \"\"A\"\"\"\n2,,B\n", []string{"2", "4"}},
		{"csv with BOM and CRLF", "r.csv", "\ufeffinstruction,input,output\r\n\r\n\"é\n1\",X,\"say \"\"A\"\"\"\r\n2,,B",
			[]string{"3", "5"}},
		{"tsv", "r.tsv", "output\tinstruction\tinput\nsay \"A\"\té1\tX\nB\t2\t\n", []string{"2", "3"}},
		{"tsv with quotes, BOM and CRLF", "r.tsv",
			"\ufeffoutput\tinstruction\tinput\r\n\"say \"\"A\"\"\"\té1\tX\r\n\r\nB\t2\t\r\n", []string{"2", "4"}},
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
	zero := int64(0)
	no := false
	want := talk("U", "A", "V", "B")
	want[1].Train = &no
	var many []row
	for range 300 { // several reads
		many = append(many, row{[]message{
			{"user", "U", nil},
			{"assistant", "A", &zero},
			{"user", "V", nil},
			{"assistant", "B", nil},
		}})
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
	old := map[string]any{"list": []any{
		map[string]any{"item": map[string]any{"role": "user", "n": int32(2)}},
		map[string]any{"item": nil},
	}}
	if got := plainValue(old); !reflect.DeepEqual(got, []any{map[string]any{"role": "user", "n": 2.0}, nil}) {
		t.Errorf("got %#v", got)
	}
	for _, content := range []string{
		"PAR1",
		"PAR1PAR1PAR1",
		buf.String()[:buf.Len()/2],
		"PAR1" + strings.Repeat("\xff", 100) + "\x60\x00\x00\x00PAR1",
	} {
		_, err := Load(context.Background(), []string{write(t, "bad.parquet", content)}, "")
		if err == nil || !isUserError(err) {
			t.Errorf("a damaged file gives %v", err)
		}
	}
}

func TestSeveralFiles(t *testing.T) {
	a := write(t, "a.jsonl", `{"prompt":"P","completion":"C"}`)
	b := write(t, "b.csv", "instruction,output\nI,O\n")
	rows := load(t, b, a)
	if len(rows) != 2 || rows[0].Source != b+":2" || rows[1].Source != a+":1" {
		t.Errorf("got %+v", rows)
	}
	_, err := Load(context.Background(), []string{a, b}, "prompt")
	want := b + ":2: the row has the keys {instruction, output}, but the format prompt needs {prompt, completion}"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a named format is not required of the second file: %v", err)
	}
	// A row has the keys of two formats: the name decides.
	both := write(t, "c.jsonl", `{"prompt":"P","completion":"C","text":"T"}`)
	rows, err = Load(context.Background(), []string{both}, "text")
	if err != nil || rows[0].Text != "T" {
		t.Errorf("got %+v, %v", rows, err)
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
