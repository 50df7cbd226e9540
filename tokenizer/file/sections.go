package file

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// object is a JSON object that is being built.
type object map[string]any

// bpeModel is a model section.
func bpeModel(vocab orderedVocab, merges [][2]string, flags object) object {
	m := object{
		"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
		"fuse_unk": false, "byte_fallback": false, "ignore_merges": false, "vocab": vocab, "merges": merges,
	}
	maps.Copy(m, flags)
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

// marshalBoth completes a tokenizer.json and gives its text and that of the tokenizer_config.json.
func marshalBoth(f object, added []AddedToken, config any) (tokenizerJSON, configJSON []byte, err error) {
	maps.Copy(f, object{"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": added})
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
// to the vocabulary unless they are in it. The pre-tokenizer is one of the Patterns; with nil each text is one word.
func ByteLevelBPE(
	vocab []string, merges [][2]string, specials []string, pre any,
) (tokenizerJSON, config []byte, err error) {
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
	if pre == nil {
		pre = byteLevel(false, false)
	}
	f := object{
		"normalizer": nil, "pre_tokenizer": pre, "post_processor": nil,
		"decoder": byteLevel(true, true), "model": bpeModel(vocab, merges, nil),
	}
	return marshalBoth(f, added, fastConfig())
}

// fastConfig is a tokenizer_config.json that says nothing beyond the class.
func fastConfig() object {
	return object{"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": false}
}

// sequence is several components, one after the other, in a list of the name that the section has for it.
func sequence(list string, parts ...any) object { return object{"type": "Sequence", list: parts} }

// byteLevel is a ByteLevel component; with regex a pre-tokenizer splits words by pattern.GPT2.
func byteLevel(prefixSpace, regex bool) object {
	return object{"type": "ByteLevel", "add_prefix_space": prefixSpace, "trim_offsets": true, "use_regex": regex}
}

// splitBy is a pre-tokenizer that makes each match of a regular expression a word.
func splitBy(regex string) object {
	return object{"type": "Split", "pattern": object{"Regex": regex}, "behavior": "Isolated", "invert": false}
}

// spaceMark is what SentencePiece writes for a space.
const spaceMark = "▁"

func replaceWith(old, new string) object {
	return object{"type": "Replace", "pattern": object{"String": old}, "content": new}
}

// markDecoder is the decoder of a model with spaceMark and byte tokens; strips says that a text has a space too many.
func markDecoder(strips bool) object {
	parts := []any{replaceWith(spaceMark, " "), object{"type": "ByteFallback"}, object{"type": "Fuse"}}
	if strips {
		parts = append(parts, object{"type": "Strip", "content": " ", "start": 1, "stop": 0})
	}
	return sequence("decoders", parts...)
}

// textPart is the place of a text, A or B, in TemplateProcessing.
func textPart(id string, kind int) any { return object{"Sequence": object{"id": id, "type_id": kind}} }

// tokenPart is a special token in TemplateProcessing, which it lists in specials.
func tokenPart(specials object, text string, id, kind int) any {
	specials[text] = object{"id": text, "ids": []int{id}, "tokens": []string{text}}
	return object{"SpecialToken": object{"id": text, "type_id": kind}}
}

// templateProcessing is the post-processor that puts special tokens around texts, or nil if there are none.
func templateProcessing(single, pair []any, specials object) any {
	if len(specials) == 0 {
		return nil
	}
	return object{"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": specials}
}
