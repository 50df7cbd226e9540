#!/usr/bin/env python3
"""The experiment of docs/stages.md: does the text of two books help with lessons about them?

    stages.py INSTRUCT MODEL OUT LEGEND_LAND LOG_SCHOOL_HOUSE DELSARTE [--seeds 1,2,3] [--recipes RATE:EPOCHS,...]

Three arms, all on MODEL (SmolLM2-135M-Instruct): "lessons" alone; "books", the text of the two books and then the
lessons; "other", as many characters of a third book, which tells nothing of what is asked, and then the lessons.
stages/lessons.jsonl is trained, stages/heldout.jsonl asks for facts that no lesson tells. The books are plain texts of
Project Gutenberg, as its repositories at GitHub have them (BOOKS below says which).

Where --recipes names several, each arm takes the one that does best with every fifth lesson held out. An arm's text is
trained once, by `stages:`; its other runs begin with that first stage. What stands in OUT is not made again, so a run
that was stopped goes on; --report only prints what there is.
"""
import argparse, hashlib, json, pathlib, re, statistics, subprocess, sys

HERE = pathlib.Path(__file__).resolve().parent / "stages"
ROW = 1700  # characters of a row of text, about 400 tokens: paragraphs are put together up to it
TEXT = {"assistant_only_loss": False, "num_train_epochs": 1, "learning_rate": 3e-4, "warmup_ratio": 0.05,
        "per_device_train_batch_size": 2, "max_length": 512, "seed": 1}
LESSONS = {"per_device_train_batch_size": 8, "warmup_ratio": 0.1}
# Of all answers, of each book's, and of the tokens that some lesson has or that none has.
COLUMNS = ("all", "legend-land", "log-school-house", "in lessons", "in none")
EVERY = {"eval_fraction": 0, "eval_strategy": "no", "save_strategy": "no"}

# The file's sha256, and where the part that is taken begins and ends.
BOOKS = {
    # Lyonesse, Legend Land, vol. 1, 1922: GITenberg/Legend-Land-Vol.-1Railway._20170, 20170.txt. All legends.
    "legend_land": ("e661e42570b800da9fdb678f6c29bedcecab0c97c3e92bcfdc7eb34ae4e9391d",
                    "THE MERMAID OF ZENNOR\n", "End of the Project"),
    # Hezekiah Butterworth, The Log School-House on the Columbia, 1890:
    # GITenberg/The-Log-School-House-on-the-Columbia_14881, 14881.txt. The first two chapters.
    "log_school_house": ("05c3c213ff44fa3feb5cd270428475dfc1654aece64fca02ef64b15f7c03d929",
                         "CHAPTER I.", "CHAPTER III."),
    # Delaumosne and others, Delsarte System of Oratory, 1893: GITenberg/Delsarte-System-of-Oratory_12200, 12200.txt.
    # The control, from the first chapter on.
    "delsarte": ("ea631640829570c218a8a60b39839779c7d4c801dfd9bff12e1e45c0210d9ec4",
                 "Let us note an incontestable fact", "*** END OF"),
}


def lines(path):
    return [json.loads(l) for l in open(path, encoding="utf-8")]


def write(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
    return path


def text_rows(path, book):
    """The paragraphs of the part that is taken, in rows of up to ROW characters, where none is longer itself."""
    wanted, begin, end = BOOKS[book]
    found = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    if found != wanted:
        print(f"stages.py: {path}: sha256 {found}, not that of {book} in BOOKS", file=sys.stderr)
        sys.exit(2)
    text = open(path, encoding="utf-8").read()
    text = text[text.index(begin):]
    rows = [""]
    for p in re.split(r"\n\s*\n", text[: text.index(end)]):
        p = " ".join(p.split())
        if not p or p.startswith("[Illustration") or "*       *" in p:
            continue
        if rows[-1] and len(rows[-1]) + len(p) > ROW:
            rows.append("")
        rows[-1] += ("\n\n" if rows[-1] else "") + p
    return [{"text": r} for r in rows]


def make_text(o):
    """The rows of the two books, and as many characters of the third."""
    books = text_rows(o.legend_land, "legend_land") + text_rows(o.log_school_house, "log_school_house")
    left, other = sum(len(r["text"]) for r in books), []
    for r in text_rows(o.delsarte, "delsarte"):
        if left <= 0:
            break
        other.append(r)
        left -= len(r["text"])
    return {"books": write(o.out / "books.jsonl", books), "other": write(o.out / "other.jsonl", other)}


class Experiment:
    def __init__(self, o):
        self.o = o
        self.text = make_text(o)
        self.rows = lines(HERE / "lessons.jsonl")
        self.heldout = HERE / "heldout.jsonl"
        self.part = write(o.out / "part.jsonl", [r for i, r in enumerate(self.rows) if i % 5])
        self.fifth = write(o.out / "fifth.jsonl", [r for i, r in enumerate(self.rows) if i % 5 == 0])

        self.threads = ("--threads", o.threads)
        said = "".join(json.dumps(f" {r[k]}") + "\n" for r in self.rows for k in ("prompt", "completion"))
        ids = self.instruct("tokenizer", "encode", "--tokenizer", o.model, stdin=said)
        self.told = {i for l in ids.splitlines() for i in json.loads(l)}

    def instruct(self, *command, stdin=None):
        done = subprocess.run([self.o.instruct, *map(str, command)], stdout=subprocess.PIPE, text=True, input=stdin)
        if done.returncode:
            sys.exit(done.returncode)
        return done.stdout

    def train(self, arm, recipe, data, seed, name):
        """The folder of a run of an arm."""
        folder = self.o.out / name
        if (folder / "model.safetensors").exists() or self.o.report:
            return folder
        rate, epochs = recipe.split(":")
        lessons = LESSONS | {"dataset": str(data), "learning_rate": float(rate), "num_train_epochs": float(epochs),
                             "seed": seed}
        whole = EVERY | {"model_name_or_path": self.o.model, "output_dir": str(folder)}
        first = self.o.out / f"{arm}-text"
        if arm == "lessons":
            whole |= lessons
        elif (first / "model.safetensors").exists() and first.resolve().parent != folder:
            whole |= lessons | {"model_name_or_path": str(first)}
        else:
            whole["stages"] = [TEXT | {"dataset": str(self.text[arm])}, lessons]
            if not first.is_symlink():
                first.symlink_to(f"{name}/stage-1")
        path = self.o.out / f"{name}.json"
        path.write_text(json.dumps(whole, indent=1))
        self.instruct("train", path, "--resume_from_checkpoint", "auto", *self.threads)
        return folder

    def loss(self, model, data, name):
        """The loss of an answer's token under a model, the mean of each column, and of every row."""
        kept = self.o.out / f"{name}.scores.jsonl"
        if not kept.exists() and self.o.report:
            return None
        if not kept.exists():
            scores = self.instruct("score", "--model", model, "--dataset", data, "--json", *self.threads)
            write(kept, [s for s in map(json.loads, scores.splitlines()) if "row" in s])
        rows, found = lines(data), {k: [] for k in COLUMNS}
        for s in lines(kept):
            found["all"] += s["logprobs"]
            found[rows[s["row"]]["book"]] += s["logprobs"]
            trained = [i for i, m in zip(s["ids"], s["mask"]) if m]
            for i, l in zip(trained[:-1], s["logprobs"]):  # without the end
                found["in lessons" if i in self.told else "in none"].append(l)
        means = {k: -statistics.mean(l) for k, l in found.items()}
        return means | {"rows": [-statistics.mean(s["logprobs"]) for s in lines(kept)]}

    def chosen(self, arm):
        """The recipe of an arm's lessons."""
        recipes = self.o.recipes.split(",")
        if len(recipes) == 1:
            return recipes[0]
        found = {}
        for r in recipes:
            name = f"{arm}-part-{r.replace(':', 'x')}"
            found[r] = self.loss(self.train(arm, r, self.part, 1, name), self.fifth, name)
        if None in found.values():
            return None
        print(f"{arm:8} " + "   ".join(f"{r} {l['all']:.4f}" for r, l in found.items()), flush=True)
        return min(found, key=lambda r: found[r]["all"])

    def table(self):
        """Prints the held-out losses, and gives the models of the first seed."""
        before = self.loss(self.o.model, self.heldout, "before")
        recipes = {arm: self.chosen(arm) for arm in self.o.arms}
        found, first = {arm: [] for arm in self.o.arms}, {}
        for seed in self.o.seeds.split(","):
            for arm in self.o.arms:
                if recipes[arm]:
                    name = f"{arm}-{recipes[arm].replace(':', 'x')}-{seed}"
                    model = self.train(arm, recipes[arm], HERE / "lessons.jsonl", int(seed), name)
                    found[arm].append(self.loss(model, self.heldout, name))
                    first.setdefault(arm, model)
        print("held-out loss, nat a token" + "".join(f"{k:>20}" for k in COLUMNS))
        if before:
            print(f"{'before training':26}" + spread([before]))
        for arm in self.o.arms:
            some = [f for f in found[arm] if f]
            if some:
                print(f"{f'{arm} {recipes[arm]}, runs: {len(some)}':26}" + spread(some))
        for arm in self.o.arms:
            if arm != "lessons" and found[arm] and found.get("lessons"):
                compare(arm, found[arm], found["lessons"])
        return first

    def answer(self, model, prompt):
        """The model's likeliest answer, kept beside it."""
        kept = model.with_name(model.name + ".answers.json")
        answers = json.loads(kept.read_text()) if kept.exists() else {}
        if prompt not in answers and not self.o.report:
            out = self.instruct("generate", "--model", model, "--prompt", prompt, "--max_new_tokens", 32,
                                "--temperature", 0, *self.threads)
            answers[prompt] = " ".join(out.split())
            kept.write_text(json.dumps(answers, indent=1))
        return answers.get(prompt, "-")

    def ask(self, models):
        """What the first seed's models say to five held-out questions."""
        for row in lines(self.heldout)[::9]:
            print(f"\n{row['prompt']}\n  {'wanted':8} {row['completion']}")
            for arm, model in models.items():
                print(f"  {arm:8} {self.answer(model, row['prompt'])}", flush=True)


def spread(losses):
    """The mean over runs, and its standard error, of each column."""
    out = ""
    for k in COLUMNS:
        some = [l[k] for l in losses]
        error = f" +- {statistics.stdev(some) / len(some) ** 0.5:.4f}" if len(some) > 1 else ""
        out += f"{f'{statistics.mean(some):.4f}{error}':>20}"
    return out


def compare(arm, losses, plain):
    """How much less an answer loses than after the lessons alone: mean over seeds, error over questions."""
    seeds = [[b - a for a, b in zip(x["rows"], y["rows"])] for x, y in zip(losses, plain) if x and y]
    gains = [statistics.mean(g) for g in zip(*seeds)]
    if gains:
        error = statistics.stdev(gains) / len(gains) ** 0.5
        print(f"{arm}: an answer loses {statistics.mean(gains):.4f} +- {error:.4f} nat a token less than after the "
              f"lessons alone; less in {sum(g > 0 for g in gains)} of {len(gains)}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("instruct", "model", "out", "legend_land", "log_school_house", "delsarte"):
        p.add_argument(name, type=pathlib.Path if name == "out" else str)
    p.add_argument("--seeds", default="1,2,3", help="seeds of the order of the lessons")
    p.add_argument("--recipes", default="5e-5:2,1e-4:2,2e-4:2,1e-4:4", help="learning rate and epochs of the lessons")
    p.add_argument("--arms", default="lessons,books,other", type=lambda s: s.split(","))
    p.add_argument("--threads", type=int, default=0)
    p.add_argument("--report", action="store_true")
    o = p.parse_args()
    o.instruct, o.model = (str(pathlib.Path(p).absolute()) for p in (o.instruct, o.model))
    o.out = o.out.absolute()
    o.out.mkdir(parents=True, exist_ok=True)
    e = Experiment(o)
    e.ask(e.table())


main()
