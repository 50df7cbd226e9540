package file

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"instruct/tokenizer/pattern"
)

// GGUF is the tokenizer.ggml.* part of a GGUF file's metadata. An id that the file does not give is -1. Where the
// file does not say, AddBOS and AddSpacePrefix are true for the model "llama" and false for "gpt2".
type GGUF struct {
	Model, Pre                     string    // tokenizer.ggml.model: gpt2 or llama; tokenizer.ggml.pre
	Tokens                         []string  // by id
	Scores                         []float32 // of model llama: the order of merges
	Types                          []int32   // 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
	Merges                         []string  // of model gpt2: "left right"
	BOS, EOS, UNK, PAD             int
	AddBOS, AddEOS, AddSpacePrefix bool
	ChatTemplate                   string
	NamedTemplates                 map[string]string // tokenizer.chat_template.NAME, such as tool_use
}

// Types of tokens in a GGUF file.
const (
	ggufNormal      = 1
	ggufUnknown     = 2
	ggufControl     = 3
	ggufUserDefined = 4
	ggufUnused      = 5
	ggufByte        = 6
)

// ggufPre is how a tokenizer.ggml.pre splits words.
type ggufPre struct {
	names        []string // by which llama.cpp knows it, the one that is written first
	normalizer   any
	preTokenizer any
	ignoreMerges bool
}

// ggufPres is the table of pre-tokenizers, by the names that llama.cpp's converter gives them. A file is written with
// the first line that splits words as its tokenizer does.
func ggufPres() []ggufPre {
	split := func(regex string) any { return sequence("pretokenizers", splitBy(regex), byteLevel(false, false)) }
	digits := object{"type": "Digits", "individual_digits": true}
	nfc := object{"type": "NFC"}
	return []ggufPre{
		{names: []string{"gpt-2", "gpt2", "mpt", "jais"}, preTokenizer: byteLevel(false, true)},
		{names: []string{"olmo"}, normalizer: nfc, preTokenizer: byteLevel(false, true)},
		{names: []string{"smollm", "starcoder", "refact", "command-r", "codeshell"},
			preTokenizer: sequence("pretokenizers", digits, byteLevel(false, true))},
		{names: []string{"llama-bpe", "llama3", "llama-v3", "falcon3", "lfm2", "pixtral"},
			preTokenizer: split(pattern.Llama3), ignoreMerges: true},
		{names: []string{"smaug-bpe", "dbrx"}, preTokenizer: split(pattern.Llama3)},
		{names: []string{"qwen2", "deepseek-r1-qwen"}, normalizer: nfc, preTokenizer: split(pattern.Qwen2)},
		{names: []string{"stablelm2"}, preTokenizer: split(pattern.Qwen2)},
		{names: []string{"gpt-4o"}, preTokenizer: split(pattern.O200K)},
		{names: []string{"tekken"}, preTokenizer: split(pattern.Tekken), ignoreMerges: true},
		// What llama.cpp takes for a file that does not say: four patterns, one after the other.
		{names: []string{"default", ""}, preTokenizer: sequence("pretokenizers",
			splitBy(`[\p{P}\$\+<=>\^~\|]+`), splitBy(strings.TrimSuffix(pattern.GPT2, `|\s+`)),
			splitBy(`\p{N}+`), splitBy(`[0-9][0-9][0-9]`), byteLevel(false, false))},
	}
}

// findPre looks for a pre-tokenizer by one of its names; known are all of them.
func findPre(name string) (pre ggufPre, known []string) {
	for _, p := range ggufPres() {
		if slices.Contains(p.names, name) {
			pre = p
		}
		known = append(known, p.names...)
	}
	slices.Sort(known)
	return pre, known
}

func (v *GGUF) kind(id int) int32 {
	if v.Types == nil {
		return ggufNormal
	}
	return v.Types[id]
}

// byteLevel builds the file of a GPT-2 style model.
func (v *GGUF) byteLevel() (object, error) {
	pre, known := findPre(v.Pre)
	if pre.names == nil {
		return nil, mistake("tokenizer: GGUF: tokenizer.ggml.pre %q is not supported (known: %s)",
			v.Pre, strings.Join(known, ", "))
	}
	merges := make([][2]string, len(v.Merges))
	for i, m := range v.Merges {
		// The first token may itself begin with a space in old files, so look from the second byte on.
		k := -1
		if len(m) > 1 {
			k = strings.IndexByte(m[1:], ' ')
		}
		if k < 0 {
			return nil, mistake("tokenizer: GGUF: merge %d is %q, expected two tokens with a space between", i, m)
		}
		merges[i] = [2]string{m[:k+1], m[k+2:]}
	}
	return object{
		"normalizer": pre.normalizer, "pre_tokenizer": pre.preTokenizer,
		"decoder": byteLevel(true, true),
		"model":   bpeModel(v.Tokens, merges, object{"ignore_merges": pre.ignoreMerges}),
	}, nil
}

// sentencePiece builds the file of a Llama 2 style model: its merges are all pairs that make a token, the better score
// first, as transformers makes them from a SentencePiece model.
func (v *GGUF) sentencePiece() (object, error) {
	if len(v.Scores) != len(v.Tokens) {
		return nil, mistake("tokenizer: GGUF: %d tokens but %d scores", len(v.Tokens), len(v.Scores))
	}
	flags := object{"byte_fallback": true, "fuse_unk": true}
	if v.UNK >= 0 {
		flags["unk_token"] = v.Tokens[v.UNK]
	}
	return object{
		"normalizer": markNormalizer(v.AddSpacePrefix), "pre_tokenizer": nil,
		"decoder": markDecoder(v.AddSpacePrefix),
		"model":   bpeModel(v.Tokens, v.scoredMerges(), flags),
	}, nil
}

// markNormalizer writes spaces as marks; with prefix one more is put before each text.
func markNormalizer(prefix bool) any {
	if !prefix {
		return sequence("normalizers", replaceWith(" ", spaceMark))
	}
	return sequence("normalizers", object{"type": "Prepend", "prepend": spaceMark}, replaceWith(" ", spaceMark))
}

// scoredMerges gives every pair of normal tokens that makes a normal token.
func (v *GGUF) scoredMerges() [][2]string {
	ids := make(map[string]int, len(v.Tokens))
	for i, s := range v.Tokens {
		if v.kind(i) == ggufNormal {
			ids[s] = i
		}
	}
	type merge struct {
		pair        [2]string
		score       float32
		left, right int
	}
	var all []merge
	for i, s := range v.Tokens {
		if v.kind(i) != ggufNormal {
			continue
		}
		from := len(all)
		for k := range s {
			left, okLeft := ids[s[:k]]
			right, okRight := ids[s[k:]]
			if k > 0 && okLeft && okRight {
				all = append(all, merge{[2]string{s[:k], s[k:]}, v.Scores[i], left, right})
			}
		}
		slices.SortStableFunc(all[from:], func(a, b merge) int {
			return cmp.Or(cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right))
		})
	}
	runes := utf8.RuneCountInString
	slices.SortStableFunc(all, func(a, b merge) int {
		return cmp.Or(
			cmp.Compare(b.score, a.score),
			cmp.Compare(runes(b.pair[0]), runes(a.pair[0])),
			cmp.Compare(runes(b.pair[1]), runes(a.pair[1])),
		)
	})
	pairs := make([][2]string, len(all))
	for i, m := range all {
		pairs[i] = m.pair
	}
	return pairs
}

// added lists the control tokens, which are special, and the user-defined ones, which are not.
func (v *GGUF) added() []AddedToken {
	list := []AddedToken{}
	for i, s := range v.Tokens {
		kind := v.kind(i)
		special := kind == ggufControl || i == v.UNK && v.Model == "llama"
		if special || kind == ggufUserDefined {
			list = append(list, AddedToken{ID: int32(i), Content: s, Special: special})
		}
	}
	return list
}

// template puts BOS and EOS around a text, where the file asks for it.
func (v *GGUF) template() any {
	single := []any{textPart("A", 0)}
	pair := []any{textPart("A", 0), textPart("B", 1)}
	specials := object{}
	token := func(id, kind int) any { return tokenPart(specials, v.Tokens[id], id, kind) }
	if v.AddBOS && v.BOS >= 0 {
		single = slices.Insert(single, 0, token(v.BOS, 0))
		pair = []any{token(v.BOS, 0), pair[0], token(v.BOS, 1), pair[1]}
	}
	if v.AddEOS && v.EOS >= 0 {
		single = append(single, token(v.EOS, 0))
		at := len(pair) / 2
		pair = append(slices.Insert(pair, at, token(v.EOS, 0)), token(v.EOS, 1))
	}
	return templateProcessing(single, pair, specials)
}

// config is the tokenizer_config.json.
func (v *GGUF) config() object {
	c := fastConfig()
	ids := map[string]int{"bos_token": v.BOS, "eos_token": v.EOS, "unk_token": v.UNK, "pad_token": v.PAD}
	for key, id := range ids {
		if id >= 0 {
			c[key] = v.Tokens[id]
		}
	}
	return c
}

// Files gives the tokenizer.json and the tokenizer_config.json that the file was made from, as far as the metadata
// tells.
func (v *GGUF) Files() (tokenizerJSON, config []byte, err error) {
	if len(v.Tokens) == 0 {
		return nil, nil, mistake("tokenizer: GGUF: no tokenizer.ggml.tokens")
	}
	if v.Types != nil && len(v.Types) != len(v.Tokens) {
		return nil, nil, mistake("tokenizer: GGUF: %d tokens but %d token types", len(v.Tokens), len(v.Types))
	}
	for _, s := range []struct {
		key string
		id  int
	}{{"bos", v.BOS}, {"eos", v.EOS}, {"unknown", v.UNK}, {"padding", v.PAD}} {
		if s.id >= len(v.Tokens) {
			return nil, nil, mistake("tokenizer: GGUF: tokenizer.ggml.%s_token_id is %d, but there are %d tokens",
				s.key, s.id, len(v.Tokens))
		}
	}
	var f object
	switch v.Model {
	case "gpt2":
		f, err = v.byteLevel()
	case "llama":
		f, err = v.sentencePiece()
	default:
		err = mistake("tokenizer: GGUF: tokenizer.ggml.model %q is not supported (known: gpt2, llama)", v.Model)
	}
	if err != nil {
		return nil, nil, err
	}
	f["post_processor"] = v.template()
	return marshalBoth(f, v.added(), v.config())
}

// Patterns are the pre-tokenizers that training offers: those of the GGUF table, under the models' names.
func Patterns() map[string]any {
	out := map[string]any{}
	for model, name := range map[string]string{
		"gpt2": "gpt-2", "smollm2": "smollm", "llama3": "llama-bpe", "qwen2": "qwen2",
	} {
		pre, _ := findPre(name)
		out[model] = pre.preTokenizer
	}
	return out
}
