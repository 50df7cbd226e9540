package file

import (
	"fmt"
	"path/filepath"
	"slices"

	"instruct/checkpoints/bounded"
)

// sentencePiece reads a SentencePiece model.
func (l *legacy) sentencePiece(paths []string) (object, error) {
	err := l.supports("a SentencePiece model", "LlamaTokenizer", "GemmaTokenizer", "T5Tokenizer", "XLMRobertaTokenizer")
	if err != nil {
		return nil, err
	}
	data, err := bounded.ReadFile(paths[0])
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
		return nil, mistake("%s: tokenizer_class %q does not go with model_type %d (1 unigram, 2 BPE)",
			filepath.Base(paths[0]), l.class, m.kind)
	}
	switch l.class {
	case "LlamaTokenizer":
		return l.llama(m), nil
	case "GemmaTokenizer":
		return l.gemma(m), nil
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
	f := object{
		"normalizer": sequence("normalizers", normalizers...), "pre_tokenizer": nil,
		"decoder": sequence("decoders", replaceWith(spaceMark, " ")),
	}
	if m.byteFallback {
		f["decoder"] = markDecoder(false)
	}
	if m.kind == spmBPE {
		f["model"] = l.pairs(m, object{"unk_token": m.text(m.unk), "byte_fallback": m.byteFallback})
	} else {
		l.all(m)
		f["model"] = unigramModel(m.pieces, m.unk, m.byteFallback)
	}
	f["post_processor"] = l.ends()
	return f, nil
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
func (l *legacy) llama(m *spmModel) object {
	l.nameAll(map[string]string{"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})
	prefixed := l.flag("add_prefix_space", true)
	scheme := "first"
	switch {
	case !prefixed:
		scheme = "never"
	case l.flag("legacy", false):
		scheme = "always"
	}
	return object{
		"normalizer":     nil,
		"pre_tokenizer":  object{"type": "Metaspace", "replacement": spaceMark, "prepend_scheme": scheme, "split": false},
		"decoder":        markDecoder(prefixed),
		"model":          l.pairs(m, object{"byte_fallback": true}),
		"post_processor": l.ends(),
	}
}

// gemma builds Gemma's tokenizer.
func (l *legacy) gemma(m *spmModel) object {
	l.nameAll(map[string]string{
		"bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>",
	})
	return object{
		"normalizer": replaceWith(" ", spaceMark),
		"pre_tokenizer": object{
			"type": "Split", "pattern": object{"String": " "}, "behavior": "MergedWithPrevious", "invert": false,
		},
		"decoder":        markDecoder(false),
		"model":          l.pairs(m, object{"unk_token": l.names["unk_token"], "byte_fallback": true}),
		"post_processor": l.ends(),
	}
}

// words builds the tokenizers of T5 and XLM-RoBERTa, whose words are cut at white space.
func (l *legacy) words(m *spmModel) (object, error) {
	pieces, unk := m.pieces, m.unk
	var before []string
	if l.class == "T5Tokenizer" {
		l.nameAll(map[string]string{"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"})
		for i := l.number("extra_ids", 100) - 1; i >= 0; i-- {
			text := fmt.Sprintf("<extra_id_%d>", i)
			pieces = append(pieces, spmPiece{text: text})
			l.added = append(l.added, AddedToken{Content: text, Special: true})
		}
	} else {
		l.nameAll(robertaNames())
		if len(pieces) < 3 {
			return nil, mistake("%d pieces, expected <unk>, <s>, </s> and more", len(pieces))
		}
		first := []spmPiece{{text: "<s>"}, {text: "<pad>"}, {text: "</s>"}, {text: "<unk>"}}
		pieces = slices.Concat(first, pieces[3:], []spmPiece{{text: "<mask>"}})
		unk = 3
		before = []string{l.names["cls_token"]}
	}
	mark := object{"type": "Metaspace", "replacement": spaceMark, "prepend_scheme": "always", "split": true}
	f := object{
		"normalizer": nil, "decoder": mark, "model": unigramModel(pieces, unk, false),
		"pre_tokenizer": sequence("pretokenizers", object{"type": "WhitespaceSplit"}, mark),
	}
	if len(m.charsmap) > 0 {
		f["normalizer"] = l.charsmap(m)
	}
	l.all(&spmModel{pieces: pieces})
	f["post_processor"] = l.around(before, []string{l.names["eos_token"]})
	return f, nil
}

// unigramModel is a model section.
func unigramModel(pieces []spmPiece, unk int32, fallback bool) object {
	vocab := make([][2]any, len(pieces))
	for i, p := range pieces {
		vocab[i] = [2]any{p.text, float64(p.score)}
	}
	return object{"type": "Unigram", "unk_id": unk, "byte_fallback": fallback, "vocab": vocab}
}
