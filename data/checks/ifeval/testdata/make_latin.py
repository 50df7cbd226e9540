"""Trains latin.tsv: what n-grams of Latin letters say for the languages that langdetect names.

    pip install langdetect==1.0.9 numpy torch
    python make_latin.py texts.json ../latin.tsv

texts.json holds lists of texts: {"english": [...], "documents": [...], "code": [...], "languages": {code: [...]}, "others":
{code: [...]}}. They are cut into PIECES pieces, most of them short and many in capitals, for there langdetect is furthest
from what a reader would say. langdetect draws n-grams at random until it is sure; labels are what it says in the mean,
the language with the highest mean log probability, which is its own word in 99.6 of 100 texts. A softmax over the shares
of the N n-grams that are in most pieces learns the labels: it has a column for each language that a test may ask for and
is written in Latin letters, and OTHERS columns for all other languages together. Columns are rounded to halves.
"""

import collections
import json
import random
import re
import sys
import unicodedata

import langdetect.detector_factory
import numpy
import torch

LANGUAGES = "en de es fi fr it pl pt sw vi".split()
LATIN = LANGUAGES + "af ca cs cy da et hr hu id lt lv nl no ro sk sl so sq sv tl tr".split()
PIECES, N, OTHERS, EPOCHS, RATE, DECAY = 72000, 1500, 8, 200, 1.2, 1e-8


def piece(texts, draw):
    """A few words of a text, or of some of its lines."""
    kind = draw.random()
    if kind < 0.5:
        text = draw.choice(texts["english"])
    elif kind < 0.6:
        text = draw.choice(texts["documents"])
    elif kind < 0.66:
        text = draw.choice(texts["code"])
    else:
        which = texts["languages" if kind < 0.95 else "others"]
        text = " ".join(draw.sample(which[draw.choice(sorted(which))], 2))
    if draw.random() < 0.25:
        lines = text.split("\n")
        first = draw.randrange(len(lines))
        text = "\n".join(lines[first : first + draw.choice([1, 1, 2, 5])])
    parts = [p for p in re.split(r"(\s+)", text) if p]  # words, and the white space between them
    count = draw.choice([1, 1, 2, 3, 4, 5, 7, 10, 10, 15, 20, 30, 60])
    first = draw.randrange(max(1, len(parts) - 2 * count))
    text = "".join(parts[first : first + 2 * count - 1])
    shape = draw.random()
    return text.upper() if shape < 0.25 else text.lower() if shape < 0.35 else text.title() if shape < 0.4 else text


class Label:
    """What langdetect says in the mean."""

    def __init__(self):
        langdetect.detector_factory.init_factory()
        self.factory = langdetect.detector_factory._factory
        known = self.factory.word_lang_prob_map.items()
        self.logs = {w: numpy.log(numpy.array(p) + 0.5 / 10000) for w, p in known if 1 <= len(w) <= 3}

    def of(self, text):
        detector = self.factory.create()
        detector.append(text)
        detector.cleaning_text()
        total = numpy.zeros(len(self.factory.langlist))
        for word, count in collections.Counter(detector._extract_ngrams()).items():
            total += count * self.logs[word]
        return self.factory.langlist[int(total.argmax())]


def letter(c):
    """latinLetter of language_latin.go."""
    if not c.isalpha() or c in "ªº":
        return " "
    if "\u1ea0" <= c <= "\u1eff":
        return "\u1ec3"
    return {"\u0219": "\u015f", "\u021b": "\u0163"}.get(c, c)


def ngrams(text):
    """ngrams of language_latin.go."""
    run, capitals = " ", False
    for c in unicodedata.normalize("NFC", text):
        c, last = letter(c), run[-1]
        if last == " ":
            run, capitals = " ", False
            if c == " ":
                continue
        elif len(run) == 3:
            run = run[1:]
        run += c
        capitals = c.isupper() and (capitals or last.isupper())
        if not capitals:
            yield from (run[-n:] for n in range(1, len(run) + 1) if run[-n:] != " ")


def train(rows, labels, columns):
    """Weights of each n-gram in each column; the last tenth of the rows is held out."""
    end = len(labels) * 9 // 10
    named = len(LANGUAGES)
    weights = (0.1 * torch.randn(rows.shape[1], columns)).requires_grad_()
    optimizer = torch.optim.Adam([weights], lr=RATE)

    def scores(x):
        z = x @ weights
        return torch.cat([z[:, :named], torch.logsumexp(z[:, named:], 1, keepdim=True)], 1)

    for epoch in range(EPOCHS):
        optimizer.param_groups[0]["lr"] = RATE if epoch < 0.6 * EPOCHS else RATE / 4
        loss = torch.nn.functional.cross_entropy(scores(rows[:end]), labels[:end]) + DECAY * (weights**2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch % 20 == 19:
            with torch.no_grad():
                best = (rows[end:] @ weights).argmax(1).clamp(max=named)
            share = (best == labels[end:]).float().mean()
            print(f"epoch {epoch + 1}: loss {loss:.4f}, held out {share:.4f}", file=sys.stderr)
    return weights.detach()


def main(source, target):
    with open(source, encoding="utf-8") as f:
        texts = json.load(f)
    draw, label = random.Random(1), Label()
    torch.manual_seed(0)
    pieces = {}
    while len(pieces) < PIECES:
        text = piece(texts, draw)
        grams = collections.Counter(ngrams(text))
        if text not in pieces and grams:
            said = label.of(text)
            if said in LATIN:
                pieces[text] = grams, said
    spread = collections.Counter(g for grams, _ in pieces.values() for g in grams)
    known = {g: i for i, (g, _) in enumerate(spread.most_common(N))}
    rows, labels = torch.zeros(len(pieces), N), []
    for i, (grams, said) in enumerate(pieces.values()):
        kept = {g: n for g, n in grams.items() if g in known}
        for g, n in kept.items():
            rows[i, known[g]] = n / sum(kept.values())
        labels.append(LANGUAGES.index(said) if said in LANGUAGES else len(LANGUAGES))
    weights = train(rows, torch.tensor(labels), len(LANGUAGES) + OTHERS)
    weights -= weights.mean(1, keepdim=True)
    with open(target, "w", encoding="utf-8") as f:
        f.write("\t" + " ".join(LANGUAGES + ["other"] * OTHERS) + "\n")
        for g, i in sorted(known.items()):
            f.write(g.replace(" ", "_") + "\t" + " ".join(str(round(2 * w)) for w in weights[i].tolist()) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
