"""Makes expected.json: what Hugging Face's tokenizers (0.23.3) does with small tokenizers of every kind that the package
knows. It reads the tokenizers of models.json, whose pairs of texts it encodes too. Run it as: python make.py > expected.json"""

import copy
import json
import sys
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

PROSE = """Once upon a time there was a little girl named Lily. She didn't like the rain, but she loved the sun.
"Let's go to the park," said her mom. They'd walked for 12 minutes when the rain came. The dog's name was Rex; he was 7.
Numbers: 1, 22, 333, 4444. Don't worry, I'll be there, and we've got time. The little dog and the little girl played."""

TEXTS = [
    "", " ", "the little girl", "  Hello\n\n  world \t\n", "I'M you'll don'ſt THE'S it's", "abc123 4567½ ٣٤",
    "naïve cafe\u0301 Ångström ﬁ İ", "日本語のテキスト。한국어", "👩‍👩‍👧 🏳️‍🌈", "a/b//c\n/\r\n__x__ e.g. iPhoneXL HTMLParser",
    "<s>the<s> rain</s>", "x<tool>y  <m>  day Day days <tool>x", "the\u00a0rain\u2028\u3000x▁y", "ᄒ\u1161\u11ab e\u0323\u0307 \u0344",
    "A\n \u2003b  \n\n\U00011de0x12345 C3PO 中A文。b 5\u0663",
]

FOLD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
SPACES = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
LEAD = r"[^\r\n\p{L}\p{N}]?"
UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
OTHERS = r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
SLASHED = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = FOLD + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + OTHERS + SPACES
PATTERNS = {
    "gpt2": GPT2,
    "llama3": LLAMA3,
    "qwen2": LLAMA3.replace("{1,3}", ""),
    "qwen35": FOLD + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + SPACES,
    "o200k": LEAD + UPPER + "*" + LOWER + "+" + FOLD + "?|" + LEAD + UPPER + "+" + LOWER + "*" + FOLD + r"?|\p{N}{1,3}" + SLASHED + SPACES,
    "tekken": LEAD + UPPER + "*" + LOWER + "+|" + LEAD + UPPER + "+" + LOWER + r"*|\p{N}" + SLASHED + SPACES,
    "cl100k": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
}
BEHAVIORS = ["Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def byte_level(**changes):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True, **changes}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def metaspace(scheme, splits=True):
    return {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": splits}


def added(first, *tokens):
    base = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    return [{**base, "id": first + i, **t} for i, t in enumerate(tokens)]


def train(pattern, size, specials, text=PROSE, frequency=0):
    t = Tokenizer(models.BPE())
    parts = {
        "gpt2": [pre_tokenizers.ByteLevel(add_prefix_space=False)],
        "smollm2": [pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)],
    }.get(pattern) or [
        pre_tokenizers.Split(Regex(PATTERNS[pattern]), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    t.pre_tokenizer = pre_tokenizers.Sequence(parts)
    t.train_from_iterator(text.splitlines(keepends=True), trainers.BpeTrainer(
        vocab_size=size, min_frequency=frequency, special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return json.loads(t.to_str())


def byte_base():
    d = train("gpt2", 330, ["<s>", "</s>"])
    d["pre_tokenizer"] = byte_level()
    d["decoder"] = byte_level()
    return d


def rune_base():
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    specials = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    t.train_from_iterator(PROSE.splitlines(), trainers.BpeTrainer(vocab_size=370, special_tokens=specials, show_progress=False))
    d = json.loads(t.to_str())
    d["added_tokens"] = d["added_tokens"][:3]
    d["pre_tokenizer"] = None
    d["normalizer"] = {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    d["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
    d["decoder"] = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    return d


def variants():
    yield "bytes", "bytes", {}
    for name, pattern in PATTERNS.items():
        yield name, "bytes", {"pre_tokenizer": sequence(split(pattern), byte_level(use_regex=False))}
    yield "ignore_merges", "bytes", {
        "model": {"ignore_merges": True}, "pre_tokenizer": sequence(split(LLAMA3), byte_level(use_regex=False)),
        "post_processor": {"type": "Sequence", "processors": [byte_level(), {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}, "</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}}]}}
    for behavior in BEHAVIORS:
        for invert in (False, True):
            yield f"split {behavior} {invert}", "bytes", {"pre_tokenizer": sequence(
                split("l", behavior, invert, "String"), split(r"\p{N}{1,3}", behavior, invert), byte_level(use_regex=False))}
        yield f"punctuation {behavior}", "bytes", {"pre_tokenizer": sequence({"type": "Punctuation", "behavior": behavior}, byte_level())}
    for individual in (False, True):
        yield f"digits {individual}", "bytes", {"pre_tokenizer": sequence({"type": "Digits", "individual_digits": individual}, byte_level())}
    yield "prefix space", "bytes", {"pre_tokenizer": byte_level(add_prefix_space=True)}
    yield "whitespace", "bytes", {"pre_tokenizer": sequence({"type": "Whitespace"}, byte_level())}
    yield "whitespace split", "bytes", {"pre_tokenizer": sequence({"type": "WhitespaceSplit"}, byte_level())}
    yield "bytes before digits", "bytes", {"pre_tokenizer": sequence(byte_level(), {"type": "Digits", "individual_digits": True})}
    for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"):
        changes = {"normalizer": {"type": name}}
        if name == "ByteLevel":
            changes["pre_tokenizer"] = None
        yield name, "bytes", changes
    yield "normalizers", "bytes", {"normalizer": {"type": "Sequence", "normalizers": [
        {"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}, {"type": "Strip", "strip_left": True, "strip_right": True},
        {"type": "Replace", "pattern": {"Regex": "the"}, "content": "þX"}, {"type": "Prepend", "prepend": "«"}]}}
    yield "added", "bytes", {"added_tokens": "+", "more": added(
        330, {"content": "<tool>"}, {"content": "<tool>x", "special": True}, {"content": "day", "single_word": True},
        {"content": "<m>", "lstrip": True, "rstrip": True}, {"content": "DAY", "normalized": True}),
        "normalizer": {"type": "Lowercase"}}
    level = byte_level(use_regex=False)
    for name, parts in {
        "bloom": [split(r" ?[^(\s|[.,!?…。，、।۔،])]+"), level],
        "falcon": [{"type": "Punctuation", "behavior": "Contiguous"}, byte_level(), {"type": "Digits", "individual_digits": False}, split("[0-9][0-9][0-9]")],
        "deepseek llm": [split(r"[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(r"\s+$"), split("[一-龥ࠀ-一가-퟿]+"), {"type": "Digits", "individual_digits": True}, level],
        "class in class": [split(r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lo}\p{M}&&[^\p{Han}]]+|[\p{N}&&\d&&[^3-4]]+|[^a-z&&[^A-C[5]]]"), level],
        "anchors": [split(r"^\s+"), split(r"(?:^|\n)[#*-]+ |[a-z ]+$"), split(r"\p{N}{1,3}(?=(?:\p{N}{3})*(?:\P{N}|$))"), level],
        "repeated": [split(r"\p{N}{2}+|\p{L}{1,2}+(?!t)|[^\p{L}]{3}?"), level],
    }.items():
        yield name, "bytes", {"pre_tokenizer": sequence(*parts)}
    yield "runes", "runes", {}
    for scheme in ("always", "first", "never"):
        for splits in (True, False):
            yield f"metaspace {scheme} {splits}", "runes", {
                "normalizer": None, "pre_tokenizer": metaspace(scheme, splits),
                "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, metaspace(scheme, splits)]}}
    yield "no fallback", "runes", {"model": {"byte_fallback": False}, "decoder": metaspace("always")}
    yield "no fallback, unk not fused", "runes", {"model": {"byte_fallback": False, "fuse_unk": False}, "decoder": None}
    yield "added to runes", "runes", {"added_tokens": "+", "more": added(
        370, {"content": "<tool>"}, {"content": "day", "single_word": True, "normalized": True}, {"content": "<m>", "rstrip": True})}


def template(pair, *specials):
    """A TemplateProcessing whose pair template is written as the library's own builder takes it."""
    part = lambda s: {"Sequence" if s[0] == "$" else "SpecialToken": {"id": s.lstrip("$").split(":")[0], "type_id": int(s.split(":")[1])}}
    return {"type": "TemplateProcessing", "single": [part("$A:0")], "pair": [part(s) for s in pair.split()],
            "special_tokens": {s: {"id": s, "ids": ids, "tokens": [s] * len(ids)} for s, ids in specials}}


def pairs():
    """Tokenizers that encode two texts as one sequence: the base and what is changed of it, or one of models.json."""
    ends = {"cls": ["<s>", 0], "sep": ["</s>", 1]}
    yield "none", "bytes", {}
    yield "byte level", "bytes", {"post_processor": byte_level(trim_offsets=True)}
    yield "ignore_merges", "bytes", {"post_processor": {"type": "Sequence", "processors": [byte_level(), template("<s>:0 $A:0 <s>:1 $B:1", ("<s>", [0]))]}}
    yield "sentencepiece", "runes", {}
    yield "t5", "bytes", {"post_processor": template("$A:0 </s>:0 $B:0 </s>:0", ("</s>", [1]))}
    yield "second first", "bytes", {"post_processor": template("$B:1 <x>:3 $A:2 </s>:2", ("<x>", [0, 1, 0]), ("</s>", [1]))}
    yield "bert types", "bytes", {"post_processor": {"type": "BertProcessing", **ends}}
    yield "roberta types", "bytes", {"pre_tokenizer": byte_level(add_prefix_space=True), "post_processor": {
        "type": "RobertaProcessing", "trim_offsets": True, "add_prefix_space": True, **ends}}
    for name in ("bert", "roberta", "unigram", "trimmed"):
        yield "model " + name, name, None


def pair_rows(t):
    texts = ["", " the rain", "  Hello\n ", "<s>naïve</s>"]
    for a in texts:
        for b in texts:
            row = [a, b]
            for special in (False, True):
                e = t.encode(a, b, add_special_tokens=special)
                row += [e.ids, e.type_ids, [-1 if s is None else s for s in e.sequence_ids], e.offsets]
            yield row


def main():
    bases = {"bytes": byte_base(), "runes": rune_base()}
    out = {"texts": TEXTS, "bases": bases, "variants": [], "trained": []}
    for name, base, changes in variants():
        d = copy.deepcopy(bases[base])
        changes = dict(changes)
        more = changes.pop("more", [])
        if more:
            changes["added_tokens"] = d["added_tokens"] + more
        for key, value in changes.items():
            d[key] = {**d["model"], **value} if key == "model" else value
        t = Tokenizer.from_str(json.dumps(d))
        rows = []
        for text in TEXTS:
            e = t.encode(text, add_special_tokens=False)
            special = t.encode(text, add_special_tokens=True).ids
            rows.append([e.ids, e.offsets, special, t.decode(special, skip_special_tokens=False), t.decode(special, skip_special_tokens=True)])
        out["variants"].append({"name": name, "base": base, "changes": changes, "rows": rows})
    out["pairs"] = []
    known = {v["name"]: v["file"] for v in json.loads(Path(__file__).with_name("models.json").read_text(encoding="utf-8"))["variants"]}
    for name, base, changes in pairs():
        d = known[base] if changes is None else {**bases[base], **changes}
        out["pairs"].append({"name": name, "base": base, "changes": changes, "rows": list(pair_rows(Tokenizer.from_str(json.dumps(d))))})
    out["prose"] = PROSE
    for pattern, size, frequency in (("gpt2", 300, 0), ("smollm2", 400, 2), ("llama3", 1000, 0), ("qwen2", 320, 3)):
        d = train(pattern, size, ["<|endoftext|>", "<|im_end|>"], frequency=frequency)
        out["trained"].append({"pattern": pattern, "size": size, "frequency": frequency, "merges": d["model"]["merges"], "vocab": len(d["model"]["vocab"])})
    json.dump(out, sys.stdout, ensure_ascii=False, separators=(",", ":"))


main()
