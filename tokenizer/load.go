package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"instruct/checkpoints/bounded"
	"instruct/tokenizer/file"
	"instruct/tokenizer/pattern"
)

// Load reads a tokenizer from a Hugging Face folder (tokenizer.json; tokenizer_config.json, special_tokens_map.json,
// chat_template.jinja and additional_chat_templates where they exist) or from a tokenizer.json file alone.
func Load(path string) (*Tokenizer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, mistake("tokenizer: load: %w", err)
	}
	if !info.IsDir() {
		data, err := bounded.ReadInput(path)
		if err != nil {
			return nil, mistake("tokenizer: load: %w", err)
		}
		t, err := Parse(data, nil)
		if err != nil {
			return nil, fmt.Errorf("tokenizer: load %s: %w", path, err)
		}
		return t, nil
	}
	var optional [3][]byte
	for i, name := range []string{"tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"} {
		optional[i], err = bounded.ReadFile(filepath.Join(path, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, mistake("tokenizer: load: %w", err)
		}
	}
	data, err := bounded.ReadFile(filepath.Join(path, "tokenizer.json"))
	if errors.Is(err, fs.ErrNotExist) {
		data, optional[0], err = file.FromFolder(path, optional[0])
		if err != nil {
			return nil, fmt.Errorf("tokenizer: load %s: %w", path, err)
		}
		if data == nil {
			return nil, mistake("tokenizer: load %s: the folder has no tokenizer.json, and no vocab.json and merges.txt, "+
				"vocab.txt or tokenizer.model instead; save the model's fast tokenizer there", path)
		}
	}
	if err != nil {
		return nil, mistake("tokenizer: load: %w", err)
	}
	t, err := Parse(data, optional[0])
	if err != nil {
		return nil, fmt.Errorf("tokenizer: load %s: %w", path, err)
	}
	if optional[1] != nil {
		var keys map[string]json.RawMessage
		if err := file.Decode("special_tokens_map.json", optional[1], &keys); err != nil {
			return nil, fmt.Errorf("tokenizer: load %s: %w", path, err)
		}
		if err := t.config.specials(keys); err != nil {
			return nil, fmt.Errorf("tokenizer: load %s: %w", path, err)
		}
	}
	return t, t.config.loadTemplates(path)
}

// Parse makes a tokenizer from the bytes of a tokenizer.json and, if not empty, of a tokenizer_config.json.
func Parse(tokenizerJSON, configJSON []byte) (*Tokenizer, error) {
	f, err := file.Parse(string(tokenizerJSON))
	if err != nil {
		return nil, err
	}
	c, err := parseConfig(configJSON)
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{classes: pattern.NewClasses(), config: c, raw: string(tokenizerJSON), seed: maphash.MakeSeed()}
	if err := t.build(f); err != nil {
		return nil, err
	}
	return t, nil
}

// build assembles the pipeline.
func (t *Tokenizer) build(f *file.File) error {
	b := builder{t: t, m: &f.Model, alphabet: newAlphabet()}
	b.vocabulary(len(f.AddedTokens))
	b.each("normalizer", f.Normalizer, b.normalizer)
	b.model(b.preTokenizers(f.PreTokenizer))
	b.addTokens(f.AddedTokens)
	t.pair = []pairPart{{text: 0}, {text: 1, typeID: 1}}
	b.each("post_processor", f.PostProcessor, b.postProcessor)
	b.each("decoder", f.Decoder, b.decoder)
	if b.err != nil {
		return b.err
	}
	t.scratch.New = func() any {
		sc := &scratch{pre: make([]buffer, len(t.preTokenizers)), cache: make([]cacheSlot, cacheSlots)}
		if t.chunks != nil {
			sc.chunks = make([]chunkSlot, chunkSlots)
		}
		return sc
	}
	b.matchers()
	b.chunks()
	return nil
}

// vocabulary fills the tables of tokens from the model. There will be more added tokens.
func (b *builder) vocabulary(more int) {
	n := 0
	b.check(b.m.EachToken(func(string, int64) error { n++; return nil }))
	b.t.vocab = make(map[string]int32, n+more)
	b.t.tokens = make([]string, 0, n+more)
	// A hole or two is harmless, a huge id is a broken file and would make huge tables.
	b.limit = int64(2*(n+more) + 1<<16)
	b.check(b.m.EachToken(b.enter))
	b.size = n
}

// enter gives a token its id.
func (b *builder) enter(text string, id int64) error {
	t := b.t
	if id < 0 || id >= b.limit {
		return mistake("tokenizer.json: token %q has the id %d, which is out of range for so few tokens", text, id)
	}
	for int64(len(t.tokens)) <= id {
		t.tokens = append(t.tokens, "")
		b.used = append(b.used, false)
	}
	if b.used[id] {
		return mistake("tokenizer.json: tokens %q and %q have the same id %d", t.tokens[id], text, id)
	}
	n := len(t.vocab)
	t.tokens[id], b.used[id], t.vocab[text] = text, true, int32(id)
	if len(t.vocab) == n && b.m.Type != "Unigram" { // of equal pieces the last has the id
		return mistake("tokenizer.json: token %q is in the vocabulary twice", text)
	}
	return nil
}

// addTokens enters the added tokens. As in the Rust library, one that the model has keeps the model's id, and the
// others are numbered on from the size of its vocabulary, whatever the file says.
func (b *builder) addTokens(list []file.AddedToken) {
	t := b.t
	t.addedByID = make(map[int32]*file.AddedToken, len(list))
	next := int64(b.size)
	for i := range list {
		a := &list[i]
		if a.Content == "" {
			continue
		}
		if id, ok := t.vocab[a.Content]; ok {
			a.ID = id
		} else {
			b.check(b.enter(a.Content, next))
			a.ID = int32(next)
			next++
		}
		if t.addedByID[a.ID] == nil {
			t.added = append(t.added, a)
		}
		t.addedByID[a.ID] = a
	}
	for i, a := range t.added {
		t.added[i] = t.addedByID[a.ID]
	}
	slices.SortFunc(t.added, func(a, b *file.AddedToken) int { return int(a.ID) - int(b.ID) })
}

// matchers prepares the search for added tokens.
func (b *builder) matchers() {
	t := b.t
	var raw, normalized []*file.AddedToken
	var rawText, normText []string
	sc := t.scratch.New().(*scratch)
	for _, a := range t.added {
		if !a.Normalized {
			raw, rawText = append(raw, a), append(rawText, a.Content)
			continue
		}
		text := t.normalize(sc, piece{s: a.Content}, t.normalizers).s
		normalized, normText = append(normalized, a), append(normText, string([]byte(text)))
	}
	t.rawAdded = newMatcher(raw, rawText)
	t.normAdded = newMatcher(normalized, normText)
	t.decoded = slices.Clone(t.tokens)
	for i, a := range normalized {
		t.decoded[a.ID] = normText[i]
	}
	// As in the Rust library, a token is special by the text that decoding makes of it: one that the normalizer changes
	// is not.
	special := make(map[string]bool)
	for _, a := range t.added {
		special[a.Content] = special[a.Content] || a.Special
	}
	t.skipped = make([]bool, len(t.decoded))
	for id, text := range t.decoded {
		t.skipped[id] = special[text]
	}
	t.trim.prepare(t.tokens)
}

func isNull(src json.RawMessage) bool { return len(src) == 0 || string(src) == "null" }
