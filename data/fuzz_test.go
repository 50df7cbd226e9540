package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// fuzzSource checks what any file may give: rows that are whole, or one user error that names the file.
func fuzzSource(f *testing.F, name string) {
	e := encoder(f, "chatml", byteTokenizer(f))
	f.Fuzz(func(t *testing.T, content []byte, format string) {
		named, err := formatNamed(format)
		if err != nil {
			return
		}
		rows, err := rowsOf(context.Background(), name, content, named)
		if err != nil {
			if !isUserError(err) || !strings.Contains(err.Error(), name) {
				t.Fatalf("%v is no user error, or does not name the file", err)
			}
			return
		}
		if len(rows) == 0 {
			t.Fatal("no rows and no error")
		}
		for _, row := range rows {
			oneOf := (row.Messages == nil) == (row.Text != "")
			if !strings.HasPrefix(row.Source, name+":") || !oneOf || !utf8.ValidString(row.Text) {
				t.Fatalf("row %+v", row)
			}
			example, outcome, err := e.Encode(row)
			if err != nil { // the template refuses it, as it does calls of tools without names
				if !isUserError(err) || !strings.Contains(err.Error(), row.Source) {
					t.Fatalf("encode %+v: %v is no user error, or does not name the row", row, err)
				}
				continue
			}
			if len(example.IDs) != len(example.Mask) || (example.Trained() == 0) != (outcome.Dropped != "") {
				t.Fatalf("%+v gives %+v", row, outcome)
			}
		}
	})
}

var fuzzRows = []string{
	`{"instruction":"I","input":"X","output":"O"}`,
	`{"prompt":"P","completion":"C"}`, `{"prompt":"P","completion":"C","label":false}`,
	`{"prompt":[{"role":"user","content":"P"}],"completion":[{"role":"assistant","content":"C"}]}`,
	`{"messages":[{"role":"system","content":"S"},{"role":"user","content":"U"},` +
		`{"role":"assistant","content":"A","weight":0},{"role":"assistant","content":"A","train":true}]}`,
	`{"conversations":[{"from":"human","value":"U"},{"from":"gpt","value":"A"}],"system":"S"}`,
	`{"text":"é"}`,
	`{"question":"Q","answer":"A"}`,
	`{"messages":[{"role":"user","content":"U"},{"role":"assistant","content":null,"reasoning":"R",` +
		`"tool_calls":[{"function":{"name":"f","arguments":{"b":1e999,"a":[]}}}]},` +
		`{"role":"tool","content":"7","tool_call_id":"1"},{"role":"assistant","content":"A"}],"tools":[{"name":"f"}],` +
		`"chat_template_kwargs":{"x":1}}`,
	`{"messages":"[{\"role\":\"assistant\",\"tool_calls\":\"[{}]\"}]","tools":"[{}]"}`,
	`{"prompt":"P","chosen":"C","rejected":"R"}`,
	`{"instruction":"I","context":"C","response":"<s>R</s>","history":[["a","b"]]}`,
	`{"conversations":["U","A"],"functions":["{}"],"loss":false}`,
	`{"conversations":[{"from":"human","value":"U"},{"from":"function_call","value":"{}"},` +
		`{"from":"bing","text":"A","loss":0}]}`,
	`{"conversation":[{"input":"U","output":"A"}],"system":"S"}`,
	`{"message_id":"1","parent_id":null,"text":"U","role":"prompter","replies":[{"message_id":"2","text":"A",` +
		`"role":"assistant","rank":0,"replies":[]}]}`,
	`{"message_tree_id":"1","prompt":{"text":"U","role":"prompter","replies":[{"text":"A","role":"assistant"}]}}`,
	"{\"message_id\":\"2\",\"parent_id\":\"1\",\"text\":\"A\",\"role\":\"assistant\"}\n" +
		"{\"message_id\":\"1\",\"text\":\"U\",\"role\":\"prompter\"}",
	`{"chosen":[{"role":"user","content":[{"type":"text","text":"U"}]},{"role":"assistant","content":"A"}],"rejected":[]}`,
}

func FuzzJSONL(f *testing.F) {
	for _, row := range fuzzRows {
		f.Add([]byte(row), "")
		f.Add([]byte("\ufeff\r\n"+row+"\r\n"+row), "auto")
	}
	f.Add([]byte("{\"text\":"), "text")
	fuzzSource(f, "rows.jsonl")
}

func FuzzJSON(f *testing.F) {
	for _, row := range fuzzRows {
		f.Add([]byte("["+row+",\n"+row+"]"), "")
	}
	f.Add([]byte("{\n}"), "alpaca")
	f.Add([]byte(`{"data":[{"text":"a"}],"test":[{}]}`), "")
	f.Add([]byte("{\"text\":\n\"a\"}\n{\"text\":\"b\"}"), "")
	fuzzSource(f, "rows.json")
}

func FuzzCSV(f *testing.F) {
	for _, table := range []string{"instruction,output\nI,O\n", "text\n\"a\nb\"\n", "prompt,completion\r\nP,C\r\n",
		"messages\n\"[{\"\"role\"\":\"\"assistant\"\",\"\"content\"\":\"\"A\"\"}]\"\n",
		"prompt,chosen,rejected\nP,C,R\n", "conversations\n[]\n"} {
		f.Add([]byte(table), "")
	}
	f.Add([]byte("sep=;\ninstruction;output\nI;\xe9\n"), "")
	f.Add([]byte(utf16Of("text\né\n", binary.LittleEndian)), "")
	fuzzSource(f, "rows.csv")
}

func FuzzTSV(f *testing.F) {
	f.Add([]byte("instruction\toutput\nI\t\"O\"\n"), "")
	f.Add([]byte("prompt\tcompletion\r\n\"\"\"\"\tC\r\n"), "prompt")
	fuzzSource(f, "rows.tsv")
}

func FuzzText(f *testing.F) {
	f.Add([]byte("\ufeffOnce.\n\nUpon a time."), "")
	f.Add([]byte(utf16Of("é\n", binary.LittleEndian)), "text")
	fuzzSource(f, "rows.txt")
}

func FuzzParquet(f *testing.F) {
	f.Add([]byte("PAR1\x15\x04PAR1"), "")
	type row struct {
		Instruction string   `parquet:"instruction"`
		Output      string   `parquet:"output,optional"`
		Tags        []string `parquet:"tags,list"`
	}
	var buf bytes.Buffer
	if err := parquet.Write(&buf, []row{{"I", "O", []string{"a"}}, {"J", "P", nil}}); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes(), "")
	fuzzSource(f, "rows.parquet")
}

func FuzzXLSX(f *testing.F) {
	f.Add([]byte(workbook(f, [][]any{{"instruction", "output"}, {"I", "O"}})), "")
	fuzzSource(f, "rows.xlsx")
}
