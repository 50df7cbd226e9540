package openai

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"instruct/model/grammar"
	"instruct/tokenizer"
)

// format is the form that an answer has to have; its zero value is any text.
type format struct {
	kind   string // json_object or json_schema
	schema string
}

// readFormat reads response_format.
func readFormat(q *request, v value) error {
	const expected = `{"type": "text"}, {"type": "json_object"} or {"type": "json_schema", "json_schema": {"schema": ...}}`
	var object map[string]json.RawMessage
	if err := v.into(&object, expected); err != nil {
		return err
	}
	var kind string
	if json.Unmarshal(object["type"], &kind) != nil {
		return v.wrong(expected)
	}
	known := []string{"type"}
	switch kind {
	case "text":
	case "json_object":
		q.format = format{kind: kind}
	case "json_schema":
		known = append(known, kind)
		schema, err := readSchema(value{v.name + ".json_schema", object[kind]})
		if err != nil {
			return err
		}
		q.format = format{kind: kind, schema: schema}
	default:
		return v.wrong(expected)
	}
	return onlyKnown(v.name, object, known)
}

// onlyKnown refuses members of an object that are not known.
func onlyKnown(name string, object map[string]json.RawMessage, known []string) error {
	for _, key := range sortedKeys(object) {
		if !slices.Contains(known, key) && !isNull(object[key]) {
			return refusedField(name+"."+key, object[key], "")
		}
	}
	return nil
}

// readSchema reads {"name", "schema", "strict", "description"}; an answer satisfies the schema, strict or not.
func readSchema(v value) (string, error) {
	const expected = `{"name": "...", "schema": {...}}`
	var object map[string]json.RawMessage
	if len(v.json) == 0 {
		v.json = json.RawMessage("null")
	}
	if err := v.into(&object, expected); err != nil {
		return "", err
	}
	if len(object["schema"]) == 0 {
		return "", v.wrong(expected)
	}
	return string(object["schema"]), onlyKnown(v.name, object, []string{"name", "schema", "strict", "description"})
}

// maxGrammars is how many grammars are kept for requests to come.
const maxGrammars = 8

// grammars are those of the last requests, and the vocabularies that they are held against.
type grammars struct {
	mu    sync.Mutex
	last  []keptGrammar // the latest first
	plain func() *grammar.Vocabulary
	calls func() *grammar.Vocabulary // with the marks of calls
}

type keptGrammar struct {
	key     string
	grammar *grammar.Grammar
}

// newGrammars makes vocabularies when they are needed. Tokens that end an answer have no text of their own.
func newGrammars(t *tokenizer.Tokenizer, size int, stop []int32, marks func(id int32) bool) *grammars {
	vocabulary := func(marks func(id int32) bool) func() *grammar.Vocabulary {
		return sync.OnceValue(func() *grammar.Vocabulary {
			return grammar.NewVocabulary(size, func(id int32) []byte {
				switch {
				case slices.Contains(stop, id):
					return nil
				case marks(id):
					return t.MarkBytes(id)
				}
				return t.TokenBytes(id)
			})
		})
	}
	return &grammars{plain: vocabulary(func(int32) bool { return false }), calls: vocabulary(marks)}
}

// of gives the grammar of a key, which make makes unless it is kept.
func (g *grammars) of(key string, make func() (*grammar.Grammar, error)) (*grammar.Grammar, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.IndexFunc(g.last, func(k keptGrammar) bool { return k.key == key })
	if i >= 0 {
		found := g.last[i]
		g.last = slices.Insert(slices.Delete(g.last, i, i+1), 0, found)
		return found.grammar, nil
	}
	made, err := make()
	if err != nil {
		return nil, err
	}
	g.last = slices.Insert(g.last, 0, keptGrammar{key, made})
	g.last = g.last[:min(len(g.last), maxGrammars)]
	return made, nil
}

// formOf is the grammar of a format; nil where any text will do.
func (g *grammars) formOf(f format) (*grammar.Grammar, error) {
	if f.kind == "" {
		return nil, nil
	}
	made, err := g.of(f.kind+" "+f.schema, func() (*grammar.Grammar, error) {
		if f.kind == "json_object" {
			return grammar.Object(), nil
		}
		return grammar.FromSchema([]byte(f.schema))
	})
	if err != nil {
		e := invalid("response_format", "response_format.json_schema: %v", err)
		e.code = "unsupported_schema"
		return nil, e
	}
	return made, nil
}

// formed holds an answer to a grammar.
type formed struct {
	*grammar.Matcher
	bytes func(id int32) []byte
	stop  []int32
	mask  []uint64

	passing bool // a part of the answer has the form, and any text may follow on it
}

// allowed is the tokens that may come next: those that end the answer where it is whole.
func (f *formed) allowed() (mask []uint64, err error) {
	f.mask = append(f.mask[:0], f.Allowed()...)
	none := !slices.ContainsFunc(f.mask, func(w uint64) bool { return w != 0 })
	if none && (!f.Complete() || len(f.stop) == 0) {
		err = fmt.Errorf("no token of the model goes on with what the answer must be like")
	}
	if f.Complete() {
		for _, id := range f.stop {
			if int(id/64) < len(f.mask) {
				f.mask[id/64] |= 1 << (id % 64)
			}
		}
	}
	if err != nil {
		f.mask[0] |= 1 // the decoder chooses one all the same
	}
	return f.mask, err
}
