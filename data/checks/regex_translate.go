package checks

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// translation writes a regular expression of JavaScript (ECMA-262, 22.2.1 with annex B) in the terms of regexp2, which
// are .NET's. Whatever the two read differently is spelt out: classes as ranges, named groups as numbered ones,
// characters beyond the first 65,536 as two code units unless the flag u stands.
type translation struct {
	src     []rune
	pos     int
	unicode bool
	out     strings.Builder
	groups  int
	names   map[string]int
	// open are the groups that are open, by whether a quantifier may follow their end.
	open []bool
	// atom says whether a quantifier may follow.
	atom bool
}

func newTranslation(source string, unicode bool) *translation {
	t := &translation{src: []rune(source), unicode: unicode, names: map[string]int{}}
	return t
}

// run translates all of it.
func (t *translation) run() error {
	if err := t.countGroups(); err != nil {
		return err
	}
	for t.pos < len(t.src) {
		if err := t.term(); err != nil {
			return err
		}
	}
	if len(t.open) > 0 {
		return errors.New("a group is not closed")
	}
	return nil
}

// countGroups numbers the groups before anything refers to them.
func (t *translation) countGroups() error {
	class := false
	for i := 0; i < len(t.src); i++ {
		switch c := t.src[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			rest := string(t.src[i+1:])
			name, named := groupName(rest)
			if strings.HasPrefix(rest, "?") && !named {
				continue
			}
			t.groups++
			if !named {
				continue
			}
			if t.names[name] != 0 {
				return fmt.Errorf("two groups are named %q", name)
			}
			t.names[name] = t.groups
		}
	}
	return nil
}

// groupName is the name in ?<name> at the beginning of a text.
func groupName(text string) (name string, ok bool) {
	text, ok = strings.CutPrefix(text, "?<")
	if !ok || text == "" || text[0] == '=' || text[0] == '!' {
		return "", false
	}
	name, _, ok = strings.Cut(text, ">")
	return name, ok && isName(name)
}

// isName says whether a text may name a group.
func isName(name string) bool {
	for i, r := range name {
		if !(r == '$' || r == '_' || unicode.IsLetter(r) || i > 0 && unicode.IsDigit(r)) {
			return false
		}
	}
	return name != ""
}

// next takes the text if it stands here.
func (t *translation) next(text string) bool {
	rs := []rune(text)
	if len(t.src)-t.pos < len(rs) || string(t.src[t.pos:t.pos+len(rs)]) != text {
		return false
	}
	t.pos += len(rs)
	return true
}

// term translates a character with its meaning.
func (t *translation) term() error {
	c := t.src[t.pos]
	t.pos++
	switch c {
	case '(':
		return t.group()
	case ')':
		if len(t.open) == 0 {
			return errors.New("a ) closes no group")
		}
		last := len(t.open) - 1
		t.atom = t.open[last]
		t.open = t.open[:last]
		t.out.WriteByte(')')
	case '|':
		t.out.WriteByte('|')
		t.atom = false
	case '^':
		t.out.WriteByte('^')
		t.atom = false
	case '$':
		t.out.WriteString(`\z`)
		t.atom = false
	case '.':
		t.set(ranges{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}, nil, true)
	case '[':
		return t.class()
	case '\\':
		return t.escape()
	case '*', '+', '?':
		return t.quantifier(string(c))
	case '{':
		if q, ok := t.count(); ok {
			return t.quantifier(q)
		}
		return t.lonely(c)
	case ']', '}':
		return t.lonely(c)
	default:
		t.char(c)
	}
	return nil
}

// lonely is a bracket that closes or opens nothing, which only stands for itself without the flag u.
func (t *translation) lonely(c rune) error {
	if t.unicode {
		return fmt.Errorf("a lone %c must be written \\%c", c, c)
	}
	t.char(c)
	return nil
}

// char writes a character that stands for itself.
func (t *translation) char(c rune) {
	t.atom = true
	if c >= 0x10000 && !t.unicode {
		high, low := utf16.EncodeRune(c)
		t.char(high)
		t.char(low)
		return
	}
	t.out.WriteString(quoteRune(unitRune(c)))
}

// quoteRune is a rune as regexp2 reads it inside and outside of classes.
func quoteRune(r rune) string {
	switch {
	case r < 0x80 && !unicode.IsLetter(r) && !unicode.IsDigit(r):
		return fmt.Sprintf(`\u%04x`, r)
	}
	return string(r)
}

// group translates the beginning of a group.
func (t *translation) group() error {
	t.atom = false
	rest := string(t.src[t.pos:min(len(t.src), t.pos+3)])
	for _, kind := range []string{"?:", "?=", "?!", "?<=", "?<!"} {
		if !strings.HasPrefix(rest, kind) {
			continue
		}
		t.pos += len(kind)
		t.out.WriteString("(" + kind)
		look := kind != "?:"
		behind := len(kind) == 3
		t.open = append(t.open, !look || !behind && !t.unicode)
		return nil
	}
	if t.next("?") {
		name, ok := groupName("?" + string(t.src[t.pos:]))
		if !ok {
			return errors.New("unknown kind of group (?")
		}
		t.pos += len([]rune(name)) + 2
	}
	t.out.WriteByte('(')
	t.open = append(t.open, true)
	return nil
}

// count reads {n}, {n,} or {n,m} behind its brace.
func (t *translation) count() (string, bool) {
	text, _, ok := strings.Cut(string(t.src[t.pos:]), "}")
	if !ok {
		return "", false
	}
	least, most, comma := strings.Cut(text, ",")
	if least == "" || !digits(least) || !digits(most) {
		return "", false
	}
	t.pos += len(text) + 1
	q := "{" + clamp(least)
	if comma {
		q += "," + clamp(most)
	}
	return q + "}", true
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// clamp makes a count that regexp2 can hold, beyond any answer's length.
func clamp(s string) string {
	if n, err := strconv.Atoi(s); s != "" && (err != nil || n > 1<<30) {
		return strconv.Itoa(1 << 30)
	}
	return s
}

// quantifier writes a quantifier, which must have something to repeat.
func (t *translation) quantifier(q string) error {
	if !t.atom {
		return fmt.Errorf("nothing to repeat before %s", q)
	}
	t.atom = false
	if least, most, ok := strings.Cut(strings.Trim(q, "{}"), ","); ok && most != "" {
		n, _ := strconv.Atoi(least)
		m, _ := strconv.Atoi(most)
		if n > m {
			return fmt.Errorf("the counts of %s are out of order", q)
		}
	}
	t.out.WriteString(q)
	if t.next("?") {
		t.out.WriteByte('?')
	}
	return nil
}
