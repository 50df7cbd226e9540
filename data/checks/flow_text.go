package checks

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// fold makes a space of a line break, and breaks of all but the first of several.
func fold(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(text, "\n")
	var b strings.Builder
	breaks := 0
	for i, line := range lines {
		if i > 0 {
			line = strings.TrimLeft(line, " \t")
		}
		if i < len(lines)-1 {
			line = strings.TrimRight(line, " \t")
		}
		if i > 0 && line == "" && i < len(lines)-1 {
			breaks++
			continue
		}
		if i > 0 && breaks == 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strings.Repeat("\n", breaks) + line)
		breaks = 0
	}
	return b.String()
}

// quoted reads text in quotes.
func (f *flow) quoted() (string, error) {
	quote := f.at(0)
	f.pos++
	start := f.pos
	for f.pos < len(f.src) {
		c := f.at(0)
		switch {
		case c == quote && quote == '\'' && f.at(1) == quote:
			f.pos++
		case c == quote:
			text := string(f.src[start:f.pos])
			f.pos++
			if quote == '\'' {
				return strings.ReplaceAll(fold(text), "''", "'"), nil
			}
			return unescape(text)
		case c == '\\' && quote == '"':
			f.pos++
		case c < ' ' && c != '\t' && !isBreak(c), f.separator():
			return "", errFlow
		}
		f.pos++
	}
	return "", errFlow
}

// unescape folds text of double quotes and resolves its escapes.
func unescape(text string) (string, error) {
	if !strings.Contains(text, `\`) {
		return fold(text), nil
	}
	const hidden = "\ue000" // A break that an escape takes back; nothing prints it.
	text = escapedBreak().ReplaceAllString(text, "$1"+hidden)
	src := []rune(fold(text))
	var out []uint16
	for i := 0; i < len(src); i++ {
		if src[i] != '\\' {
			out = append(out, utf16.Encode(src[i:i+1])...)
			continue
		}
		i++
		if i == len(src) {
			return "", errFlow
		}
		if n := strings.IndexRune("0abt\tnvfre \"/\\N_LP", src[i]); n >= 0 {
			to := []rune("\x00\a\b\t\t\n\v\f\r\x1b \"/\\\u0085\u00a0\u2028\u2029")
			out = append(out, utf16.Encode(to[n:n+1])...)
			continue
		}
		digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[src[i]]
		if digits == 0 || i+digits >= len(src) {
			return "", errFlow
		}
		x, err := strconv.ParseUint(string(src[i+1:i+1+digits]), 16, 32)
		if err != nil {
			return "", errFlow
		}
		i += digits
		if x < 0x10000 {
			out = append(out, uint16(x))
		} else {
			out = append(out, utf16.Encode([]rune{rune(x)})...)
		}
	}
	return strings.ReplaceAll(string(utf16.Decode(out)), hidden, ""), nil
}

// escapedBreak is a line's end behind a backslash that no other escapes, with the white space of the next line.
var escapedBreak = lazy(`((?:^|[^\\])(?:\\\\)*)\\(?:\r\n|\n|\r)[ \t]*`)
