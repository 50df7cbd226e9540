package jinja

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Span is a byte range [Start,End) of a text that came from the value marked with ID.
type Span struct{ Start, End, ID int }

// Text is a string whose bytes know their origin. Spans may overlap and may be empty.
type Text struct {
	S     string
	spans []Span
	json  Value // what the text is the JSON of, where tojson is to write that and not a quoted text
}

// JSONText is a text that holds JSON, for tojson to write as it is meant: arguments of a call come as a text in one
// program and as an object in another.
func JSONText(s string, v Value) Text { return Text{S: s, json: v} }

// JSON is the value as JSON, as tojson writes it.
func JSON(v Value) Text {
	e := &encoder{itemSep: ", ", keySep: ": "}
	e.encode(nil, v, 0)
	return e.b.text()
}

// Mark gives a string whose bytes all carry the id. Ids of callers are at least 0.
func Mark(s string, id int) Text { return Text{S: s, spans: []Span{{0, len(s), id}}} }

// MarkAll gives a value whose strings all carry the id; the keys of dicts do not.
func MarkAll(v Value, id int) Value {
	switch v := v.(type) {
	case Text:
		return Text{v.S, []Span{{0, len(v.S), id}}, MarkAll(v.json, id)}
	case *List:
		out := &List{Items: make([]Value, len(v.Items)), tuple: v.tuple}
		for i, item := range v.Items {
			out.Items[i] = MarkAll(item, id)
		}
		return out
	case *Dict:
		out := NewDict()
		for i, key := range v.keys {
			out.put(key, MarkAll(v.values[i], id))
		}
		return out
	}
	return v
}

// plain is a string without origin.
func plain(s string) Text { return Text{S: s} }

// slice is the bytes [lo,hi).
func (t Text) slice(lo, hi int) Text {
	if lo == 0 && hi == len(t.S) {
		return t
	}
	out := Text{S: t.S[lo:hi]}
	for _, s := range t.spans {
		start, end := max(s.Start, lo), min(s.End, hi)
		if start < end || s.Start == s.End && start == end {
			out.spans = append(out.spans, Span{start - lo, end - lo, s.ID})
		}
	}
	return out
}

// builder puts texts together.
type builder struct {
	buf   strings.Builder
	spans []Span
}

func (b *builder) add(t Text) {
	at := b.buf.Len()
	b.buf.WriteString(t.S)
	for _, s := range t.spans {
		b.mark(at+s.Start, at+s.End, s.ID)
	}
}

// mark adds a span, joined to an earlier one of the same id that ends where it starts.
func (b *builder) mark(start, end, id int) {
	const near = 16 // overlapping ids stand close together
	for i := len(b.spans) - 1; i >= max(0, len(b.spans)-near); i-- {
		if b.spans[i].ID == id && b.spans[i].End == start {
			b.spans[i].End = end
			return
		}
	}
	b.spans = append(b.spans, Span{start, end, id})
}

func (b *builder) text() Text { return Text{S: b.buf.String(), spans: b.spans} }

// concat puts texts one after the other.
func concat(texts ...Text) Text {
	var b builder
	for _, t := range texts {
		b.add(t)
	}
	return b.text()
}

// mapRunes replaces every rune by a string and keeps the origin.
func (t Text) mapRunes(f func(i int, r rune) string) Text {
	var b builder
	if len(t.spans) == 0 {
		for i, r := range t.S {
			b.buf.WriteString(f(i, r))
		}
		return b.text()
	}
	for i, r := range t.S {
		_, n := utf8.DecodeRuneInString(t.S[i:])
		piece := t.slice(i, i+n)
		mapped := f(i, r)
		spans := make([]Span, len(piece.spans)) // those of piece may be t's own
		for j, s := range piece.spans {
			spans[j] = Span{0, len(mapped), s.ID}
		}
		b.add(Text{S: mapped, spans: spans})
	}
	return b.text()
}

// isSpace says whether Python's str.strip removes the rune.
func isSpace(r rune) bool {
	switch {
	case r >= '\t' && r <= '\r', r >= 0x1c && r <= ' ', r == 0x85, r == 0xa0, r == 0x1680,
		r >= 0x2000 && r <= 0x200a, r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
		return true
	}
	return false
}

// strip removes the runes for which cut is true from the ends that are asked for.
func (t Text) strip(left, right bool, cut func(rune) bool) Text {
	lo, hi := 0, len(t.S)
	if left {
		lo = hi - len(strings.TrimLeftFunc(t.S, cut))
	}
	if right {
		hi = lo + len(strings.TrimRightFunc(t.S[lo:], cut))
	}
	return t.slice(lo, hi)
}

// split cuts at every sep, at most limit times when limit is not negative.
func (t Text) split(sep string, limit int) []Text {
	var out []Text
	lo := 0
	for limit < 0 || len(out) < limit {
		i := strings.Index(t.S[lo:], sep)
		if i < 0 {
			break
		}
		out = append(out, t.slice(lo, lo+i))
		lo += i + len(sep)
	}
	return append(out, t.slice(lo, len(t.S)))
}

// rsplit cuts from the right.
func (t Text) rsplit(sep string, limit int) []Text {
	var out []Text
	hi := len(t.S)
	for limit < 0 || len(out) < limit {
		i := strings.LastIndex(t.S[:hi], sep)
		if i < 0 {
			break
		}
		out = append(out, t.slice(i+len(sep), hi))
		hi = i
	}
	out = append(out, t.slice(0, hi))
	slices.Reverse(out)
	return out
}

// fields splits at runs of white space, at most limit times when limit is not negative.
func (t Text) fields(limit int) []Text {
	var out []Text
	rest := t.strip(true, false, isSpace)
	for rest.S != "" {
		i := strings.IndexFunc(rest.S, isSpace)
		if i < 0 || limit >= 0 && len(out) == limit {
			out = append(out, rest)
			break
		}
		out = append(out, rest.slice(0, i))
		rest = rest.slice(i, len(rest.S)).strip(true, false, isSpace)
	}
	return out
}

// lines splits at line ends, which are kept when keep is set.
func (t Text) lines(keep bool) []Text {
	var out []Text
	for lo := 0; lo < len(t.S); {
		end, next := len(t.S), len(t.S)
		for i, r := range t.S[lo:] {
			if r == '\n' || r == '\r' || r == '\v' || r == '\f' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 ||
				r == 0x2029 {
				end = lo + i
				next = end + utf8.RuneLen(r)
				if strings.HasPrefix(t.S[end:], "\r\n") {
					next = end + 2
				}
				break
			}
		}
		if keep {
			end = next
		}
		out = append(out, t.slice(lo, end))
		lo = next
	}
	return out
}

// replace puts with in the place of old, at most limit times when limit is not negative. An empty old stands between
// all runes and at both ends.
func (t Text) replace(old string, with Text, limit int) Text {
	if len(t.spans) == 0 && len(with.spans) == 0 {
		return plain(strings.Replace(t.S, old, with.S, limit))
	}
	var b builder
	lo := 0
	for n := 0; limit < 0 || n < limit; n++ {
		i := strings.Index(t.S[lo:], old)
		if i < 0 {
			break
		}
		if old == "" && n > 0 {
			if lo == len(t.S) {
				break
			}
			_, i = utf8.DecodeRuneInString(t.S[lo:])
		}
		b.add(t.slice(lo, lo+i))
		b.add(with)
		lo += i + len(old)
	}
	b.add(t.slice(lo, len(t.S)))
	return b.text()
}
