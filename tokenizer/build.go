package tokenizer

import (
	"cmp"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"instruct/tokenizer/file"
	"instruct/tokenizer/pattern"
)

// builder assembles a Tokenizer from the sections of tokenizer.json.
type builder struct {
	t        *Tokenizer
	m        *file.Model
	alphabet *alphabet
	used     []bool // ids with a token
	limit    int64  // beyond any sane id
	size     int    // of the model's vocabulary
	paired   bool   // a post-processor has said what becomes of two texts
	err      error  // the first one

	times, more int // what normalizers make of a text at most; see grow
}

// fail notes a mistake in the file, unless there was one before.
func (b *builder) fail(format string, args ...any) {
	b.check(mistake(format, args...))
}

// check notes an error, unless there was one before.
func (b *builder) check(err error) {
	b.err = cmp.Or(b.err, err)
}

// unknown is fail for a name that is none of those known.
func (b *builder) unknown(section, name, known string) {
	b.fail("tokenizer.json: %s %q is not supported (known: %s)", section, name, known)
}

// component is any normalizer, pre-tokenizer, post-processor or decoder of the file.
type component struct {
	Type string `json:"type"`

	// Sequence
	Normalizers   []json.RawMessage `json:"normalizers"`
	PreTokenizers []json.RawMessage `json:"pretokenizers"`
	Processors    []json.RawMessage `json:"processors"`
	Decoders      []json.RawMessage `json:"decoders"`

	Prepend        string         `json:"prepend"`
	Pattern        sought         `json:"pattern"`
	Content        string         `json:"content"`
	StripLeft      bool           `json:"strip_left"`
	StripRight     bool           `json:"strip_right"`
	Behavior       string         `json:"behavior"`
	Invert         bool           `json:"invert"`
	Individual     bool           `json:"individual_digits"`
	AddPrefixSpace *bool          `json:"add_prefix_space"`
	UseRegex       *bool          `json:"use_regex"`
	Replacement    string         `json:"replacement"`
	PrependScheme  string         `json:"prepend_scheme"`
	Split          *bool          `json:"split"`
	Delimiter      string         `json:"delimiter"`
	Length         *int           `json:"length"`
	Charsmap       string         `json:"precompiled_charsmap"`
	CleanText      *bool          `json:"clean_text"`
	ChineseChars   *bool          `json:"handle_chinese_chars"`
	StripAccents   *bool          `json:"strip_accents"`
	Lowercase      *bool          `json:"lowercase"`
	Prefix         *string        `json:"prefix"`
	Suffix         *string        `json:"suffix"`
	Cleanup        *bool          `json:"cleanup"`
	TrimOffsets    *bool          `json:"trim_offsets"`
	CLS            *namedID       `json:"cls"`
	SEP            *namedID       `json:"sep"`
	Start          int            `json:"start"`
	Stop           int            `json:"stop"`
	Single         []templatePart `json:"single"`
	Pair           []templatePart `json:"pair"`
	SpecialTokens  map[string]struct {
		IDs []int32 `json:"ids"`
	} `json:"special_tokens"`
}

// sought is what a Split or Replace looks for.
type sought struct{ String, Regex *string }

// templatePart is an element of TemplateProcessing.
type templatePart struct {
	SpecialToken, Sequence *struct {
		ID     string `json:"id"`
		TypeID int32  `json:"type_id"`
	}
}

// each gives the component of a section, or those of a sequence one after the other; none where src is null.
func (b *builder) each(section string, src json.RawMessage, take func(c component)) {
	if isNull(src) {
		return
	}
	var c component
	err := json.Unmarshal(src, &c)
	switch {
	case err != nil:
		b.fail("tokenizer.json: %s: %w", section, err)
	case c.Type == "":
		b.fail("tokenizer.json: %s has no type: %.80s", section, src)
	case c.Type == "Sequence":
		for _, part := range slices.Concat(c.Normalizers, c.PreTokenizers, c.Processors, c.Decoders) {
			b.each(section, part, take)
		}
	default:
		take(c)
	}
}

// finder makes the finder of what a component looks for.
func (b *builder) finder(p sought, what string) pattern.Finder {
	switch {
	case p.String != nil && *p.String != "":
		return pattern.Literal(*p.String)
	case p.Regex == nil:
		b.fail("tokenizer.json: %s has an empty pattern", what)
		return nil
	}
	f, err := pattern.NewFinder(*p.Regex, b.t.classes)
	if err != nil {
		b.fail("tokenizer.json: %s %q is not supported: %w", what, *p.Regex, err)
	}
	return f
}

func isSet(flag *bool, otherwise bool) bool {
	if flag == nil {
		return otherwise
	}
	return *flag
}

// Bounds of what normalizers may make of a text, times as long and bytes more. Those of known models make it three
// times as long, and a few of them after each other could fill any memory.
const mostGrowth, mostMore = 1 << 14, 1 << 16

// grow counts what a normalizer does to the length of a text.
func (b *builder) grow(times, more int) {
	before := b.times <= mostGrowth && b.more <= mostMore
	b.times, b.more = min(max(1, b.times)*min(max(1, times), mostGrowth+1), mostGrowth+1), min(b.more+more, mostMore+1)
	if before && (b.times > mostGrowth || b.more > mostMore) {
		b.fail("tokenizer.json: normalizers make a text more than %d times as long, or %d bytes longer", mostGrowth, mostMore)
	}
}

// normalizer appends the normalizers of a component.
func (b *builder) normalizer(c component) {
	add := func(n ...normalizer) { b.t.normalizers = append(b.t.normalizers, n...) }
	switch c.Type {
	case "NFC":
		add(newForm(norm.NFC))
	case "NFD":
		add(newForm(norm.NFD))
	case "NFKC":
		add(newForm(norm.NFKC))
	case "NFKD":
		add(newForm(norm.NFKD))
	case "Prepend":
		b.grow(1, len(c.Prepend))
		add(prepend{c.Prepend})
	case "Replace":
		old := b.finder(c.Pattern, "Replace pattern")
		sought := 1
		if text, ok := old.(pattern.Literal); ok {
			sought = max(1, len(text))
		}
		b.grow((len(c.Content)+sought-1)/sought, 0)
		if text, ok := old.(pattern.Literal); ok {
			add(replaceText{string(text), c.Content})
		} else {
			add(replaceFound{old, c.Content})
		}
	case "Lowercase":
		add(newMapRunes(lowercase))
	case "StripAccents":
		add(stripAccents())
	case "Nmt":
		add(newMapRunes(nmt))
	case "Strip":
		add(strip{c.StripLeft, c.StripRight})
	case "ByteLevel":
		add(byteLevel{b.alphabet})
	case "BertNormalizer":
		lower := isSet(c.Lowercase, true)
		add(bertNormalizers(
			isSet(c.CleanText, true), isSet(c.ChineseChars, true), isSet(c.StripAccents, lower), lower)...)
	case "Precompiled":
		add(b.precompiled(c.Charsmap))
	default:
		b.unknown("normalizer", c.Type, "Sequence, NFC, NFD, NFKC, NFKD, Prepend, Replace, "+
			"Lowercase, StripAccents, Nmt, Strip, ByteLevel, BertNormalizer, Precompiled")
	}
}

// preTokenizers builds the pre-tokenizers. bytesLast reports that a ByteLevel ends them, so that the model can work on
// bytes instead of the byte alphabet.
func (b *builder) preTokenizers(src json.RawMessage) (bytesLast bool) {
	b.each("pre_tokenizer", src, b.preTokenizer)
	maps := 0
	for _, p := range b.t.preTokenizers {
		_, bytesLast = p.(mapBytes)
		if bytesLast {
			maps++
		}
	}
	return bytesLast && maps == 1
}

// preTokenizer appends the pre-tokenizers of a component.
func (b *builder) preTokenizer(c component) {
	scan := pattern.NewScanner(b.t.classes)
	add := func(p preTokenizer) { b.t.preTokenizers = append(b.t.preTokenizers, p) }
	switch c.Type {
	case "ByteLevel":
		if c.AddPrefixSpace == nil || *c.AddPrefixSpace {
			add(prefixSpace{})
		}
		if c.UseRegex == nil || *c.UseRegex {
			words, _ := pattern.Words(pattern.GPT2, b.t.classes)
			add(splitWords{scan: words})
		}
		add(mapBytes{byteLevel{b.alphabet}})
	case "Split":
		add(b.split(c, scan))
	case "Digits":
		how := contiguous
		if c.Individual {
			how = isolated
		}
		scan = pattern.NewScanner(b.t.classes.RustNumbers())
		add(splitClass{scan: scan, bits: pattern.Number, behavior: how})
	case "Punctuation":
		add(splitClass{scan: scan, bits: pattern.Punct, behavior: b.behavior(c.Behavior)})
	case "Whitespace":
		add(whitespace{scan})
	case "WhitespaceSplit":
		add(splitClass{scan: scan, bits: pattern.Space, behavior: removed})
	case "Metaspace":
		add(b.metaspace(c))
	case "BertPreTokenizer":
		add(splitClass{scan: scan, bits: pattern.Space, behavior: removed})
		add(splitClass{scan: scan, bits: pattern.Punct, behavior: isolated})
	case "CharDelimiterSplit":
		if utf8.RuneCountInString(c.Delimiter) != 1 {
			b.fail("tokenizer.json: the delimiter of CharDelimiterSplit is %q, expected one character", c.Delimiter)
		}
		add(splitFound{sep: pattern.Literal(c.Delimiter), behavior: removed})
	case "FixedLength":
		n := 5
		if c.Length != nil {
			n = *c.Length
		}
		if n < 1 {
			b.fail("tokenizer.json: the length of FixedLength is %d, expected one or more", n)
		}
		add(splitLength{n})
	default:
		b.unknown("pre_tokenizer", c.Type, "Sequence, ByteLevel, Split, Digits, Punctuation, Whitespace, "+
			"WhitespaceSplit, Metaspace, BertPreTokenizer, CharDelimiterSplit, FixedLength")
	}
}

// split makes the Split pre-tokenizer of c.
func (b *builder) split(c component, scan pattern.Scanner) preTokenizer {
	how := b.behavior(c.Behavior)
	class := splitClass{scan: scan, bits: pattern.Number, runs: true, behavior: how, invert: c.Invert}
	switch re := text(c.Pattern.Regex); re {
	case `\p{N}`:
		class.runs = false
	case `\p{N}+`:
	case `\p{N}{1,3}`:
		class.most = 3
	case `\s+`:
		class.bits = pattern.Space
	default:
		if words, ok := pattern.Words(re, b.t.classes); ok {
			return splitWords{words, how, c.Invert}
		}
		return splitFound{b.finder(c.Pattern, "Split pattern"), how, c.Invert}
	}
	return class
}

func (b *builder) behavior(name string) behavior {
	how, ok := map[string]behavior{
		"Isolated": isolated, "": isolated, "Removed": removed, "MergedWithPrevious": mergedWithPrevious,
		"MergedWithNext": mergedWithNext, "Contiguous": contiguous,
	}[name]
	if !ok {
		b.unknown("split behavior", name, "Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous")
	}
	return how
}

// metaspace reads Metaspace, in its present form or with the older add_prefix_space.
func (b *builder) metaspace(c component) metaspace {
	m := metaspace{mark: c.Replacement, whole: c.Split != nil && !*c.Split}
	if utf8.RuneCountInString(m.mark) != 1 {
		b.fail("tokenizer.json: the replacement of Metaspace is %q, expected one character", m.mark)
	}
	var ok bool
	m.scheme, ok = map[string]scheme{"always": always, "": always, "first": first, "never": never}[c.PrependScheme]
	if !ok {
		b.unknown("prepend_scheme", c.PrependScheme, "always, first, never")
	}
	if c.AddPrefixSpace != nil && !*c.AddPrefixSpace {
		m.scheme = never
	}
	return m
}
