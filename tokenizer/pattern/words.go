package pattern

import "unicode/utf8"

// wordPattern is one of the regular expressions that byte-level models split words with, as data. All of them have the
// same alternatives, tried in this order at each place, and together they match any text:
//
//	contractions | prefix? letters | numbers | " "? others newlines | \s*[\r\n]+ | \s+(?!\S) | \s+
type wordPattern struct {
	contraction contraction // 's 't 're 've 'm 'll 'd as a word of their own
	suffix      bool        // ... or only at the end of a word
	cased       bool        // a word is upper case and then lower case letters, with marks among both
	marks       bool        // letters are [\p{L}\p{M}]
	prefix      bool        // a word takes one leading [^\r\n\p{L}\p{N}]; otherwise one leading space
	numberSpace bool        // numbers take one leading space
	digits      int         // the most digits in a number; 0: no limit
	slashes     bool        // newlines after others are [\r\n/]*
	newlines    bool        // the alternatives with [\r\n] exist
	han         bool        // runs of [\p{Han}] come first and are no letters of words; for the classes of withHan
}

// contraction says how English contractions are matched.
type contraction uint8

const (
	noContraction    contraction = iota
	exactContraction             // 's|'t|'re|'ve|'m|'ll|'d
	foldContraction              // (?i:...)
)

// Regular expressions of known models, as their files write them.
const (
	foldRegex   = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`
	spacesRegex = `|\s*[\r\n]+|\s+(?!\S)|\s+`
	leadRegex   = `[^\r\n\p{L}\p{N}]?`
	upperRegex  = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
	lowerRegex  = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`

	GPT2        = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	Llama3      = foldRegex + `|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*` + spacesRegex
	Qwen2       = foldRegex + `|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*` + spacesRegex
	qwen35Regex = foldRegex + `|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*` + spacesRegex
	O200K       = leadRegex + upperRegex + `*` + lowerRegex + `+` + foldRegex + `?|` +
		leadRegex + upperRegex + `+` + lowerRegex + `*` + foldRegex + `?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*` + spacesRegex
	Tekken = leadRegex + upperRegex + `*` + lowerRegex + `+|` +
		leadRegex + upperRegex + `+` + lowerRegex + `*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*` + spacesRegex
	kimiRegex = `[\p{Han}]+|` + leadRegex + upperNoHan + `*` + lowerNoHan + `+` + foldRegex + `?|` +
		leadRegex + upperNoHan + `+` + lowerNoHan + `*` + foldRegex + `?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*` + spacesRegex
	upperNoHan = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]`
	lowerNoHan = `[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]`
	// The language of Llama3 in the possessive spellings of tiktoken's cl100k_base.
	cl100kRegex      = foldRegex + cl100kRest
	cl100kShortRegex = `'(?i:[sdmt]|ll|ve|re)` + cl100kRest
	cl100kRest       = `|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`
)

// wordPatterns are the patterns known by their text.
func wordPatterns() map[string]wordPattern {
	gpt2 := wordPattern{contraction: exactContraction, numberSpace: true}
	llama3 := wordPattern{contraction: foldContraction, prefix: true, digits: 3, newlines: true}
	qwen2 := wordPattern{contraction: foldContraction, prefix: true, digits: 1, newlines: true}
	qwen35 := wordPattern{contraction: foldContraction, marks: true, prefix: true, digits: 1, newlines: true}
	tekken := wordPattern{cased: true, prefix: true, digits: 1, slashes: true, newlines: true}
	kimi := wordPattern{
		contraction: foldContraction, suffix: true, cased: true, prefix: true, digits: 3, newlines: true, han: true,
	}
	o200k := kimi
	o200k.slashes, o200k.han = true, false
	return map[string]wordPattern{
		kimiRegex: kimi, GPT2: gpt2, Llama3: llama3, Qwen2: qwen2, qwen35Regex: qwen35,
		O200K: o200k, Tekken: tekken, cl100kRegex: llama3, cl100kShortRegex: llama3,
	}
}

// Scanner finds the words of a text by one pattern.
type Scanner struct {
	wordPattern
	Classes *Classes
}

// NewScanner makes a scanner that only looks up classes.
func NewScanner(classes *Classes) Scanner { return Scanner{Classes: classes} }

// Words gives the scanner of a known word pattern, such as GPT2; false if it is not known.
func Words(regex string, classes *Classes) (Scanner, bool) {
	p, ok := wordPatterns()[regex]
	if p.han {
		classes = classes.withHan()
	}
	return Scanner{p, classes}, ok
}

// Class gives the class of the rune at byte i of s and its width; 0, 0 at the end.
func (c *Scanner) Class(s string, i int) (bits uint8, w int) {
	if i >= len(s) {
		return 0, 0
	}
	if b := s[i]; b < utf8.RuneSelf {
		return c.Classes.bits[b], 1
	}
	r, w := utf8.DecodeRuneInString(s[i:])
	return c.Classes.Of(r), w
}

// Run gives the end of the runes from i on that have one of the bits.
func (c *Scanner) Run(s string, i int, bits uint8) int {
	for i < len(s) {
		b, w := s[i], 1
		var class uint8
		if b < utf8.RuneSelf {
			class = c.Classes.bits[b]
		} else {
			class, w = c.Class(s, i)
		}
		if class&bits == 0 {
			break
		}
		i += w
	}
	return i
}

// Until gives the end of the runes from i on that have none of the bits.
func (c *Scanner) Until(s string, i int, bits uint8) int {
	for i < len(s) {
		class, w := c.Class(s, i)
		if class&bits != 0 {
			break
		}
		i += w
	}
	return i
}

// Next gives the end of the word that begins at byte i of s; i < len(s).
func (c *Scanner) Next(s string, i int) int {
	if s[i] == '\'' && c.contraction != noContraction && !c.suffix {
		if n := c.contract(s, i); n > 0 {
			return i + n
		}
	}
	letters, numbers := Letter, Number
	if c.marks {
		letters |= Mark
	}
	bits, w := c.Class(s, i)
	if c.han && bits&Han != 0 {
		return c.Run(s, i+w, Han)
	}

	// prefix? letters
	if c.cased {
		if j := c.casedWord(s, i, bits, w); j > i {
			return j
		}
	} else if bits&letters != 0 && (bits&Letter != 0 || !c.prefix) {
		return c.Run(s, i+w, letters)
	} else if c.prefix && bits&numbers == 0 && s[i] != '\r' && s[i] != '\n' {
		if j := c.Run(s, i+w, letters); j > i+w {
			return j
		}
		if bits&letters != 0 {
			return i + w
		}
	} else if !c.prefix && s[i] == ' ' {
		if j := c.Run(s, i+1, letters); j > i+1 {
			return j
		}
	}

	// numbers
	if bits&numbers != 0 {
		return c.number(s, i+w)
	}
	if c.numberSpace && s[i] == ' ' {
		if next, nw := c.Class(s, i+1); next&numbers != 0 {
			return c.number(s, i+1+nw)
		}
	}

	// " "? others newlines
	j := i
	if s[i] == ' ' {
		j++
	}
	if end := c.Until(s, j, Space|letters|numbers); end > j {
		for c.newlines && end < len(s) && (s[end] == '\r' || s[end] == '\n' || c.slashes && s[end] == '/') {
			end++
		}
		return end
	}
	return c.space(s, i, w)
}

// space gives the end of a word of white space whose first rune, w bytes wide, is at i.
func (c *Scanner) space(s string, i, w int) int {
	j, last, newline := i+w, i, -1
	if s[i] == '\r' || s[i] == '\n' {
		newline = j
	}
	for j < len(s) {
		bits, w := c.Class(s, j)
		if bits&Space == 0 {
			break
		}
		if s[j] == '\r' || s[j] == '\n' {
			newline = j + 1
		}
		last = j
		j += w
	}
	switch {
	case c.newlines && newline > 0:
		return newline
	case j < len(s) && last > i:
		return last // \s+(?!\S): all but the last
	}
	return j
}

// number gives the end of a number whose first digit ends at i.
func (c *Scanner) number(s string, i int) int {
	if c.digits == 0 {
		return c.Run(s, i, Number)
	}
	for range c.digits - 1 {
		bits, w := c.Class(s, i)
		if bits&Number == 0 {
			break
		}
		i += w
	}
	return i
}

// casedWord gives the end of prefix? upper* lower+ | prefix? upper+ lower*, with a contraction if the pattern has it,
// or i where neither matches. Each alternative is tried with the prefix first.
func (c *Scanner) casedWord(s string, i int, bits uint8, w int) int {
	after := i
	if bits&(Letter|Number) == 0 && s[i] != '\r' && s[i] != '\n' {
		after = i + w
		if j := c.upperLower(s, after); j > after {
			return c.contracted(s, j)
		}
	}
	if j := c.upperLower(s, i); j > i {
		return c.contracted(s, j)
	}
	if j := c.Run(s, after, Upper); j > after {
		return c.contracted(s, j)
	}
	if j := c.Run(s, i, Upper); j > i {
		return c.contracted(s, j)
	}
	return i
}

// upperLower gives the end of upper* lower+ at i, or i. Marks and letters without case are both: where no lower case
// letter follows the upper ones, the last rune that is both ends the match.
func (c *Scanner) upperLower(s string, i int) int {
	up, both := i, i
	for up < len(s) {
		bits, w := c.Class(s, up)
		if bits&Upper == 0 {
			break
		}
		up += w
		if bits&Lower != 0 {
			both = up
		}
	}
	if low := c.Run(s, up, Lower); low > up {
		return low
	}
	return both
}

func (c *Scanner) contracted(s string, i int) int {
	if c.suffix && i < len(s) && s[i] == '\'' {
		return i + c.contract(s, i)
	}
	return i
}

// contract gives the length of the contraction at s[i:], which begins with an apostrophe, or 0.
func (c *Scanner) contract(s string, i int) int {
	s = s[i+1:]
	if s == "" {
		return 0
	}
	a, b := s[0], byte(0)
	if len(s) > 1 {
		b = s[1]
	}
	if c.contraction == foldContraction {
		if a == 0xC5 && b == 0xBF { // the long s folds to s
			return 3
		}
		a, b = a|0x20, b|0x20
	}
	switch {
	case a == 's', a == 't', a == 'm', a == 'd':
		return 2
	case a == 'r' && b == 'e', a == 'v' && b == 'e', a == 'l' && b == 'l':
		return 3
	}
	return 0
}
