package jinja

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// FromJSON decodes a JSON text into a value; dicts keep the order of their keys, and ints are ints.
func FromJSON(data []byte) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decode(d)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("text after the value")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("jinja: decode JSON: %w", err)
	}
	return v, nil
}

func decode(d *json.Decoder) (Value, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(t.String(), 10, 64); err == nil {
			return i, nil
		}
		f, err := t.Float64()
		if errors.Is(err, strconv.ErrRange) {
			err = nil // an infinity, as in Python
		}
		return f, err
	case string:
		return plain(t), nil
	case bool:
		return t, nil
	case json.Delim:
		if t == '[' {
			l := &List{}
			for d.More() {
				v, err := decode(d)
				if err != nil {
					return nil, err
				}
				l.Items = append(l.Items, v)
			}
			_, err := d.Token()
			return l, err
		}
		dict := NewDict()
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := decode(d)
			if err != nil {
				return nil, err
			}
			dict.Set(key.(string), v)
		}
		_, err := d.Token()
		return dict, err
	}
	return nil, nil
}

// encoder writes JSON as Python's json.dumps(ensure_ascii=False) does, which is what transformers' tojson is.
type encoder struct {
	b          builder
	indent     string // of one level; used when pretty
	pretty     bool
	itemSep    string
	keySep     string
	sortKeys   bool
	escapeMore bool // ensure_ascii
}

func (e *encoder) newline(depth int) {
	if e.pretty {
		e.b.add(plain("\n" + strings.Repeat(e.indent, depth)))
	}
}

func (e *encoder) encode(c *call, v Value, depth int) {
	if depth > maxDepth {
		panic(c.errorf("nested too deep"))
	}
	switch v := v.(type) {
	case nil:
		e.b.add(plain("null"))
	case bool:
		e.b.add(plain(strconv.FormatBool(v)))
	case int64:
		e.b.add(plain(strconv.FormatInt(v, 10)))
	case float64:
		s := floatRepr(v)
		switch {
		case math.IsNaN(v):
			s = "NaN"
		case math.IsInf(v, 1):
			s = "Infinity"
		case math.IsInf(v, -1):
			s = "-Infinity"
		}
		e.b.add(plain(s))
	case Text:
		if v.json != nil {
			e.encode(c, v.json, depth+1)
		} else {
			e.b.add(e.quote(v))
		}
	case *List:
		e.list("[", "]", len(v.Items), depth, func(i int) { e.encode(c, v.Items[i], depth+1) })
	case *Dict:
		order := make([]int, len(v.keys))
		for i := range order {
			order[i] = i
		}
		if e.sortKeys {
			slices.SortStableFunc(order, func(i, j int) int { return strings.Compare(str(v.keys[i]).S, str(v.keys[j]).S) })
		}
		e.list("{", "}", len(order), depth, func(i int) {
			key := v.keys[order[i]]
			if t, ok := key.(Text); ok {
				e.b.add(e.quote(t))
			} else {
				// json.dumps writes other keys as strings: null, true, 1, 1.5.
				inner := encoder{}
				inner.encode(c, key, depth+1)
				e.b.add(concat(plain(`"`), inner.b.text(), plain(`"`)))
			}
			e.b.add(plain(e.keySep))
			e.encode(c, v.values[order[i]], depth+1)
		})
	default:
		panic(c.errorf("object of type %s is not JSON serializable", typeName(v)))
	}
}

func (e *encoder) list(open, end string, n, depth int, item func(i int)) {
	e.b.add(plain(open))
	for i := range n {
		if i > 0 {
			e.b.add(plain(e.itemSep))
		}
		e.newline(depth + 1)
		item(i)
	}
	if n > 0 {
		e.newline(depth)
	}
	e.b.add(plain(end))
}

var jsonEscapes = map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}

func (e *encoder) quote(t Text) Text {
	body := t
	escaped := func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || e.escapeMore && r > '~' }
	if strings.ContainsFunc(t.S, escaped) {
		body = t.mapRunes(func(_ int, r rune) string {
			if s, ok := jsonEscapes[r]; ok {
				return s
			}
			if r < ' ' || e.escapeMore && r > '~' && r < 0x10000 {
				return fmt.Sprintf(`\u%04x`, r)
			}
			if e.escapeMore && r >= 0x10000 {
				return fmt.Sprintf(`\u%04x\u%04x`, 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff)
			}
			return string(r)
		})
	}
	return concat(plain(`"`), body, plain(`"`))
}

// toJSON is the filter tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False).
func toJSON(c *call, v Value) Value {
	e := &encoder{itemSep: ", ", keySep: ": ", escapeMore: c.flag(0, "ensure_ascii"), sortKeys: c.flag(3, "sort_keys")}
	indent, ok := c.get(1, "indent")
	switch n := indent.(type) {
	case int64:
		e.pretty, e.itemSep, e.indent = true, ",", strings.Repeat(" ", int(min(max(n, 0), 100)))
	case Text:
		e.pretty, e.itemSep, e.indent = true, ",", n.S
	case nil:
	default:
		panic(c.errorf("indent must be a number or a string, not '%s' (given: %v)", typeName(indent), ok))
	}
	if a := c.arg(2, "separators"); a != nil {
		l, ok := a.(*List)
		if !ok || len(l.Items) != 2 {
			panic(c.errorf("separators must be a pair"))
		}
		e.itemSep, e.keySep = str(l.Items[0]).S, str(l.Items[1]).S
	}
	e.encode(c, v, 0)
	return e.b.text()
}
