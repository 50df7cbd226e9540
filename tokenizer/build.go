package tokenizer

import (
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

// eachComponent gives the component of a section, or those of a sequence one after the other; none where src is null.
func eachComponent(section string, src json.RawMessage, take func(c component) error) error {
	if isNull(src) {
		return nil
	}
	var c component
	if err := json.Unmarshal(src, &c); err != nil {
		return mistake("tokenizer.json: %s: %w", section, err)
	}
	switch c.Type {
	case "":
		return mistake("tokenizer.json: %s has no type: %.80s", section, src)
	case "Sequence":
		for _, part := range slices.Concat(c.Normalizers, c.PreTokenizers, c.Processors, c.Decoders) {
			if err := eachComponent(section, part, take); err != nil {
				return err
			}
		}
		return nil
	}
	return take(c)
}

func unknown(section, name, known string) error {
	return mistake("tokenizer.json: %s %q is not supported (known: %s)", section, name, known)
}

// finder makes the finder of what a component looks for.
func (b *builder) finder(p sought, what string) (pattern.Finder, error) {
	switch {
	case p.String != nil && *p.String != "":
		return pattern.Literal(*p.String), nil
	case p.Regex == nil:
		return nil, mistake("tokenizer.json: %s has an empty pattern", what)
	}
	f, err := pattern.NewFinder(*p.Regex, b.t.classes)
	if err != nil {
		return nil, mistake("tokenizer.json: %s %q is not supported: %w", what, *p.Regex, err)
	}
	return f, nil
}

func isSet(flag *bool, otherwise bool) bool {
	if flag == nil {
		return otherwise
	}
	return *flag
}

// normalizer appends the normalizer of a component.
func (b *builder) normalizer(c component) error {
	var n normalizer
	var err error
	switch c.Type {
	case "NFC":
		n = newForm(norm.NFC)
	case "NFD":
		n = newForm(norm.NFD)
	case "NFKC":
		n = newForm(norm.NFKC)
	case "NFKD":
		n = newForm(norm.NFKD)
	case "Prepend":
		n = prepend{c.Prepend}
	case "Replace":
		old, err := b.finder(c.Pattern, "Replace pattern")
		if err != nil {
			return err
		}
		n = replaceFound{old, c.Content}
		if text, ok := old.(pattern.Literal); ok {
			n = replaceText{string(text), c.Content}
		}
	case "Lowercase":
		n = newMapRunes(lowercase)
	case "StripAccents":
		n = stripAccents()
	case "Nmt":
		n = newMapRunes(nmt)
	case "Strip":
		n = strip{c.StripLeft, c.StripRight}
	case "ByteLevel":
		n = byteLevel{b.alphabet}
	case "BertNormalizer":
		lower := isSet(c.Lowercase, true)
		b.t.normalizers = append(b.t.normalizers, bertNormalizers(
			isSet(c.CleanText, true), isSet(c.ChineseChars, true), isSet(c.StripAccents, lower), lower)...)
		return nil
	case "Precompiled":
		if n, err = newPrecompiled(c.Charsmap); err != nil {
			return err
		}
	default:
		return unknown("normalizer", c.Type, "Sequence, NFC, NFD, NFKC, NFKD, Prepend, Replace, "+
			"Lowercase, StripAccents, Nmt, Strip, ByteLevel, BertNormalizer, Precompiled")
	}
	b.t.normalizers = append(b.t.normalizers, n)
	return nil
}

// preTokenizers builds the pre-tokenizers. bytesLast reports that a ByteLevel ends them, so that the model can work on
// bytes instead of the byte alphabet.
func (b *builder) preTokenizers(src json.RawMessage) (bytesLast bool, err error) {
	if err := eachComponent("pre_tokenizer", src, b.preTokenizer); err != nil {
		return false, err
	}
	pre := b.t.preTokenizers
	maps := 0
	for _, p := range pre {
		if _, ok := p.(mapBytes); ok {
			maps++
		}
	}
	if maps != 1 {
		return false, nil
	}
	if _, ok := pre[len(pre)-1].(mapBytes); !ok {
		return false, nil
	}
	return true, nil
}

// preTokenizer appends the pre-tokenizers of a component.
func (b *builder) preTokenizer(c component) error {
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
		p, err := b.split(c, scan)
		if err != nil {
			return err
		}
		add(p)
	case "Digits":
		how := contiguous
		if c.Individual {
			how = isolated
		}
		scan = pattern.NewScanner(b.t.classes.RustNumbers())
		add(splitClass{scan: scan, bits: pattern.Number, behavior: how})
	case "Punctuation":
		how, err := behaviorOf(c.Behavior)
		if err != nil {
			return err
		}
		add(splitClass{scan: scan, bits: pattern.Punct, behavior: how})
	case "Whitespace":
		add(whitespace{scan})
	case "WhitespaceSplit":
		add(splitClass{scan: scan, bits: pattern.Space, behavior: removed})
	case "Metaspace":
		m, err := metaspaceOf(c)
		if err != nil {
			return err
		}
		add(m)
	case "BertPreTokenizer":
		add(splitClass{scan: scan, bits: pattern.Space, behavior: removed})
		add(splitClass{scan: scan, bits: pattern.Punct, behavior: isolated})
	case "CharDelimiterSplit":
		if utf8.RuneCountInString(c.Delimiter) != 1 {
			return mistake("tokenizer.json: the delimiter of CharDelimiterSplit is %q, expected one character", c.Delimiter)
		}
		add(splitFound{sep: pattern.Literal(c.Delimiter), behavior: removed})
	case "FixedLength":
		n := 5
		if c.Length != nil {
			n = *c.Length
		}
		if n < 1 {
			return mistake("tokenizer.json: the length of FixedLength is %d, expected one or more", n)
		}
		add(splitLength{n})
	default:
		return unknown("pre_tokenizer", c.Type, "Sequence, ByteLevel, Split, Digits, Punctuation, Whitespace, "+
			"WhitespaceSplit, Metaspace, BertPreTokenizer, CharDelimiterSplit, FixedLength")
	}
	return nil
}

// split makes the Split pre-tokenizer of c.
func (b *builder) split(c component, scan pattern.Scanner) (preTokenizer, error) {
	how, err := behaviorOf(c.Behavior)
	if err != nil {
		return nil, err
	}
	class := splitClass{scan: scan, behavior: how, invert: c.Invert}
	switch re := text(c.Pattern.Regex); re {
	case `\p{N}`:
		class.bits = pattern.Number
		return class, nil
	case `\p{N}+`:
		class.bits, class.runs = pattern.Number, true
		return class, nil
	case `\p{N}{1,3}`:
		class.bits, class.runs, class.most = pattern.Number, true, 3
		return class, nil
	case `\s+`:
		class.bits, class.runs = pattern.Space, true
		return class, nil
	default:
		if words, ok := pattern.Words(re, b.t.classes); ok {
			return splitWords{words, how, c.Invert}, nil
		}
		sep, err := b.finder(c.Pattern, "Split pattern")
		if err != nil {
			return nil, err
		}
		return splitFound{sep, how, c.Invert}, nil
	}
}

func behaviorOf(name string) (behavior, error) {
	switch name {
	case "Isolated", "":
		return isolated, nil
	case "Removed":
		return removed, nil
	case "MergedWithPrevious":
		return mergedWithPrevious, nil
	case "MergedWithNext":
		return mergedWithNext, nil
	case "Contiguous":
		return contiguous, nil
	}
	return 0, unknown("split behavior", name, "Isolated, Removed, MergedWithPrevious, MergedWithNext, Contiguous")
}

// metaspaceOf reads Metaspace, in its present form or with the older add_prefix_space.
func metaspaceOf(c component) (metaspace, error) {
	m := metaspace{mark: c.Replacement, whole: c.Split != nil && !*c.Split}
	if utf8.RuneCountInString(m.mark) != 1 {
		return m, mistake("tokenizer.json: the replacement of Metaspace is %q, expected one character", m.mark)
	}
	switch c.PrependScheme {
	case "always", "":
	case "first":
		m.scheme = first
	case "never":
		m.scheme = never
	default:
		return m, unknown("prepend_scheme", c.PrependScheme, "always, first, never")
	}
	if c.AddPrefixSpace != nil && !*c.AddPrefixSpace {
		m.scheme = never
	}
	return m, nil
}
