package checks

import (
	"errors"
	"strings"
)

// commaSeparated splits text at commas. White space around a part does not count, nor do empty parts; a part in double
// quotes may hold commas, and quotes doubled or behind a backslash.
func commaSeparated(text string) ([]string, error) {
	var out []string
	for {
		text = strings.TrimLeftFunc(text, func(r rune) bool { return r == ',' || isSpace(r) })
		if text == "" {
			return out, nil
		}
		if text[0] != '"' {
			part, rest, _ := strings.Cut(text, ",")
			out = append(out, trim(part))
			text = rest
			continue
		}
		part, rest, err := quoted(text[1:])
		if err != nil {
			return nil, err
		}
		out = append(out, part)
		text = strings.TrimLeftFunc(rest, isSpace)
		if text != "" && text[0] != ',' {
			return nil, errors.New("expected a comma behind a part in quotes")
		}
	}
}

// quoted reads up to the closing quote.
func quoted(text string) (part, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		next := byte(0)
		if i+1 < len(text) {
			next = text[i+1]
		}
		switch {
		case text[i] == '\\' && (next == '"' || next == '\\'), text[i] == '"' && next == '"':
			b.WriteByte(next)
			i++
		case text[i] == '"':
			return b.String(), text[i+1:], nil
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", errors.New("a part in quotes has no closing quote")
}
