package file

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// object is a JSON object that is being built.
type object map[string]any

// bpeModel is a model section.
func bpeModel(vocab orderedVocab, merges [][2]string, flags object) object {
	m := object{
		"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
		"fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": vocab, "merges": merges,
	}
	for key, value := range flags {
		m[key] = value
	}
	return m
}

// orderedVocab is a vocabulary by id, written as an object in that order.
type orderedVocab []string

// MarshalJSON writes {"token": id, ...}.
func (v orderedVocab) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, s := range v {
		key, err := json.Marshal(s)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(append(b, key...), ":%d", i)
	}
	return append(b, '}'), nil
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

// marshalBoth gives the text of a tokenizer.json and a tokenizer_config.json.
func marshalBoth(f, config any) (tokenizerJSON, configJSON []byte, err error) {
	tokenizerJSON, err = marshal(f)
	if err != nil {
		return nil, nil, fmt.Errorf("tokenizer: %w", err)
	}
	configJSON, err = marshal(config)
	if err != nil {
		return nil, nil, fmt.Errorf("tokenizer: %w", err)
	}
	return tokenizerJSON, configJSON, nil
}

// ByteLevelBPE gives the files of byte-level BPE with a vocabulary by id, merges and special tokens, which are appended
// to the vocabulary unless they are in it.
func ByteLevelBPE(vocab orderedVocab, merges [][2]string, specials []string, pre any) (tokenizerJSON, config []byte, err error) {
	ids := make(map[string]int, len(vocab)+len(specials))
	for i, s := range vocab {
		ids[s] = i
	}
	added := []AddedToken{}
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
		added = append(added, AddedToken{ID: int32(id), Content: s, Special: true})
	}
	if merges == nil {
		merges = [][2]string{}
	}
	f := object{
		"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": added,
		"normalizer": nil, "pre_tokenizer": pre, "post_processor": nil,
		"decoder": object{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
		"model":   bpeModel(vocab, merges, nil),
	}
	return marshalBoth(f, object{"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": false})
}

// ByteLevel is the ByteLevel pre-tokenizer; with regex it splits words by pattern.GPT2.
func ByteLevel(regex bool) object {
	return object{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": regex}
}
