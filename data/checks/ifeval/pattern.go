package ifeval

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/dlclark/regexp2"
)

// A dialect says which characters \w, \d and \s stand for, each as the inside of a character class.
type dialect struct{ word, digit, space string }

// The reference has two: Python's own re, and the package regex, which NLTK uses and whose words have marks in them.
var (
	dialectRe    = dialect{word: `\p{L}\p{N}_`, digit: `\p{Nd}`, space: `\s\x1c-\x1f`}
	dialectRegex = dialect{
		word:  `\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\u200c\u200dⒶ-ⓩ🄰-🅉🅐-🅩🅰-🆉`,
		digit: `\p{Nd}`,
		space: `\s`,
	}
)

// flags are those of a pattern or of a part of it.
type flags struct{ ignoreCase, multiline, dotAll bool }

// pattern is a compiled regular expression.
type pattern struct {
	*regexp2.Regexp
	onward *regexp2.Regexp // the same, but it may not end where the search begins
}

// compile gives a pattern in Python's notation its meaning there.
func compile(source string, d dialect, f flags) (*pattern, error) {
	t := &translator{dialect: d, source: []rune(source), names: map[string]int{}}
	err := t.alternatives(f, 0)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q: %w", source, err)
	}
	re, err := regexp2.Compile(t.out.String(), regexp2.None)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q: %w", source, err)
	}
	onward, err := regexp2.Compile("(?:"+t.out.String()+`)(?!\G)`, regexp2.None)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q: %w", source, err)
	}
	return &pattern{re, onward}, nil
}

// mustCompile is for the patterns of this package.
func mustCompile(source string, d dialect, f flags) *pattern {
	p, err := compile(source, d, f)
	if err != nil {
		panic(err)
	}
	return p
}

// translator writes a pattern of Python's in regexp2's notation, which is .NET's. Flags and classes are spelt out, so
// the result needs no options.
type translator struct {
	dialect
	source []rune
	at     int
	out    strings.Builder
	groups int
	names  map[string]int
	open   []int // groups that have not ended
}

// What came before a quantifier.
const (
	afterNothing = iota // or an anchor
	afterItem
	afterQuantifier
)

func (t *translator) more() bool { return t.at < len(t.source) }

// take moves over s if it comes next.
func (t *translator) take(s string) bool {
	if !strings.HasPrefix(string(t.source[t.at:min(len(t.source), t.at+len(s))]), s) {
		return false
	}
	t.at += len([]rune(s))
	return true
}

// alternatives translates up to the end of a group, or of the pattern at depth 0.
func (t *translator) alternatives(f flags, depth int) error {
	var err error
	before := afterNothing
	item := 0 // where the last item begins in out
	for t.more() {
		r := t.source[t.at]
		if r == ')' {
			if depth == 0 {
				return fmt.Errorf("unbalanced parenthesis")
			}
			return nil
		}
		if quantifier, ok := t.quantifier(); ok {
			switch before {
			case afterNothing:
				return fmt.Errorf("nothing to repeat before %s", quantifier)
			case afterQuantifier:
				return fmt.Errorf("multiple repeat: %s follows another", quantifier)
			}
			t.repeat(item, quantifier)
			before = afterQuantifier
			continue
		}
		item = t.out.Len()
		t.at++
		before = afterItem
		switch r {
		case '|':
			t.out.WriteByte('|')
			before = afterNothing
		case '^', '$', '.':
			t.out.WriteString(anchor(r, f))
			if r != '.' {
				before = afterNothing
			}
		case '(':
			var empty bool
			empty, err = t.group(&f, depth)
			if empty {
				before = afterNothing
			}
		case '[':
			err = t.class(f)
		case '\\':
			before, err = t.escape(f)
		default:
			t.literal(r, f)
		}
		if err != nil {
			return err
		}
	}
	if depth > 0 {
		return fmt.Errorf("missing )")
	}
	return nil
}

func anchor(r rune, f flags) string {
	switch {
	case r == '.' && f.dotAll:
		return `[\s\S]`
	case r == '.':
		return `[^\n]`
	case r == '^' && f.multiline:
		return `(?:\A|(?<=\n))`
	case r == '^':
		return `\A`
	case f.multiline:
		return `(?=\n|\z)`
	}
	return `(?=\n?\z)`
}

// quantifier takes *, +, ? or {m,n}; braces around anything else are text.
func (t *translator) quantifier() (string, bool) {
	r := t.source[t.at]
	if r == '*' || r == '+' || r == '?' {
		t.at++
		return string(r), true
	}
	if r != '{' {
		return "", false
	}
	end := t.at + 1
	for end < len(t.source) && (t.source[end] == ',' || t.source[end] >= '0' && t.source[end] <= '9') {
		end++
	}
	body := string(t.source[t.at+1 : end])
	if end == len(t.source) || t.source[end] != '}' || body == "" || strings.Count(body, ",") > 1 {
		return "", false
	}
	t.at = end + 1
	if strings.HasPrefix(body, ",") {
		body = "0" + body
	}
	return "{" + body + "}", true
}

// repeat puts a quantifier after the item that begins at start of out.
func (t *translator) repeat(start int, quantifier string) {
	switch {
	case t.take("?"):
		t.out.WriteString(quantifier + "?")
	case t.take("+"):
		// A possessive quantifier is an atomic group.
		written := t.out.String()
		t.out.Reset()
		t.out.WriteString(written[:start] + "(?>" + written[start:] + quantifier + ")")
	default:
		t.out.WriteString(quantifier)
	}
}

func (t *translator) literal(r rune, f flags) {
	same := []rune{r}
	if f.ignoreCase {
		same = sameIgnoringCase(r)
	}
	if len(same) == 1 {
		t.out.WriteString(quote(r))
		return
	}
	t.out.WriteByte('[')
	for _, s := range same {
		t.out.WriteString(quote(s))
	}
	t.out.WriteByte(']')
}

// quote writes a rune so that it stands for itself inside and outside of a class.
func quote(r rune) string {
	switch {
	case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
		return string(r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return string(r)
}

// group translates what follows an opening parenthesis. Flags for the whole pattern change f and leave nothing behind.
func (t *translator) group(f *flags, depth int) (empty bool, err error) {
	inner := *f
	opening := "(?:"
	number := 0
	switch {
	case !t.take("?"):
		t.groups++
		number = t.groups
		opening = "("
	case t.take("P<"):
		name, err := t.until('>')
		if err != nil {
			return false, err
		}
		if t.names[name] > 0 {
			return false, fmt.Errorf("two groups have the name %q", name)
		}
		t.groups++
		number = t.groups
		t.names[name] = number
		opening = "("
	case t.take("P="):
		name, err := t.until(')')
		if err != nil {
			return false, err
		}
		if t.names[name] == 0 {
			return false, fmt.Errorf("unknown group name %q", name)
		}
		return false, t.back(t.names[name], *f)
	case t.take("#"):
		_, err := t.until(')')
		return true, err
	case t.take("<="):
		opening = "(?<="
	case t.take("<!"):
		opening = "(?<!"
	case t.take("="):
		opening = "(?="
	case t.take("!"):
		opening = "(?!"
	case t.take(">"):
		opening = "(?>"
	case t.take(":"):
	default:
		inner, err = t.flags(*f)
		if err != nil {
			return false, err
		}
		if t.take(")") {
			if t.out.Len() > 0 {
				return false, fmt.Errorf("flags for the whole expression stand at its beginning")
			}
			*f = inner
			return true, nil
		}
		t.at++ // the colon
	}
	t.out.WriteString(opening)
	t.open = append(t.open, number)
	err = t.alternatives(inner, depth+1)
	if err != nil {
		return false, err
	}
	t.open = t.open[:len(t.open)-1]
	t.out.WriteByte(')')
	t.at++ // the closing parenthesis
	return false, nil
}

// flags reads i, m and s, which a minus takes away, up to the colon or the parenthesis.
func (t *translator) flags(f flags) (flags, error) {
	on := true
	for ; t.more(); t.at++ {
		switch r := t.source[t.at]; r {
		case 'i':
			f.ignoreCase = on
		case 'm':
			f.multiline = on
		case 's':
			f.dotAll = on
		case 'u':
		case '-':
			on = false
		case ':', ')':
			return f, nil
		default:
			return f, fmt.Errorf("(?%c is not supported", r)
		}
	}
	return f, fmt.Errorf("missing )")
}

func (t *translator) until(end rune) (string, error) {
	for i := t.at; i < len(t.source); i++ {
		if t.source[i] == end {
			text := string(t.source[t.at:i])
			t.at = i + 1
			return text, nil
		}
	}
	return "", fmt.Errorf("missing %c", end)
}

// back refers to what a group matched.
func (t *translator) back(number int, f flags) error {
	if number > t.groups {
		return fmt.Errorf("invalid group reference %d", number)
	}
	for _, open := range t.open {
		if open == number {
			return fmt.Errorf("cannot refer to an open group")
		}
	}
	if f.ignoreCase {
		t.out.WriteString("(?i:\\" + strconv.Itoa(number) + ")")
	} else {
		t.out.WriteString("(?:\\" + strconv.Itoa(number) + ")")
	}
	return nil
}
