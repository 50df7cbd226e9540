package file

import (
	"path/filepath"
	"slices"
	"strings"

	"instruct/checkpoints/bounded"
	"instruct/tokenizer/pattern"
)

// byteLevel reads vocab.json and merges.txt, of GPT-2, RoBERTa, Qwen2, GPT-NeoX or CLIP.
func (l *legacy) byteLevel(paths []string) (object, error) {
	err := l.supports("vocab.json and merges.txt", "GPT2Tokenizer", "RobertaTokenizer", "Qwen2Tokenizer",
		"GPTNeoXTokenizer", "CLIPTokenizer", "BartTokenizer", "LEDTokenizer", "LongformerTokenizer")
	if err != nil {
		return nil, err
	}
	if err := l.readVocab(paths[0]); err != nil {
		return nil, err
	}
	merges, err := readMerges(paths[1])
	if err != nil {
		return nil, err
	}
	level := byteLevel(l.flag("add_prefix_space", false), l.class != "Qwen2Tokenizer")
	f := object{
		"normalizer": nil, "pre_tokenizer": level, "post_processor": nil, "decoder": byteLevel(true, true),
		"model": bpeModel(l.vocab, merges, object{"continuing_subword_prefix": "", "end_of_word_suffix": ""}),
	}
	switch l.class {
	case "Qwen2Tokenizer":
		l.nameAll(map[string]string{"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"})
		f["normalizer"] = object{"type": "NFC"}
		f["pre_tokenizer"] = sequence("pretokenizers", splitBy(pattern.Qwen2), level)
		return f, nil
	case "RobertaTokenizer", "BartTokenizer", "LEDTokenizer", "LongformerTokenizer":
		l.nameAll(robertaNames())
		trim, prefixSpace := l.flag("trim_offsets", true), l.flag("add_prefix_space", false)
		f["post_processor"] = l.roberta(trim, prefixSpace, "cls_token", "sep_token")
		return f, nil
	case "CLIPTokenizer":
		return l.clip(f, merges), nil
	case "GPTNeoXTokenizer":
		f["normalizer"] = object{"type": "NFC"}
		l.name("pad_token", "<|padding|>")
	}
	for _, key := range []string{"bos_token", "eos_token", "unk_token"} {
		l.name(key, "<|endoftext|>")
	}
	f["post_processor"] = l.ends()
	return f, nil
}

// readVocab reads a vocab.json.
func (l *legacy) readVocab(path string) error {
	name := filepath.Base(path)
	vocab, err := bounded.ReadFile(path)
	if err != nil {
		return mistake("%w", err)
	}
	r := jsonReader{name: name, s: string(vocab)}
	err = r.object(func(text string) error {
		id, err := r.integer()
		if err != nil {
			return err
		}
		if id < 0 || id > int64(len(vocab)) { // every token takes more than a byte of the file
			return mistake("%s: token %q has the id %d, which is out of range for so few tokens", name, text, id)
		}
		for int64(len(l.vocab)) <= id {
			l.vocab = append(l.vocab, "")
		}
		l.vocab[id] = text
		return nil
	})
	if err != nil {
		return err
	}
	if i := slices.Index(l.vocab, ""); i >= 0 {
		return mistake("%s: no token has the id %d", name, i)
	}
	l.index()
	return nil
}

// readMerges reads a merges.txt, a merge a line.
func readMerges(path string) ([][2]string, error) {
	text, err := bounded.ReadFile(path)
	if err != nil {
		return nil, mistake("%w", err)
	}
	merges := [][2]string{}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" || strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := cutMerge(line)
		if !ok {
			return nil, mistake("%s:%d: %q, expected two tokens with a space between", filepath.Base(path), i+1, line)
		}
		merges = append(merges, [2]string{left, right})
	}
	return merges, nil
}

// robertaNames are the special tokens of RoBERTa and XLM-RoBERTa.
func robertaNames() map[string]string {
	return map[string]string{
		"bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>",
		"pad_token": "<pad>", "mask_token": "<mask>",
	}
}

// clip is CLIP's tokenizer: lower case, no white space, and a mark at the end of each word.
func (l *legacy) clip(f object, merges [][2]string) object {
	for _, key := range []string{"eos_token", "unk_token", "pad_token"} {
		l.name(key, "<|endoftext|>")
	}
	l.name("bos_token", "<|startoftext|>")
	spaces := object{"type": "Replace", "pattern": object{"Regex": `\s+`}, "content": " "}
	f["normalizer"] = sequence("normalizers", object{"type": "NFC"}, spaces, object{"type": "Lowercase"})
	words := object{"type": "Split", "pattern": object{"Regex": pattern.CLIPEnds}, "behavior": "Removed", "invert": true}
	f["pre_tokenizer"] = sequence("pretokenizers", words, byteLevel(false, true))
	f["model"] = bpeModel(l.vocab, merges, object{
		"continuing_subword_prefix": "", "end_of_word_suffix": "</w>", "unk_token": l.names["unk_token"],
	})
	f["post_processor"] = l.roberta(false, false, "bos_token", "eos_token")
	return f
}

// roberta is the post-processor that puts the tokens of two keys before and after a text.
func (l *legacy) roberta(trim, prefixSpace bool, before, after string) object {
	cls, sep := l.names[before], l.names[after]
	return object{
		"type": "RobertaProcessing", "trim_offsets": trim, "add_prefix_space": prefixSpace,
		"cls": []any{cls, l.special(cls)}, "sep": []any{sep, l.special(sep)},
	}
}

// ends is the post-processor of add_bos_token and add_eos_token.
func (l *legacy) ends() any {
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
	err := l.supports("vocab.txt", "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer",
		"ConvBertTokenizer", "LayoutLMTokenizer", "LxmertTokenizer", "SqueezeBertTokenizer")
	if err != nil {
		return nil, err
	}
	data, err := bounded.ReadFile(paths[0])
	if err != nil {
		return nil, mistake("%w", err)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(data), "\n"), "\n") {
		l.vocab = append(l.vocab, strings.TrimRight(line, "\r"))
	}
	l.index()
	if len(l.ids) < len(l.vocab) {
		return nil, mistake("%s: %d lines, but only %d different tokens",
			filepath.Base(paths[0]), len(l.vocab), len(l.ids))
	}
	l.nameAll(map[string]string{
		"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]",
	})
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
	f["post_processor"] = l.around([]string{l.names["cls_token"]}, []string{l.names["sep_token"]})
	return f, nil
}
