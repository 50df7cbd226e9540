package data

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// What a row may have at most. More is not a row of a conversation, and would take the memory of the machine.
const (
	mostValues = 2_000_000 // in all
	mostKeys   = 10_000    // of one object
	mostNested = 10_000    // objects and arrays in each other
)

// jsonKeys walks over a JSON value before it is read, for what encoding/json takes without a word: keys that an object
// has twice, of which the last would count, and more values than a row can have. What is no JSON is left to
// encoding/json.
type jsonKeys struct {
	text   []byte
	values int
	open   []objectKeys // objects and arrays around the place, outermost first
}

// objectKeys are the keys of an object so far; of an array there are none.
type objectKeys struct {
	object bool
	few    [][]byte            // as they are written
	many   map[string]struct{} // instead of few, where there are more of them
	number int
}

// manyKeys is from how many keys on a map is faster than a look at each.
const manyKeys = 16

// check gives the place of what is wrong and says what it is; "" for nothing.
func (k *jsonKeys) check() (at int, wrong string) {
	t := k.text
	for i := 0; i < len(t); i++ {
		switch t[i] {
		case '{', '[':
			if len(k.open) > mostNested {
				return 0, "" // encoding/json refuses it
			}
			k.open = append(k.open, objectKeys{object: t[i] == '{'})
			k.values++
		case '}', ']':
			if len(k.open) > 0 {
				k.open = k.open[:len(k.open)-1]
			}
		case ',':
			k.values++
		case '"':
			end := stringEnd(t, i)
			if end < len(t) && nextByte(t, end) == ':' && len(k.open) > 0 && k.open[len(k.open)-1].object {
				if wrong := k.open[len(k.open)-1].add(t[i:end]); wrong != "" {
					return i, wrong
				}
			}
			i = end - 1
		}
		if k.values > mostValues {
			return i, fmt.Sprintf("the row has more than %d values", mostValues)
		}
	}
	return 0, ""
}

// stringEnd is behind the quotation mark that ends the string that begins at i.
func stringEnd(t []byte, i int) int {
	for i++; i < len(t); i++ {
		switch t[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(t)
}

// nextByte is the first byte from i on that is no white space.
func nextByte(t []byte, i int) byte {
	for ; i < len(t); i++ {
		if c := t[i]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
	}
	return 0
}

// add takes a key as it is written, with its quotation marks, and says what is wrong with it.
func (o *objectKeys) add(quoted []byte) string {
	key := quoted[1 : len(quoted)-1]
	if !utf8.Valid(key) { // each invalid byte becomes U+FFFD
		key = []byte(string([]rune(string(key))))
	}
	for _, c := range key {
		if c == '\\' { // it may be written in several ways
			var plain string
			if json.Unmarshal(quoted, &plain) != nil {
				return ""
			}
			key = []byte(plain)
			break
		}
	}
	if o.number++; o.number > mostKeys {
		return fmt.Sprintf("an object has more than %d keys", mostKeys)
	}
	if o.many == nil && len(o.few) < manyKeys {
		for _, other := range o.few {
			if string(other) == string(key) {
				return fmt.Sprintf("key %q is given twice", key)
			}
		}
		o.few = append(o.few, key)
		return ""
	}
	if o.many == nil {
		o.many = map[string]struct{}{}
		for _, other := range o.few {
			o.many[string(other)] = struct{}{}
		}
	}
	if _, twice := o.many[string(key)]; twice {
		return fmt.Sprintf("key %q is given twice", key)
	}
	o.many[string(key)] = struct{}{}
	return ""
}
