package file

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"instruct/checkpoints/bounded"
)

// legacy makes the tokenizer.json of a folder that has none, from vocab.json and merges.txt, vocab.txt, or a
// SentencePiece model, as transformers 5 does for the tokenizer_class.
type legacy struct {
	dir   string
	class string                     // tokenizer_class without Fast; "" if it says nothing
	keys  map[string]json.RawMessage // tokenizer_config.json
	names map[string]string          // special tokens by their key
	vocab orderedVocab
	ids   map[string]int
	added []AddedToken
	err   error // of the post-processor
}

// specialKeys are the keys of special tokens, in the order in which new ones get ids.
func specialKeys() []string {
	return []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}
}

// FromFolder gives the tokenizer.json and the tokenizer_config.json; nil if the folder has none of the files.
func FromFolder(dir string, configJSON []byte) (tokenizerJSON, newConfig []byte, err error) {
	l := &legacy{dir: dir, keys: map[string]json.RawMessage{}, names: map[string]string{}}
	if len(configJSON) > 0 {
		if err := Decode("tokenizer_config.json", configJSON, &l.keys); err != nil {
			return nil, nil, err
		}
	}
	l.config()
	read, paths := l.kind()
	if read == nil {
		return nil, nil, nil
	}
	f, err := read(paths)
	if err = cmp.Or(err, l.err); err != nil {
		return nil, nil, err
	}
	added, err := l.addedTokens()
	if err != nil {
		return nil, nil, err
	}
	keys := make(map[string]any, len(l.keys))
	for key, src := range l.keys {
		keys[key] = src
	}
	for key, text := range l.names {
		if src := l.keys[key]; text != "" && (len(src) == 0 || string(src) == "null") {
			keys[key] = text
		}
	}
	return marshalBoth(f, added, keys)
}

// kind gives the reader of the files that the folder has, and their paths; nil if it has none that are known.
func (l *legacy) kind() (read func(paths []string) (object, error), paths []string) {
	for _, kind := range []struct {
		files []string
		read  func(paths []string) (object, error)
	}{
		{[]string{"vocab.json", "merges.txt"}, l.byteLevel},
		{[]string{"vocab.txt"}, l.bert},
		{[]string{"tokenizer.model"}, l.sentencePiece},
		{[]string{"spiece.model"}, l.sentencePiece},
		{[]string{"sentencepiece.bpe.model"}, l.sentencePiece},
	} {
		paths := make([]string, len(kind.files))
		found := true
		for i, name := range kind.files {
			paths[i] = filepath.Join(l.dir, name)
			info, err := os.Stat(paths[i])
			found = found && err == nil && info.Mode().IsRegular()
		}
		if found {
			return kind.read, paths
		}
	}
	return nil, nil
}

// config reads the class and the special tokens.
func (l *legacy) config() {
	var class string
	if json.Unmarshal(l.keys["tokenizer_class"], &class) == nil {
		l.class = strings.TrimSuffix(class, "Fast")
	}
	if l.class == "PreTrainedTokenizer" || l.class == "TokenizersBackend" {
		l.class = ""
	}
	for _, key := range specialKeys() {
		if token, ok := tokenOf(l.keys[key]); ok {
			l.names[key] = token.Content
		}
	}
}

// tokenOf reads a token of a configuration, a text or an object with flags.
func tokenOf(src json.RawMessage) (AddedToken, bool) {
	var token AddedToken
	if len(src) > 0 && (json.Unmarshal(src, &token.Content) == nil || json.Unmarshal(src, &token) == nil) {
		return token, token.Content != ""
	}
	return token, false
}

// flag reads a yes or no of the configuration.
func (l *legacy) flag(key string, otherwise bool) bool {
	var value *bool
	if json.Unmarshal(l.keys[key], &value) == nil && value != nil {
		return *value
	}
	return otherwise
}

// number reads a count of at most 10,000 of the configuration.
func (l *legacy) number(key string, otherwise int) int {
	var value *int
	if json.Unmarshal(l.keys[key], &value) == nil && value != nil {
		return min(max(*value, 0), 10000)
	}
	return otherwise
}

// name sets a special token that the configuration leaves out, unless it sets it to null.
func (l *legacy) name(key, text string) {
	if _, ok := l.keys[key]; !ok {
		l.names[key] = text
	}
}

// nameAll sets special tokens by their keys, as name does.
func (l *legacy) nameAll(names map[string]string) {
	for key, text := range names {
		l.name(key, text)
	}
}

// index fills ids from the vocabulary.
func (l *legacy) index() {
	l.ids = make(map[string]int, len(l.vocab))
	for i, s := range l.vocab {
		l.ids[s] = i
	}
}

// supports checks the class.
func (l *legacy) supports(what string, classes ...string) error {
	if l.class == "" || slices.Contains(classes, l.class) {
		return nil
	}
	return mistake("tokenizer_config.json: tokenizer_class %q is not supported with %s alone (known: %s); "+
		"save the model's fast tokenizer (tokenizer.json) there",
		l.class, what, strings.Join(classes, ", "))
}

// special gives the id of a special token.
func (l *legacy) special(text string) int {
	id, ok := l.ids[text]
	if !ok {
		l.err = cmp.Or(l.err, mistake("the special token %q is not in the vocabulary", text))
	}
	return id
}

// around is the post-processor that puts tokens before and after a text.
func (l *legacy) around(before, after []string) any {
	specials := object{}
	parts := func(tokens []string) (list []any) {
		for _, s := range tokens {
			list = append(list, tokenPart(specials, s, l.special(s), 0))
		}
		return list
	}
	front, back := parts(before), parts(after)
	single := slices.Concat(front, []any{textPart("A", 0)}, back)
	pair := slices.Concat(single, []any{textPart("B", 1)}, back)
	return templateProcessing(single, pair, specials)
}

// addedTokens lists the added tokens of added_tokens_decoder, of added_tokens.json, of the model and of the names.
func (l *legacy) addedTokens() ([]AddedToken, error) {
	var decoder map[string]AddedToken
	if src, ok := l.keys["added_tokens_decoder"]; ok {
		if err := json.Unmarshal(src, &decoder); err != nil {
			return nil, mistake("tokenizer_config.json: added_tokens_decoder: %w", err)
		}
	}
	var listed []AddedToken
	for key, token := range decoder {
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil {
			return nil, mistake("tokenizer_config.json: added_tokens_decoder has the id %q", key)
		}
		token.ID = int32(id)
		listed = append(listed, token)
	}
	if data, err := bounded.ReadFile(filepath.Join(l.dir, "added_tokens.json")); err == nil {
		var more map[string]int32
		if err := Decode("added_tokens.json", data, &more); err != nil {
			return nil, err
		}
		for text, id := range more {
			if !slices.ContainsFunc(listed, func(a AddedToken) bool { return a.Content == text }) {
				listed = append(listed, AddedToken{ID: id, Content: text, Normalized: true})
			}
		}
	}
	slices.SortFunc(listed, func(a, b AddedToken) int { return int(a.ID) - int(b.ID) })
	next := len(l.vocab)
	all := []AddedToken{}
	add := func(token AddedToken) {
		i := slices.IndexFunc(all, func(a AddedToken) bool { return a.Content == token.Content })
		if i >= 0 {
			all[i].Special = all[i].Special || token.Special
			return
		}
		id, ok := l.ids[token.Content]
		if !ok {
			id = next
			next++
		}
		token.ID = int32(id)
		all = append(all, token)
	}
	for _, token := range listed {
		want := token.ID
		add(token)
		if last := all[len(all)-1]; last.Content == token.Content && last.ID != want {
			return nil, mistake("the added token %q has the id %d, but the vocabulary leads to %d", token.Content, want, last.ID)
		}
	}
	for _, token := range l.added {
		add(token)
	}
	for _, key := range specialKeys() {
		token, ok := tokenOf(l.keys[key])
		if !ok {
			token = AddedToken{Content: l.names[key]}
		}
		token.Special = true
		if token.Content != "" {
			add(token)
		}
	}
	for _, key := range []string{"additional_special_tokens", "extra_special_tokens"} {
		var list []json.RawMessage
		_ = json.Unmarshal(l.keys[key], &list) // a map of names, or nothing, adds no token here
		for _, src := range list {
			if token, ok := tokenOf(src); ok {
				token.Special = true
				add(token)
			}
		}
	}
	return all, nil
}

func (l *legacy) charsmap(m *spmModel) any {
	return object{"type": "Precompiled", "precompiled_charsmap": base64.StdEncoding.EncodeToString(m.charsmap)}
}
