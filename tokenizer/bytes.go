package tokenizer

import "instruct/tokenizer/file"

// Bytes makes a tokenizer whose token i is the byte i, followed by the special tokens: byte-level BPE without merges,
// in the form of tokenizer.json that other programs load. It has no BOS, EOS or PAD; see [Tokenizer.SetSpecial]. A
// special token that is given twice counts once.
func Bytes(specials ...string) *Tokenizer {
	vocab := make([]string, 256, 256+len(specials))
	for i, r := range newAlphabet().runes {
		vocab[i] = string(r)
	}
	t, err := assemble(vocab, nil, specials, nil)
	if err != nil {
		panic("tokenizer: Bytes: " + err.Error()) // only for a special token that is not UTF-8
	}
	return t
}

// assemble makes a byte-level tokenizer; see [file.ByteLevelBPE].
func assemble(vocab []string, merges [][2]string, specials []string, pre any) (*Tokenizer, error) {
	data, conf, err := file.ByteLevelBPE(vocab, merges, specials, pre)
	if err != nil {
		return nil, err
	}
	return Parse(data, conf)
}

// Special names the tokens that have a part to play; an empty one is not set.
type Special struct{ BOS, EOS, UNK, PAD string }

// SetSpecial names the special tokens, each of which must be in the vocabulary. [Tokenizer.Save] writes them. It does
// not make Encode put any of them around a text.
func (t *Tokenizer) SetSpecial(s Special) error {
	for _, text := range []string{s.BOS, s.EOS, s.UNK, s.PAD} {
		if _, ok := t.ID(text); text != "" && !ok {
			return mistake("tokenizer: special token %q is not in the vocabulary", text)
		}
	}
	c := &t.config
	c.bos, c.eos = s.BOS, s.EOS
	c.unk, c.pad = s.UNK, s.PAD
	for key := range c.named() {
		delete(c.keys, key)
	}
	return nil
}
