package data

import (
	"context"
	"slices"
	"strings"
	"testing"

	"instruct/tokenizer/chat"
)

func TestColumns(t *testing.T) {
	business := map[string]string{"prompt": "Customer", "completion": "Agent", "system": "Policy"}
	want := []chat.Message{{Role: "system", Content: "S"}, {Role: "user", Content: "U"}, {Role: "assistant", Content: "A"}}
	for _, test := range []struct {
		name, file, content string
		columns             map[string]string
		ignored             string
	}{
		{"a table", "r.csv", "Nr,Customer,Agent,Policy\n1,U,A,S\n", business, "Nr"},
		{"JSON", "r.jsonl", `{"Customer":"U","Agent":"A","Policy":"S"}`, business, ""},
		{"a workbook", "r.xlsx", workbook(t, [][]any{{"Policy", "Customer", "Agent"}, {"S", "U", "A"}}), business, ""},
		{"another case", "r.tsv", "customer\tAGENT\tpolicy\nU\tA\tS\n", business, ""},
		{"names of keys of other formats", "r.csv", "Question,Answer,System\nU,A,S\n",
			map[string]string{"prompt": "Question", "completion": "Answer", "system": "System"}, ""},
		{"exchanged", "r.csv", "prompt,completion,system\nA,U,S\n",
			map[string]string{"prompt": "completion", "completion": "prompt"}, ""},
		{"a key that was there", "r.csv", "prompt,Customer,completion,system\nX,U,A,S\n",
			map[string]string{"prompt": "Customer"}, "prompt (replaced by columns)"},
		{"messages", "r.jsonl", `{"dialog":[{"role":"system","content":"S"},{"role":"user","content":"U"},` +
			`{"role":"assistant","content":"A"}]}`, map[string]string{"messages": "dialog"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.file, test.content)
			rows, err := LoadWith(context.Background(), []string{path}, Options{Columns: test.columns})
			if err != nil || len(rows) != 1 {
				t.Fatalf("got %+v, %v", rows, err)
			}
			same := func(a, b chat.Message) bool { return a.Role == b.Role && a.Content == b.Content }
			if !slices.EqualFunc(rows[0].Messages, want, same) || strings.Join(rows[0].Ignored, ",") != test.ignored {
				t.Errorf("got %+v", rows[0])
			}
		})
	}
	// The keys of a tool's arguments keep their order under another name.
	tools := `[{"name":"f","z":1,"a":2}]`
	path := write(t, "r.jsonl", `{"T":`+tools+`,"messages":[{"role":"user","content":"U"},`+
		`{"role":"assistant","content":"A"}]}`)
	rows, err := LoadWith(context.Background(), []string{path}, Options{Columns: map[string]string{"tools": "T"}})
	if err != nil || string(rows[0].Tools) != tools {
		t.Errorf("got %+v, %v", rows, err)
	}
	for want, columns := range map[string]map[string]string{
		`"promt" is a key of no format`:           {"promt": "Customer"},
		`no column is named for "prompt"`:         {"prompt": ""},
		`is named for "completion" and "prompt"`:  {"prompt": "A", "completion": "A"},
		`r.csv has no column Klient, which`:       {"prompt": "Klient", "completion": "Agent"},
		`has no column Policy, which`:             {"prompt": "Customer", "completion": "Agent", "system": "Policy"},
		`the first row has {Agent, Customer, Nr}`: {"prompt": "Customer", "completion": "Agent", "system": "Policy"},
	} {
		path := write(t, "r.csv", "Nr,Customer,Agent\n1,U,A\n")
		_, err := LoadWith(context.Background(), []string{path}, Options{Columns: columns})
		if err == nil || !isUserError(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestSkipBadRows(t *testing.T) {
	for _, test := range []struct {
		name, file, content string
		bad                 int
	}{
		{"lines", "r.jsonl", "null\n{\"text\":\n{\"text\":\"a\"}\n{\"text\":\"\xff\"}\n7\n", 4},
		{"elements", "r.json", `[7,{"text":"a"},{"text":""},{"x":1}]`, 3},
		{"a first row of no format", "r.jsonl", "{\"made\":\"today\"}\n{\"text\":\"a\"}\n", 1},
		{"a quote", "r.csv", "text,n\n\"a\"b,1\na,1\nb\n", 2},
		{"columns", "r.tsv", "text\tn\na\t1\nb\t1\t2\n", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.file, test.content)
			var notes []string
			o := Options{SkipBadRows: true, Note: func(n string) { notes = append(notes, n) }}
			rows, err := LoadWith(context.Background(), []string{path}, o)
			if err != nil || len(rows) != 1 || rows[0].Text != "a" {
				t.Fatalf("got %+v, %v", rows, err)
			}
			if len(notes) != 1 || strings.Count(notes[0], "\n") != test.bad ||
				!strings.Contains(notes[0], "rows cannot be read and are left out") {
				t.Errorf("notes %q", notes)
			}
		})
	}
	_, err := LoadWith(context.Background(), []string{write(t, "r.jsonl", "{}\n7\n")}, Options{SkipBadRows: true})
	if err == nil || !isUserError(err) || !strings.Contains(err.Error(), "has no row that can be read") {
		t.Errorf("nothing but bad rows: %v", err)
	}
}
