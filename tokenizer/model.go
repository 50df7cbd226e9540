package tokenizer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// modelJSON is the model section of tokenizer.json without its large parts.
type modelJSON struct {
	Type         string   `json:"type"`
	Dropout      *float64 `json:"dropout"`
	UnkToken     *string  `json:"unk_token"`
	Prefix       *string  `json:"continuing_subword_prefix"`
	Suffix       *string  `json:"end_of_word_suffix"`
	FuseUnk      bool     `json:"fuse_unk"`
	ByteFallback bool     `json:"byte_fallback"`
	IgnoreMerges bool     `json:"ignore_merges"`
}

// modelFile is the model section, with the places of its large parts in the file.
type modelFile struct {
	modelJSON
	src           string // tokenizer.json
	vocab, merges int    // where they begin; 0: absent
}

// read reads the section at which r stands.
func (m *modelFile) read(r *jsonReader) error {
	start := r.i
	small := []byte{'{'}
	err := r.object(func(key string) error {
		r.peek()
		switch key {
		case "vocab":
			m.vocab = r.i
		case "merges":
			m.merges = r.i
		}
		value, err := r.skip()
		if err != nil || key == "vocab" || key == "merges" {
			return err
		}
		if len(small) > 1 {
			small = append(small, ',')
		}
		name, err := json.Marshal(key)
		small = append(append(append(small, name...), ':'), value...)
		return err
	})
	if err != nil {
		return err
	}
	var head struct {
		Type string `json:"type"`
	}
	small = append(small, '}')
	if err := json.Unmarshal(small, &head); err != nil {
		return userf("%s: model: %w", r.place(start), err)
	}
	if m.Type = head.Type; m.Type == "" && m.merges > 0 {
		m.Type = "BPE"
	}
	if m.Type != "BPE" {
		return nil // check says so
	}
	if err := json.Unmarshal(small, &m.modelJSON); err != nil {
		return userf("%s: model: %w", r.place(start), err)
	}
	m.Type = "BPE"
	return nil
}

// eachToken gives the vocabulary in the file's order.
func (m *modelFile) eachToken(enter func(text string, id int64) error) error {
	r := jsonReader{name: "tokenizer.json", s: m.src, i: m.vocab}
	return r.object(func(text string) error {
		id, err := r.integer()
		if err != nil {
			return err
		}
		return enter(text, id)
	})
}

// eachMerge gives the merges, which files write as "a b" or as ["a", "b"].
func (m *modelFile) eachMerge(enter func(left, right string) error) error {
	r := jsonReader{name: "tokenizer.json", s: m.src, i: m.merges}
	n := 0
	return r.array(func() error {
		n++
		if r.peek() == '[' {
			var pair [2]string
			k := 0
			err := r.array(func() error {
				text, err := r.text()
				if k < 2 {
					pair[k] = text
				}
				k++
				return err
			})
			if err != nil {
				return err
			}
			if k != 2 {
				return userf("tokenizer.json: merge %d has %d tokens, expected two", n-1, k)
			}
			return enter(pair[0], pair[1])
		}
		line, err := r.text()
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, "#version") {
			n--
			return nil
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(right, " ") {
			return userf("tokenizer.json: merge %d is %q, expected two tokens with a space between", n-1, line)
		}
		return enter(left, right)
	})
}

// check rejects models that are not supported.
func (m *modelFile) check() error {
	if m.Type != "BPE" {
		return unknown("model", m.Type, "BPE")
	}
	if m.vocab == 0 || m.merges == 0 {
		return userf("tokenizer.json: model: no vocab or no merges")
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
		if m.unk = b.id(*b.m.UnkToken); m.unk < 0 {
			return userf("tokenizer.json: model: unk_token %q is not in the vocabulary", *b.m.UnkToken)
		}
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
		for id, text := range b.t.tokens {
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
		m.words = make(map[string]int32, len(b.t.tokens))
		for id, text := range b.t.tokens {
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

// id gives the id of a token of the model's own vocabulary, or -1. It holds until the added tokens are entered.
func (b *builder) id(text string) int32 {
	if id, ok := b.t.vocab[text]; ok {
		return id
	}
	return -1
}

// merges fills the table of merges and gives the tokens that they make.
func (b *builder) merges(m *bpe) (merged []int32, err error) {
	n := 0
	if err := b.m.eachMerge(func(string, string) error { n++; return nil }); err != nil {
		return nil, err
	}
	m.merges = newPairTable(n)
	merged = make([]int32, 0, n)
	var joined []byte
	next := int32(-1) // the token that the last merge made
	err = b.m.eachMerge(func(a, c string) error {
		rank := len(merged)
		left, right := b.id(a), b.id(c)
		// Trained vocabularies have the tokens in the order of their merges, which saves a look-up.
		next++
		into, ok := next, int(next) < len(b.t.tokens) && isJoin(b.t.tokens[next], a, c)
		if !ok {
			joined = append(append(joined[:0], a...), c...)
			into, ok = b.t.vocab[string(joined)]
		}
		if left < 0 || right < 0 || !ok {
			missing := a + c
			if left < 0 {
				missing = a
			} else if right < 0 {
				missing = c
			}
			return userf("tokenizer.json: merge %d (%q, %q) needs the token %q, which is not in the vocabulary", rank, a, c, missing)
		}
		m.merges.set(left, right, uint32(rank), into)
		merged = append(merged, into)
		next = into
		return nil
	})
	return merged, err
}

// isJoin reports whether s is a followed by b.
func isJoin(s, a, b string) bool {
	return len(s) == len(a)+len(b) && s[:len(a)] == a && s[len(a):] == b
}
