package grammar

import (
	"encoding/json"
	"strings"
)

// Bounds of what has no meaning, or of numbers that programs cannot hold: without them an answer could run away.
const (
	maxIndent = 20
	maxDigits = 15 // of an integer, and of a fraction: as many as float64 holds
)

// forms are the expressions of JSON (RFC 8259).
type forms struct {
	*forge
	space     *expression // between tokens: none, one, or line breaks with an indent
	character *expression // of a string
	plain     *expression // of a string, without escapes
	integer   *expression
	number    *expression
	any       *ruleBody // a value
}

func newForms(bound int) *forms {
	f := &forms{forge: newForge(bound)}
	f.space = f.either(f.empty, f.literal(" "),
		f.seq(f.repeat(f.literal("\n"), 1, 2), f.repeat(f.class(' ', ' ', '\t', '\t'), 0, maxIndent)))
	// Well-formed UTF-8 (Unicode 17, table 3-7).
	tail := f.class(0x80, 0xBF)
	wide := f.either(
		f.seq(f.class(0xC2, 0xDF), tail),
		f.seq(f.class(0xE0, 0xE0), f.class(0xA0, 0xBF), tail),
		f.seq(f.class(0xE1, 0xEC, 0xEE, 0xEF), tail, tail),
		f.seq(f.class(0xED, 0xED), f.class(0x80, 0x9F), tail),
		f.seq(f.class(0xF0, 0xF0), f.class(0x90, 0xBF), tail, tail),
		f.seq(f.class(0xF1, 0xF3), tail, tail, tail),
		f.seq(f.class(0xF4, 0xF4), f.class(0x80, 0x8F), tail, tail))
	f.plain = f.either(f.class(' ', '!', '#', '[', ']', 0x7E), wide)
	hex := f.class('0', '9', 'a', 'f', 'A', 'F')
	hex0to7 := f.class('0', '7')
	d := f.class('d', 'd', 'D', 'D')
	f.character = f.either(f.plain, f.seq(f.literal(`\`), f.either(
		f.class('"', '"', '\\', '\\', '/', '/', 'b', 'b', 'f', 'f', 'n', 'n', 'r', 'r', 't', 't'),
		f.seq(f.literal("u"), f.either(
			f.seq(f.class('0', '9', 'a', 'c', 'A', 'C', 'e', 'f', 'E', 'F'), hex, hex, hex),
			f.seq(d, hex0to7, hex, hex),
			f.seq(d, f.class('8', '9', 'a', 'b', 'A', 'B'), hex, hex, // a pair of surrogates is one character
				f.literal(`\u`), d, f.class('c', 'f', 'C', 'F'), hex, hex))))))
	digit := f.class('0', '9')
	f.integer = f.seq(f.optional(f.literal("-")),
		f.either(f.literal("0"), f.seq(f.class('1', '9'), f.repeat(digit, 0, maxDigits-1))))
	f.number = f.seq(f.integer,
		f.optional(f.seq(f.literal("."), f.repeat(digit, 1, maxDigits))),
		f.optional(f.seq(f.class('e', 'e', 'E', 'E'), f.optional(f.class('+', '+', '-', '-')), f.repeat(digit, 1, 2))))
	f.any = &ruleBody{}
	value := f.ref(f.any)
	f.any.is = f.either(f.text(0, unbounded), f.number, f.literal("true"), f.literal("false"), f.literal("null"),
		f.object(f.members(nil, value)), f.array(value, 0, unbounded))
	return f
}

// text is a string of so many characters.
func (f *forms) text(low, high int) *expression {
	return f.seq(f.literal(`"`), f.repeat(f.character, low, high), f.literal(`"`))
}

// array is a list of so many values.
func (f *forms) array(item *expression, low, high int) *expression {
	list := f.empty
	if high > 0 && item != f.nothing {
		more := high
		if more != unbounded {
			more--
		}
		list = f.seq(item, f.repeat(f.seq(f.literal(","), f.space, item), max(0, low-1), more), f.space)
		if low == 0 {
			list = f.optional(list)
		}
	}
	return f.seq(f.literal("["), f.space, list, f.literal("]"))
}

// object is an object with these members.
func (f *forms) object(members *expression) *expression {
	return f.seq(f.literal("{"), f.space, members, f.literal("}"))
}

// member is a member of an object.
type member struct {
	name     string
	value    *expression
	required bool
}

// members are those of an object in their order, then any others, of which each has value more; nil: there are none.
func (f *forms) members(list []member, more *expression) *expression {
	comma := f.seq(f.literal(","), f.space)
	colon := f.seq(f.literal(":"), f.space)
	// What may follow, from the last member to the first: where nothing was said yet, and where something was.
	first, later := f.empty, f.space
	if more != nil && more != f.nothing {
		names := make([]*expression, len(list))
		for i, m := range list {
			names[i] = f.literal(quote(m.name))
		}
		name := f.except(f.seq(f.literal(`"`), f.repeat(f.plain, 0, unbounded), f.literal(`"`)), f.either(names...))
		pair := f.seq(name, colon, more)
		later = f.seq(f.repeat(f.seq(comma, pair), 0, unbounded), f.space)
		first = f.optional(f.seq(pair, later))
	}
	for i := len(list) - 1; i >= 0; i-- {
		m := list[i]
		pair := f.seq(f.literal(quote(m.name)), colon, m.value)
		begun, goesOn := f.seq(pair, later), f.seq(comma, pair, later)
		if !m.required {
			begun, goesOn = f.either(begun, first), f.either(goesOn, later)
		}
		first, later = begun, goesOn
	}
	return first
}

// quote writes a JSON string with the escapes that it must have, and no others.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			escaped, _ := json.Marshal(string(r)) // of a text it has no error
			b.Write(escaped[1 : len(escaped)-1])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
