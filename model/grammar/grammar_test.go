package grammar

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// accepts tells that a text is whole under a grammar.
func accepts(g *Grammar, text string) bool {
	m := g.Matcher(nil)
	return m.Advance([]byte(text)) && m.Complete()
}

func fromSchema(t testing.TB, src string) *Grammar {
	t.Helper()
	g, err := FromSchema([]byte(src))
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return g
}

// TestSchemas: what satisfies a schema is taken, and what does not is not.
func TestSchemas(t *testing.T) {
	const person = `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},` +
		`"required":["name"],"additionalProperties":false}`
	for name, x := range map[string]struct {
		schema   string
		yes, not []string
	}{
		"any": {`{}`, []string{`1`, `"a"`, `[{"a":[]}]`, `{"a":{"b":null}}`, ` true`, `-0.5e+10`, `"\ud83d\ude00"`},
			[]string{``, `01`, `[1,]`, `{"a"}`, `nul`, `"`, "\"\n\"", `"\ud83d"`, "\"\xff\"", `"\x"`, `+1`, `{a:1}`, `1 `}},
		"object": {person, []string{`{"name":"x"}`, `{"name":"x","age":-3}`, "{\n  \"name\": \"\",\n  \"age\": 0\n}"},
			[]string{`{}`, `{"age":3}`, `{"age":3,"name":"x"}`, `{"name":"x","age":3.5}`, `{"name":"x","b":1}`,
				`{"name":"x",}`}},
		"optional": {`{"properties":{"a":{"const":1},"b":{"const":2},"c":{"const":3}}}`,
			[]string{`{}`, `{"a":1}`, `{"b":2}`, `{"a":1,"c":3}`, `{"a":1,"b":2,"c":3}`},
			[]string{`{"c":3,"a":1}`, `{"d":1}`, `{,"a":1}`, `{"a":2}`, `3`}},
		"additional": {`{"properties":{"a":{"const":1},"ab":{"const":2}},"additionalProperties":{"type":"null"}}`,
			[]string{`{"a":1,"x":null}`, `{"b":null,"c":null}`, `{"ab":2,"abc":null,"":null}`, `{"aa":null}`},
			[]string{`{"a":null}`, `{"ab":null}`, `{"x":1}`, `{"x":null,"a":1}`, `{"\u0061":null}`}},
		"map": {`{"type":"object","additionalProperties":{"type":"boolean"}}`,
			[]string{`{}`, `{"a":true,"b":false}`}, []string{`{"a":1}`}},
		"required beside": {`{"type":"object","required":["x"]}`, []string{`{"x":1}`, `{"x":1,"y":[]}`},
			[]string{`{}`, `{"y":1}`}},
		"array": {`{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}`,
			[]string{`[1]`, `[1, 2,3]`, "[\n\n\t1\n]"}, []string{`[]`, `[1,2,3,4]`, `["a"]`, `[1 ,2]`}},
		"at most none": {`{"type":"array","maxItems":0}`, []string{`[]`}, []string{`[1]`}},
		"no items":     {`{"type":"array","items":false}`, []string{`[]`}, []string{`[1]`}},
		"length": {`{"type":"string","minLength":2,"maxLength":3}`, []string{`"ab"`, `"日本語"`, `"\u00e9\n\""`,
			`"\ud83d\ude00a"`},
			[]string{`"a"`, `"abcd"`, `"日本語a"`, `"😀"`}},
		"enum": {`{"enum":["a","é",1,1.50,null,[1,"x"],{"k":true}]}`,
			[]string{`"a"`, `"é"`, `1`, `1.50`, `null`, `[1,"x"]`, `{"k":true}`}, []string{`"b"`, `2`, `"\u00e9"`, `1.`}},
		"enum of a type": {`{"type":"string","enum":["a",1,"b"]}`, []string{`"a"`, `"b"`}, []string{`1`}},
		"const":          {`{"const":{"a":[1,2]}}`, []string{`{"a":[1,2]}`}, []string{`{"a":[1]}`}},
		"types":          {`{"type":["string","null"]}`, []string{`"a"`, `null`}, []string{`1`}},
		"any of": {`{"anyOf":[{"type":"integer"},{"type":"array","items":{"type":"string"}}],"title":"x"}`,
			[]string{`12`, `["a"]`}, []string{`"a"`, `[1]`}},
		"one of": {`{"oneOf":[{"$ref":"#/$defs/cat"},{"$ref":"#/$defs/dog"}],"$defs":{` +
			`"cat":{"type":"object","properties":{"kind":{"const":"cat"},"lives":{"type":"integer"}},"required":["kind","` +
			`lives"]},` +
			`"dog":{"type":"object","properties":{"kind":{"const":"dog"}},"required":["kind"]}}}`,
			[]string{`{"kind":"cat","lives":9}`, `{"kind":"dog"}`}, []string{`{"kind":"cat"}`, `{"kind":"cow"}`}},
		"tree": {`{"type":"object","properties":{"v":{"type":"integer"},"of":{"type":"array","items":{"$ref":"#"}}},` +
			`"required":["v"]}`, []string{`{"v":1}`, `{"v":1,"of":[{"v":2,"of":[]}]}`}, []string{`{"v":1,"of":[{}]}`}},
		"list": {`{"$ref":"#/definitions/a~1b","definitions":{"a/b":{"anyOf":[{"type":"null"},` +
			`{"type":"array","items":{"$ref":"#/definitions/a~1b"}}]}}}`, []string{`null`, `[null,[]]`}, []string{`1`}},
		"all of one": {`{"properties":{"a":{"allOf":[{"$ref":"#/$defs/x"}],"default":1}},"$defs":{"x":{"type":"number"}}}`,
			[]string{`{"a":1.5}`}, []string{`{"a":"x"}`}},
	} {
		g := fromSchema(t, x.schema)
		for _, text := range x.yes {
			if !accepts(g, text) {
				t.Errorf("%s: %s is refused", name, text)
			}
		}
		for _, text := range x.not {
			if accepts(g, text) {
				t.Errorf("%s: %s is taken", name, text)
			}
		}
	}
	for text, want := range map[string]bool{`{}`: true, ` {"a":[1]}`: true, `[]`: false, `{"a":1`: false, `  {}`: false} {
		if accepts(Object(), text) != want {
			t.Errorf("an object: %s: %v", text, !want)
		}
	}
}

// TestRefused: what cannot be held is refused, with its name and its place.
func TestRefused(t *testing.T) {
	deep := strings.Repeat(`{"items":`, 11000) + `{}` + strings.Repeat(`}`, 11000)
	for src, want := range map[string]string{
		`{"properties":{"a":{"pattern":"x"}}}`: "schema at #/properties/a: pattern is not supported",
		`{"items":{"minimum":1}}`:              "schema at #/items: minimum",
		`{"uniqueItems":true}`:                 "uniqueItems",
		`[]`:                                   "it is array",
		`false`:                                "false allows nothing",
		`{`:                                    "no JSON",
		deep:                                   "no JSON",
		`{"title":"` + strings.Repeat("x", maxSchema) + `"}`: "the most are 131072",
		`{"type":"text"}`:                                    `type is "text"`,
		`{"type":[]}`:                                        "must name a type",
		`{"enum":[]}`:                                        "at least one value",
		`{"enum":["a"],"type":"integer"}`:                    "no value of enum has the type integer",
		`{"minItems":3,"maxItems":2}`:                        "nothing has both",
		`{"minLength":100000}`:                               "the most are 10000",
		`{"minLength":-1}`:                                   "at least 0",
		`{"minItems":1,"items":false}`:                       "items is false",
		`{"required":["a"],"additionalProperties":false}`:    `required names "a"`,
		`{"required":"a"}`:                                   "list of names",
		`{"properties":[]}`:                                  "object of schemas",
		`{"$ref":"http://x/y"}`:                              "pointer inside the schema",
		`{"$ref":"#/$defs/b~1c","$defs":{}}`:                 `there is no "b/c" in #/$defs`,
		`{"$ref":"#"}`:                                       "refers to itself",
		`{"anyOf":[{"type":"null"},{"$ref":"#"}]}`:           "refers to itself",
		`{"properties":{"a":{"$ref":"#"}},"required":["a"]}`: "requires itself",
		`{"$ref":"#/$defs/a","$defs":{"a":{"minItems":1,"items":{"$ref":"#/$defs/a"}}}}`: "schema at #/$defs/a: no val" +
			"ue that ends",
		`{"anyOf":[]}`:                 "list of schemas",
		`{"anyOf":[{}],"type":"null"}`: "type beside anyOf",
		`{"allOf":[{},{}]}`:            "one schema only",
		`{"oneOf":[{"type":"integer"},{"type":"number"}]}`:               "oneOf/0 and oneOf/1",
		`{"oneOf":[{"const":1},{"const":1.0}]}`:                          "oneOf/0 and oneOf/1",
		`{"oneOf":[{"properties":{"a":{"const":1}}},{"type":"object"}]}`: "oneOf/0 and oneOf/1",
	} {
		_, err := FromSchema([]byte(src))
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100s: %v; want %q", src, err, want)
		}
	}
}

// vocabulary has every byte as a token, and longer ones that do not end where JSON's do.
func vocabulary() (v *Vocabulary, tokens []string) {
	for b := range 256 {
		tokens = append(tokens, string([]byte{byte(b)}))
	}
	tokens = append(tokens, `{"`, `":`, `": "`, `",`, `"}`, `},{`, `]}`, "\n  ", "true", "null", "12", `a":1,"b`,
		"name", "日本", "日\xe6", "",
		"\U0001F600")
	return NewVocabulary(len(tokens), func(id int32) []byte { return []byte(tokens[id]) }), tokens
}

// TestMaskIsWhatAdvanceSays: a token is allowed if and only if its bytes may follow, whatever was forgotten.
func TestMaskIsWhatAdvanceSays(t *testing.T) {
	v, tokens := vocabulary()
	g := fromSchema(t, `{"properties":{"a":{"type":"integer"},"b":{"type":"string",`+
		`"minLength":13,"maxLength":15},"name":{}},`+
		`"additionalProperties":true}`)
	for round := range uint64(4) {
		g.forge.bound = int(1<<18 - round*(1<<18)/3) // the last one keeps nothing
		r := rand.New(rand.NewPCG(round, 1))
		m := g.Matcher(v)
		for range 60 {
			mask := m.Allowed()
			var allowed []int
			for id, text := range tokens {
				is := mask[id/64]>>(id%64)&1 == 1
				other := *m
				if may := text != "" && other.Advance([]byte(text)); is != may {
					t.Fatalf("token %q: allowed %v, may follow %v", text, is, may)
				}
				if is {
					allowed = append(allowed, id)
				}
			}
			if len(allowed) == 0 {
				break
			}
			m.Advance([]byte(tokens[allowed[r.IntN(len(allowed))]]))
		}
	}
}

// generate says tokens at random until the answer is complete; late on it takes those that end it the soonest.
func generate(g *Grammar, r *rand.Rand) (text string, ended bool) {
	v, tokens := vocabulary()
	m := g.Matcher(v)
	for n := range 400 {
		if m.Finished() || m.Complete() && (r.IntN(4) == 0 || n > 100) {
			return text, true
		}
		mask := m.Allowed()
		var allowed []string
		for id, x := range tokens {
			if mask[id/64]>>(id%64)&1 == 1 {
				allowed = append(allowed, x)
			}
		}
		if len(allowed) == 0 {
			return text, false
		}
		next := allowed[r.IntN(len(allowed))]
		if n > 100 {
			for _, end := range []string{`"`, "}", "]", "0", "null", ":", "e", "l", "u"} {
				if slices.Contains(allowed, end) {
					next = end
					break
				}
			}
		}
		if !m.Advance([]byte(next)) {
			return text + next, false
		}
		text += next
	}
	return text, true // so long: nothing can be said
}

// FuzzSchema: a schema that is taken has a way to go on from any beginning; what comes of it is JSON that satisfies it.
func FuzzSchema(f *testing.F) {
	for _, src := range []string{
		`{}`, `{"type":"object","properties":{"a":{"type":"string","minLength":1},"b":{"enum":[1,"x",null]}},"required` +
			`":["b"]}`,
		`{"type":"array","items":{"type":["integer","null"]},"minItems":2,"maxItems":4}`,
		`{"properties":{"a":{"const":{"b":[]}}},"additionalProperties":{"type":"boolean"}}`,
		`{"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"l":{"$ref":"#/$defs/t"},"v":{"type":"number"` +
			`}},"required":["v"]}}}`,
		`{"oneOf":[{"type":"string","maxLength":2},{"type":"boolean"}]}`, `{"anyOf":[{"items":{}},{"type":"null"}]}`,
		`{"required":["é\n"],"properties":{"\"":true}}`,
	} {
		f.Add([]byte(src), uint64(1))
	}
	f.Fuzz(func(t *testing.T, src []byte, seed uint64) {
		g, err := FromSchema(src)
		if err != nil || len(src) > 2000 {
			return
		}
		root, err := parseTree(src)
		if err != nil {
			t.Fatal(err)
		}
		for round := range uint64(3) {
			text, ok := generate(g, rand.New(rand.NewPCG(seed, round)))
			if !ok {
				t.Fatalf("%s: there is no way on from %q", src, text)
			}
			if !accepts(g, text) {
				continue // it was not ended
			}
			value, err := parseTree([]byte(text))
			if err != nil || !utf8.ValidString(text) {
				t.Fatalf("%s: %q: %v", src, text, err)
			}
			if reason := validate(root, root, value, 0); reason != "" {
				t.Fatalf("%s: %q: %s", src, text, reason)
			}
			var any any
			if err := json.Unmarshal([]byte(text), &any); err != nil {
				t.Fatal(err)
			}
		}
	})
}
