"""What the experiments on `instruct explain` share: the program, rank correlation, and embeddings as a yardstick."""

import json
import pathlib
import random
import shlex
import statistics
import subprocess


class Instruct:
    """The program, with what every run of an experiment has in common. program may have words before it, such as nice."""

    def __init__(self, program, start, train):
        self.program, self.start, self.common = shlex.split(program), shlex.split(start), shlex.split(train)

    def __call__(self, *args):
        return subprocess.run([*self.program, *map(str, args)], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout

    def train(self, to, *more):
        """Makes a run. What more says goes before what all runs have in common."""
        self("train", *self.start, *self.common, "--eval_fraction", "0", "--output_dir", to, "--overwrite_output_dir", *more)

    def explain(self, run, suite, method, kept, tokens, together):
        """Explains the model's answers to a data file, some at a time; each part is kept in the folder kept."""
        kept.mkdir(parents=True, exist_ok=True)
        lines, told = suite.read_text().splitlines(), []
        for at in range(0, len(lines), together):
            part, out = kept / f"{at}.jsonl", kept / f"{method}-{at}.jsonl"
            if not out.exists():
                part.write_text("".join(x + "\n" for x in lines[at : at + together]))
                text = self("explain", run, "--suite", part, "--method", method, "--json", "--scores", "--max_new_tokens", tokens)
                out.write_text(text)
            told += map(json.loads, out.read_text().splitlines())
        return told

    def logprobs(self, model, answers, scratch):
        """The log-probability of each (prompt, answer, tokens): of its first tokens only, as an answer that was cut has no end."""
        scratch.write_text("".join(json.dumps({"prompt": q, "completion": a}) + "\n" for q, a, _ in answers))
        lines = self("score", "--model", model, "--dataset", scratch, "--json").splitlines()
        return [sum(json.loads(x)["logprobs"][:n]) for x, (_, _, n) in zip(lines, answers)]

    def greedy(self, model, prompts, scratch, tokens):
        """The greedy answer to each prompt."""
        scratch.mkdir(parents=True, exist_ok=True)
        suite = scratch / "suite.yaml"
        suite.write_text(json.dumps({"prompts": ["{{q}}"], "tests": [{"vars": {"q": q}} for q in prompts]}))
        self("eval", "--model", model, "--suite", suite, "--out", scratch / "out", "--kept", "none", "--max_new_tokens", tokens)
        lines = (scratch / "out" / "samples-1-suite.jsonl").read_text().splitlines()
        return [json.loads(x)["resps"][0][0] for x in lines]


def ranks(values):
    order = sorted(range(len(values)), key=lambda i: values[i])
    out = [0.0] * len(values)
    i = 0
    while i < len(order):
        j = i
        while j < len(order) and values[order[j]] == values[order[i]]:
            j += 1
        for k in range(i, j):
            out[order[k]] = (i + j - 1) / 2
        i = j
    return out


def spearman(a, b):
    a, b = ranks(a), ranks(b)
    if len(set(a)) < 2 or len(set(b)) < 2:
        return 0.0
    return statistics.correlation(a, b)


def row_text(row):
    """The user's turn of a row of Alpaca's shape, and its answer."""
    return row["instruction"] + ("\n" + row["input"] if row["input"] else ""), row["output"]


def embeddings(folder, pairs):
    """A unit vector of each (prompt, answer): the mean of a model's last hidden states over the conversation in its own
    template. It needs torch and transformers; folder is the model before the run, in Hugging Face's format."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    out = []
    with torch.no_grad():
        for q, a in pairs:
            turns = [{"role": "user", "content": q}, {"role": "assistant", "content": a}]
            ids = tokenizer(tokenizer.apply_chat_template(turns, tokenize=False), add_special_tokens=False, return_tensors="pt")
            v = model(**ids, output_hidden_states=True).hidden_states[-1][0].mean(0)
            out.append(v / v.norm())
    return torch.stack(out)


def embedding_scores(folder, rows, questions, kept):
    """The cosine of every question with every row, by line, kept in a file."""
    if not kept.exists():
        e = embeddings(folder, rows + questions)
        kept.write_text(json.dumps((e[len(rows) :] @ e[: len(rows)].T).tolist()))
    return [dict(enumerate(x, 1)) for x in json.loads(kept.read_text())]


def random_scores(rows, questions):
    draw = random.Random(1)
    return [{i: draw.random() for i in range(1, rows + 1)} for _ in range(questions)]


def by_line(told):
    """The scores of an explanation by the number of the row's line."""
    return {int(s["source"].rsplit(":", 1)[1]): s["score"] for s in told["scores"]}


def scores(o, instruct, run, asked, rows):
    """The scores of all rows, by line, for the model's answer to each question of the file asked, by method; and the
    answers: (prompt, answer, tokens). With --report methods that were not asked yet are left out."""
    found = {}
    for method in o.methods.split(","):
        if o.report and not (o.out / "told" / f"{method}-0.jsonl").exists():
            continue
        told = instruct.explain(run, asked, method, o.out / "told", o.tokens, o.together)
        found[method] = [by_line(x) for x in told]
    answers = [(x["prompt"], x["answer"], len(x["tokens"])) for x in told]
    if o.embedder:
        found["embedding"] = embedding_scores(o.embedder, [row_text(r) for r in rows], [(q, a) for q, a, _ in answers],
                                              o.out / "embedding.json")
    found["random"] = random_scores(len(rows), len(answers))
    return found, answers


def arguments(p):
    p.add_argument("--instruct", default="bin/instruct")
    p.add_argument("--start", required=True, help="what the runs begin with, such as '--model_name_or_path FOLDER'")
    p.add_argument("--data", required=True, help="rows of Alpaca's shape, a JSON list")
    p.add_argument("--out", required=True, type=pathlib.Path)
    p.add_argument("--together", type=int, default=5, help="answers that are explained at one time: unroll takes memory for each")
    p.add_argument("--embedder", help="a Hugging Face folder: embedding similarity beside the methods")
