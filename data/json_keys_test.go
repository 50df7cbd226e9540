package data

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestJSONKeys(t *testing.T) {
	var many strings.Builder
	for i := range mostKeys + 1 {
		fmt.Fprintf(&many, `,"k%d":0`, i)
	}
	for text, want := range map[string]string{
		`{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}`: "",
		`{"a":"\"a\":","b" : "a"}`:                  "",
		`{"a":1, "a" :2}`:                           `8: key "a" is given twice`,
		`{"a":[{"b":1,"\u0062":2}]}`:                `13: key "b" is given twice`,
		`{` + many.String()[1:] + `}`:               "an object has more than 10000 keys",
		`{` + strings.Repeat(`,"x":{}`, 20):         `key "x" is given twice`,
		`["` + strings.Repeat(`","`, mostValues+1):  "the row has more than 2000000 values",
		`{"a`:       "",
		`{"a\`:      "",
		`}]{"a":1}`: "",
	} {
		at, got := (&jsonKeys{text: []byte(text)}).check()
		place, wrong, placed := strings.Cut(want, ": ")
		if !placed {
			place, wrong = fmt.Sprint(at), want
		}
		if got != wrong || fmt.Sprint(at) != place {
			t.Errorf("%.60s: at %d %q, want %q", text, at, got, want)
		}
	}
}

// FuzzJSONKeys holds the walk against encoding/json: an object whose keys are all there once has as many of them.
func FuzzJSONKeys(f *testing.F) {
	for _, text := range []string{`{"a":1,"b":2}`, `{"a":1,"a":2}`, `{"\u0061":1,"a":[]}`, `{"a"`, `[{"a":{}}]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, wrong := (&jsonKeys{text: text}).check()
		var object map[string]json.RawMessage
		if json.Unmarshal(text, &object) != nil || len(object) == 0 {
			return
		}
		keys, d := 0, json.NewDecoder(strings.NewReader(string(text)))
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
		for ; d.More(); keys++ {
			var value json.RawMessage
			if _, err := d.Token(); err != nil {
				t.Fatal(err)
			}
			if err := d.Decode(&value); err != nil {
				t.Fatal(err)
			}
		}
		if keys > len(object) && wrong == "" {
			t.Errorf("%q has a key twice", text)
		}
	})
}
