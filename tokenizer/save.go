package tokenizer

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Save writes tokenizer.json, tokenizer_config.json, special_tokens_map.json and the chat templates (chat_template.jinja,
// additional_chat_templates) into dir, which must exist, each file by a call of write. tokenizer.json is written as it was
// read. The keys of the original tokenizer_config.json stay; a chat template that stood there is kept there too.
func (t *Tokenizer) Save(dir string, write func(path string, data []byte) error) error {
	if err := t.save(dir, write); err != nil {
		return fmt.Errorf("tokenizer: save: %w", err)
	}
	return nil
}

func (t *Tokenizer) save(dir string, write func(path string, data []byte) error) error {
	conf, err := t.configJSON()
	if err != nil {
		return err
	}
	specials := object{}
	for key, text := range t.config.named() {
		if text != "" {
			specials[key] = text
		}
	}
	if more, ok := t.config.keys["additional_special_tokens"]; ok {
		specials["additional_special_tokens"] = more
	}
	special, err := marshalIndent(specials)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "tokenizer.json"), []byte(t.raw)); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "tokenizer_config.json"), conf); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "special_tokens_map.json"), special); err != nil {
		return err
	}
	return t.config.saveTemplates(dir, write)
}

// named gives the named tokens by their key.
func (c *config) named() map[string]string {
	return map[string]string{"bos_token": c.bos, "eos_token": c.eos, "unk_token": c.unk, "pad_token": c.pad}
}

// configJSON is the tokenizer_config.json to write.
func (t *Tokenizer) configJSON() ([]byte, error) {
	keys := maps.Clone(t.config.keys)
	if keys == nil {
		keys = make(map[string]json.RawMessage)
	}
	set := func(key string, value any) error {
		src, err := marshal(value)
		keys[key] = src
		return err
	}
	if _, ok := keys["tokenizer_class"]; !ok {
		if err := set("tokenizer_class", "PreTrainedTokenizerFast"); err != nil {
			return nil, err
		}
	}
	for key, text := range t.config.named() {
		if src, ok := keys[key]; text != "" && (!ok || string(src) == "null") {
			if err := set(key, text); err != nil {
				return nil, err
			}
		}
	}
	if t.config.templateInConfig {
		if err := set("chat_template", t.config.templateValue()); err != nil {
			return nil, err
		}
	}
	return marshalIndent(keys)
}

// Hash identifies the tokenizer: the SHA-256, in hex, of its tokens, merges, pipeline and special tokens, whatever the
// spelling of its files. The chat template has a hash of its own.
func (t *Tokenizer) Hash() string {
	c := &t.config
	sum := sha256.Sum256([]byte(strings.Join([]string{t.contentHash(), c.bos, c.eos, c.unk, c.pad}, "\x00")))
	return hex.EncodeToString(sum[:])
}

// contentHash is the part of Hash that comes from tokenizer.json.
func (t *Tokenizer) contentHash() string {
	t.hashOnce.Do(func() {
		f, err := parseFile(t.raw)
		if err != nil {
			return // not possible: it was read before
		}
		var sections [4]any
		for i, src := range []json.RawMessage{f.normalizer, f.preTokenizer, f.postProcessor, f.decoder} {
			if !isNull(src) {
				_ = json.Unmarshal(src, &sections[i]) // it was read before
			}
		}
		h := sha256.New()
		enc := json.NewEncoder(h)
		m := &f.model
		_ = enc.Encode([]any{sections, m.UnkToken, m.FuseUnk, m.ByteFallback, m.IgnoreMerges, t.added}) // h takes everything
		part := func(s string) {
			h.Write(binary.AppendUvarint(nil, uint64(len(s))))
			h.Write([]byte(s))
		}
		for _, s := range t.tokens {
			part(s)
		}
		if m.Type != "BPE" || text(m.Prefix)+text(m.Suffix) != "" {
			_ = enc.Encode([]any{m.Type, m.UnkID, m.MaxChars, m.Prefix, m.Suffix})
		}
		if m.Type == "Unigram" {
			_ = m.eachPiece(func(_ string, score float64) error { return enc.Encode(score) })
		}
		_ = m.eachMerge(func(left, right string) error {
			part(left)
			part(right)
			return nil
		})
		t.content = hex.EncodeToString(h.Sum(nil))
	})
	return t.content
}

// marshal is json.Marshal that leaves <, > and & alone.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func marshalIndent(v any) ([]byte, error) {
	src, err := marshal(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, src, "", "  "); err != nil {
		return nil, err
	}
	return append(b.Bytes(), '\n'), nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
