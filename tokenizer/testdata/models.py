"""Makes models.json: what Hugging Face's tokenizers (0.23.3) does with small tokenizers of the models and components that
make.py does not have, and what transformers (5.23) makes of folders of older tokenizers. Run it as:
python models.py > models.json

bpe.model and unigram.model, which it reads, are of sentencepiece 0.2.3: vocab_size 40, trained on three lines, with the
rules below as normalization_rule_tsv."""

import contextlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

# U+FB01 to fi, A to a, e and U+0301 to U+00E9, the soft hyphen to nothing, U+3000 to a space, one half to 1/2.
CHARSMAP = "AAQAAAAAAQBBDQAABwAAgMwYAgCBBQAADAAAgK0FAAAAAACAAwAAgIAMAgCABQAAAQAAgKwAAgCBDQAACQAAgA4AAAARAAAAEAAAABMAAAASAAAAFQAAABQAAAC9eQAAFgAAABkAAAAYAAAAGwAAABoAAAAdAAAAHAAAAB8AAAAeAAAAIQAAACAAAAAjAAAAIgAAACUAAABlqAMAJwAAACYAAAApAAAAKAAAACsAAAAqAAAALQAAACwAAAAvAAAALgAAADEAAAAwAAAAMwAAADIAAAA1AAAANAAAADcAAAA2AAAAOQAAADgAAAA7AAAAOgAAAD0AAAA8AAAAPwAAAD4AAABBAAAAQAAAAEMAAABCAAAARQAAAEQAAABHAAAARgAAAEkAAABIAAAASwAAAEoAAABNAAAATAAAAE8AAABOAAAAUQAAAFAAAABTAAAAUgAAAFUAAABUAAAAVwAAAFYAAABZAAAAWAAAAFsAAABaAAAAXQAAAFwAAABfAAAAXgAAAGEAAABgAAAAYwAAAGIAAABlAAAAZAAAAGcAAABmAAAAaQAAAGgAAABrAAAAagAAAG0AAABsAAAAbwAAAG4AAABxAAAAcAAAAHMAAAByAAAAdQAAAHQAAAB3AAAAdgAAAHkAAAB4AAAAewAAAHoAAAB9AAAAfAAAAH8AAAB+AAAAgQAAAIAAAADCpAAAggAAAIUAAACEAAAAhwAAAIYAAACJAAAAiAAAAIsAAACKAAAAjQAAAIwAAACPAAAAjgAAAJEAAACQAAAAkwAAAJIAAACVAAAAlAAAAJcAAACWAAAAmQAAAJgAAACbAAAAmgAAAJ0AAACcAAAAnwAAAJ4AAAChAAAAoAAAAKMAAADjqAAApQAAAKQAAACnAAAApgAAAKkAAACoAAAAqwAAAKoAAACtAAAArAAAAK8AAADvPAAAsQAAALAAAACzAAAAsgAAALUAAAC0AAAAtwAAALYAAAC5AAAAuAAAALsAAAC6AAAAvQAAALwAAAC/AAAAvgAAAMEAAADAAAAAwwAAAMIAAADFAAAAxAAAAMcAAADGAAAAyQAAAMgAAADLAAAAygAAAM0AAADMAAAAzwAAAM4AAADRAAAA0AAAANMAAADSAAAA1QAAANQAAADXAAAA1gAAANkAAADYAAAA2wAAANoAAADdAAAA3AAAAN8AAADeAAAA4QAAAOAAAADjAAAA4gAAAOUAAADkAAAA5wAAAOYAAADpAAAA6AAAAOsAAADqAAAA7QAAAOwAAADvAAAA7gAAAPEAAADwAAAA8wAAAPIAAAD1AAAA9AAAAPcAAAD2AAAA+QAAAPgAAAD7AAAA+gAAAP0AAAD8AAAA/wAAAP4AAAAAIAAxLzIAYQBmaQDDqQA="
MAKE = Path(__file__).with_name("make.py").read_text(encoding="utf-8")
SPACE = {}
exec(MAKE.rsplit("main()", 1)[0].split("BEHAVIORS")[0], SPACE)  # PROSE, TEXTS and PATTERNS
PROSE, TEXTS = SPACE["PROSE"], SPACE["TEXTS"] + [
    "Acafe\u0301\u00ad ½\u3000Ae\u0301 ﬁn\u00adal", "\u00ad\u00adA", "She DOESN'T , don't . do not ! n't", "don't_do-it... 2026/11/23",
    "<f5> <f6>x<f7>\t<f8>  <F9> the<f12>day <f31>", "THE   day  ÉÀ\u0323\x00\ufffd\u200b中文字x", "a" * 30 + " \u0e01\u0e33 ͏ A\u1ae7b",
]
LINES = PROSE.splitlines(keepends=True)
FLAGS = [AddedToken(f"<f{i}>", lstrip=bool(i & 1), rstrip=bool(i & 2), single_word=bool(i & 4), normalized=bool(i & 8), special=bool(i & 16)) for i in range(32)]
WORDS = [AddedToken("day", single_word=True, normalized=True), AddedToken("THE", normalized=True, special=True), AddedToken("é", normalized=True, special=True)]


def trained(t, trainer, extra=()):
    t.train_from_iterator(LINES, trainer)
    for e in extra:
        (t.add_special_tokens if e.special else t.add_tokens)([e])
    return t


def word_piece(normalizer, extra=(), cleanup=True):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=12))
    t.normalizer, t.pre_tokenizer, t.decoder = normalizer, pre_tokenizers.BertPreTokenizer(), decoders.WordPiece(cleanup=cleanup)
    trained(t, trainers.WordPieceTrainer(vocab_size=150, special_tokens=["[UNK]", "[CLS]", "[SEP]"], show_progress=False), extra)
    t.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return t


def unigram(normalizer, scheme, extra=(), fallback=False):
    t = Tokenizer(models.Unigram())
    t.normalizer, t.pre_tokenizer = normalizer, pre_tokenizers.Metaspace("▁", scheme)
    t.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace("▁", scheme)])
    trained(t, trainers.UnigramTrainer(vocab_size=90, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False))
    if fallback:
        d = json.loads(t.to_str())
        d["model"]["byte_fallback"] = True
        d["model"]["vocab"] += [[f"<0x{b:02X}>", 0.0] for b in range(256)]
        t = Tokenizer.from_str(json.dumps(d))
    for e in extra:
        (t.add_special_tokens if e.special else t.add_tokens)([e])
    t.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return t


def byte_level(pre, size=320, normalizer=None, post=None, extra=(), **model):
    t = Tokenizer(models.BPE(**model))
    t.normalizer, t.pre_tokenizer, t.decoder = normalizer, pre_tokenizers.Sequence(pre), decoders.ByteLevel()
    suffix = {"end_of_word_suffix": model["end_of_word_suffix"]} if "end_of_word_suffix" in model else {}
    trained(t, trainers.BpeTrainer(vocab_size=size, special_tokens=["<s>", "</s>", "<unk>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, **suffix), extra)
    if post:
        t.post_processor = post
    return t


def runes(model, pre, decoder, normalizer=None, **more):
    t = Tokenizer(model)
    t.normalizer, t.pre_tokenizer, t.decoder = normalizer, pre, decoder
    return trained(t, trainers.BpeTrainer(vocab_size=130, special_tokens=["<unk>"], show_progress=False, **more))


def variants():
    split = lambda regex, how="isolated", invert=False: pre_tokenizers.Split(Regex(regex), how, invert)
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    clip = [split(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", "removed", True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    yield "bert", word_piece(normalizers.BertNormalizer())
    yield "bert cased", word_piece(normalizers.BertNormalizer(lowercase=False), cleanup=False)
    yield "bert added", word_piece(normalizers.BertNormalizer(clean_text=False, strip_accents=False), FLAGS + WORDS)
    yield "unigram", unigram(None, "always")
    yield "unigram first", unigram(normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]), "first", FLAGS + WORDS)
    yield "unigram bytes", unigram(normalizers.NFKD(), "never", fallback=True)
    yield "precompiled", unigram(normalizers.Sequence([normalizers.Precompiled(__import__("base64").b64decode(CHARSMAP)), normalizers.Strip(False, True)]), "always")
    yield "clip", byte_level(clip, normalizer=normalizers.Replace(Regex(r"\s+"), " "), end_of_word_suffix="</w>", unk_token="<unk>",
                             post=processors.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=False, add_prefix_space=False))
    yield "roberta", byte_level([pre_tokenizers.ByteLevel(add_prefix_space=True)], post=processors.RobertaProcessing(("</s>", 1), ("<s>", 0)))
    yield "trimmed", byte_level([pre_tokenizers.ByteLevel(add_prefix_space=False)], normalizer=normalizers.Lowercase(), extra=FLAGS + WORDS,
                                post=processors.ByteLevel(trim_offsets=True, add_prefix_space=False))
    yield "deepseek", byte_level([split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), level])
    yield "patterns", byte_level([split(r"(?=[A-Z])"), split(r"[^\w\s]++(?<!x)|\p{Han}+|\d{2,}", "merged_with_previous"), split(r"(?i:the)|[\W\d]{3,}?|\P{L}", "contiguous"), level],
                                 normalizer=normalizers.Replace(Regex(r"\p{Mn}|\p{Lu}{2}"), "_"))
    yield "continuing prefix", runes(models.BPE(unk_token="<unk>", continuing_subword_prefix="##"), pre_tokenizers.Whitespace(), decoders.WordPiece("##"), continuing_subword_prefix="##")
    yield "openai", runes(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=True), pre_tokenizers.BertPreTokenizer(), decoders.BPEDecoder(), normalizers.BertNormalizer(), end_of_word_suffix="</w>")
    t = Tokenizer(models.WordLevel(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.CharDelimiterSplit("e"), pre_tokenizers.WhitespaceSplit(), pre_tokenizers.FixedLength(3)])
    yield "word level", trained(t, trainers.WordLevelTrainer(vocab_size=100, special_tokens=["<unk>"], show_progress=False))
    d = json.loads(byte_level([pre_tokenizers.ByteLevel(add_prefix_space=False)]).to_str())
    m = d["model"]
    keep = [k for k in m["vocab"] if not set("àÀĀĊġÃh") & set(k)]
    m["vocab"] = {k: i for i, k in enumerate(keep)}
    m["merges"] = [x for x in m["merges"] if set(x) | {"".join(x)} <= set(keep)]
    d["added_tokens"] = []
    yield "bytes without tokens", Tokenizer.from_str(json.dumps(d))
    m["unk_token"] = "t"
    yield "bytes without tokens, unk", Tokenizer.from_str(json.dumps(d))
    m["fuse_unk"] = True
    yield "bytes without tokens, unk fused", Tokenizer.from_str(json.dumps(d))


def folders():
    """Folders by name, their files (a name that ends in .model is a file of this folder) and tokenizer_config.json."""
    gpt2 = json.loads(byte_level([pre_tokenizers.ByteLevel(add_prefix_space=False)]).to_str())["model"]
    bpe = {"vocab.json": json.dumps(gpt2["vocab"]), "merges.txt": "#version: 0.2\n" + "".join(" ".join(m) + "\n" for m in gpt2["merges"])}
    vocab = json.loads(word_piece(None).to_str())["model"]["vocab"]
    text = {"vocab.txt": "\n".join(["[PAD]", "[MASK]"] + sorted(vocab, key=vocab.get)) + "\n"}
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    special = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True}
    token = lambda s, **k: {"content": s, **special, **k}
    yield "gpt2", bpe, {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "add_prefix_space": True, **names}
    yield "gpt2 bare", bpe, {"tokenizer_class": "GPT2TokenizerFast"}
    n = len(gpt2["vocab"])
    yield "qwen2", bpe, {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|x|>", "bos_token": None, "unk_token": None,
                         "added_tokens_decoder": {str(n): token("<|x|>"), str(n + 1): token("<|im_end|>"), str(n + 2): token("<tool>", special=False, lstrip=True)}}
    yield "roberta", bpe, {"tokenizer_class": "RobertaTokenizer", **names, "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<unk>"}
    yield "bart", bpe, {"tokenizer_class": "BartTokenizer", **names, "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<unk>", "mask_token": "<unk>"}
    yield "gpt neox", bpe, {"tokenizer_class": "GPTNeoXTokenizer", "add_bos_token": True, **names}
    words = json.loads(byte_level([pre_tokenizers.ByteLevel(add_prefix_space=False)], end_of_word_suffix="</w>", unk_token="<unk>").to_str())["model"]
    yield "clip", {"vocab.json": json.dumps(words["vocab"]), "merges.txt": "#version: 0.2\n" + "".join(" ".join(m) + "\n" for m in words["merges"])}, {
        "tokenizer_class": "CLIPTokenizer", **names, "pad_token": "</s>"}
    yield "bert", text, {"tokenizer_class": "BertTokenizer"}
    yield "bert cased", text, {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "tokenize_chinese_chars": False, "strip_accents": True}
    for legacy in (False, True):
        yield f"llama legacy {legacy}", {"tokenizer.model": "bpe.model", "added_tokens.json": json.dumps({"<|im_end|>": 40})}, {"tokenizer_class": "LlamaTokenizer", "legacy": legacy, "add_bos_token": True, **names}
    yield "llama without space", {"tokenizer.model": "bpe.model"}, {"tokenizer_class": "LlamaTokenizer", "add_prefix_space": False, "add_eos_token": True, **names}
    yield "gemma", {"tokenizer.model": "bpe.model"}, {"tokenizer_class": "GemmaTokenizer", **names, "pad_token": "<unk>", "mask_token": "<unk>"}
    yield "sentencepiece bpe", {"tokenizer.model": "bpe.model"}, {"tokenizer_class": "PreTrainedTokenizerFast"}
    yield "sentencepiece unigram", {"tokenizer.model": "unigram.model"}, {"tokenizer_class": "PreTrainedTokenizerFast"}
    yield "xlmr", {"sentencepiece.bpe.model": "unigram.model"}, {"tokenizer_class": "XLMRobertaTokenizer"}


def rows(t):
    for text in TEXTS:
        e = t.encode(text, add_special_tokens=False)
        special = t.encode(text, add_special_tokens=True).ids
        yield [e.ids, e.offsets, special, t.decode(special, skip_special_tokens=False), t.decode(special, skip_special_tokens=True)]


def main():
    here = Path(__file__).parent
    out = {"texts": TEXTS, "variants": [], "folders": []}
    for name, t in variants():
        t.no_padding()
        out["variants"].append({"name": name, "file": json.loads(t.to_str()), "rows": list(rows(t))})
    for name, files, config in folders():
        with tempfile.TemporaryDirectory() as d:
            for file, text in files.items():
                if text.endswith(".model"):
                    shutil.copy(here / text, Path(d) / file)
                else:
                    (Path(d) / file).write_text(text, encoding="utf-8")
            (Path(d) / "tokenizer_config.json").write_text(json.dumps(config))
            with contextlib.redirect_stdout(sys.stderr):
                t = Tokenizer.from_str(AutoTokenizer.from_pretrained(d).backend_tokenizer.to_str())  # without the decoder that CLIP's class adds in Python
            out["folders"].append({"name": name, "files": files, "config": config, "rows": list(rows(t))})
    json.dump(out, sys.stdout, ensure_ascii=False, separators=(",", ":"))


main()
