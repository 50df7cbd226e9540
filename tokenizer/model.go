package tokenizer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// modelJSON is the model section of tokenizer.json.
type modelJSON struct {
	Type         string           `json:"type"`
	Dropout      *float64         `json:"dropout"`
	UnkToken     *string          `json:"unk_token"`
	Prefix       *string          `json:"continuing_subword_prefix"`
	Suffix       *string          `json:"end_of_word_suffix"`
	FuseUnk      bool             `json:"fuse_unk"`
	ByteFallback bool             `json:"byte_fallback"`
	IgnoreMerges bool             `json:"ignore_merges"`
	Vocab        map[string]int64 `json:"vocab"`
	Merges       mergeList        `json:"merges"`
}

// UnmarshalJSON reads a model; of one that is not BPE only the type.
func (m *modelJSON) UnmarshalJSON(src []byte) error {
	var head struct {
		Type   string          `json:"type"`
		Vocab  json.RawMessage `json:"vocab"`
		Merges json.RawMessage `json:"merges"`
	}
	if err := json.Unmarshal(src, &head); err != nil {
		return err
	}
	if m.Type = head.Type; m.Type == "" && head.Merges != nil {
		m.Type = "BPE"
	}
	if m.Type != "BPE" {
		return nil
	}
	type plain modelJSON
	if err := json.Unmarshal(src, (*plain)(m)); err != nil {
		return err
	}
	m.Type = "BPE"
	return nil
}

// mergeList is the merges, which files write as "a b" or as ["a", "b"].
type mergeList [][2]string

// UnmarshalJSON reads either spelling.
func (l *mergeList) UnmarshalJSON(src []byte) error {
	var lines []string
	if json.Unmarshal(src, &lines) != nil {
		return json.Unmarshal(src, (*[][2]string)(l))
	}
	*l = make(mergeList, 0, len(lines))
	for i, line := range lines {
		if strings.HasPrefix(line, "#version") {
			continue
		}
		a, b, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(b, " ") {
			return fmt.Errorf("merge %d is %q, expected two tokens with a space between", i, line)
		}
		*l = append(*l, [2]string{a, b})
	}
	return nil
}

// check rejects models that are not supported.
func (m *modelJSON) check() error {
	if m.Type != "BPE" {
		return unknown("model", m.Type, "BPE")
	}
	if m.Dropout != nil && *m.Dropout != 0 {
		return userf("tokenizer.json: model: dropout %v makes encoding random; set it to null", *m.Dropout)
	}
	if m.Prefix != nil && *m.Prefix != "" {
		return unknown("continuing_subword_prefix", *m.Prefix, "none")
	}
	if m.Suffix != nil && *m.Suffix != "" {
		return unknown("end_of_word_suffix", *m.Suffix, "none")
	}
	return nil
}

// model builds the byte pair encoding.
func (b *builder) model(bytesLast bool) error {
	m := &bpe{unk: -1, fuseUnk: b.m.FuseUnk, ignoreMerges: b.m.IgnoreMerges}
	b.t.model = m
	if b.m.UnkToken != nil {
		id, ok := b.m.Vocab[*b.m.UnkToken]
		if !ok {
			return userf("tokenizer.json: model: unk_token %q is not in the vocabulary", *b.m.UnkToken)
		}
		m.unk = int32(id)
	}
	merged, err := b.merges(m)
	if err != nil {
		return err
	}
	if b.m.ByteFallback {
		m.fallback = new([256]int32)
		for i := range m.fallback {
			m.fallback[i] = b.id(fmt.Sprintf("<0x%02X>", i))
		}
	}
	if bytesLast && m.fallback == nil {
		pre := b.t.preTokenizers
		b.t.preTokenizers = pre[:len(pre)-1]
		m.bytes = new([256]int32)
		for i, r := range b.alphabet.runes {
			m.bytes[i] = b.id(string(r))
		}
	} else {
		for text, id := range b.m.Vocab {
			if r, n := utf8.DecodeRuneInString(text); n > 0 && n == len(text) {
				m.runes.set(r, int32(id))
			}
		}
		const mark = "▁"
		known := m.unk >= 0 || m.fallback != nil && !slices.Contains(m.fallback[:], -1)
		if known && !m.ignoreMerges && b.id(mark) >= 0 && cutBefore(b.t.tokens, merged, mark) {
			m.before = mark
		}
	}
	if m.ignoreMerges {
		m.words = make(map[string]int32, len(b.m.Vocab))
		for text, id := range b.m.Vocab {
			if m.bytes != nil {
				raw, ok := b.alphabet.decode(nil, text)
				if !ok {
					continue
				}
				text = string(raw)
			}
			m.words[text] = int32(id)
		}
	}
	return nil
}

// id gives the id of a token of the model's own vocabulary, or -1.
func (b *builder) id(text string) int32 {
	if id, ok := b.m.Vocab[text]; ok {
		return int32(id)
	}
	return -1
}

// merges fills the table of merges and gives the tokens that they make.
func (b *builder) merges(m *bpe) (merged []int32, err error) {
	m.merges = newPairTable(len(b.m.Merges))
	merged = make([]int32, 0, len(b.m.Merges))
	var joined []byte
	for rank, pair := range b.m.Merges {
		left, right := b.id(pair[0]), b.id(pair[1])
		joined = append(append(joined[:0], pair[0]...), pair[1]...)
		into, ok := b.m.Vocab[string(joined)]
		if left < 0 || right < 0 || !ok {
			missing := string(joined)
			if left < 0 {
				missing = pair[0]
			} else if right < 0 {
				missing = pair[1]
			}
			return nil, userf("tokenizer.json: merge %d (%q, %q) needs the token %q, which is not in the vocabulary", rank, pair[0], pair[1], missing)
		}
		m.merges.set(left, right, uint32(rank), int32(into))
		merged = append(merged, int32(into))
	}
	return merged, nil
}
