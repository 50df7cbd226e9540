package file

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"instruct/tokenizer/pattern"
)

// byteLevel reads vocab.json and merges.txt, of GPT-2, RoBERTa, Qwen2, GPT-NeoX or CLIP.
func (l *legacy) byteLevel(paths []string) (object, error) {
	switch l.class {
	case "BartTokenizer", "LEDTokenizer", "LongformerTokenizer":
		l.class = "RobertaTokenizer"
	}
	if err := l.supports("vocab.json and merges.txt", "GPT2Tokenizer", "RobertaTokenizer", "Qwen2Tokenizer", "GPTNeoXTokenizer",
		"CLIPTokenizer", "BartTokenizer", "LEDTokenizer", "LongformerTokenizer"); err != nil {
		return nil, err
	}
	vocab, err := os.ReadFile(paths[0])
	if err != nil {
		return nil, mistake("%w", err)
	}
	r := jsonReader{name: filepath.Base(paths[0]), s: string(vocab)}
	err = r.object(func(text string) error {
		id, err := r.integer()
		if err != nil {
			return err
		}
		if id < 0 || id > int64(len(vocab)) { // every token takes more than a byte of the file
			return mistake("%s: token %q has the id %d, which is out of range for so few tokens", filepath.Base(paths[0]), text, id)
		}
		for int64(len(l.vocab)) <= id {
			l.vocab = append(l.vocab, "")
		}
		l.vocab[id] = text
		return nil
	})
	if err != nil {
		return nil, err
	}
	if i := slices.Index(l.vocab, ""); i >= 0 {
		return nil, mistake("%s: no token has the id %d", filepath.Base(paths[0]), i)
	}
	l.index()
	lines, err := os.ReadFile(paths[1])
	if err != nil {
		return nil, mistake("%w", err)
	}
	merges := [][2]string{}
	for i, line := range strings.Split(string(lines), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" || strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(right, " ") {
			return nil, mistake("%s:%d: %q, expected two tokens with a space between", filepath.Base(paths[1]), i+1, line)
		}
		merges = append(merges, [2]string{left, right})
	}
	level := object{"type": "ByteLevel", "add_prefix_space": l.flag("add_prefix_space", false), "trim_offsets": true, "use_regex": l.class != "Qwen2Tokenizer"}
	f := object{
		"normalizer": nil, "pre_tokenizer": level, "post_processor": nil,
		"decoder": object{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
		"model":   bpeModel(l.vocab, merges, object{"continuing_subword_prefix": "", "end_of_word_suffix": ""}),
	}
	switch l.class {
	case "Qwen2Tokenizer":
		l.name("eos_token", "<|endoftext|>")
		l.name("pad_token", "<|endoftext|>")
		f["normalizer"] = object{"type": "NFC"}
		f["pre_tokenizer"] = object{"type": "Sequence", "pretokenizers": []any{
			object{"type": "Split", "pattern": object{"Regex": pattern.Qwen2}, "behavior": "Isolated", "invert": false}, level,
		}}
	case "RobertaTokenizer":
		for key, text := range map[string]string{
			"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>",
		} {
			l.name(key, text)
		}
		post := object{"type": "RobertaProcessing", "trim_offsets": l.flag("trim_offsets", true), "add_prefix_space": l.flag("add_prefix_space", false)}
		f["post_processor"] = post
		err = l.sides(post, "cls_token", "sep_token")
	case "CLIPTokenizer":
		return l.clip(f, merges)
	default:
		if l.class == "GPTNeoXTokenizer" {
			f["normalizer"] = object{"type": "NFC"}
			l.name("pad_token", "<|padding|>")
		}
		for _, key := range []string{"bos_token", "eos_token", "unk_token"} {
			l.name(key, "<|endoftext|>")
		}
		f["post_processor"], err = l.ends()
	}
	return f, err
}

// clip is CLIP's tokenizer: lower case, no white space, and a mark at the end of each word.
func (l *legacy) clip(f object, merges [][2]string) (object, error) {
	for _, key := range []string{"eos_token", "unk_token", "pad_token"} {
		l.name(key, "<|endoftext|>")
	}
	l.name("bos_token", "<|startoftext|>")
	f["normalizer"] = object{"type": "Sequence", "normalizers": []any{
		object{"type": "NFC"}, object{"type": "Replace", "pattern": object{"Regex": `\s+`}, "content": " "}, object{"type": "Lowercase"},
	}}
	f["pre_tokenizer"] = object{"type": "Sequence", "pretokenizers": []any{
		object{"type": "Split", "pattern": object{"Regex": pattern.CLIPEnds}, "behavior": "Removed", "invert": true},
		object{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
	}}
	f["model"] = bpeModel(l.vocab, merges, object{"continuing_subword_prefix": "", "end_of_word_suffix": "</w>", "unk_token": l.names["unk_token"]})
	post := object{"type": "RobertaProcessing", "trim_offsets": false, "add_prefix_space": false}
	f["post_processor"] = post
	return f, l.sides(post, "bos_token", "eos_token")
}

// sides names the tokens that post puts before and after a text.
func (l *legacy) sides(post object, before, after string) error {
	for side, key := range map[string]string{"cls": before, "sep": after} {
		id, ok := l.ids[l.names[key]]
		if !ok {
			return mistake("the special token %q is not in the vocabulary", l.names[key])
		}
		post[side] = []any{l.names[key], id}
	}
	return nil
}

// ends is the post-processor of add_bos_token and add_eos_token.
func (l *legacy) ends() (any, error) {
	var before, after []string
	if l.flag("add_bos_token", false) && l.names["bos_token"] != "" {
		before = append(before, l.names["bos_token"])
	}
	if l.flag("add_eos_token", false) && l.names["eos_token"] != "" {
		after = append(after, l.names["eos_token"])
	}
	return l.around(before, after)
}

// bert reads vocab.txt, a token a line.
func (l *legacy) bert(paths []string) (object, error) {
	if err := l.supports("vocab.txt", "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "ConvBertTokenizer",
		"LayoutLMTokenizer", "LxmertTokenizer", "SqueezeBertTokenizer"); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(paths[0])
	if err != nil {
		return nil, mistake("%w", err)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(data), "\n"), "\n") {
		l.vocab = append(l.vocab, strings.TrimRight(line, "\r"))
	}
	l.index()
	if len(l.ids) < len(l.vocab) {
		return nil, mistake("%s: %d lines, but only %d different tokens", filepath.Base(paths[0]), len(l.vocab), len(l.ids))
	}
	for key, text := range map[string]string{"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]"} {
		l.name(key, text)
	}
	f := object{
		"normalizer": object{
			"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": l.flag("tokenize_chinese_chars", true),
			"strip_accents": nil, "lowercase": l.flag("do_lower_case", true),
		},
		"pre_tokenizer": object{"type": "BertPreTokenizer"},
		"decoder":       object{"type": "WordPiece", "prefix": "##", "cleanup": true},
		"model": object{
			"type": "WordPiece", "unk_token": l.names["unk_token"], "continuing_subword_prefix": "##",
			"max_input_chars_per_word": 100, "vocab": l.vocab,
		},
	}
	if src := l.keys["strip_accents"]; len(src) > 0 && string(src) != "null" {
		f["normalizer"].(object)["strip_accents"] = l.flag("strip_accents", false)
	}
	f["post_processor"], err = l.around([]string{l.names["cls_token"]}, []string{l.names["sep_token"]})
	return f, err
}

// sentencePiece reads a SentencePiece model.
func (l *legacy) sentencePiece(paths []string) (object, error) {
	if err := l.supports("a SentencePiece model", "LlamaTokenizer", "GemmaTokenizer", "T5Tokenizer", "XLMRobertaTokenizer"); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(paths[0])
	if err != nil {
		return nil, mistake("%w", err)
	}
	m, err := parseSPM(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(paths[0]), err)
	}
	for _, p := range m.pieces {
		if p.kind == ggufControl || p.kind == ggufUserDefined {
			l.added = append(l.added, AddedToken{Content: p.text, Special: p.kind == ggufControl})
		}
	}
	bpeOnly := l.class == "LlamaTokenizer" || l.class == "GemmaTokenizer"
	if l.class != "" && bpeOnly != (m.kind == spmBPE) {
		return nil, mistake("%s: tokenizer_class %q does not go with model_type %d (1 unigram, 2 BPE)", filepath.Base(paths[0]), l.class, m.kind)
	}
	switch l.class {
	case "LlamaTokenizer":
		return l.llama(m)
	case "GemmaTokenizer":
		return l.gemma(m)
	case "T5Tokenizer", "XLMRobertaTokenizer":
		return l.words(m)
	}
	l.name("bos_token", m.text(m.bos))
	l.name("eos_token", m.text(m.eos))
	l.name("unk_token", m.text(m.unk))
	normalizers := []any{replaceWith(" ", spaceMark)}
	if len(m.charsmap) > 0 {
		normalizers = slices.Insert(normalizers, 0, l.charsmap(m))
	}
	decoders := []any{replaceWith(spaceMark, " ")}
	if m.byteFallback {
		decoders = append(decoders, object{"type": "ByteFallback"}, object{"type": "Fuse"})
	}
	f := object{
		"normalizer": object{"type": "Sequence", "normalizers": normalizers}, "pre_tokenizer": nil,
		"decoder": object{"type": "Sequence", "decoders": decoders},
	}
	if m.kind == spmBPE {
		f["model"] = l.pairs(m, object{"unk_token": m.text(m.unk), "byte_fallback": m.byteFallback})
	} else {
		l.all(m)
		f["model"] = unigramModel(m.pieces, m.unk, m.byteFallback)
	}
	f["post_processor"], err = l.ends()
	return f, err
}

// spaceMark is what SentencePiece writes for a space.
const spaceMark = "▁"

func replaceWith(old, new string) any {
	return object{"type": "Replace", "pattern": object{"String": old}, "content": new}
}

// all takes the vocabulary of the model.
func (l *legacy) all(m *spmModel) {
	for _, p := range m.pieces {
		l.vocab = append(l.vocab, p.text)
	}
	l.index()
}

// pairs is the BPE model of a SentencePiece model.
func (l *legacy) pairs(m *spmModel, flags object) object {
	l.all(m)
	flags["fuse_unk"] = true
	return bpeModel(l.vocab, m.merges(), flags)
}

// llama builds Llama 2's tokenizer.
func (l *legacy) llama(m *spmModel) (object, error) {
	for key, text := range map[string]string{"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"} {
		l.name(key, text)
	}
	scheme := "first"
	decoders := []any{replaceWith(spaceMark, " "), object{"type": "ByteFallback"}, object{"type": "Fuse"}}
	if !l.flag("add_prefix_space", true) {
		scheme = "never"
	} else {
		if l.flag("legacy", false) {
			scheme = "always"
		}
		decoders = append(decoders, object{"type": "Strip", "content": " ", "start": 1, "stop": 0})
	}
	f := object{
		"normalizer":    nil,
		"pre_tokenizer": object{"type": "Metaspace", "replacement": spaceMark, "prepend_scheme": scheme, "split": false},
		"decoder":       object{"type": "Sequence", "decoders": decoders},
		"model":         l.pairs(m, object{"byte_fallback": true}),
	}
	var err error
	f["post_processor"], err = l.ends()
	return f, err
}

// gemma builds Gemma's tokenizer.
func (l *legacy) gemma(m *spmModel) (object, error) {
	for key, text := range map[string]string{"bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"} {
		l.name(key, text)
	}
	f := object{
		"normalizer":    replaceWith(" ", spaceMark),
		"pre_tokenizer": object{"type": "Split", "pattern": object{"String": " "}, "behavior": "MergedWithPrevious", "invert": false},
		"decoder": object{"type": "Sequence", "decoders": []any{
			replaceWith(spaceMark, " "), object{"type": "ByteFallback"}, object{"type": "Fuse"},
		}},
		"model": l.pairs(m, object{"unk_token": l.names["unk_token"], "byte_fallback": true}),
	}
	var err error
	f["post_processor"], err = l.ends()
	return f, err
}

// words builds the tokenizers of T5 and XLM-RoBERTa, whose words are cut at white space.
func (l *legacy) words(m *spmModel) (object, error) {
	pieces, unk := m.pieces, m.unk
	var before []string
	if l.class == "T5Tokenizer" {
		for key, text := range map[string]string{"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"} {
			l.name(key, text)
		}
		for i := l.number("extra_ids", 100) - 1; i >= 0; i-- {
			text := fmt.Sprintf("<extra_id_%d>", i)
			pieces = append(pieces, spmPiece{text: text})
			l.added = append(l.added, AddedToken{Content: text, Special: true})
		}
	} else {
		for key, text := range map[string]string{
			"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>",
		} {
			l.name(key, text)
		}
		if len(pieces) < 3 {
			return nil, mistake("%d pieces, expected <unk>, <s>, </s> and more", len(pieces))
		}
		pieces = slices.Concat([]spmPiece{{text: "<s>"}, {text: "<pad>"}, {text: "</s>"}, {text: "<unk>"}}, pieces[3:], []spmPiece{{text: "<mask>"}})
		unk = 3
		before = []string{l.names["cls_token"]}
	}
	mark := object{"type": "Metaspace", "replacement": spaceMark, "prepend_scheme": "always", "split": true}
	f := object{
		"normalizer": nil, "decoder": mark, "model": unigramModel(pieces, unk, false),
		"pre_tokenizer": object{"type": "Sequence", "pretokenizers": []any{object{"type": "WhitespaceSplit"}, mark}},
	}
	if len(m.charsmap) > 0 {
		f["normalizer"] = l.charsmap(m)
	}
	l.all(&spmModel{pieces: pieces})
	var err error
	f["post_processor"], err = l.around(before, []string{l.names["eos_token"]})
	return f, err
}

// unigramModel is a model section.
func unigramModel(pieces []spmPiece, unk int32, fallback bool) object {
	vocab := make([][2]any, len(pieces))
	for i, p := range pieces {
		vocab[i] = [2]any{p.text, float64(p.score)}
	}
	return object{"type": "Unigram", "unk_id": unk, "byte_fallback": fallback, "vocab": vocab}
}
