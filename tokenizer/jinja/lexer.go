package jinja

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind int

const (
	tokenEOF      kind = iota
	tokenText          // text outside of tags
	tokenVar           // {{
	tokenVarEnd        // }}
	tokenBlock         // {%
	tokenBlockEnd      // %}
	tokenName
	tokenInt
	tokenFloat
	tokenString
	tokenOp
)

type token struct {
	kind  kind
	text  string
	line  int
	value Value // of int, float
}

// lexer cuts a template into tokens with trim_blocks and lstrip_blocks, as jinja2/lexer.py does.
type lexer struct {
	src       string
	pos       int
	line      int
	lineStart bool // the last match ended with a newline, or nothing was read yet
	tokens    []token
}

// The longer operators come first.
var operators = []string{
	"//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~",
	"[", "]", "(", ")", "{", "}", "<", ">", "=", ".", ":", "|", ",", ";",
}

var (
	reNumber = regexp.MustCompile(`^(0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|` +
		`[0-9](?:_?[0-9])*(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?)`)
	reRaw      = regexp.MustCompile(`^\{%([-+]?)\s*raw\s*(-%\}\s*|%\})`)
	reEndRaw   = regexp.MustCompile(`\{%([-+]?)\s*endraw\s*(\+%\}|-%\}\s*|%\}\n?)`)
	reEndNotes = regexp.MustCompile(`\+#\}|-#\}\s*|#\}\n?`)
)

func lex(src string) []token {
	src = strings.ReplaceAll(strings.ReplaceAll(src, "\r\n", "\n"), "\r", "\n")
	src = strings.TrimSuffix(src, "\n")
	l := &lexer{src: src, line: 1, lineStart: true}
	for l.pos < len(l.src) {
		l.outside()
	}
	l.emit(tokenEOF, "")
	return l.tokens
}

func (l *lexer) errorf(format string, args ...any) *Error { return fail(l.line, format, args...) }

func (l *lexer) emit(k kind, text string) {
	l.tokens = append(l.tokens, token{kind: k, text: text, line: l.line})
}

// advance steps over n bytes.
func (l *lexer) advance(n int) {
	part := l.src[l.pos : l.pos+n]
	l.line += strings.Count(part, "\n")
	l.pos += n
}

// outside reads text up to the next tag, and the tag.
func (l *lexer) outside() {
	rest := l.src[l.pos:]
	i := 0
	for {
		j := strings.IndexByte(rest[i:], '{')
		if j < 0 || i+j+1 >= len(rest) {
			l.text(rest)
			l.advance(len(rest))
			return
		}
		i += j
		if c := rest[i+1]; c == '{' || c == '%' || c == '#' {
			break
		}
		i++
	}
	tag := rest[i : i+2]
	strip := byte(0)
	if i+2 < len(rest) && (rest[i+2] == '-' || rest[i+2] == '+') {
		strip = rest[i+2]
	}
	l.text(l.trimBefore(rest[:i], tag, strip))
	l.advance(i)
	if tag == "{%" {
		if m := reRaw.FindStringSubmatch(l.src[l.pos:]); m != nil {
			l.raw(m[0])
			return
		}
	}
	l.advance(2)
	if strip != 0 {
		l.advance(1)
	}
	switch tag {
	case "{#":
		m := reEndNotes.FindStringIndex(l.src[l.pos:])
		if m == nil {
			panic(l.errorf("the comment has no end: #} is missing"))
		}
		l.lineStart = l.src[l.pos+m[1]-1] == '\n'
		l.advance(m[1])
	case "{{":
		l.emit(tokenVar, tag)
		l.inside("}}", tokenVarEnd)
	default:
		l.emit(tokenBlock, tag)
		l.inside("%}", tokenBlockEnd)
	}
}

func (l *lexer) text(s string) {
	if s != "" {
		l.emit(tokenText, s)
	}
}

// trimBefore strips the text before a tag: all white space for "-", and (lstrip_blocks) the indentation of a block
// or comment that is the first thing on its line.
func (l *lexer) trimBefore(text, tag string, strip byte) string {
	if strip == '-' {
		return strings.TrimRightFunc(text, isSpace)
	}
	if strip == '+' || tag == "{{" {
		return text
	}
	at := strings.LastIndexByte(text, '\n') + 1
	if (at > 0 || l.lineStart) && strings.TrimLeftFunc(text[at:], isSpace) == "" {
		return text[:at]
	}
	return text
}

// raw reads a raw block whose opening tag is given.
func (l *lexer) raw(open string) {
	l.advance(len(open))
	m := reEndRaw.FindStringSubmatchIndex(l.src[l.pos:])
	if m == nil {
		panic(l.errorf("the raw block has no end: {%% endraw %%} is missing"))
	}
	rest := l.src[l.pos:]
	strip := byte(0)
	if m[3] > m[2] {
		strip = rest[m[2]]
	}
	l.lineStart = strings.HasSuffix(open, "\n")
	l.text(l.trimBefore(rest[:m[0]], "{%", strip))
	l.lineStart = rest[m[1]-1] == '\n'
	l.advance(m[1])
}

// inside reads the tokens of a tag up to its end.
func (l *lexer) inside(end string, endKind kind) {
	open := 0
	for {
		rest := l.src[l.pos:]
		trimmed := strings.TrimLeftFunc(rest, isSpace)
		l.advance(len(rest) - len(trimmed))
		rest = trimmed
		if rest == "" {
			panic(l.errorf("the tag has no end: %s is missing", end))
		}
		if open == 0 {
			if n, ok := tagEnd(rest, end); ok {
				l.emit(endKind, end)
				l.lineStart = rest[n-1] == '\n'
				l.advance(n)
				return
			}
		}
		n := l.one(rest)
		switch last := l.tokens[len(l.tokens)-1]; {
		case last.kind != tokenOp:
		case strings.Contains("([{", last.text):
			open++
		case strings.Contains(")]}", last.text):
			if open == 0 {
				panic(l.errorf("unexpected %q", last.text))
			}
			open--
		}
		l.advance(n)
	}
}

// tagEnd matches the end of a tag and what is trimmed after it.
func tagEnd(rest, end string) (n int, ok bool) {
	switch {
	case strings.HasPrefix(rest, "-"+end):
		after := rest[1+len(end):]
		return len(rest) - len(strings.TrimLeftFunc(after, isSpace)), true
	case strings.HasPrefix(rest, "+"+end) && end == "%}":
		return 1 + len(end), true
	case strings.HasPrefix(rest, end):
		if end == "%}" && strings.HasPrefix(rest[len(end):], "\n") {
			return len(end) + 1, true
		}
		return len(end), true
	}
	return 0, false
}

// one reads one token of an expression and tells its length.
func (l *lexer) one(rest string) int {
	c, size := utf8.DecodeRuneInString(rest)
	switch {
	case c == '"' || c == '\'':
		return l.quoted(rest)
	case c >= '0' && c <= '9':
		return l.number(rest)
	case c == '_' || unicode.IsLetter(c):
		n := size
		for n < len(rest) {
			r, size := utf8.DecodeRuneInString(rest[n:])
			if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				break
			}
			n += size
		}
		l.emit(tokenName, rest[:n])
		return n
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			l.emit(tokenOp, op)
			return len(op)
		}
	}
	panic(l.errorf("unexpected character %q", c))
}

func (l *lexer) number(rest string) int {
	text := reNumber.FindString(rest)
	digits := strings.ReplaceAll(text, "_", "")
	for _, base := range []int{0, 10} {
		if i, err := strconv.ParseInt(digits, base, 64); err == nil {
			l.tokens = append(l.tokens, token{tokenInt, text, l.line, i})
			return len(text)
		}
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		panic(l.errorf("the number %s is too large", text))
	}
	l.tokens = append(l.tokens, token{tokenFloat, text, l.line, f})
	return len(text)
}

func (l *lexer) quoted(rest string) int {
	var b strings.Builder
	for i := 1; i < len(rest); {
		switch c := rest[i]; {
		case c == rest[0]:
			l.emit(tokenString, b.String())
			return i + 1
		case c == '\\' && i+1 < len(rest):
			i += l.escape(&b, rest[i:])
		default:
			b.WriteByte(c)
			i++
		}
	}
	panic(l.errorf("the string has no end"))
}

var simpleEscapes = map[byte]string{
	'n': "\n", 't': "\t", 'r': "\r", '\\': `\`, '\'': `'`, '"': `"`,
	'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", '\n': "",
}

// escape decodes one backslash escape of a Python string and tells its length.
func (l *lexer) escape(b *strings.Builder, s string) int {
	c := s[1]
	if text, ok := simpleEscapes[c]; ok {
		b.WriteString(text)
		return 2
	}
	if c >= '0' && c <= '7' {
		n := 2
		for n < len(s) && n < 4 && s[n] >= '0' && s[n] <= '7' {
			n++
		}
		r, _ := strconv.ParseUint(s[1:n], 8, 32)
		b.WriteRune(rune(r))
		return n
	}
	if digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]; digits > 0 {
		if len(s) >= 2+digits {
			if r, err := strconv.ParseUint(s[2:2+digits], 16, 32); err == nil && r <= unicode.MaxRune {
				b.WriteRune(rune(r))
				return 2 + digits
			}
		}
		panic(l.errorf(`the escape \%c needs %d hexadecimal digits of a character`, c, digits))
	}
	b.WriteString(s[:2]) // Python keeps an unknown escape as it is
	return 2
}
