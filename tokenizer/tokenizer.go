package tokenizer

import (
	"hash/maphash"
	"sync"

	"instruct/tokenizer/file"
	"instruct/tokenizer/pattern"
)

// Tokenizer turns text into ids and back. It is made by [Load], [Parse], [FromGGUF], [Bytes] or [TrainBPE] and may be
// used by several goroutines at once, [Tokenizer.SetChatTemplate] excepted.
type Tokenizer struct {
	classes       *pattern.Classes
	normalizers   []normalizer
	preTokenizers []preTokenizer
	model         model
	mark          string     // words may be cut before this mark, because no token crosses it; "" if not
	chunks        *chunks    // how texts are encoded in chunks; nil if they cannot be
	before, after []int32    // special tokens around a text
	pair          []pairPart // the sequence that two texts make
	pairError     error      // why two texts cannot be encoded as one sequence
	decoders      []decoder  // none: tokens are joined by spaces
	fuses         bool       // a decoder has made all tokens one

	tokens    []string // by id, as the file writes them; "" where an id has no token
	vocab     map[string]int32
	added     []*file.AddedToken // ascending by id
	addedByID map[int32]*file.AddedToken
	rawAdded  *matcher
	normAdded *matcher
	decoded   []string // by id: what a decoder is given
	skipped   []bool   // by id: decoding can skip it
	trim      trimmer  // of ranges

	config   config
	raw      string // tokenizer.json as it was read
	hashOnce sync.Once
	content  string // hash of the parts of raw

	seed    maphash.Seed
	scratch sync.Pool
}

// VocabSize is the number of ids, which is one more than the highest: the rows that a model's embedding needs at least.
func (t *Tokenizer) VocabSize() int { return len(t.tokens) }

// ID gives the id of a token by its text as tokenizer.json writes it.
func (t *Tokenizer) ID(token string) (int32, bool) {
	id, ok := t.vocab[token]
	return id, ok
}

// TokenText gives a token as tokenizer.json writes it, in the byte alphabet if the model has one; "" for an id that has
// no token.
func (t *Tokenizer) TokenText(id int32) string {
	if id < 0 || int(id) >= len(t.tokens) {
		return ""
	}
	return t.tokens[id]
}

// IsSpecial reports whether id is a special token, which decoding can skip.
func (t *Tokenizer) IsSpecial(id int32) bool {
	a := t.addedByID[id]
	return a != nil && a.Special
}

// BOS gives the token that begins a sequence, if the configuration names one.
func (t *Tokenizer) BOS() (id int32, ok bool) { return t.named(t.config.bos) }

// EOS gives the token that ends a sequence, if the configuration names one.
func (t *Tokenizer) EOS() (id int32, ok bool) { return t.named(t.config.eos) }

// PAD gives the padding token, if the configuration names one.
func (t *Tokenizer) PAD() (id int32, ok bool) { return t.named(t.config.pad) }

// UNK gives the token for unknown text, if the configuration names one.
func (t *Tokenizer) UNK() (id int32, ok bool) { return t.named(t.config.unk) }

// BOSText is the text of [Tokenizer.BOS], or "".
func (t *Tokenizer) BOSText() string { return t.config.bos }

// EOSText is the text of [Tokenizer.EOS], or "".
func (t *Tokenizer) EOSText() string { return t.config.eos }

// PADText is the text of [Tokenizer.PAD], or "".
func (t *Tokenizer) PADText() string { return t.config.pad }

// UNKText is the text of [Tokenizer.UNK], or "".
func (t *Tokenizer) UNKText() string { return t.config.unk }

func (t *Tokenizer) named(token string) (int32, bool) {
	if token == "" {
		return 0, false
	}
	return t.ID(token)
}

// ChatTemplate is the Jinja source of the chat template, or "".
func (t *Tokenizer) ChatTemplate() string { return t.config.chatTemplate }

// TemplateNames names the chat templates beside the default one.
func (t *Tokenizer) TemplateNames() []string {
	var names []string
	for _, template := range t.config.moreTemplates {
		names = append(names, template.Name)
	}
	return names
}

// NamedTemplate is the Jinja source of one of the [Tokenizer.TemplateNames], or "".
func (t *Tokenizer) NamedTemplate(name string) string {
	for _, template := range t.config.moreTemplates {
		if template.Name == name {
			return template.Template
		}
	}
	return ""
}

// SetChatTemplate replaces the chat template, for [Tokenizer.Save] to write. With another one than it had, the
// tokenizer loses its named templates, which are not those that the model is trained with.
func (t *Tokenizer) SetChatTemplate(src string) {
	if src != t.config.chatTemplate {
		t.config.chatTemplate, t.config.moreTemplates = src, nil
	}
}
