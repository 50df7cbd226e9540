package jinja

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Value is what an expression can be: nil (None), bool, int64, float64, Text, *List, *Dict, Undefined, or one of the
// callables and objects of this package.
type Value any

// List is a Python list, or a tuple.
type List struct {
	Items []Value
	tuple bool
}

// Dict is a Python dict: keys keep the order in which they came.
type Dict struct {
	keys   []Value
	values []Value
	index  map[any]int // of the keys, once there are more than fewKeys
}

// fewKeys are found sooner by looking at each of them than through a map.
const fewKeys = 8

// NewDict makes an empty dict, with room for fewKeys entries.
func NewDict() *Dict {
	room := make([]Value, 2*fewKeys)
	return &Dict{keys: room[:0:fewKeys], values: room[fewKeys:fewKeys]}
}

// hashKey is the Go map key of a Python dict key; ok is false for what Python cannot hash.
func hashKey(v Value) (key any, ok bool) {
	switch v := v.(type) {
	case nil:
		return struct{}{}, true
	case Text:
		return v.S, true
	case bool:
		if v {
			return int64(1), true
		}
		return int64(0), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), true
		}
		return v, true
	case int64:
		return v, true
	}
	return nil, false
}

// Set adds or replaces an entry and returns the dict.
func (d *Dict) Set(key string, v Value) *Dict {
	d.put(plain(key), v)
	return d
}

// SetAll adds or replaces all entries of another dict.
func (d *Dict) SetAll(from *Dict) {
	for i, key := range from.keys {
		d.put(key, from.values[i])
	}
}

func (d *Dict) put(key, v Value) bool {
	i, ok := d.find(key)
	if !ok {
		return false
	}
	if i >= 0 {
		d.values[i] = v
		return true
	}
	d.keys, d.values = append(d.keys, key), append(d.values, v)
	switch {
	case len(d.keys) == fewKeys+1:
		d.index = make(map[any]int, 4*fewKeys)
		for i, key := range d.keys {
			k, _ := hashKey(key)
			d.index[k] = i
		}
	case d.index != nil:
		k, _ := hashKey(key)
		d.index[k] = len(d.keys) - 1
	}
	return true
}

// find gives the place of a key, or -1; ok is false for a key that Python cannot hash.
func (d *Dict) find(key Value) (i int, ok bool) {
	if t, isText := key.(Text); isText && d.index == nil {
		for i := range d.keys {
			if other, isText := d.keys[i].(Text); isText && other.S == t.S {
				return i, true
			}
		}
		return -1, true
	}
	k, ok := hashKey(key)
	if !ok {
		return -1, false
	}
	if d.index != nil {
		if i, found := d.index[k]; found {
			return i, true
		}
		return -1, true
	}
	for i := range d.keys {
		if other, _ := hashKey(d.keys[i]); other == k {
			return i, true
		}
	}
	return -1, true
}

// Get looks an entry up.
func (d *Dict) Get(key string) (Value, bool) { return d.get(plain(key)) }

func (d *Dict) get(key Value) (Value, bool) {
	i, _ := d.find(key)
	if i < 0 {
		return nil, false
	}
	return d.values[i], true
}

// Undefined is a name or an attribute that does not exist: it prints as nothing and is false, but may not be used
// further. What says what it would have been.
type Undefined struct{ What string }

// namespace is the object that namespace() makes: its attributes can be set.
type namespace struct{ dict *Dict }

// function is a callable value.
type function struct {
	name string
	call func(c *call) Value
}

// truth is Python's bool().
func truth(v Value) bool {
	switch v := v.(type) {
	case nil, Undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case Text:
		return v.S != ""
	case *List:
		return len(v.Items) > 0
	case *Dict:
		return len(v.keys) > 0
	}
	return true
}

// typeName is the Python name of the value's type, for messages.
func typeName(v Value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case Text:
		return "str"
	case *List:
		if v.tuple {
			return "tuple"
		}
		return "list"
	case *Dict:
		return "dict"
	case Undefined:
		return "undefined"
	}
	return "object"
}

// str is Python's str(): what {{ v }} prints.
func str(v Value) Text {
	switch v := v.(type) {
	case Text:
		return v
	case Undefined:
		return Text{}
	}
	var b builder
	repr(&b, v, 0)
	return b.text()
}

// repr is Python's repr(). Strings inside keep their origin only when they need no escape.
func repr(b *builder, v Value, depth int) {
	if depth > maxDepth {
		b.add(plain("..."))
		return
	}
	switch v := v.(type) {
	case nil:
		b.add(plain("None"))
	case Undefined:
		b.add(plain("Undefined"))
	case bool:
		b.add(plain(map[bool]string{true: "True", false: "False"}[v]))
	case int64:
		b.add(plain(strconv.FormatInt(v, 10)))
	case float64:
		b.add(plain(floatRepr(v)))
	case Text:
		b.add(quote(v))
	case *List:
		open, end := "[", "]"
		if v.tuple {
			open, end = "(", ")"
			if len(v.Items) == 1 {
				end = ",)"
			}
		}
		b.add(plain(open))
		for i, item := range v.Items {
			if i > 0 {
				b.add(plain(", "))
			}
			repr(b, item, depth+1)
		}
		b.add(plain(end))
	case *Dict:
		b.add(plain("{"))
		for i, key := range v.keys {
			if i > 0 {
				b.add(plain(", "))
			}
			repr(b, key, depth+1)
			b.add(plain(": "))
			repr(b, v.values[i], depth+1)
		}
		b.add(plain("}"))
	case *namespace:
		b.add(plain("<Namespace "))
		repr(b, v.dict, depth+1)
		b.add(plain(">"))
	default:
		b.add(plain(fmt.Sprintf("<%s>", typeName(v))))
	}
}

// quote is repr of a string.
func quote(t Text) Text {
	q := `'`
	if strings.Contains(t.S, `'`) && !strings.Contains(t.S, `"`) {
		q = `"`
	}
	body := t.mapRunes(func(_ int, r rune) string {
		switch {
		case string(r) == q || r == '\\':
			return `\` + string(r)
		case r == '\n':
			return `\n`
		case r == '\r':
			return `\r`
		case r == '\t':
			return `\t`
		case r == ' ' || unicode.IsPrint(r):
			return string(r)
		case r < 0x100:
			return fmt.Sprintf(`\x%02x`, r)
		case r < 0x10000:
			return fmt.Sprintf(`\u%04x`, r)
		}
		return fmt.Sprintf(`\U%08x`, r)
	})
	return concat(plain(q), body, plain(q))
}

// floatRepr is Python's repr of a float: shortest digits, an exponent below 1e-4 and from 1e16 on.
func floatRepr(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return map[bool]string{true: "inf", false: "-inf"}[f > 0]
	case f != 0 && (math.Abs(f) < 1e-4 || math.Abs(f) >= 1e16):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// number gives a value as int or float; bools count as 0 and 1.
func number(v Value) (i int64, f float64, isInt, ok bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, 1, true, true
		}
		return 0, 0, true, true
	case int64:
		return v, float64(v), true, true
	case float64:
		return 0, v, false, true
	}
	return 0, 0, false, false
}

// equal is Python's ==.
func equal(a, b Value, depth int) bool {
	if ai, af, aInt, ok := number(a); ok {
		bi, bf, bInt, ok := number(b)
		return ok && (aInt && bInt && ai == bi || !(aInt && bInt) && af == bf)
	}
	if depth > maxDepth {
		return false
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case Text:
		t, ok := b.(Text)
		return ok && a.S == t.S
	case Undefined:
		_, ok := b.(Undefined)
		return ok
	case *List:
		l, ok := b.(*List)
		same := func(x, y Value) bool { return equal(x, y, depth+1) }
		return ok && a.tuple == l.tuple && slices.EqualFunc(a.Items, l.Items, same)
	case *Dict:
		d, ok := b.(*Dict)
		if !ok || len(a.keys) != len(d.keys) {
			return false
		}
		for i, key := range a.keys {
			v, found := d.get(key)
			if !found || !equal(a.values[i], v, depth+1) {
				return false
			}
		}
		return true
	case *namespace, *function, *loop:
		return a == b
	}
	return false
}

// compare orders numbers, strings and lists as Python does; ok is false for what Python cannot order.
func compare(a, b Value) (order int, ok bool) {
	if _, af, _, isNumber := number(a); isNumber {
		_, bf, _, isNumber := number(b)
		switch {
		case !isNumber:
			return 0, false
		case af < bf:
			return -1, true
		case af > bf:
			return 1, true
		}
		return 0, true
	}
	switch a := a.(type) {
	case Text:
		t, ok := b.(Text)
		return strings.Compare(a.S, t.S), ok
	case *List:
		l, ok := b.(*List)
		if !ok {
			return 0, false
		}
		for i := range min(len(a.Items), len(l.Items)) {
			if c, ok := compare(a.Items[i], l.Items[i]); !ok || c != 0 {
				return c, ok
			}
		}
		return len(a.Items) - len(l.Items), true
	}
	return 0, false
}
