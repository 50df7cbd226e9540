package tokenizer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"instruct/tokenizer/file"
)

// config is what tokenizer_config.json, special_tokens_map.json and chat_template.jinja add to tokenizer.json.
type config struct {
	bos, eos, unk, pad string
	chatTemplate       string
	moreTemplates      []namedTemplate            // others than the default, by name
	keys               map[string]json.RawMessage // all of tokenizer_config.json
}

// namedTemplate is one of several templates in a list.
type namedTemplate struct {
	Name     string `json:"name"`
	Template string `json:"template"`
}

// parseConfig reads tokenizer_config.json; nothing is no configuration.
func parseConfig(data []byte) (config, error) {
	var c config
	if len(data) == 0 {
		return c, nil
	}
	if err := file.Decode("tokenizer_config.json", data, &c.keys); err != nil {
		return c, err
	}
	if err := c.specials(c.keys); err != nil {
		return c, err
	}
	src, ok := c.keys["chat_template"]
	if !ok || string(src) == "null" {
		return c, nil
	}
	var list []namedTemplate
	switch {
	case json.Unmarshal(src, &c.chatTemplate) == nil:
	case json.Unmarshal(src, &list) == nil:
		for _, t := range list {
			c.setTemplate(t.Name, t.Template)
		}
	default:
		return c, mistake("tokenizer: tokenizer_config.json: chat_template is neither a text nor a list of {name, template}")
	}
	return c, nil
}

// Unknown says, as "KEY is TEXT", which named tokens of the configuration are not in the vocabulary, and which of its
// added tokens are there under another id.
func (t *Tokenizer) Unknown() (out []string) {
	for key, token := range t.config.named() {
		if _, ok := t.vocab[token]; token != "" && !ok {
			out = append(out, fmt.Sprintf("%s is %q", key, token))
		}
	}
	var added map[string]struct {
		Content string `json:"content"`
	}
	_ = json.Unmarshal(t.config.keys["added_tokens_decoder"], &added)
	for key, a := range added {
		if id, ok := t.vocab[a.Content]; !ok || strconv.Itoa(int(id)) != key {
			out = append(out, fmt.Sprintf("added_tokens_decoder has %q as %s", a.Content, key))
		}
	}
	slices.Sort(out)
	return out
}

// specials takes the named tokens from keys where they are not known yet.
func (c *config) specials(keys map[string]json.RawMessage) error {
	for _, f := range []struct {
		key string
		to  *string
	}{{"bos_token", &c.bos}, {"eos_token", &c.eos}, {"unk_token", &c.unk}, {"pad_token", &c.pad}} {
		src, ok := keys[f.key]
		if !ok || *f.to != "" {
			continue
		}
		var object struct {
			Content string `json:"content"`
		}
		if json.Unmarshal(src, f.to) == nil { // a text or null
			continue
		}
		if err := json.Unmarshal(src, &object); err != nil {
			return mistake("tokenizer: %s is neither a text nor an added token: %.80s", f.key, src)
		}
		*f.to = object.Content
	}
	return nil
}
