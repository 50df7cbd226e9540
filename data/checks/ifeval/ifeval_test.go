package ifeval

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
)

var casesFile = flag.String("cases", "testdata/cases.jsonl", "tests, answers and verdicts, see testdata/make_cases.py")

// TestReference compares every verdict with the reference program's. Where the language of an answer counts, one in 100
// may differ (the stored answers are odd ones), and nothing else may.
func TestReference(t *testing.T) {
	text, err := os.ReadFile(*casesFile)
	if err != nil {
		t.Fatal(err)
	}
	tests, err := ReadFile(*casesFile)
	if err != nil {
		t.Fatal(err)
	}
	seen, differ := map[string]int{}, map[string]int{}
	for i, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		var row struct {
			Answers  []string
			Verdicts [][][2]bool
		}
		err := json.Unmarshal(line, &row)
		if err != nil {
			t.Fatal(err)
		}
		for a, answer := range row.Answers {
			got := tests[i].Judge(answer)
			for j, o := range got.Instructions {
				seen[o.ID]++
				want := row.Verdicts[a][j]
				if [2]bool{o.Strict, o.Loose} != want {
					differ[o.ID]++
					t.Logf("key %d, %s, answer %q: strict %v, loose %v (%s); want %v",
						tests[i].Key, o.ID, answer, o.Strict, o.Loose, o.Reason, want)
				}
				if o.Strict != (o.Reason == "") {
					t.Errorf("key %d, answer %q: strict %v, reason %q", tests[i].Key, answer, o.Strict, o.Reason)
				}
			}
		}
	}
	languageSeen, languageDiffer := 0, 0
	for _, id := range Kinds() {
		t.Logf("%s: %d of %d verdicts differ", id, differ[id], seen[id])
		if seen[id] < 10 {
			t.Errorf("%s: %d cases", id, seen[id])
		}
		if byLanguage(id) {
			languageSeen += seen[id]
			languageDiffer += differ[id]
		} else if differ[id] > 0 {
			t.Errorf("%s: %d verdicts differ", id, differ[id])
		}
	}
	t.Logf("the three kinds of language: %d of %d verdicts differ", languageDiffer, languageSeen)
	if languageDiffer*100 > languageSeen {
		t.Errorf("the three kinds of language: %d of %d verdicts differ", languageDiffer, languageSeen)
	}
}

// byLanguage reports the kinds that depend on the language of an answer.
func byLanguage(id string) bool {
	return id == "language:response_language" || strings.HasPrefix(id, "change_case:english_")
}

func TestPromptLevel(t *testing.T) {
	tests, err := Read("t.jsonl", strings.NewReader(
		`{"key": 7, "prompt": "p", "instruction_id_list": ["punctuation:no_comma", "startend:quotation"],`+
			` "kwargs": [{}, {"language": null}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var tally Tally
	for _, c := range []struct {
		answer        string
		strict, loose bool
	}{
		{`"yes"`, true, true},
		{"Well,\n\"yes\"", false, true},
		{`"yes, no"`, false, false},
		{"", false, false},
	} {
		v := tests[0].Judge(c.answer)
		tally.Add(v)
		if v.Strict != c.strict || v.Loose != c.loose {
			t.Errorf("%q: strict %v, loose %v", c.answer, v.Strict, v.Loose)
		}
	}
	if want := (Tally{4, 1, 2, 8, 3, 5}); tally != want {
		t.Errorf("got %+v, want %+v", tally, want)
	}
}

func TestMistakes(t *testing.T) {
	row := func(id, kwargs string) string {
		return `{"key": 1, "prompt": "p", "instruction_id_list": ["` + id + `"], "kwargs": [` + kwargs + `]}`
	}
	for _, c := range []struct{ name, line, want string }{
		{"JSON", `{"key": 1,}`, "invalid JSON"},
		{"array", `[1]`, "expected an object, found array"},
		{"null", `null`, "expected an object, found null"},
		{"encoding", "{\"key\": \"\xff\"}", "not UTF-8"},
		{"no key", `{"prompt": "p", "instruction_id_list": [], "kwargs": []}`, "key is missing: expected a whole number"},
		{"key", `{"key": 1.5, "prompt": "p"}`, "key: expected a whole number, found 1.5"},
		{"prompt", `{"key": 1, "prompt": null}`, "prompt: expected a text, found null"},
		{"ids", `{"key": 1, "prompt": "p", "instruction_id_list": "x"}`, `expected a list of instruction ids, found "x"`},
		{"lengths", `{"key": 1, "prompt": "p", "instruction_id_list": ["a", "b"], "kwargs": [{}]}`,
			"found 2 instructions and 1 kwargs"},
		{"none", `{"key": 1, "prompt": "p", "instruction_id_list": [], "kwargs": []}`, "at least one"},
		{"id", row("punctuation:no_commas", "{}"), `unknown instruction id "punctuation:no_commas": expected one of`},
		{"kwargs", row("punctuation:no_comma", "[]"), "expected an object of kwargs, found []"},
		{"null kwargs", row("punctuation:no_comma", "null"), "expected an object of kwargs, found null"},
		{"other kwarg", row("punctuation:no_comma", `{"letter": "a"}`), "unknown kwarg letter: expected none"},
		{"missing", row("length_constraints:number_words", `{"relation": "at least"}`),
			"num_words is missing: expected a whole number above 0"},
		{"zero", row("length_constraints:number_words", `{"relation": "at least", "num_words": 0}`), "num_words is missing"},
		{"type", row("length_constraints:number_words", `{"relation": "at least", "num_words": "7"}`),
			`num_words: expected a whole number above 0, found "7"`},
		{"fraction", row("detectable_format:number_bullet_lists", `{"num_bullets": 1.5}`), "num_bullets: expected"},
		{"relation", row("length_constraints:number_words", `{"relation": "at most", "num_words": 7}`),
			`relation: expected one of "at least", "less than", found "at most"`},
		{"language", row("language:response_language", `{"language": "xx"}`), `language: expected one of "ar", "bg",`},
		{"no language", row("language:response_language", `{"language": ""}`), "language is missing: expected one of"},
		{"keywords", row("keywords:existence", `{"keywords": "a"}`), `keywords: expected a list of texts, found "a"`},
		{"keyword", row("keywords:existence", `{"keywords": ["a", 1]}`), `expected a list of texts, found ["a",1]`},
		{"letter", row("keywords:letter_frequency", `{"letter": "ab"}`), "letter: expected one letter"},
		{"paragraph", row("length_constraints:nth_paragraph_first_word",
			`{"num_paragraphs": 1, "nth_paragraph": 2, "first_word": "a"}`), "nth_paragraph: expected"},
		{"repeat", row("keywords:existence", `{"keywords": ["*a"]}`), "nothing to repeat before *"},
		{"repeats", row("keywords:existence", `{"keywords": ["a**"]}`), "multiple repeat"},
		{"bracket", row("keywords:existence", `{"keywords": ["a)"]}`), "unbalanced parenthesis"},
		{"group", row("keywords:existence", `{"keywords": ["(a"]}`), "missing )"},
		{"set", row("keywords:existence", `{"keywords": ["[a"]}`), "unterminated character set"},
		{"escape", row("keywords:existence", `{"keywords": ["\\q"]}`), `bad escape \q`},
		{"range", row("keywords:existence", `{"keywords": ["[z-a]"]}`), "bad character range"},
		{"reference", row("keywords:existence", `{"keywords": ["(a)\\2"]}`), "invalid group reference 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read("t.jsonl", strings.NewReader("\n"+c.line+"\n"))
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), "ifeval: t.jsonl:2: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want %q", err, c.want)
			}
			var user interface{ UserError() bool }
			if !errors.As(err, &user) {
				t.Error("not marked as the user's mistake")
			}
		})
	}
	_, err := Read("t.jsonl", strings.NewReader(" \n"))
	if err == nil || !strings.Contains(err.Error(), "t.jsonl:1: expected one test a line") {
		t.Errorf("empty file: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	text, err := os.ReadFile("testdata/cases.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		if bytes.Contains(line, []byte("keywords")) || bytes.Contains(line, []byte("language")) {
			f.Add(line, "The sea, said A. B. Smith.\n* \"YES\"")
		}
	}
	f.Fuzz(func(t *testing.T, line []byte, answer string) {
		tests, err := Read("f.jsonl", bytes.NewReader(line))
		if err != nil && !strings.HasPrefix(err.Error(), "ifeval: f.jsonl:") {
			t.Errorf("no place: %v", err)
		}
		for _, test := range tests {
			first := test.Judge(answer)
			second := test.Judge(answer)
			for i, o := range first.Instructions {
				if o != second.Instructions[i] {
					t.Errorf("%+v, then %+v", o, second.Instructions[i])
				}
				if o.Strict && !o.Loose {
					t.Errorf("strict without loose: %+v", o)
				}
			}
		}
	})
}
