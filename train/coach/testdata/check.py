#!/usr/bin/env python3
"""Checks the sets of the rounds experiment: counts, form, and that no prompt stands twice. Exit 1 on a mistake."""
import json, os, re, sys, unicodedata
from collections import Counter
from difflib import SequenceMatcher

here = os.path.dirname(os.path.abspath(__file__))
bad = []
KEYS = ["id", "prompt", "chosen", "rejected", "privileged_context", "paraphrases", "rule", "author", "time",
        "model_sha256"]
seen = {}   # normalised prompt -> where


def read(name):
    rows = []
    with open(os.path.join(here, name), encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            try:
                rows.append(json.loads(line))
            except ValueError as e:
                bad.append(f"{name}:{n}: {e}")
    return rows


def norm(text):
    """Case, punctuation and spaces do not count."""
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join(re.sub(r"[^\w\s]|_", " ", text.replace("'", "")).split())


def note(where, text, lines=False):
    if text != text.strip() or not text or "\n" in text and not lines:
        bad.append(f"{where}: prompt empty, padded or of several lines: {text!r}")
    k = norm(text)
    if k in seen:
        bad.append(f"{where}: the prompt {text!r} stands in {seen[k]} too")
    seen[k] = where


def one(message, role, where):
    ok = isinstance(message, list) and len(message) == 1 and list(message[0]) == ["role", "content"] \
        and message[0]["role"] == role and message[0]["content"].strip() == message[0]["content"] != ""
    if not ok:
        bad.append(f"{where}: expected one {role} message")
        return ""
    return message[0]["content"]


COMMON = set("""a about after all am an and any are as at be been but by can could did do does for from get give had has
have he her his how i if in into is it its me more most much many my no not of off on one only or our out please she
should so some such tell than that the their them then there these they this to up us use used want was we were what
when where which who why will with would you your""".split())


def content(text):
    """The words that say what a text is about, a plural's s taken off."""
    return {re.sub(r"(?<=[a-z]{3})s$", "", w) for w in norm(text).split()} - COMMON


def alike(a, b):
    """How much of the words of two texts stands in both, in order: 0 to 1."""
    return SequenceMatcher(None, norm(a).split(), norm(b).split(), autojunk=False).ratio()


chosen_all = {}
asked = []        # what is asked in a correction: its prompt, and all paraphrases
prompts = {}      # a correction's id -> its prompt
reworded = {}     # a correction's id -> its third and fourth paraphrase, in wording far from those held out
neighbours = []
for s in "ab":
    name = f"{s}-corrections.jsonl"
    rows = read(name)
    want = [f"{s}{r}-{i:02d}" for r in range(1, 6) for i in range(1, 9)]
    if [r.get("id") for r in rows] != want:
        bad.append(f"{name}: ids are not {want[0]} .. {want[-1]} in order")
    breaks, words = 0, []
    for r in rows:
        w = f"{name} {r.get('id')}"
        if list(r) != KEYS:
            bad.append(f"{w}: keys {list(r)}")
            continue
        prompt = one(r["prompt"], "user", w)
        chosen, rejected = one(r["chosen"], "assistant", w), one(r["rejected"], "assistant", w)
        if norm(chosen) == norm(rejected):
            bad.append(f"{w}: chosen and rejected are alike")
        if norm(chosen) in chosen_all:
            bad.append(f"{w}: the same answer as {chosen_all[norm(chosen)]}")
        chosen_all[norm(chosen)] = w
        n = len(chosen.split())
        words.append(n)
        if not 1 <= n <= 30:
            bad.append(f"{w}: chosen has {n} words")
        breaks += "\n" in chosen
        if not r["privileged_context"].endswith(".") or "\n" in r["privileged_context"]:
            bad.append(f"{w}: the note is no sentence")
        if len(r["paraphrases"]) != 4:
            bad.append(f"{w}: {len(r['paraphrases'])} paraphrases")
        if (r["rule"], r["author"], r["time"], r["model_sha256"]) != ("", "set", "2026-11-25T00:00:00Z", ""):
            bad.append(f"{w}: rule, author, time or model_sha256")
        note(w, prompt)
        prompts[r["id"]] = prompt
        reworded[r["id"]] = r["paraphrases"][2:]
        asked += [prompt] + r["paraphrases"]
        for i, p in enumerate(r["paraphrases"], 1):
            note(f"{w} paraphrase {i}", p)
    if breaks > 3:
        bad.append(f"{name}: {breaks} answers of several lines")
    print(f"{name}: {len(rows)} corrections, {breaks} of several lines, words in chosen "
          f"{min(words)}..{max(words)}, mean {sum(words) / len(words):.1f}")

for s in "ab":
    name = f"{s}-probes.jsonl"
    rows = read(name)
    count = Counter()
    for i, r in enumerate(rows, 1):
        if list(r) != ["correction", "kind", "prompt"]:
            bad.append(f"{name}:{i}: keys {list(r)}")
            continue
        count[r["correction"], r["kind"]] += 1
        note(f"{name}:{i}", r["prompt"])
        if r["kind"] == "neighbour":
            neighbours.append(r["prompt"])
            continue
        asked.append(r["prompt"])
        for p in reworded.get(r["correction"], []):
            if alike(p, r["prompt"]) > 0.8:
                bad.append(f"{name}:{i}: {r['prompt']!r} is nearly the trained {p!r}")
    expect = {(f"{s}{a}-{i:02d}", k): n for a in range(1, 6) for i in range(1, 9)
              for k, n in (("paraphrase", 3), ("neighbour", 2))}
    if dict(count) != expect:
        bad.append(f"{name}: counts differ: {set(count.items()) ^ set(expect.items())}")
    print(f"{name}: {sum(n for (_, k), n in count.items() if k == 'paraphrase')} paraphrases, "
          f"{sum(n for (_, k), n in count.items() if k == 'neighbour')} neighbours")

# Near prompts, four a correction: the first has the form of one of its paraphrases and another object, the third
# that of its prompt and another decisive word or condition; the second and fourth have its topic and another question.
# They are trained, so they may neither give away a neighbour nor ask what a correction asks. The third has most of
# the prompt's words, and so have neighbours: what sets it apart from the prompt must not stand in such a neighbour.
for s in "ab":
    name = f"{s}-near.jsonl"
    rows = read(name)
    want = [f"{s}{a}-{i:02d}" for a in range(1, 6) for i in range(1, 9) for _ in "1234"]
    if [r.get("correction") for r in rows] != want:
        bad.append(f"{name}: not four prompts for each correction, in order")
    most = 0
    for i, r in enumerate(rows, 1):
        if list(r) != ["correction", "prompt"]:
            bad.append(f"{name}:{i}: keys {list(r)}")
            continue
        note(f"{name}:{i}", r["prompt"])
        mine = content(r["prompt"])
        if not mine:
            bad.append(f"{name}:{i}: {r['prompt']!r} has no content words")
            continue
        own = prompts.get(r["correction"], "") if i % 4 == 3 else ""
        for p in neighbours:
            both = mine & content(p)
            share = len(both) / len(mine)
            most = max(most, share)
            if share > 0.5 and not both <= content(own):
                bad.append(f"{name}:{i}: {r['prompt']!r} shares {share:.0%} of its words with a neighbour, {p!r}")
        for p in asked:
            other = content(p)
            if mine <= other or p != own and len(mine & other) > 0.7 * len(mine | other):
                bad.append(f"{name}:{i}: {r['prompt']!r} looks like a paraphrase of the correction's {p!r}")
    print(f"{name}: {len(rows)} prompts, at most {most:.0%} of the content words in a neighbour's")

rows = read("everyday.jsonl")
for i, r in enumerate(rows, 1):
    if list(r) != ["prompt"]:
        bad.append(f"everyday.jsonl:{i}: keys {list(r)}")
    note(f"everyday.jsonl:{i}", r["prompt"])
if len(rows) != 100:
    bad.append(f"everyday.jsonl: {len(rows)} lines")
print(f"everyday.jsonl: {len(rows)} prompts")

# The prompts that a round holds in place of itself: nothing that the experiment measures may be among them.
measured = [r["prompt"] for r in rows] + neighbours + asked
rows = read("../everyday.jsonl")
for i, r in enumerate(rows, 1):
    if list(r) != ["prompt"]:
        bad.append(f"../everyday.jsonl:{i}: keys {list(r)}")
    note(f"../everyday.jsonl:{i}", r["prompt"], lines=True)
    mine = content(r["prompt"])
    for p in measured:
        share = len(mine & content(p)) / max(1, len(mine))
        if share > 0.6:
            bad.append(f"../everyday.jsonl:{i}: {r['prompt']!r} shares {share:.0%} of its content words with {p!r}")
if len(rows) != 96:
    bad.append(f"../everyday.jsonl: {len(rows)} lines")
print(f"../everyday.jsonl: {len(rows)} prompts")

with open(os.path.join(here, "a-superseded.json"), encoding="utf-8") as f:
    old = json.load(f)
if len(old) != 1 or not all(re.fullmatch(r"a[123]-0[1-8]", k) and re.fullmatch(r"a4-0[1-8]", v)
                            for k, v in old.items()):
    bad.append(f"a-superseded.json: {old}")
print(f"a-superseded.json: {old}")
print(f"prompts over all files: {len(seen)} different, case and punctuation ignored")
for b in bad:
    print("WRONG", b)
print("ok" if not bad else f"{len(bad)} mistakes")
sys.exit(bool(bad))
