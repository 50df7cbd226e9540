package file

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonReader walks over JSON text. Vocabularies are megabytes of short strings: reading them as slices of the file's
// text takes a fraction of encoding/json's time and no memory.
type jsonReader struct {
	name string // of the file, for messages
	s    string
	i    int
}

// fail says what was expected at the present place.
func (r *jsonReader) fail(expected string) error {
	if r.i >= len(r.s) {
		return mistake("%s: cut short: the JSON does not end within its %d bytes; copy the file again", r.name, len(r.s))
	}
	c, _ := utf8.DecodeRuneInString(r.s[r.i:])
	return mistake("%s: expected %s, found %q", r.place(r.i), expected, c)
}

// place is byte i as file:line:column.
func (r *jsonReader) place(i int) string {
	before := r.s[:min(i, len(r.s))]
	line := strings.Count(before, "\n") + 1
	return r.name + ":" + strconv.Itoa(line) + ":" + strconv.Itoa(len(before)-strings.LastIndexByte(before, '\n'))
}

// peek gives the next byte that is not space, or 0 at the end.
func (r *jsonReader) peek() byte {
	for r.i < len(r.s) {
		switch c := r.s[r.i]; c {
		case ' ', '\t', '\n', '\r':
			r.i++
		default:
			return c
		}
	}
	return 0
}

// list reads what stands between open and end, each element by each.
func (r *jsonReader) list(open, end byte, each func() error) error {
	if r.peek() != open {
		return r.fail(strconv.QuoteRune(rune(open)))
	}
	r.i++
	if r.peek() == end {
		r.i++
		return nil
	}
	for {
		if err := each(); err != nil {
			return err
		}
		switch r.peek() {
		case ',':
			r.i++
		case end:
			r.i++
			return nil
		default:
			return r.fail(strconv.QuoteRune(',') + " or " + strconv.QuoteRune(rune(end)))
		}
	}
}

// array reads an array; each must read one element.
func (r *jsonReader) array(each func() error) error { return r.list('[', ']', each) }

// object reads an object; each must read the value of key.
func (r *jsonReader) object(each func(key string) error) error {
	return r.list('{', '}', func() error {
		key, err := r.text()
		if err != nil {
			return err
		}
		if r.peek() != ':' {
			return r.fail("':'")
		}
		r.i++
		return each(key)
	})
}

// text reads a string. It is a part of the file's text where nothing in it is escaped.
func (r *jsonReader) text() (string, error) {
	if r.peek() != '"' {
		return "", r.fail("a string")
	}
	start := r.i + 1
	plain := true
	for r.i = start; r.i < len(r.s); r.i++ {
		switch c := r.s[r.i]; {
		case c == '"':
			s := r.s[start:r.i]
			r.i++
			if plain && utf8.ValidString(s) {
				return s, nil
			}
			var out string
			if err := json.Unmarshal([]byte(r.s[start-1:r.i]), &out); err != nil {
				return "", mistake("%s: %w", r.place(start-1), err)
			}
			return out, nil
		case c == '\\':
			plain = false
			r.i++
		case c < ' ':
			return "", r.fail("a string without control characters")
		}
	}
	r.i = len(r.s)
	return "", r.fail("")
}

// integer reads a whole number.
func (r *jsonReader) integer() (int64, error) {
	r.peek()
	start := r.i
	for r.i < len(r.s) && (r.s[r.i] == '-' || r.s[r.i] >= '0' && r.s[r.i] <= '9') {
		r.i++
	}
	n, err := strconv.ParseInt(r.s[start:r.i], 10, 64)
	if err != nil {
		r.i = start
		return 0, r.fail("a whole number")
	}
	return n, nil
}

// number reads a number as the Rust library does, whose reader (serde_json, de.rs, f64_from_parts) rounds twice: once
// the digits and once the power of ten. Scores that are equal there are to be equal here.
func (r *jsonReader) number() (float64, error) {
	r.peek()
	start := r.i
	for r.i < len(r.s) && strings.IndexByte("+-.0123456789Ee", r.s[r.i]) >= 0 {
		r.i++
	}
	src := r.s[start:r.i]
	exact, err := strconv.ParseFloat(src, 64)
	if err != nil {
		r.i = start
		return 0, r.fail("a number")
	}
	mantissa, power, _ := strings.Cut(strings.ToLower(strings.TrimLeft(src, "+-")), "e")
	exponent := 0
	if power != "" {
		if exponent, err = strconv.Atoi(power); err != nil || exponent < -1000 || exponent > 1000 {
			return exact, nil // beyond any score
		}
	}
	var digits uint64
	fraction, full := false, false
	for _, c := range []byte(mantissa) {
		if c == '.' {
			fraction = true
			continue
		}
		full = full || digits > (math.MaxUint64-uint64(c-'0'))/10
		switch {
		case full && !fraction:
			exponent++
		case !full:
			digits = 10*digits + uint64(c-'0')
			if fraction {
				exponent--
			}
		}
	}
	n := float64(digits)
	for ; exponent < -308 && n != 0; exponent += 308 {
		n /= 1e308
	}
	ten, err := strconv.ParseFloat("1e"+strconv.Itoa(max(exponent, -exponent)), 64)
	if err != nil || n == 0 {
		return exact, nil
	}
	if exponent < 0 {
		n /= ten
	} else {
		n *= ten
	}
	return math.Copysign(n, exact), nil
}

// skip passes over a value and gives its text.
func (r *jsonReader) skip() (string, error) {
	r.peek()
	start := r.i
	if err := r.pass(0); err != nil {
		return "", err
	}
	return r.s[start:r.i], nil
}

// pass passes over a value, depth levels down.
func (r *jsonReader) pass(depth int) error {
	if depth > 500 {
		return mistake("%s: nested too deep", r.place(r.i))
	}
	switch c := r.peek(); {
	case c == '{':
		return r.object(func(string) error { return r.pass(depth + 1) })
	case c == '[':
		return r.array(func() error { return r.pass(depth + 1) })
	case c == '"':
		return r.passText()
	case c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f' || c == 'n':
		start := r.i
		for r.i < len(r.s) && strings.IndexByte("+-.0123456789Eaeflnrstu", r.s[r.i]) >= 0 {
			r.i++
		}
		if r.i < len(r.s) && !json.Valid([]byte(r.s[start:r.i])) {
			r.i = start
			return r.fail("a value")
		}
		return nil
	}
	return r.fail("a value")
}

// passText passes over a string without looking at it closely.
func (r *jsonReader) passText() error {
	for r.i++; r.i < len(r.s); r.i++ {
		switch r.s[r.i] {
		case '"':
			r.i++
			return nil
		case '\\':
			r.i++
		}
	}
	r.i = len(r.s)
	return r.fail("")
}
