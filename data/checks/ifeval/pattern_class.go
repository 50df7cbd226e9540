package ifeval

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// escape translates what follows a backslash outside of a class and says what a quantifier would come after.
func (t *translator) escape(f flags) (before int, err error) {
	if !t.more() {
		return 0, fmt.Errorf("bad escape at the end")
	}
	boundary := fmt.Sprintf(`(?<=[%s])(?![%[1]s])|(?<![%[1]s])(?=[%[1]s])`, t.word)
	r := t.source[t.at]
	switch r {
	case 'A':
		t.out.WriteString(`\A`)
	case 'Z':
		t.out.WriteString(`\z`)
	case 'b':
		t.out.WriteString("(?:" + boundary + ")")
	case 'B':
		// Nowhere in an empty text, until Python 3.14.
		t.out.WriteString(`(?!\A\z|` + boundary + ")")
	default:
		set, negative, ok := t.category(r)
		if ok {
			t.at++
			t.out.WriteString(map[bool]string{false: "[", true: "[^"}[negative] + set + "]")
			return afterItem, nil
		}
		if r >= '1' && r <= '9' {
			return afterItem, t.digits(f)
		}
		char, err := t.character()
		t.literal(char, f)
		return afterItem, err
	}
	t.at++
	return afterNothing, nil
}

// category gives the inside of a class for \w, \d and \s; the capital letters mean all but that.
func (t *translator) category(r rune) (set string, negative, ok bool) {
	switch unicode.ToLower(r) {
	case 'w':
		set = t.word
	case 'd':
		set = t.digit
	case 's':
		set = t.space
	}
	return set, unicode.IsUpper(r), set != ""
}

// digits translates a backslash before a digit that is not 0: a group, or three octal digits.
func (t *translator) digits(f flags) error {
	end := t.at
	for end < len(t.source) && end < t.at+3 && t.source[end] >= '0' && t.source[end] <= '9' {
		end++
	}
	text := string(t.source[t.at:end])
	if octal, err := strconv.ParseUint(text, 8, 8); err == nil && len(text) == 3 {
		t.at = end
		t.literal(rune(octal), f)
		return nil
	}
	text = text[:min(2, len(text))]
	t.at += len(text)
	number, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	return t.back(number, f)
}

// character gives the one that an escape stands for.
func (t *translator) character() (rune, error) {
	r := t.source[t.at]
	t.at++
	switch r {
	case 'x':
		return t.hex(2)
	case 'u':
		return t.hex(4)
	case 'U':
		return t.hex(8)
	case '0':
		end := t.at
		for end < len(t.source) && end < t.at+2 && t.source[end] >= '0' && t.source[end] <= '7' {
			end++
		}
		value, err := strconv.ParseUint("0"+string(t.source[t.at:end]), 8, 32)
		t.at = end
		return rune(value), err
	}
	if i := strings.IndexRune("abfnrtv", r); i >= 0 {
		return rune("\a\b\f\n\r\t\v"[i]), nil
	}
	if r <= unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
		return 0, fmt.Errorf(`bad escape \%c`, r)
	}
	return r, nil
}

func (t *translator) hex(digits int) (rune, error) {
	end := min(len(t.source), t.at+digits)
	text := string(t.source[t.at:end])
	value, err := strconv.ParseUint(text, 16, 32)
	if err != nil || len(text) != digits || value > unicode.MaxRune {
		return 0, fmt.Errorf("%d hexadecimal digits expected, found %q", digits, text)
	}
	t.at = end
	return rune(value), nil
}

// class translates [...].
func (t *translator) class(f flags) error {
	var inside strings.Builder
	var opposites []string
	negative := t.take("^")
	for first := true; ; first = false {
		if !t.more() {
			return fmt.Errorf("unterminated character set")
		}
		if t.source[t.at] == ']' && !first {
			t.at++
			break
		}
		low, set, err := t.classItem()
		if err != nil {
			return err
		}
		isRange := t.at+1 < len(t.source) && t.source[t.at] == '-' && t.source[t.at+1] != ']'
		high := low
		if isRange {
			t.at++
			var end string
			high, end, err = t.classItem()
			if err != nil {
				return err
			}
			if set != "" || end != "" || high < low {
				return fmt.Errorf("bad character range")
			}
		}
		switch {
		case strings.HasPrefix(set, "^"):
			opposites = append(opposites, "["+set+"]")
		case set != "":
			inside.WriteString(set)
		default:
			writeRange(&inside, low, high, f)
		}
	}
	t.writeClass(inside.String(), opposites, negative)
	return nil
}

// writeClass writes a class. An opposite such as \W is written beside it.
func (t *translator) writeClass(inside string, opposites []string, negative bool) {
	if len(opposites) == 0 {
		t.out.WriteString(map[bool]string{false: "[", true: "[^"}[negative] + inside + "]")
		return
	}
	if inside != "" {
		opposites = append(opposites, "["+inside+"]")
	}
	either := "(?:" + strings.Join(opposites, "|") + ")"
	if negative {
		either = "(?:(?!" + either + `)[\s\S])`
	}
	t.out.WriteString(either)
}

// classItem reads one character of a class, or a set such as \w; before the opposite of one stands ^.
func (t *translator) classItem() (r rune, set string, err error) {
	r = t.source[t.at]
	t.at++
	if r != '\\' {
		return r, "", nil
	}
	if !t.more() {
		return 0, "", fmt.Errorf("bad escape at the end")
	}
	if set, negative, ok := t.category(t.source[t.at]); ok {
		t.at++
		return 0, map[bool]string{true: "^"}[negative] + set, nil
	}
	r, err = t.character()
	return r, "", err
}

// writeRange writes low-high, and with it what is the same ignoring case.
func writeRange(out *strings.Builder, low, high rune, f flags) {
	out.WriteString(quote(low))
	if high > low {
		out.WriteString("-" + quote(high))
	}
	// A range over whole alphabets has its other case in it; looking at each character of it would be slow.
	const most = 0x3000
	if !f.ignoreCase || high-low > most {
		return
	}
	for r := low; r <= high; r++ {
		for _, s := range sameIgnoringCase(r) {
			if s < low || s > high {
				out.WriteString(quote(s))
			}
		}
	}
}
