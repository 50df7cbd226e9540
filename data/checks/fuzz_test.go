package checks

import (
	"encoding/json"
	"errors"
	"testing"
)

// FuzzNewSet makes assertions of anything and judges anything: an error says what is wrong, and not- turns verdicts.
func FuzzNewSet(f *testing.F) {
	for _, name := range Types() {
		f.Add(name, `"a"`, "a")
	}
	f.Add("regex", `"[\\w-😀](?<x>a)\\k<x>{2,}?$"`, "a")
	f.Add("is-json", `{"type": "object", "properties": {"a": {"pattern": "\\p{L}"}}}`, `{"a": 1e400}`)
	f.Add("contains-json", `"{\"items\": [{}], \"additionalItems\": false}"`, `{a: [&x 'b', *x], "c\u0041": !!str 1} // {`)
	f.Add("word-count", `{"min": 1, "max": 3}`, "a b")
	f.Add("logprob-margin", `{"better": ["a"], "worse": ["b"]}`, "")
	f.Add("logprob-margin", `{"better": {"a": "b"}, "worse": {"c": ["d"], "e": "f"}}`, "")
	f.Add("rouge-n", `"He said: \"cannot\" ''x'' u.s."`, "``gonna'' 'tis.")
	f.Fuzz(func(t *testing.T, kind, value, answer string) {
		threshold := 1.0
		for _, s := range []Spec{
			{Type: kind, Value: json.RawMessage(value)},
			{Type: kind, Threshold: &threshold},
			{Type: setType, Assert: []Spec{{Type: kind, Value: json.RawMessage(value), Metric: "m"}}, Threshold: &threshold},
		} {
			set, err := NewSet([]Spec{s}, nil)
			var e *Error
			if err != nil && (!errors.As(err, &e) || e.Reason == "") {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				continue
			}
			r := set.Judge(Answer{Text: answer, Logprobs: []float64{-1}})
			if r.Pass != (r.Reason == "") {
				t.Errorf("%s: pass %v, reason %q", kind, r.Pass, r.Reason)
			}
			if r.Score < 0 || r.Score > 1 {
				t.Errorf("%s: score %v", kind, r.Score)
			}
		}
	})
}
