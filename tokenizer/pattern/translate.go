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
	if err := t.alternatives(fold); err != nil {
		return "", err
	}
	if t.i < len(src) {
		return "", errors.New("it has a ) too many")
	}
	return t.out.String(), nil
}

// alternatives reads up to the end of the group.
func (t *translator) alternatives(fold bool) error {
	t.depth++
	if t.depth > 100 {
		return errors.New("its groups are nested too deep")
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
		quantifiable, err := t.atom(fold)
		if err != nil {
			return err
		}
		atom := t.out.String()
		t.out.Reset()
		t.out.WriteString(before)
		if err := t.quantified(atom, quantifiable); err != nil {
			return err
		}
	}
	return nil
}

// quantified writes an atom with the quantifier that follows, if one does.
func (t *translator) quantified(atom string, quantifiable bool) error {
	q, braces := t.quantifier()
	if q == "" {
		t.out.WriteString(atom)
		return nil
	}
	if !quantifiable {
		return fmt.Errorf("%q repeats what has no width", q)
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
		return fmt.Errorf("a quantifier after %q", q)
	default:
		t.out.WriteString(atom + q)
		return nil
	}
	if more, _ := t.quantifier(); more != "" {
		return fmt.Errorf("%q after another quantifier", more)
	}
	return nil
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
func (t *translator) atom(fold bool) (bool, error) {
	letter := t.letter
	t.letter = 0
	switch c := t.src[t.i]; c {
	case '(':
		return t.group(fold)
	case '[':
		set, err := t.class(fold)
		if err != nil {
			return false, err
		}
		t.out.WriteString(set.pattern())
		return true, nil
	case '.':
		t.i++
		t.out.WriteString(`[^\n]`)
		return true, nil
	case '\\':
		if t.i+1 < len(t.src) {
			switch t.src[t.i+1] {
			case 'A', 'z':
				t.out.WriteString(t.src[t.i : t.i+2])
				t.i += 2
				return false, nil
			case 'b', 'B':
				return false, errors.New(`\b`)
			}
		}
		set, r, err := t.escape()
		if err != nil {
			return false, err
		}
		if set != nil {
			t.out.WriteString(set.pattern())
			return true, nil
		}
		return true, t.literal(r, fold, letter)
	case '^': // the beginning of a line, but not after the last newline
		t.i++
		t.out.WriteString(`(?:\A|(?<=\n)(?!\z))`)
		return false, nil
	case '$':
		t.i++
		t.out.WriteString(`(?=\n|\z)`)
		return false, nil
	case '*', '+', '?':
		return false, fmt.Errorf("%q", c)
	}
	r, w := utf8.DecodeRuneInString(t.src[t.i:])
	t.i += w
	return true, t.literal(r, fold, letter)
}

// literal writes a character. Of two letters that a single character folds to, such as ss of ß, there is no telling.
func (t *translator) literal(r rune, fold bool, before byte) error {
	if !fold {
		t.out.WriteString(quoteRune(r))
		return nil
	}
	if r >= utf8.RuneSelf {
		return fmt.Errorf("%q where case is ignored", r)
	}
	set := runeSet{}
	set.addFolded(r)
	t.out.WriteString(set.pattern())
	low := byte(r) | 0x20
	if low >= 'a' && low <= 'z' {
		switch pair := string([]byte{before, low}); pair {
		case "ss", "st", "ff", "fi", "fl":
			return fmt.Errorf("%q where case is ignored", pair)
		}
		t.letter = low
	}
	return nil
}

// group reads a group or a look-around.
func (t *translator) group(fold bool) (bool, error) {
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
		return false, fmt.Errorf("the group %.4q", rest)
	case open == "(?i:":
		fold, open = true, "(?:"
	case open == "":
		open = "(?:" // nothing refers to it
	case open != "(?:" && open != "(?>":
		wide = false
	}
	t.out.WriteString(open)
	if err := t.alternatives(fold); err != nil {
		return false, err
	}
	if t.i == len(t.src) {
		return false, errors.New("a group without an end")
	}
	t.i++
	t.letter = 0
	t.out.WriteByte(')')
	return wide, nil
}

// escape reads a backslash and what follows: a class or a character.
func (t *translator) escape() (*runeSet, rune, error) {
	t.i++
	if t.i == len(t.src) {
		return nil, 0, errors.New("a backslash at the end")
	}
	c, w := utf8.DecodeRuneInString(t.src[t.i:])
	t.i += w
	switch c {
	case 'n':
		return nil, '\n', nil
	case 'r':
		return nil, '\r', nil
	case 't':
		return nil, '\t', nil
	case 'f':
		return nil, '\f', nil
	case 'v':
		return nil, '\v', nil
	case 'a':
		return nil, '\a', nil
	case 'e':
		return nil, 0x1B, nil
	case 'x':
		return t.hex()
	case 'u':
		if t.i+4 > len(t.src) {
			return nil, 0, errors.New(`\u without four digits`)
		}
		t.i += 4
		r, err := parseHex(t.src[t.i-4 : t.i])
		return nil, r, err
	case 's', 'd', 'w', 'S', 'D', 'W':
		set := new(runeSet)
		set.addShorthand(unicode.ToLower(c), t.classes)
		set.negated = unicode.IsUpper(c)
		return set, 0, nil
	case 'p', 'P':
		return t.property(c == 'P')
	}
	if c < utf8.RuneSelf && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
		return nil, 0, fmt.Errorf(`\%c`, c)
	}
	return nil, c, nil
}

// hex reads the digits of \x.
func (t *translator) hex() (*runeSet, rune, error) {
	if strings.HasPrefix(t.src[t.i:], "{") {
		digits, _, ok := strings.Cut(t.src[t.i+1:], "}")
		if !ok {
			return nil, 0, errors.New(`\x{ without an end`)
		}
		t.i += len(digits) + 2
		r, err := parseHex(digits)
		return nil, r, err
	}
	n := 0
	for n < 2 && t.i+n < len(t.src) && strings.IndexByte("0123456789abcdefABCDEF", t.src[t.i+n]) >= 0 {
		n++
	}
	r, err := parseHex(t.src[t.i : t.i+n])
	t.i += n
	if r >= utf8.RuneSelf { // a byte, not a character
		err = errors.New(`\x beyond ASCII`)
	}
	return nil, r, err
}

func parseHex(digits string) (rune, error) {
	n, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || !utf8.ValidRune(rune(n)) || n > unicode.MaxRune {
		return 0, fmt.Errorf("the code point %q", digits)
	}
	return rune(n), nil
}

// property reads the name of \p{...}.
func (t *translator) property(negated bool) (*runeSet, rune, error) {
	name, _, ok := strings.Cut(strings.TrimPrefix(t.src[t.i:], "{"), "}")
	if !ok || t.i == len(t.src) || t.src[t.i] != '{' {
		return nil, 0, errors.New(`\p without a name in braces`)
	}
	t.i += len(name) + 2
	set := &runeSet{negated: negated}
	if strings.HasPrefix(name, "^") {
		name, set.negated = name[1:], !negated
	}
	if !set.addProperty(name) {
		return nil, 0, fmt.Errorf(`\p{%s}`, name)
	}
	return set, 0, nil
}

// class reads a bracketed class, which may have classes inside, and several parts with && between: what is in all.
func (t *translator) class(fold bool) (*runeSet, error) {
	t.depth++
	if t.depth > 100 {
		return nil, errors.New("its classes are nested too deep")
	}
	defer func() { t.depth-- }()
	t.i++
	set, whole := new(runeSet), new(runeSet)
	if t.i < len(t.src) && t.src[t.i] == '^' {
		whole.negated = true
		t.i++
	}
	parts := 0
	for first := true; ; first = false {
		if t.i >= len(t.src) {
			return nil, errors.New("a class without an end")
		}
		switch rest := t.src[t.i:]; {
		case rest[0] == ']' && first, strings.HasPrefix(rest, "[:"):
			return nil, fmt.Errorf("%.2q in a class", rest)
		case rest[0] == ']':
			t.i++
			if parts > 0 {
				whole.ranges = intersect(whole.ranges, set.all())
			} else {
				whole.names, whole.ranges = set.names, set.ranges
			}
			return whole, nil
		case strings.HasPrefix(rest, "&&"):
			t.i += 2
			parts++
			if parts == 1 {
				whole.ranges = set.all()
			} else {
				whole.ranges = intersect(whole.ranges, set.all())
			}
			set = new(runeSet)
			continue
		case rest[0] == '[':
			inner, err := t.class(fold)
			if err != nil {
				return nil, err
			}
			set.addSet(inner)
			continue
		}
		if err := t.classRange(set, fold); err != nil {
			return nil, err
		}
	}
}

// classRange reads a character, a range of them or an escape in a class.
func (t *translator) classRange(set *runeSet, fold bool) error {
	part, lo, err := t.classItem()
	if err != nil {
		return err
	}
	if part != nil {
		set.addSet(part)
		return nil
	}
	hi := lo
	if rest := t.src[t.i:]; strings.HasPrefix(rest, "-") && len(rest) > 1 && rest[1] != ']' {
		t.i++
		part, hi, err = t.classItem()
		if err != nil || part != nil || hi < lo {
			return fmt.Errorf("the range from %q in a class", lo)
		}
	}
	if !fold {
		set.add(lo, hi)
		return nil
	}
	if hi >= utf8.RuneSelf {
		return fmt.Errorf("%q where case is ignored", hi)
	}
	for r := lo; r <= hi; r++ {
		set.addFolded(r)
	}
	return nil
}

// classItem reads a character or an escape in a class.
func (t *translator) classItem() (*runeSet, rune, error) {
	if t.i < len(t.src) && t.src[t.i] == '\\' {
		if strings.HasPrefix(t.src[t.i:], `\b`) {
			t.i += 2
			return nil, '\b', nil
		}
		return t.escape()
	}
	r, w := utf8.DecodeRuneInString(t.src[t.i:])
	t.i += w
	return nil, r, nil
}
