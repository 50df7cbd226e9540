package tokenizer

// Bytes makes a tokenizer whose token i is the byte i, followed by the special tokens: byte-level BPE without merges, in
// the form of tokenizer.json that other programs load. It has no BOS, EOS or PAD; see [Tokenizer.SetSpecial].
// A special token that is given twice counts once.
func Bytes(specials ...string) *Tokenizer {
	vocab := make(orderedVocab, 256, 256+len(specials))
	for i, r := range newAlphabet().runes {
		vocab[i] = string(r)
	}
	t, err := assemble(vocab, nil, specials, object{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false})
	if err != nil {
		panic("tokenizer: Bytes: " + err.Error()) // only for a special token that is not UTF-8
	}
	return t
}

// assemble makes a byte-level tokenizer of a vocabulary, merges and special tokens, which are appended to the vocabulary
// unless they are in it.
func assemble(vocab orderedVocab, merges [][2]string, specials []string, pre any) (*Tokenizer, error) {
	ids := make(map[string]int, len(vocab)+len(specials))
	for i, s := range vocab {
		ids[s] = i
	}
	added := []addedToken{}
	listed := make(map[string]bool, len(specials))
	for _, s := range specials {
		if s == "" || listed[s] {
			continue
		}
		listed[s] = true
		id, ok := ids[s]
		if !ok {
			id = len(vocab)
			vocab = append(vocab, s)
			ids[s] = id
		}
		added = append(added, addedToken{ID: int32(id), Content: s, Special: true})
	}
	if merges == nil {
		merges = [][2]string{}
	}
	data, err := marshal(object{
		"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": added,
		"normalizer": nil, "pre_tokenizer": pre, "post_processor": nil,
		"decoder": object{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
		"model":   bpeModel(vocab, merges, nil),
	})
	if err != nil {
		return nil, err
	}
	conf, err := marshal(object{"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": false})
	if err != nil {
		return nil, err
	}
	return Parse(data, conf)
}

// Special names the tokens that have a part to play; an empty one is not set.
type Special struct{ BOS, EOS, UNK, PAD string }

// SetSpecial names the special tokens, each of which must be in the vocabulary. [Tokenizer.Save] writes them. It does not
// make Encode put any of them around a text.
func (t *Tokenizer) SetSpecial(s Special) error {
	for _, text := range []string{s.BOS, s.EOS, s.UNK, s.PAD} {
		if _, ok := t.ID(text); text != "" && !ok {
			return userf("tokenizer: special token %q is not in the vocabulary", text)
		}
	}
	c := &t.config
	c.bos, c.eos, c.unk, c.pad = s.BOS, s.EOS, s.UNK, s.PAD
	for key := range c.named() {
		delete(c.keys, key)
	}
	return nil
}
