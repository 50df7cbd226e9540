package grammar

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// wordVocabulary is like one of byte-level BPE: all bytes, digits, what JSON is made of, and words with a space before
// them or not, size tokens in all.
func wordVocabulary(size int) *Vocabulary {
	r := rand.New(rand.NewPCG(1, 1))
	marks := []string{`{"`, `":`, `":"`, `",`, `","`, `"}`, `"},`, `[]`, `{}`, `],`, "\n\n", "  ", "    ", `\n`, `\"`,
		`"]`, `.",`}
	return NewVocabulary(size, func(id int32) []byte {
		switch i := int(id); {
		case i < 256:
			return []byte{byte(i)}
		case i < 256+len(marks):
			return []byte(marks[i-256])
		case i < 1000:
			return fmt.Append(nil, i)
		}
		word := make([]byte, 0, 16)
		if r.IntN(2) == 0 {
			word = append(word, ' ')
		}
		for range 2 + r.IntN(10) {
			word = append(word, byte('a'+min(r.IntN(26), r.IntN(26))))
		}
		return word
	})
}

// BenchmarkMask is the mask over 49,152 tokens at places of an answer: first is that of a grammar that was just made
// and has not been at the place, kept that of one that has.
func BenchmarkMask(b *testing.B) {
	const schema = `{"type":"object","properties":{"name":{"type":"string","maxLength":40},"age":{"type":"integer"},` +
		`"kind":{"enum":["cat","dog"]},"hobbies":{"type":"array","items":{"type":"string"},"minItems":2,"maxItems":4},` +
		`"more":{}},"required":["name","age","kind","hobbies","more"]}`
	const name, age = `{"name":"`, `{"name":"Tom","age":`
	v := wordVocabulary(49152)
	for _, x := range []struct{ state, text string }{
		{"begin", ""}, {"key", `{"na`}, {"string", name}, {"number", age}, {"enum", age + `3,"kind":"`},
		{"any", age + `3,"kind":"cat","hobbies":["a","b"],"more":`},
	} {
		b.Run("state="+x.state+"/first", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				m := fromSchema(b, schema).Matcher(v)
				if !m.Advance([]byte(x.text)) {
					b.Fatal(x.text)
				}
				b.StartTimer()
				m.Allowed()
			}
		})
		b.Run("state="+x.state+"/kept", func(b *testing.B) {
			m := fromSchema(b, schema).Matcher(v)
			if !m.Advance([]byte(x.text)) {
				b.Fatal(x.text)
			}
			m.Allowed()
			for b.Loop() {
				m.Allowed()
			}
		})
	}
}
