package data

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// What people name .json and .jsonl: each gives the rows a and b.
func TestJSONShapes(t *testing.T) {
	const a, b = `{"text":"a"}`, `{"text":"b"}`
	pretty := "{\n  \"text\": \"a\"\n}\n{\n  \"text\": \"b\"\n}\n"
	for _, test := range []struct{ name, file, content, lines, note string }{
		{"objects over lines", "r.jsonl", pretty, "1 4", ""},
		{"objects over lines in .json", "r.json", pretty, "1 4", ""},
		{"objects over lines, a comma first", "r.jsonl", "{\"id\": 1,\n\"text\": \"a\"}\n" + b, "1 3", ""},
		{"an array", "r.jsonl", "[\n" + a + ",\n" + b + "\n]", "2 3", ""},
		{"an array in one line", "r.jsonl", "[" + a + "," + b + "]", "1, row 1 1, row 2", ""},
		{"objects in one line", "r.json", a + " " + b, "1 1, row 2", ""},
		{"around rows", "r.json", `{"data":[` + a + "," + b + `]}`, "1, row 1 1, row 2", ""},
		{"around rows in .jsonl", "r.jsonl", `{"data":[` + a + "," + b + `]}`, "1, row 1 1, row 2", ""},
		{"around rows over lines", "r.jsonl", "{\"rows\" : [\n" + a + ",\n" + b + "\n]\n}\n", "2 3", ""},
		{"splits", "r.json", "{\"version\":\"1\",\"train\":[\n" + a + ",\n" + b + "], \"test\":[" + a + "], \"x\":[]}", "2 3",
			`r.json: the rows are those of "train"; not read: test`},
		{"examples", "r.json", "{\"examples\":\n [\n" + a + ",\n" + b + "]}", "3 4", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.file, test.content)
			rows, got := loadNoted(t, path, Options{})
			var lines []string
			for i, r := range rows {
				if r.Text != []string{"a", "b"}[i] {
					t.Errorf("row %d: %+v", i, r)
				}
				lines = append(lines, strings.TrimPrefix(r.Source, path+":"))
			}
			if all := strings.Join(lines, " "); all != test.lines {
				t.Errorf("lines %q, want %q", all, test.lines)
			}
			if !strings.HasSuffix(got, test.note) || (got == "") != (test.note == "") {
				t.Errorf("notes %q, want %q", got, test.note)
			}
		})
	}
	rows := load(t, write(t, "r.json", "{\n\"instruction\": \"I\",\n\"output\": \"O\"}"))
	if len(rows) != 1 || rows[0].Messages[1].Content != "O" {
		t.Errorf("one object: %+v", rows)
	}
	// A key of that name is no row's wrapper when its items are no objects.
	rows = load(t, write(t, "r.jsonl", `{"text":"a","rows":["x"]}`))
	if len(rows) != 1 || !slices.Equal(rows[0].Ignored, []string{"rows"}) {
		t.Errorf("a list: %+v", rows)
	}
}

// The reader may stop.
func TestRowsStop(t *testing.T) {
	path := write(t, "r.jsonl", strings.Repeat("{\"text\":\"a\"}\n", 3)+"{")
	n := 0
	for _, err := range Rows(context.Background(), []string{path, "absent"}, Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d rows", n)
	}
}
