package pattern

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// translator rewrites a regular expression of Oniguruma's Ruby syntax, which tokenizer.json files are written in, for
// github.com/dlclark/regexp2: shorthand classes are written out by the Unicode tables of Oniguruma, case-insensitive
// letters as classes, possessive quantifiers as atomic groups.
type translator struct {
	src     string
	i       int
	out     strings.Builder
	classes *Classes
	depth   int
	letter  byte // the letter before, in a case-insensitive group
	err     error
}

// fail notes the first thing that is wrong, and ends the reading.
func (t *translator) fail(format string, args ...any) {
	if t.err == nil {
		t.err = fmt.Errorf(format, args...)
	}
	t.i = len(t.src)
}

func translateRegex(src string, classes *Classes) (string, error) {
	if !utf8.ValidString(src) || len(src) > 10000 {
		return "", errors.New("it is longer than 10,000 bytes or not UTF-8")
	}
	t := translator{src: src, classes: classes}
	fold := strings.HasPrefix(src, "(?i)")
	if fold {
		t.i = len("(?i)")
	}
	t.alternatives(fold)
	if t.i < len(src) {
		t.fail("it has a ) too many")
	}
	return t.out.String(), t.err
}

// alternatives reads up to the end of the group.
func (t *translator) alternatives(fold bool) {
	t.depth++
	if t.depth > 100 {
		t.fail("its groups are nested too deep")
	}
	defer func() { t.depth-- }()
	t.letter = 0
	for t.i < len(t.src) && t.src[t.i] != ')' {
		if t.src[t.i] == '|' {
			t.out.WriteByte('|')
			t.letter = 0
			t.i++
			continue
		}
		// An atom is written before its quantifier is seen, so that a possessive one can wrap it.
		before := t.out.String()
		t.out.Reset()
		quantifiable := t.atom(fold)
		atom := t.out.String()
		t.out.Reset()
		t.out.WriteString(before)
		t.quantified(atom, quantifiable)
	}
}

// quantified writes an atom with the quantifier that follows, if one does.
func (t *translator) quantified(atom string, quantifiable bool) {
	q, braces := t.quantifier()
	if q == "" {
		t.out.WriteString(atom)
		return
	}
	if !quantifiable {
		t.fail("%q repeats what has no width", q)
	}
	next := byte(0)
	if t.i < len(t.src) {
		next = t.src[t.i]
	}
	switch {
	case next == '+' && !braces:
		t.i++
		t.out.WriteString("(?>" + atom + q + ")")
	case next == '+' || next == '?' && braces && !strings.Contains(q, ","): // repeats the repetition
		t.i++
		t.out.WriteString("(?:" + atom + q + ")" + string(next))
	case next == '?' && (!braces || strings.Contains(q, ",")):
		t.i++
		t.out.WriteString(atom + q + "?")
	case next == '?' || next == '+' || next == '*':
		t.fail("a quantifier after %q", q)
	default:
		t.out.WriteString(atom + q)
		return
	}
	if more, _ := t.quantifier(); more != "" {
		t.fail("%q after another quantifier", more)
	}
}

// quantifier reads ?, *, +, {n}, {n,}, {,m} or {n,m}; an opening brace of anything else stands for itself.
func (t *translator) quantifier() (q string, braces bool) {
	if t.i == len(t.src) {
		return "", false
	}
	switch c := t.src[t.i]; c {
	case '?', '*', '+':
		t.i++
		return string(c), false
	case '{':
		body, _, ok := strings.Cut(t.src[t.i+1:], "}")
		low, high, comma := strings.Cut(body, ",")
		if !ok || low+high == "" || strings.Trim(low+high, "0123456789") != "" || len(low) > 4 || len(high) > 4 {
			return "", false
		}
		t.i += len(body) + 2
		if low == "" {
			low = "0"
		}
		if comma {
			low += "," + high
		}
		return "{" + low + "}", true
	}
	return "", false
}

// atom reads one character, class, group or assertion. It reports whether it may be repeated.
func (t *translator) atom(fold bool) bool {
	letter := t.letter
	t.letter = 0
	c := t.src[t.i]
	switch c {
	case '(':
		return t.group(fold)
	case '[':
		t.out.WriteString(t.class(fold).pattern())
		return true
	case '\\':
		if rest := t.src[t.i+1:]; strings.HasPrefix(rest, "A") || strings.HasPrefix(rest, "z") {
			t.out.WriteString(t.src[t.i : t.i+2])
			t.i += 2
			return false
		} else if strings.HasPrefix(rest, "b") || strings.HasPrefix(rest, "B") {
			t.fail(`\b`)
			return false
		}
		set, r := t.escape()
		if set != nil {
			t.out.WriteString(set.pattern())
		} else {
			t.literal(r, fold, letter)
		}
		return true
	}
	r, w := utf8.DecodeRuneInString(t.src[t.i:])
	t.i += w
	switch c {
	case '.':
		t.out.WriteString(`[^\n]`)
	case '^': // the beginning of a line, but not after the last newline
		t.out.WriteString(`(?:\A|(?<=\n)(?!\z))`)
		return false
	case '$':
		t.out.WriteString(`(?=\n|\z)`)
		return false
	case '*', '+', '?':
		t.fail("%q", c)
	default:
		t.literal(r, fold, letter)
	}
	return true
}

// literal writes a character. Of two letters that a single character folds to, such as ss of ß, there is no telling.
func (t *translator) literal(r rune, fold bool, before byte) {
	if !fold {
		t.out.WriteString(quoteRune(r))
		return
	}
	if r >= utf8.RuneSelf {
		t.fail("%q where case is ignored", r)
	}
	set := runeSet{}
	set.addFolded(r)
	t.out.WriteString(set.pattern())
	low := byte(r) | 0x20
	if low >= 'a' && low <= 'z' {
		switch pair := string([]byte{before, low}); pair {
		case "ss", "st", "ff", "fi", "fl":
			t.fail("%q where case is ignored", pair)
		}
		t.letter = low
	}
}

// group reads a group or a look-around.
func (t *translator) group(fold bool) bool {
	rest := t.src[t.i:]
	open, wide := "", true
	for _, o := range []string{"(?:", "(?i:", "(?>", "(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(rest, o) {
			open = o
		}
	}
	t.i += max(len(open), 1)
	switch {
	case open == "" && strings.HasPrefix(rest, "(?"):
		t.fail("the group %.4q", rest)
		return false
	case open == "(?i:":
		fold, open = true, "(?:"
	case open == "":
		open = "(?:" // nothing refers to it
	case open != "(?:" && open != "(?>":
		wide = false
	}
	t.out.WriteString(open)
	t.alternatives(fold)
	if t.i == len(t.src) {
		t.fail("a group without an end")
		return false
	}
	t.i++
	t.letter = 0
	t.out.WriteByte(')')
	return wide
}

// escape reads a backslash and what follows: a class or a character.
func (t *translator) escape() (*runeSet, rune) {
	t.i++
	if t.i == len(t.src) {
		t.fail("a backslash at the end")
		return nil, 0
	}
	c, w := utf8.DecodeRuneInString(t.src[t.i:])
	t.i += w
	if control, ok := controls[c]; ok {
		return nil, control
	}
	switch c {
	case 'x':
		return nil, t.hex()
	case 'u':
		if t.i+4 > len(t.src) {
			t.fail(`\u without four digits`)
			return nil, 0
		}
		t.i += 4
		return nil, t.parseHex(t.src[t.i-4 : t.i])
	case 's', 'd', 'w', 'S', 'D', 'W':
		set := new(runeSet)
		set.addShorthand(unicode.ToLower(c), t.classes)
		set.negated = unicode.IsUpper(c)
		return set, 0
	case 'p', 'P':
		return t.property(c == 'P'), 0
	}
	if c < utf8.RuneSelf && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
		t.fail(`\%c`, c)
	}
	return nil, c
}

// controls are the control characters that have a letter.
var controls = map[rune]rune{'n': '\n', 'r': '\r', 't': '\t', 'f': '\f', 'v': '\v', 'a': '\a', 'e': 0x1B}

// hex reads the digits of \x.
func (t *translator) hex() rune {
	if strings.HasPrefix(t.src[t.i:], "{") {
		digits, _, ok := strings.Cut(t.src[t.i+1:], "}")
		if !ok {
			t.fail(`\x{ without an end`)
			return 0
		}
		t.i += len(digits) + 2
		return t.parseHex(digits)
	}
	n := 0
	for n < 2 && t.i+n < len(t.src) && strings.IndexByte("0123456789abcdefABCDEF", t.src[t.i+n]) >= 0 {
		n++
	}
	t.i += n
	r := t.parseHex(t.src[t.i-n : t.i])
	if r >= utf8.RuneSelf { // a byte, not a character
		t.fail(`\x beyond ASCII`)
	}
	return r
}

func (t *translator) parseHex(digits string) rune {
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || !utf8.ValidRune(rune(n)) || n > unicode.MaxRune {
		t.fail("the code point %q", digits)
		return 0
	}
	return rune(n)
}

// property reads the name of \p{...}.
func (t *translator) property(negated bool) *runeSet {
	set := &runeSet{negated: negated}
	name, _, ok := strings.Cut(strings.TrimPrefix(t.src[t.i:], "{"), "}")
	if !ok || t.i == len(t.src) || t.src[t.i] != '{' {
		t.fail(`\p without a name in braces`)
		return set
	}
	t.i += len(name) + 2
	if strings.HasPrefix(name, "^") {
		name, set.negated = name[1:], !negated
	}
	if !set.addProperty(name) {
		t.fail(`\p{%s}`, name)
	}
	return set
}

// class reads a bracketed class, which may have classes inside, and several parts with && between: what is in all.
func (t *translator) class(fold bool) *runeSet {
	t.depth++
	defer func() { t.depth-- }()
	t.i++
	set, whole := new(runeSet), new(runeSet)
	if t.i < len(t.src) && t.src[t.i] == '^' {
		whole.negated = true
		t.i++
	}
	parts := 0
	for first := true; ; first = false {
		switch rest := t.src[min(t.i, len(t.src)):]; {
		case t.depth > 100:
			t.fail("its classes are nested too deep")
			return whole
		case rest == "":
			t.fail("a class without an end")
			return whole
		case rest[0] == ']' && first, strings.HasPrefix(rest, "[:"):
			t.fail("%.2q in a class", rest)
			return whole
		case rest[0] == ']':
			t.i++
			if parts > 0 {
				whole.ranges = intersect(whole.ranges, set.all())
			} else {
				whole.names, whole.ranges = set.names, set.ranges
			}
			return whole
		case strings.HasPrefix(rest, "&&"):
			t.i += 2
			parts++
			if parts == 1 {
				whole.ranges = set.all()
			} else {
				whole.ranges = intersect(whole.ranges, set.all())
			}
			set = new(runeSet)
		case rest[0] == '[':
			set.addSet(t.class(fold))
		default:
			t.classRange(set, fold)
		}
	}
}

// classRange reads a character, a range of them or an escape in a class.
func (t *translator) classRange(set *runeSet, fold bool) {
	part, lo := t.classItem()
	if part != nil {
		set.addSet(part)
		return
	}
	hi := lo
	if rest := t.src[t.i:]; strings.HasPrefix(rest, "-") && len(rest) > 1 && rest[1] != ']' {
		t.i++
		before := t.err
		part, hi = t.classItem()
		if t.err != nil || part != nil || hi < lo {
			t.err = before
			t.fail("the range from %q in a class", lo)
		}
	}
	switch {
	case t.err != nil:
	case !fold:
		set.add(lo, hi)
	case hi >= utf8.RuneSelf:
		t.fail("%q where case is ignored", hi)
	default:
		for r := lo; r <= hi; r++ {
			set.addFolded(r)
		}
	}
}

// classItem reads a character or an escape in a class.
func (t *translator) classItem() (*runeSet, rune) {
	if t.i < len(t.src) && t.src[t.i] == '\\' {
		if strings.HasPrefix(t.src[t.i:], `\b`) {
			t.i += 2
			return nil, '\b'
		}
		return t.escape()
	}
	r, w := utf8.DecodeRuneInString(t.src[t.i:])
	t.i += w
	return nil, r
}
