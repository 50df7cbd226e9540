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
// tokenizer.json is written as it was read. The keys of the original tokenizer_config.json stay; the chat template
// stands there too, for programs that do not read chat_template.jinja.
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
	if more := t.config.moreSpecials(); more != nil {
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

// SetDefault sets a key of tokenizer_config.json that the file of the tokenizer does not have.
func (t *Tokenizer) SetDefault(key string, value any) error {
	if !isNull(t.config.keys[key]) {
		return nil
	}
	src, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("tokenizer: %s: %w", key, err)
	}
	if t.config.keys == nil {
		t.config.keys = map[string]json.RawMessage{}
	}
	t.config.keys[key] = src
	return nil
}

// configJSON is the tokenizer_config.json to write. What transformers 5 has other words for than transformers 4 is
// written in the older ones, which both read: the class TokenizersBackend, and a list of extra_special_tokens.
func (t *Tokenizer) configJSON() ([]byte, error) {
	keys := make(map[string]any, len(t.config.keys)+1)
	for key, src := range t.config.keys {
		keys[key] = src
	}
	if class := t.config.keys["tokenizer_class"]; isNull(class) || string(class) == `"TokenizersBackend"` {
		keys["tokenizer_class"] = "PreTrainedTokenizerFast"
	}
	if more := t.config.moreSpecials(); more != nil {
		keys["additional_special_tokens"] = more
	}
	if isList(t.config.keys["extra_special_tokens"]) {
		delete(keys, "extra_special_tokens")
	}
	for key, text := range t.config.named() {
		if text != "" && isNull(t.config.keys[key]) {
			keys[key] = text
		}
	}
	if value := t.config.templateValue(); value != "" {
		keys["chat_template"] = value
	}
	return indented(keys)
}

// moreSpecials is the list of special tokens that have no name, nil where there is none.
func (c *config) moreSpecials() json.RawMessage {
	for _, key := range []string{"additional_special_tokens", "extra_special_tokens"} {
		if src := c.keys[key]; isList(src) {
			return src
		}
	}
	return nil
}

func isList(src json.RawMessage) bool { return strings.HasPrefix(string(src), "[") }

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
