package checks

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// ranges are inclusive ranges of characters.
type ranges [][2]rune

// The classes that an escape names.
func classRanges(c rune) ranges {
	switch unicode.ToLower(c) {
	case 'd':
		return ranges{{'0', '9'}}
	case 'w':
		return ranges{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	}
	return ranges{{'\t', '\r'}, {' ', ' '}, {0xa0, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029},
		{0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}}
}

// others are all characters that are not in sorted ranges.
func (rs ranges) others() ranges {
	var out ranges
	from := rune(0)
	for _, r := range rs {
		if from < r[0] {
			out = append(out, [2]rune{from, r[0] - 1})
		}
		from = r[1] + 1
	}
	return append(out, [2]rune{from, unicode.MaxRune})
}

// set writes a class of ranges and of properties such as \p{L}.
func (t *translation) set(rs ranges, properties []string, negated bool) {
	t.atom = true
	if len(rs) == 0 && len(properties) == 0 {
		if !negated {
			t.out.WriteString("(?!)")
			return
		}
		rs = ranges{{0, unicode.MaxRune}}
		negated = false
	}
	t.out.WriteByte('[')
	if negated {
		t.out.WriteByte('^')
	}
	for _, r := range rs {
		t.span(r[0], r[1])
	}
	t.out.WriteString(strings.Join(properties, "") + "]")
}

// span writes a range, with the halves of characters where the translation keeps them.
func (t *translation) span(from, to rune) {
	const first, last = 0xd800, 0xdfff
	for _, part := range [][3]rune{{0, first - 1, 0}, {first, last, surrogates - first}, {last + 1, unicode.MaxRune, 0}} {
		low := max(from, part[0])
		high := min(to, part[1])
		if low <= high {
			t.out.WriteString(quoteRune(low+part[2]) + "-" + quoteRune(high+part[2]))
		}
	}
}

// class translates what stands in square brackets.
func (t *translation) class() error {
	negated := t.next("^")
	var all ranges
	var properties []string
	var units []rune // a character beyond the first 65,536 is two
	for {
		if len(units) == 0 && t.pos == len(t.src) {
			return errors.New("a [ is not closed")
		}
		if len(units) == 0 && t.next("]") {
			break
		}
		from, err := t.classItem(&units)
		if err != nil {
			return err
		}
		dash := len(units) == 0 && t.next("-")
		if !dash || t.pos == len(t.src) || t.src[t.pos] == ']' {
			if dash {
				t.pos--
			}
			all = append(all, from.ranges...)
			properties = append(properties, from.property...)
			continue
		}
		to, err := t.classItem(&units)
		if err != nil {
			return err
		}
		if !from.single || !to.single {
			if t.unicode {
				return errors.New("a class such as \\w cannot end a range")
			}
			all = append(append(append(all, from.ranges...), to.ranges...), [2]rune{'-', '-'})
			continue
		}
		low, high := from.ranges[0][0], to.ranges[0][0]
		if low > high {
			return fmt.Errorf("the range %c-%c is out of order", low, high)
		}
		all = append(all, [2]rune{low, high})
	}
	slices.SortFunc(all, func(a, b [2]rune) int { return int(a[0] - b[0]) })
	t.set(all, properties, negated)
	return nil
}

// classAtom is one member of a class.
type classAtom struct {
	ranges   ranges
	property []string
	single   bool // whether it is one character, which may end a range
}

func one(c rune) classAtom { return classAtom{ranges: ranges{{c, c}}, single: true} }

// classItem reads a member of a class. It leaves the second half of a character in units.
func (t *translation) classItem(units *[]rune) (classAtom, error) {
	if len(*units) > 0 {
		c := (*units)[0]
		*units = nil
		return one(c), nil
	}
	c := t.src[t.pos]
	t.pos++
	if c == '\\' {
		return t.classEscape()
	}
	if c >= 0x10000 && !t.unicode {
		high, low := utf16.EncodeRune(c)
		*units = []rune{low}
		return one(high), nil
	}
	return one(c), nil
}

// classEscape reads an escape in a class.
func (t *translation) classEscape() (classAtom, error) {
	if t.pos == len(t.src) {
		return classAtom{}, errors.New("a \\ ends the expression")
	}
	switch c := t.src[t.pos]; c {
	case 'd', 'w', 's':
		t.pos++
		return classAtom{ranges: classRanges(c)}, nil
	case 'D', 'W', 'S':
		t.pos++
		return classAtom{ranges: classRanges(c).others()}, nil
	case 'b':
		t.pos++
		return one('\b'), nil
	case '-':
		t.pos++
		return one('-'), nil
	case 'p', 'P':
		p, err := t.property()
		return classAtom{property: []string{p}}, err
	}
	c, err := t.charEscape()
	return one(c), err
}

// escape translates an escape outside of classes.
func (t *translation) escape() error {
	if t.pos == len(t.src) {
		return errors.New("a \\ ends the expression")
	}
	c := t.src[t.pos]
	switch {
	case strings.ContainsRune("dws", c):
		t.pos++
		t.set(classRanges(c), nil, false)
	case strings.ContainsRune("DWS", c):
		t.pos++
		t.set(classRanges(c), nil, true)
	case c == 'b' || c == 'B':
		t.pos++
		t.out.WriteString(boundary(c == 'B'))
		t.atom = false
	case c == 'p' || c == 'P':
		p, err := t.property()
		t.set(nil, []string{p}, false)
		return err
	case c >= '1' && c <= '9':
		return t.reference()
	case c == 'k' && len(t.names) > 0:
		name, ok := groupName("?" + string(t.src[t.pos+1:]))
		if !ok || t.names[name] == 0 {
			return errors.New("a \\k names no group")
		}
		t.pos += len([]rune(name)) + 3
		t.refer(t.names[name])
	default:
		c, err := t.charEscape()
		if err != nil {
			return err
		}
		t.char(c)
	}
	return nil
}

// boundary is \b or, inside of words and outside of them, \B. The library's own counts more letters.
func boundary(not bool) string {
	const word = `[0-9A-Z_a-z]`
	after, before := "!", "="
	if not {
		after, before = "=", "!"
	}
	return `(?:(?<=` + word + `)(?` + after + word + `)|(?<!` + word + `)(?` + before + word + `))`
}

// reference translates \1 and the like.
func (t *translation) reference() error {
	end := t.pos
	for end < len(t.src) && t.src[end] >= '0' && t.src[end] <= '9' {
		end++
	}
	text := string(t.src[t.pos:end])
	n, err := strconv.Atoi(text)
	if err != nil || n > t.groups {
		return fmt.Errorf("\\%s refers to no group", text)
	}
	t.pos = end
	t.refer(n)
	return nil
}

func (t *translation) refer(group int) {
	fmt.Fprintf(&t.out, `(?:\%d)`, group)
	t.atom = true
}

// property reads \p{...} or \P{...}, which mean something with the flag u only.
func (t *translation) property() (string, error) {
	letter := t.src[t.pos]
	if !t.unicode {
		return "", fmt.Errorf("\\%c means the letter where the flag u is not set, which it is not", letter)
	}
	name, _, ok := strings.Cut(string(t.src[t.pos+1:]), "}")
	name, braced := strings.CutPrefix(name, "{")
	t.pos += len([]rune(name)) + 3
	for _, prefix := range []string{"Script=", "sc="} {
		script, is := strings.CutPrefix(name, prefix)
		if is && unicode.Scripts[script] != nil {
			return fmt.Sprintf(`\%c{%s}`, letter, script), nil
		}
	}
	if !ok || !braced || unicode.Categories[name] == nil || len(name) > 2 {
		return "", fmt.Errorf("unknown property %q; known: categories such as L and Lu, Script=Greek", name)
	}
	return fmt.Sprintf(`\%c{%s}`, letter, name), nil
}

// charEscape reads an escape that stands for one character.
func (t *translation) charEscape() (rune, error) {
	c := t.src[t.pos]
	t.pos++
	if i := strings.IndexRune("tnvfr", c); i >= 0 {
		return rune("\t\n\v\f\r"[i]), nil
	}
	switch c {
	case '0':
		if t.pos == len(t.src) || t.src[t.pos] < '0' || t.src[t.pos] > '9' {
			return 0, nil
		}
	case 'x':
		return t.hex(2)
	case 'u':
		return t.unicodeEscape()
	case 'c':
		if t.pos < len(t.src) && t.src[t.pos] < 0x80 && unicode.IsLetter(t.src[t.pos]) {
			t.pos++
			return t.src[t.pos-1] % 32, nil
		}
	}
	switch {
	case unicode.IsLetter(c) || unicode.IsDigit(c):
		return 0, fmt.Errorf("unknown escape \\%c", c)
	case t.unicode && !strings.ContainsRune(`^$\.*+?()[]{}|/`, c):
		return 0, fmt.Errorf("\\%c is not allowed where the flag u is set", c)
	}
	if c >= 0x10000 && !t.unicode {
		return 0, fmt.Errorf("unknown escape \\%c", c)
	}
	return c, nil
}

// hex reads n hexadecimal digits.
func (t *translation) hex(n int) (rune, error) {
	if len(t.src)-t.pos >= n {
		text := string(t.src[t.pos : t.pos+n])
		if x, err := strconv.ParseUint(text, 16, 32); err == nil {
			t.pos += n
			return rune(x), nil
		}
	}
	return 0, fmt.Errorf("expected %d hexadecimal digits", n)
}

// unicodeEscape reads what stands behind \u: four digits, with the flag u also two halves of a character or {...}.
func (t *translation) unicodeEscape() (rune, error) {
	if !t.unicode {
		return t.hex(4)
	}
	if t.next("{") {
		text, _, ok := strings.Cut(string(t.src[t.pos:]), "}")
		x, err := strconv.ParseUint(text, 16, 32)
		if !ok || err != nil || x > unicode.MaxRune {
			return 0, errors.New("expected a character's number in \\u{}")
		}
		t.pos += len(text) + 1
		return rune(x), nil
	}
	high, err := t.hex(4)
	if err != nil || !utf16.IsSurrogate(high) || !t.next(`\u`) {
		return high, err
	}
	low, err := t.hex(4)
	if err != nil {
		return 0, err
	}
	if r := utf16.DecodeRune(high, low); r != unicode.ReplacementChar {
		return r, nil
	}
	return 0, errors.New("a half of a character stands alone")
}
