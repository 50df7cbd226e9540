package file

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ToGGUF gives the vocabulary that a GGUF file has for the tokenizer: what [GGUF.Files] makes the tokenizer of again.
// tokens are by id, "" where an id has none. Named tokens and what stands around a text are left to the caller. A
// tokenizer that GGUF's two kinds (byte-level BPE, and SentencePiece's BPE by scores) cannot express is refused.
func (f *File) ToGGUF(tokens []string, added []*AddedToken) (GGUF, error) {
	v := GGUF{BOS: -1, EOS: -1, UNK: -1, PAD: -1}
	m := &f.Model
	if m.Type != "BPE" || text(m.Prefix)+text(m.Suffix) != "" {
		return v, mistake("tokenizer: a GGUF file holds BPE without prefixes and suffixes; this is %s; export with --to hf",
			m.Type)
	}
	v.name(tokens, added)
	var merges [][2]string
	err := m.EachMerge(func(left, right string) error {
		merges = append(merges, [2]string{left, right})
		return nil
	})
	if err != nil {
		return v, err
	}
	if m.ByteFallback {
		return v, v.toSentencePiece(f, merges)
	}
	return v, v.toByteLevel(f, merges)
}

// text is a text that may be absent.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// name sets the tokens and their types. Ids without a token get a name that no text has.
func (v *GGUF) name(tokens []string, added []*AddedToken) {
	v.Tokens, v.Types = slices.Clone(tokens), make([]int32, len(tokens))
	for id, s := range tokens {
		v.Types[id] = ggufNormal
		if s == "" {
			v.Tokens[id], v.Types[id] = fmt.Sprintf("[PAD%d]", id), ggufUnused
		}
	}
	for _, a := range added {
		v.Types[a.ID] = ggufUserDefined
		if a.Special {
			v.Types[a.ID] = ggufControl
		}
	}
}

// toByteLevel is the reverse of byteLevel.
func (v *GGUF) toByteLevel(f *File, merges [][2]string) error {
	v.Model = "gpt2"
	for _, m := range merges {
		v.Merges = append(v.Merges, m[0]+" "+m[1])
	}
	norm, pre := canonical(f.Normalizer), canonical(f.PreTokenizer)
	for _, p := range ggufPres() {
		same := canonicalOf(p.normalizer) == norm && canonicalOf(p.preTokenizer) == pre &&
			p.ignoreMerges == f.Model.IgnoreMerges
		if same || len(merges) == 0 && pre == canonicalOf(byteLevel(false, false)) { // no split changes single bytes
			v.Pre = p.names[0]
			return nil
		}
	}
	_, known := findPre("")
	return mistake("tokenizer: llama.cpp has no name for how this tokenizer splits words (pre_tokenizer %.200s); "+
		"a GGUF file can have one of %s; export with --to hf", f.PreTokenizer, strings.Join(known, " "))
}

// toSentencePiece is the reverse of sentencePiece: the score of a token is the place of its merges, less than 0.
func (v *GGUF) toSentencePiece(f *File, merges [][2]string) error {
	v.Model, v.Pre = "llama", "default"
	prefix, known := markPrefix(f)
	if !known {
		return mistake("tokenizer: llama.cpp knows no tokenizer with byte_fallback, the normalizer %.200s and the "+
			"pre_tokenizer %.200s; export with --to hf", f.Normalizer, f.PreTokenizer)
	}
	v.AddSpacePrefix = prefix
	ids := make(map[string]int, len(v.Tokens))
	for id, s := range v.Tokens {
		ids[s] = id
		if b := byteToken(s); b && v.Types[id] == ggufNormal {
			v.Types[id] = ggufByte
		}
	}
	if id, ok := ids[text(f.Model.UnkToken)]; ok && f.Model.UnkToken != nil {
		v.Types[id] = ggufUnknown
	}
	v.Scores = make([]float32, len(v.Tokens))
	rank, last := 0, -1
	for _, m := range merges {
		id := ids[m[0]+m[1]]
		switch {
		case id == last:
		case v.Scores[id] != 0:
			return mistake("tokenizer: merges that make %q stand apart, which the scores of a GGUF file cannot say; "+
				"export with --to hf", v.Tokens[id])
		default:
			rank++
			v.Scores[id], last = -float32(rank), id
		}
	}
	return v.checkScores(merges)
}

// byteToken tells whether a token stands for a byte: <0x0A>.
func byteToken(s string) bool {
	var b byte
	n, err := fmt.Sscanf(s, "<0x%02X>", &b)
	return n == 1 && err == nil && len(s) == 6
}

// checkScores makes sure that the scores merge what the merges do. Merges with tokens that are cut out of a text before
// are of no effect.
func (v *GGUF) checkScores(merges [][2]string) error {
	have := make(map[[2]string]bool, len(merges))
	for _, m := range merges {
		have[m] = true
	}
	for _, m := range v.scoredMerges() {
		if !have[m] {
			return mistake("tokenizer: %q and %q make a token but are not merged, which the scores of a GGUF file cannot say; "+
				"export with --to hf", m[0], m[1])
		}
	}
	for id, s := range v.Tokens { // what no merge makes is last
		if v.Types[id] == ggufNormal && v.Scores[id] == 0 && utf8.RuneCountInString(s) > 1 {
			v.Scores[id] = -float32(len(v.Tokens) + id)
		}
	}
	return nil
}

// markPrefix tells whether a tokenizer that writes spaces as marks puts one before a text; known is false where it does
// something else.
func markPrefix(f *File) (prefix, known bool) {
	norm, pre := canonical(f.Normalizer), canonical(f.PreTokenizer)
	metaspace := func(scheme string) any {
		return object{"type": "Metaspace", "replacement": spaceMark, "prepend_scheme": scheme, "split": false}
	}
	cut := object{"type": "Split", "pattern": object{"String": " "}, "behavior": "MergedWithPrevious", "invert": false}
	for _, form := range []struct {
		normalizer, preTokenizer any
		prefix                   bool
	}{
		{markNormalizer(true), nil, true},
		{markNormalizer(false), nil, false},
		{markNormalizer(false), cut, false}, // there are no spaces left to cut at
		{nil, metaspace("always"), true},
		{nil, metaspace("first"), true},
		{nil, metaspace("never"), false},
	} {
		if canonicalOf(form.normalizer) == norm && canonicalOf(form.preTokenizer) == pre {
			return form.prefix, true
		}
	}
	return false, false
}

// canonical writes a section so that two which split texts alike are equal.
func canonical(src json.RawMessage) string {
	var v any
	if len(src) > 0 && json.Unmarshal(src, &v) != nil {
		return string(src)
	}
	text, _ := json.Marshal(plain(v)) // of what was JSON
	return string(text)
}

// canonicalOf is canonical of a section that is being built.
func canonicalOf(v any) string {
	text, _ := json.Marshal(v) // of texts and flags
	return canonical(text)
}

// plain leaves out what changes no token: ranges, defaults, lists of one.
func plain(v any) any {
	o, ok := v.(map[string]any)
	if !ok {
		return v
	}
	delete(o, "trim_offsets")
	if o["type"] == "ByteLevel" && o["use_regex"] == nil {
		o["use_regex"] = true
	}
	for _, key := range []string{"normalizers", "pretokenizers"} {
		list, ok := o[key].([]any)
		if !ok {
			continue
		}
		for i := range list {
			list[i] = plain(list[i])
		}
		switch len(list) {
		case 0:
			return nil
		case 1:
			return list[0]
		}
	}
	return o
}
