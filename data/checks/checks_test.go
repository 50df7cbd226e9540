package checks

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// spec makes a Spec of JSON.
func spec(t *testing.T, text string) Spec {
	t.Helper()
	var s Spec
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func TestEquals(t *testing.T) {
	for _, x := range []struct{ want, answer, reason string }{
		{"CAT", "CAT", ""},
		{"CAT", " CAT\n", ""},
		{"\tCAT ", "CAT", ""},
		{"", "\n", ""},
		{"CAT", "cat", `expected "CAT", got "cat"`},
		{"CAT", "CAT.", `expected "CAT", got "CAT."`},
		{"a b", "a  b", `expected "a b", got "a  b"`},
		{"CAT", "", `expected "CAT", got ""`},
		{"", "CAT", `expected "", got "CAT"`},
	} {
		if got, want := Equals(x.want)(x.answer), (Verdict{x.reason == "", x.reason}); got != want {
			t.Errorf("%q judges %q: %+v, want %+v", x.want, x.answer, got, want)
		}
	}
}

// TestVerdicts has one answer that passes and one that fails for each type, with the reason. Package suite compares
// many more with promptfoo's verdicts.
func TestVerdicts(t *testing.T) {
	schema := `"value": {"type": "object", "required": ["a"]}`
	for _, x := range []struct{ spec, pass, fail, reason string }{
		{`{"type": "equals", "value": "CAT"}`, "CAT", "CAT ", `expected the answer to equal "CAT"`},
		{`{"type": "equals", "value": 1.50}`, "1.5", "1.50", `expected the answer to equal "1.5"`},
		{`{"type": "equals", "value": {"a": [1, null]}}`, `{"a": [1.0, null]}`, `{"a": [1]}`, `equal {"a": [1, nu`},
		{`{"type": "not-equals", "value": "x"}`, "y", "x", `expected the answer not to equal "x"`},
		{`{"type": "contains", "value": 12}`, "a12", "a1 2", `contain "12"`},
		{`{"type": "icontains", "value": "ΣΑΣ"}`, "σας", "σασ", `contain "ΣΑΣ"`},
		{`{"type": "contains-any", "value": "a, \"b, c\""}`, "b, c", "b,c", `contain one of ["a" "b, c"]`},
		{`{"type": "contains-all", "value": ["a", 1]}`, "1a", "a", `contain all of ["a" "1"]`},
		{`{"type": "icontains-any", "value": ["A"]}`, "a", "b", `contain one of ["A"]`},
		{`{"type": "icontains-all", "value": ["A", "b"]}`, "aB", "a", `contain all of`},
		{`{"type": "starts-with", "value": "a"}`, "ab", "ba", `start with "a"`},
		{`{"type": "regex", "value": "^\\s.$"}`, "\ufeffx", " \n", `to match "^\\s.$"`},
		{`{"type": "is-json"}`, " [1]", "{a: 1}", `to be JSON`},
		{`{"type": "is-json", ` + schema + `}`, `{"a": 1}`, `{"b": 1}`, `as the schema says: at '': missing property 'a'`},
		{`{"type": "contains-json", ` + schema + `}`, "so {b: 1} {a: 1}", "so {b: 1}", "missing property 'a'"},
		{`{"type": "word-count", "value": 2}`, " a\u00a0b ", "a", "have 2 words, found 1"},
		{`{"type": "word-count", "value": {"min": 2, "max": 3}}`, "a b", "a", "have 2 to 3 words, found 1"},
		{`{"type": "levenshtein", "value": "abcdef"}`, "a", "", `the distance from "abcdef" is 6, above 5`},
		{`{"type": "levenshtein", "value": "", "threshold": 1}`, "a", "😀", `is 2, above 1`},
		{`{"type": "rouge-n", "value": "the cat sat"}`, "The cat sat.", "a dog", "the ROUGE-1 with"},
		{`{"type": "is-refusal"}`, "I’m sorry", "Sure", "to be a refusal"},
		{`{"type": "assert-set", "threshold": 0.5, "assert": [{"type": "contains", "value": "a"},
			{"type": "contains", "value": "b"}]}`, "a", "c", "the score 0 is below the threshold 0.5"},
	} {
		set, err := NewSet([]Spec{spec(t, x.spec)}, nil)
		if err != nil {
			t.Errorf("%s: %v", x.spec, err)
			continue
		}
		if got := set.Judge(Answer{Text: x.pass}); !got.Pass || got.Reason != "" {
			t.Errorf("%s fails %q: %s", x.spec, x.pass, got.Reason)
		}
		if got := set.Judge(Answer{Text: x.fail}); got.Pass || !strings.Contains(got.Reason, x.reason) {
			t.Errorf("%s judges %q: %v %q, want %q", x.spec, x.fail, got.Pass, got.Reason, x.reason)
		}
	}
}

// TestNumbers judges by what a model says of probabilities.
func TestNumbers(t *testing.T) {
	set, err := NewSet([]Spec{
		spec(t, `{"type": "perplexity", "threshold": 2}`),
		spec(t, `{"type": "assert-set", "assert": [
			{"type": "logprob-margin", "value": {"better": ["a", "b"], "worse": ["c"]}, "threshold": 0.5}]}`),
		spec(t, `{"type": "not-logprob-margin", "value": {"better": ["d"], "worse": ["e"]}}`),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(set.Margins()); !set.NeedsLogprobs() || got != "[{[{ a} { b}] [{ c}]} {[{ d}] [{ e}]}]" {
		t.Errorf("margins %s, logprobs %v", got, set.NeedsLogprobs())
	}
	margins := []MarginLogprobs{{[]float64{-1, -1.5}, []float64{-2}}, {[]float64{-3}, []float64{-2}}}
	r := set.Judge(Answer{Logprobs: []float64{-math.Ln2, -0.5}, Margins: margins})
	if !r.Pass || r.Score != 1 {
		t.Errorf("%+v", r)
	}
	margins[0].Better[1] = -1.6
	r = set.Judge(Answer{Logprobs: []float64{-1}, Margins: margins})
	if r.Pass || r.Parts[0].Reason != "the perplexity is 2.718, above 2" ||
		r.Parts[1].Reason != "the margin is 0.4 nats a token, below 0.5" || !r.Parts[2].Pass {
		t.Errorf("%+v", r)
	}
	for i, part := range set.Judge(Answer{}).Parts {
		if part.Pass {
			t.Errorf("part %d passes without numbers", i)
		}
	}
}

// TestScores weighs parts and names their means.
func TestScores(t *testing.T) {
	set, err := NewSet([]Spec{
		spec(t, `{"type": "contains", "value": "a", "weight": 3, "metric": "m"}`),
		spec(t, `{"type": "contains", "value": "b", "metric": "m"}`),
		spec(t, `{"type": "contains", "value": "c", "weight": 0, "metric": "n"}`),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := set.Judge(Answer{Text: "a"})
	if r.Pass || r.Score != 0.75 || fmt.Sprint(r.Metrics) != "[{m 0.75 4} {n 0 0}]" || !r.Parts[2].Pass {
		t.Errorf("%+v", r)
	}
	if r := new(Set).Judge(Answer{}); !r.Pass || r.Score != 1 {
		t.Errorf("without assertions: %+v", r)
	}
}

func TestErrors(t *testing.T) {
	for _, x := range []struct{ spec, reason string }{
		{`{}`, "an assertion needs a type"},
		{`{"type": "contians", "value": "x"}`, `unknown type "contians"; did you mean "contains"?`},
		{`{"type": "not-assert-set"}`, `did you mean "assert-set"?`},
		{`{"type": "contains"}`, "contains: a value is missing"},
		{`{"type": "contains", "value": ""}`, "must not be empty"},
		{`{"type": "contains", "value": true}`, "must be text or a number, found a truth value"},
		{`{"type": "contains", "value": null}`, "found null"},
		{`{"type": "contains", "value": "x", "threshold": 1}`, "takes no threshold"},
		{`{"type": "contains", "value": "x", "weight": -1}`, "weight must be 0 or more"},
		{`{"type": "contains-any", "value": []}`, "the list is empty"},
		{`{"type": "contains-any", "value": [""]}`, "which every answer contains"},
		{`{"type": "contains-any", "value": "\"a"}`, "no closing quote"},
		{`{"type": "contains-any", "value": "\"a\" b"}`, "expected a comma"},
		{`{"type": "contains-all", "value": [[]]}`, "must hold text and numbers, found a list"},
		{`{"type": "contains-all", "value": 1}`, "found a number"},
		{`{"type": "starts-with", "value": 1}`, "must be text, found a number"},
		{`{"type": "regex", "value": "("}`, `invalid regular expression "(": a group is not closed`},
		{`{"type": "is-json", "value": {"type": "strin"}}`, "invalid JSON schema"},
		{`{"type": "is-json", "value": {"requird": []}}`, `unknown keyword "requird"; did you mean "required"?`},
		{`{"type": "is-json", "value": {"properties": {"a": {"tpe": 1}}}}`, `the schema.properties.a: unknown keyword "tpe"`},
		{`{"type": "is-json", "value": {"format": "colour"}}`, `unknown format "colour"`},
		{`{"type": "is-json", "value": {"pattern": "("}}`, "invalid JSON schema"},
		{`{"type": "is-json", "value": {"$ref": "#"}}`, "write the schema as JSON text"},
		{`{"type": "is-json", "value": "{\"$ref\": \"http://x/y\"}"}`, "must stand in the suite"},
		{`{"type": "is-json", "value": {"$id": "x"}}`, "$id has no use"},
		{`{"type": "is-json", "value": {"if": {}}}`, "if has no effect without then or else"},
		{`{"type": "is-json", "value": {"multipleOf": 0.1}}`, "multipleOf must be a whole number"},
		{`{"type": "is-json", "value": {"$schema": "https://json-schema.org/draft/2020-12/schema"}}`, "$schema must be"},
		{`{"type": "is-json", "value": {"properties": {"ab": {}}, "patternProperties": {"a": {}}}}`, "matches the pattern"},
		{`{"type": "is-json", "value": "{a: 1}"}`, "text that is no JSON schema"},
		{`{"type": "is-json", "value": [1]}`, "must be a JSON schema, found a list"},
		{`{"type": "word-count", "value": -1}`, "must be a whole number"},
		{`{"type": "word-count", "value": {"min": 3, "max": 2}}`, "min 3 is more than max 2"},
		{`{"type": "word-count", "value": {"mini": 3}}`, `unknown key "mini"`},
		{`{"type": "word-count", "value": {}}`, "needs min or max"},
		{`{"type": "levenshtein", "value": 3}`, "must be text"},
		{`{"type": "rouge-n"}`, "a value is missing"},
		{`{"type": "is-refusal", "value": "x"}`, "it takes no value"},
		{`{"type": "perplexity"}`, "a threshold is missing"},
		{`{"type": "logprob-margin", "value": {"better": ["x"]}}`, "in both better and worse"},
		{`{"type": "logprob-margin", "value": {"better": "x", "worse": ["y"]}}`, "better must be a list of texts"},
		{`{"type": "logprob-margin", "value": {"bettr": ["x"]}}`, `unknown key "bettr"`},
		{margin(`{"better": {"kind": "x"}, "worse": {}}`), "worse has no answers"},
		{margin(`{"better": [], "worse": ["y"]}`), "better has no answers"},
		{margin(`{"better": {"kind": 3}, "worse": {"rude": "y"}}`), `better: "kind" must hold text, found a number`},
		{margin(`{"better": {"kind": "x"}, "worse": {"rude": ["y", ""]}}`), `worse: "rude" holds an empty text`},
		{margin(`{"better": {"kind": "x"}, "worse": {"rude": []}}`), `worse: "rude" has no answers`},
		{margin(`{"better": {"": "x"}, "worse": {"rude": "y"}}`), "better: a voice needs a name"},
		{margin(`{"better": {"kind": "x", "dry": "z"}, "worse": {"rude": "y"}}`), `better must have one voice`},
		{margin(`{"better": {"kind": "x"}, "worse": {"kind": "y"}}`), `the voice "kind" stands in both`},
		{margin(`{"better": {"kind": "x"}, "worse": ["y"]}`), "must both be lists of texts, or both mappings"},
		{margin(`{"better": ["x"], "worse": {"kind": "y"}}`), "must both be lists of texts, or both mappings"},
		{`{"type": "assert-set"}`, "needs assertions"},
		{`{"type": "assert-set", "value": "x", "assert": []}`, "and no value"},
		{`{"type": "assert-set", "assert": [{"type": "assert-set", "assert": []}]}`, "cannot stand in another"},
		{`{"type": "contains", "value": "x", "assert": [{"type": "is-json"}]}`, "takes no assert"},
	} {
		_, err := NewSet([]Spec{spec(t, x.spec)}, nil)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Reason, x.reason) || strings.Contains(e.Reason, "\n") {
			t.Errorf("%s: error %v, want %q", x.spec, err, x.reason)
		}
	}
}

// margin is a logprob-margin with a value.
func margin(value string) string {
	return fmt.Sprintf(`{"type": "logprob-margin", "value": %s}`, value)
}

func TestVoices(t *testing.T) {
	value := `{"better": {"kind": ["a", "b"]}, "worse": {"rude": "c", "dry": ["d"]}}`
	set, err := NewSet([]Spec{spec(t, margin(value))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := set.Margins()
	got := fmt.Sprint(m)
	if got != "[{[{kind a} {kind b}] [{dry d} {rude c}]}]" || m[0].Voice() != "kind" || set.NeedsAnswer() {
		t.Errorf("margins %s, voice %q, needs an answer: %v", got, m[0].Voice(), set.NeedsAnswer())
	}
	for _, x := range []string{`{"type": "contains", "value": "x"}`, `{"type": "perplexity", "threshold": 2}`,
		`{"type": "assert-set", "assert": [{"type": "is-json"}]}`} {
		set, err := NewSet([]Spec{spec(t, margin(`{"better": ["a"], "worse": ["b"]}`)), spec(t, x)}, nil)
		if err != nil || !set.NeedsAnswer() {
			t.Errorf("%s: it needs no answer; error %v", x, err)
		}
	}
}

// TestTable makes sure that every type is known by one name.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range Types() {
		if seen[name] {
			t.Errorf("%s stands in the table twice", name)
		}
		seen[name] = true
	}
}
