package data

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"instruct/tokenizer/chat"
)

// example is a correction with one paraphrase.
func example() Correction {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.FixedZone("", 3600))
	c := NewCorrection([]chat.Message{{Role: "system", Content: "You sell tents."},
		{Role: "user", Content: "How long can I return it?"}}, "14 days.", "30 days.", at)
	c.Paraphrases, c.Note, c.Rule = []string{"Until when may it come back?"}, "<14 days> since May", "refund-days"
	return c
}

func TestCorrectionsAreAppendedAndRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.jsonl")
	write := func(path string, text []byte) error { return os.WriteFile(path, text, 0o666) }
	first, second := example(), example()
	second.ID = "other"
	if err := AppendCorrections(path, []Correction{first}, write); err != nil {
		t.Fatal(err)
	}
	if err := AppendCorrections(path, []Correction{second}, write); err != nil {
		t.Fatal(err)
	}
	err := AppendCorrections(path, []Correction{first}, write)
	if err == nil || !strings.Contains(err.Error(), ":3: the id") {
		t.Errorf("an id that is there already: %v", err)
	}
	got, err := ReadCorrections(path)
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	a, _ := got[0].Line()
	b, _ := first.Line()
	if string(a) != string(b) || !strings.Contains(string(a), "<14 days>") || !strings.Contains(string(a), "T11:00:00Z") {
		t.Errorf("wrote %s read %s", b, a)
	}
	if asked := got[0].Asked(); len(asked) != 2 || asked[1][0].Content != "You sell tents." ||
		asked[1][1].Content != "Until when may it come back?" || asked[0][1].Content != "How long can I return it?" {
		t.Errorf("asked %+v", asked)
	}
	rows, err := Load(t.Context(), []string{path}, "")
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v; want two for each correction", len(rows), err)
	}
	if r := rows[1]; r.Messages[1].Content != "Until when may it come back?" || r.Messages[2].Content != "14 days." ||
		r.Rejected[0].Content != "30 days." || len(r.Ignored) != 0 || r.Source != path+":1" {
		t.Errorf("the row of a paraphrase is %+v", r)
	}
}

func TestCorrectionMistakes(t *testing.T) {
	good := example()
	line, _ := good.Line()
	for _, c := range []struct{ name, from, to, want string }{
		{"no answer", `"content":"14 days."`, `"content":"  "`, "c.jsonl:1: the correction is empty"},
		{"the same", `"content":"14 days."`, `"content":"30 days. "`, "c.jsonl:1: the correction changes nothing"},
		{"no question", `"role":"user"`, `"role":"assistant"`, "c.jsonl:1: the prompt of a correction"},
		{"no id", good.ID, "", "c.jsonl:1: the correction has no id"},
		{"empty paraphrase", "Until when may it come back?", " ", "c.jsonl:1: a paraphrase is empty"},
		{"unknown key", `"author"`, `"autor"`, `c.jsonl:1: expected a correction as`},
		{"half a line", "}\n", "", "c.jsonl:1: expected a correction as"},
		{"nothing", string(line), "\n", "c.jsonl has none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(string(line), c.from, c.to, 1)
			_, err := parseCorrections("c.jsonl", []byte(text))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s gave %v, want %q", text, err, c.want)
			}
		})
	}
}

func FuzzCorrections(f *testing.F) {
	c := example()
	line, _ := c.Line()
	f.Add(line)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := parseCorrections("f", text)
		if err != nil {
			return
		}
		var again []byte
		for i := range all {
			line, err := all[i].Line()
			if err != nil {
				t.Fatal(err)
			}
			again = append(again, line...)
		}
		if back, err := parseCorrections("f", again); err != nil || len(back) != len(all) {
			t.Errorf("%q was read, what it was written as was not: %v", text, err)
		}
	})
}

func TestConvert(t *testing.T) {
	row := Row{Source: "f:1", Messages: []chat.Message{
		{Role: "user", Content: "a"}, {Role: "assistant", Content: "b", Train: new(false)},
		{Role: "user", Content: "<c>"}, {Role: "assistant", Content: "d"}},
		Rejected: []chat.Message{{Role: "assistant", Content: "e"}}}
	const prompt = `[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"<c>"}]`
	const d, e = `[{"role":"assistant","content":"d"}]`, `[{"role":"assistant","content":"e"}]`
	for to, want := range map[string]string{
		"messages": `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","train":false},` +
			`{"role":"user","content":"<c>"},{"role":"assistant","content":"d"}]}` + "\n",
		"prompt-completion": `{"prompt":` + prompt + `,"completion":` + d + "}\n",
		"dpo":               `{"prompt":` + prompt + `,"chosen":` + d + `,"rejected":` + e + "}\n",
		"kto": `{"prompt":` + prompt + `,"completion":` + d + `,"label":true}` + "\n" +
			`{"prompt":` + prompt + `,"completion":` + e + `,"label":false}` + "\n",
	} {
		if got, err := Convert([]Row{row}, to); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", to, err, got, want)
		}
	}
	row.Rejected = nil
	for to, want := range map[string]string{"dpo": "data: f:1: dpo needs an answer", "xml": "known: messages"} {
		if _, err := Convert([]Row{row}, to); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", to, err)
		}
	}
}
