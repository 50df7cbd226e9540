#!/usr/bin/env python3
"""Makes the rows and the suite of the experiment with three voices (docs/evaluation.md).

    voices.py PERSONALITY_CHAT_DIR INSTRUCTION_DATA.json OUT [--split 0] [--by answer|question]

PERSONALITY_CHAT_DIR holds the three files Queries_Responses_{Friendly,Humorous,Professional}_QnAMaker.tsv of Microsoft's
BotBuilder-PersonalityChat (MIT). INSTRUCTION_DATA.json is rasbt's; its rows 1 to 935 are trained beside the voices, so
that they are not forgotten, and its last 55 are held out.

By answer: a fifth of the answers is held out (--split says which), each with all of its questions; the other voices'
answers to such a question may be trained. By question: a fifth of the questions is held out in all voices, together
with all that share an answer with them in any voice.
"""
import argparse, csv, hashlib, json, pathlib

SYSTEM = {
    "friendly": "Answer in the friendly voice: warm, casual and kind.",
    "humorous": "Answer in the humorous voice: playful, witty and a little cheeky.",
    "professional": "Answer in the professional voice: polite, factual and reserved.",
}


def read(folder):
    voices = {}
    for v in SYSTEM:
        path = pathlib.Path(folder) / f"Queries_Responses_{v.capitalize()}_QnAMaker.tsv"
        with open(path, encoding="utf-8-sig", newline="") as f:
            voices[v] = {r["Question"]: r["Answer"] for r in csv.DictReader(f, delimiter="\t")}
    questions = [q for q in voices["friendly"] if all(q in voices[v] for v in SYSTEM)]
    return questions, voices


def groups(questions, voices):
    """Questions that are connected by an answer that they share."""
    parent = {}

    def find(x):
        parent.setdefault(x, x)
        while parent[x] != x:
            x = parent[x]
        return x

    for q in questions:
        for v in SYSTEM:
            parent[find(("question", q))] = find(("answer", voices[v][q]))
    out = {}
    for q in questions:
        out.setdefault(find(("question", q)), []).append(q)
    return list(out.values())


def fifth(text):
    return hashlib.sha256(text.encode()).digest()[0] % 5


def held_out(questions, voices, split, by):
    """The pairs of voice and question that are held out."""
    if by == "answer":
        return {(v, q) for q in questions for v in SYSTEM if fifth(voices[v][q]) == split}
    return {(v, q) for g in groups(questions, voices) if fifth(min(g)) == split for q in g for v in SYSTEM}


def tests(questions, voices, held):
    """Every held-out answer is scored under all three voices; an answer that was trained never is."""
    for q in questions:
        judged = [v for v in SYSTEM if (v, q) in held]
        for v in SYSTEM if judged else ():
            own = voices[v][q]
            worse = {w: voices[w][q] for w in judged if voices[w][q] != own}
            if not worse:  # a margin needs two sides
                worse = {w: voices[w][q] for w in SYSTEM if voices[w][q] != own and w not in judged}
                worse = dict(list(worse.items())[:1])
            if worse:
                yield {"messages": [{"role": "system", "content": SYSTEM[v]}, {"role": "user", "content": q}], "tags": [v],
                       "assert": [{"type": "logprob-margin", "value": {"better": {v: own}, "worse": worse}}]}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("chat")
    p.add_argument("instructions")
    p.add_argument("out")
    p.add_argument("--split", type=int, default=0)
    p.add_argument("--by", choices=("answer", "question"), default="answer")
    a = p.parse_args()
    out = pathlib.Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    questions, voices = read(a.chat)
    held = held_out(questions, voices, a.split, a.by)
    rows = [{"messages": [{"role": "system", "content": SYSTEM[v]}, {"role": "user", "content": q},
                          {"role": "assistant", "content": voices[v][q]}]}
            for q in questions for v in SYSTEM if (v, q) not in held]
    with open(out / "voices.jsonl", "w", encoding="utf-8") as f:
        for r in rows:
            f.write(json.dumps(r, ensure_ascii=False) + "\n")
    with open(a.instructions, encoding="utf-8") as f:
        all_rows = json.load(f)
    for name, part in (("instructions.json", all_rows[:935]), ("held-out.json", all_rows[-55:])):
        (out / name).write_text(json.dumps(part, ensure_ascii=False), encoding="utf-8")
    with open(out / "voices.yaml", "w", encoding="utf-8") as f:
        json.dump({"tests": list(tests(questions, voices, held))}, f, ensure_ascii=False, indent=1)
    texts = {voices[v][q] for v, q in held}
    assert not texts & {r["messages"][2]["content"] for r in rows}
    print(f"{len(rows)} rows in a voice; held out: {len(held)} of {len(questions)} questions in 3 voices,",
          f"{len(texts)} different answers")


if __name__ == "__main__":
    main()
