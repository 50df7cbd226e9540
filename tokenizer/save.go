package tokenizer

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"instruct/tokenizer/file"
)

// Save writes tokenizer.json, tokenizer_config.json, special_tokens_map.json and the chat templates
// (chat_template.jinja, additional_chat_templates) into dir, which must exist, each file by a call of write.
// tokenizer.json is written as it was read. The keys of the original tokenizer_config.json stay; a chat template that
// stood there is kept there too.
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
	specials := map[string]any{}
	for key, text := range t.config.named() {
		if text != "" {
			specials[key] = text
		}
	}
	if more, ok := t.config.keys["additional_special_tokens"]; ok {
		specials["additional_special_tokens"] = more
	}
	special, err := indented(specials)
	if err != nil {
		return err
	}
	for i, content := range [][]byte{[]byte(t.raw), conf, special} {
		if err := write(filepath.Join(dir, Files()[i]), content); err != nil {
			return err
		}
	}
	return t.config.saveTemplates(dir, write)
}

// Files are the names of what [Tokenizer.Save] writes, but for further templates, which are in a folder of their own.
func Files() []string {
	return []string{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"}
}

// named gives the named tokens by their key.
func (c *config) named() map[string]string {
	return map[string]string{"bos_token": c.bos, "eos_token": c.eos, "unk_token": c.unk, "pad_token": c.pad}
}

// configJSON is the tokenizer_config.json to write.
func (t *Tokenizer) configJSON() ([]byte, error) {
	keys := make(map[string]any, len(t.config.keys)+1)
	for key, src := range t.config.keys {
		keys[key] = src
	}
	if keys["tokenizer_class"] == nil {
		keys["tokenizer_class"] = "PreTrainedTokenizerFast"
	}
	for key, text := range t.config.named() {
		if text != "" && isNull(t.config.keys[key]) {
			keys[key] = text
		}
	}
	if t.config.templateInConfig {
		keys["chat_template"] = t.config.templateValue()
	}
	return indented(keys)
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
		f, err := file.Parse(t.raw)
		if err != nil {
			return // not possible: it was read before
		}
		var sections [4]any
		for i, src := range []json.RawMessage{f.Normalizer, f.PreTokenizer, f.PostProcessor, f.Decoder} {
			if !isNull(src) {
				_ = json.Unmarshal(src, &sections[i]) // it was read before
			}
		}
		h := sha256.New()
		enc := json.NewEncoder(h)
		m := &f.Model
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
			_ = m.EachPiece(func(_ string, score float64) error { return enc.Encode(score) })
		}
		_ = m.EachMerge(func(left, right string) error {
			part(left)
			part(right)
			return nil
		})
		t.content = hex.EncodeToString(h.Sum(nil))
	})
	return t.content
}

// indented gives JSON as a file has it, with <, > and & as they are.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
