#!/usr/bin/env python3
"""The experiment that chose the recipe of a round (docs/teaching.md).

    rounds.py INSTRUCT MODEL INSTRUCTION_DATA.json OUT --recipes NAME=FILE[,retrain] ... [--sets a,b] [--seeds 1,2,3]

The recipes of the table are rounds/{taught,alone,data}.json and rounds/retrain.json,retrain.

MODEL is the model that rounds begin with: SmolLM2-135M-Instruct after an epoch of rows 1 to 935 of rasbt's
INSTRUCTION_DATA.json. Every recipe (a JSON file as `instruct round --recipe` reads it) teaches every set, round after
round, with every seed. Held out are three paraphrases and two near neighbours of each correction, rasbt's rows 936 to
1035, and 100 everyday prompts. With ",retrain" a round begins at MODEL and gets all corrections so far as new ones.

What was measured is kept in OUT, so that a run that was stopped goes on, and several may fill one OUT with different
lines of rounds; --report only prints the tables.
"""
import argparse, collections, json, pathlib, re, resource, shutil, statistics, subprocess, sys, time

HERE = pathlib.Path(__file__).resolve().parent
SETS = HERE.parent.parent / "train/coach/testdata"
LONGEST = 40  # tokens of an answer
LOSS = 0.1  # nat a token that the first model's answer may lose


def lines(path):
    return [json.loads(l) for l in open(path, encoding="utf-8")]


def write(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
    return path


def asked(row):
    return row["instruction"] + ("\n\n" + row["input"] if row["input"] else "")


def run(*command):
    """Standard output of a command, and the seconds of processor time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ask(instruct, model, prompts, folder):
    """The answers to prompts."""
    suite = folder / "ask.yaml"
    suite.write_text(json.dumps({"tests": [{"messages": [{"role": "user", "content": p}],
                                            "assert": [{"type": "not-equals", "value": "-"}]} for p in prompts]}))
    shutil.rmtree(folder / "asked", ignore_errors=True)
    _, seconds = run(instruct, "eval", "--model", model, "--suite", suite, "--max_new_tokens", LONGEST, "--kept", "none",
                     "--out", folder / "asked")
    return [s["resps"][0][0] for s in lines(folder / "asked/samples-1-ask.jsonl")], seconds


def losses(instruct, model, prompts, answers, folder):
    """The mean loss of a token of each answer."""
    rows = write(folder / "rows.jsonl", [{"messages": [{"role": "user", "content": p},
                                                       {"role": "assistant", "content": a}]} for p, a in zip(prompts, answers)])
    out, seconds = run(instruct, "score", "--model", model, "--dataset", rows, "--json")
    found = {}
    for s in map(json.loads, out.splitlines()):
        if "row" in s:
            found[s["row"]] = -sum(s["logprobs"]) / len(s["logprobs"])
    return [found.get(i, 0.0) for i in range(len(prompts))], seconds


def f1(answer, wanted):
    """Of the words, as SQuAD counts them."""
    def words(text):
        text = "".join(c if c.isalnum() else " " for c in text.lower())
        return [w for w in text.split() if w not in ("a", "an", "the")]
    a, w = words(answer), words(wanted)
    same = sum((collections.Counter(a) & collections.Counter(w)).values())
    return 2 * same / (len(a) + len(w)) if same else float(a == w)


class Guard:
    """Prompts whose answers must not become worse, and what the first model says to them."""

    def __init__(self, x, folder):
        data = json.load(open(x.data))
        rows = data[935:1035]
        self.wanted = [r["output"] for r in rows]
        self.prompts = [asked(r) for r in rows]
        self.prompts += [r["prompt"] for r in lines(SETS / "everyday.jsonl")]
        self.x = x
        kept = folder / "first.json"
        if kept.exists():
            self.answers, self.loss = json.loads(kept.read_text())
            return
        self.answers, _ = ask(x.instruct, x.model, self.prompts, folder)
        self.loss, _ = losses(x.instruct, x.model, self.prompts, self.answers, folder)
        kept.write_text(json.dumps([self.answers, self.loss]))

    def measure(self, model, folder):
        n = len(self.wanted)
        now, one = ask(self.x.instruct, model, self.prompts[:n], folder)
        loss, two = losses(self.x.instruct, model, self.prompts, self.answers, folder)
        lost = [b - a for a, b in zip(self.loss, loss)]
        worse = [i for i in range(n) if f1(now[i], self.wanted[i]) < f1(self.answers[i], self.wanted[i]) - 1e-9]
        return {"same": sum(a == b for a, b in zip(now, self.answers)), "of": len(self.prompts), "worse_data": len(worse),
                "worse_everyday": sum(l > LOSS for l in lost[n:]), "nat": statistics.mean(lost),
                "f1": [statistics.mean(map(f1, a, self.wanted)) for a in (self.answers[:n], now[:n])], "seconds": one + two}


def before(x, folder):
    """What the first model says to the paraphrases and neighbours, by prompt."""
    kept = folder / "before.json"
    if not kept.exists():
        prompts = [p["prompt"] for which in "ab" for p in lines(SETS / f"{which}-probes.jsonl")]
        kept.write_text(json.dumps(dict(zip(prompts, ask(x.instruct, x.model, prompts, folder)[0]))))
    return json.loads(kept.read_text())


def measure(x, model, corrections, probes, folder):
    """How many corrections, paraphrases that were never trained and neighbours are answered so and so."""
    wanted = {c["id"]: c["chosen"][0]["content"] for c in corrections}
    probes = [p for p in probes if p["correction"] in wanted]
    answers, seconds = ask(x.instruct, model, [c["prompt"][0]["content"] for c in corrections] + [p["prompt"] for p in probes],
                           folder)
    keys = json.load(open(SETS / "keys.json"))
    is_of = lambda a, i: re.search(keys[i], a, re.I | re.S) is not None
    m = {"right": sum(a.strip() == wanted[c["id"]] for c, a in zip(corrections, answers)), "of": len(corrections),
         "paraphrases": 0, "paraphrases_by_word": 0, "paraphrases_of": 0, "taken": 0, "taken_by_word": 0, "taken_of": 0,
         "seconds": seconds}
    for p, a in zip(probes, answers[len(corrections):]):
        i = p["correction"]
        if p["kind"] == "paraphrase":
            m["paraphrases_of"] += 1
            m["paraphrases"] += is_of(a, i)
            m["paraphrases_by_word"] += a.strip() == wanted[i]
        else:
            m["taken_of"] += 1
            m["taken"] += is_of(a, i) and not is_of(x.before[p["prompt"]], i)
            m["taken_by_word"] += a.strip() in wanted.values()
    return m


def current(behaviour):
    """The number of its current round, 0 where there is none."""
    path = behaviour / "current"
    return int(path.read_text()) if path.exists() else 0


def teach(x, guard, name, recipe, which, seed):
    """One line of rounds. Its measurements are kept."""
    recipe, *how = recipe.split(",")
    folder = x.out / f"{name}-{which}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "measured.jsonl"
    rounds = lines(kept) if kept.exists() else []
    options = dict(json.load(open(recipe)), seed=seed)
    (folder / "recipe.json").write_text(json.dumps(options))
    near = collections.defaultdict(list)
    for n in lines(SETS / f"{which}-near.jsonl"):
        near[n["correction"]].append(n["prompt"])
    corrections = [dict(c, near=near[c["id"]]) if options.get("near_rows", 1) else c for c in lines(SETS / f"{which}-corrections.jsonl")]
    gone = SETS / f"{which}-superseded.json"
    gone = json.load(open(gone)) if gone.exists() else {}  # the later correction of the same prompt
    probes = lines(SETS / f"{which}-probes.jsonl")
    if len(rounds) < x.rounds and not how and not current(folder / "b") == len(rounds) > 0:
        shutil.rmtree(folder / "b", ignore_errors=True)  # nothing to go on from
        rounds = []
    done = {m["round"] for m in rounds}
    for r in range(1, x.rounds + 1):
        if r in done:
            continue
        if how and r not in x.guard_after:
            continue
        new = corrections[8 * (r - 1):8 * r]
        standing = [c for c in corrections[:8 * r] if c["id"] not in gone or int(gone[c["id"]][1]) > r]
        own = standing if how else new
        if how:
            shutil.rmtree(folder / "b", ignore_errors=True)
        command = [x.instruct, "round", folder / "b", "--corrections", write(folder / "own.jsonl", own), "--recipe",
                   folder / "recipe.json", "--yes", "--max_worse", "100%"]
        command += [y for k in x.keep for y in ("--keep", k)]
        if not (folder / "b").exists():
            command += ["--base", x.model]
        start = time.time()
        _, seconds = run(*command)
        ledger = lines(folder / "b/ledger.jsonl")[-1]
        m = {"round": r, "verdict": ledger["verdict"], "taught": ledger["taught"], "seconds": seconds, "wall": time.time() - start,
             "new": measure(x, folder / "b", new, probes, folder)}
        m["all"] = measure(x, folder / "b", standing, probes, folder) if r > 1 and r == x.rounds else m["new"]
        if r in x.guard_after:
            m["guard"] = guard.measure(folder / "b", folder)
        rounds.append(m)
        write(kept, rounds)
        for old in range(1, r):  # only the newest model is needed; a round reads the others' corrections
            (folder / f"b/rounds/{old:03d}/model.safetensors").unlink(missing_ok=True)
        g = m.get("guard", {})
        print(name, which, seed, r, m["taught"], m["all"], g, f"{seconds:.0f} s", flush=True)
    if not x.models:
        shutil.rmtree(folder / "b", ignore_errors=True)
    return rounds


def report(x):
    print("| recipe | corrected at once | after the last round | paraphrases | word for word | neighbours taken over | word for word | guard worse, one round | after the last"
          " | nat a token, one round | after the last | processor seconds a round | runs |")
    print("|---|" + "---|" * 12)
    for name, _ in x.recipes:
        runs = [r for which in x.sets for seed in x.seeds if (f := x.out / f"{name}-{which}-{seed}/measured.jsonl").exists()
                for r in [lines(f)]]
        if not runs:
            continue
        def share(part, of):
            return f"{100 * sum(part) / max(1, sum(of)):.1f} %"
        every = [m for r in runs for m in r]
        at = lambda n: [m for m in every if m["round"] == n and "guard" in m]
        one, last = at(1), at(x.rounds)
        ends = [m for m in every if m["round"] == x.rounds]
        held = lambda part, of: share([m["all"][part] for m in ends], [m["all"][of] for m in ends])
        worse = lambda ms: share([m["guard"]["worse_data"] + m["guard"]["worse_everyday"] for m in ms], [m["guard"]["of"] for m in ms])
        nat = lambda ms: f"{statistics.mean(m['guard']['nat'] for m in ms):.3f}" if ms else ""
        print(f"| {name} | {share([m['new']['right'] for m in every], [m['new']['of'] for m in every])} | "
              f"{share([m['all']['right'] for m in ends], [m['all']['of'] for m in ends])} | "
              f"{held('paraphrases', 'paraphrases_of')} | {held('paraphrases_by_word', 'paraphrases_of')} | "
              f"{held('taken', 'taken_of')} | {held('taken_by_word', 'taken_of')} | {worse(one)} | {worse(last)} | "
              f"{nat(one)} | {nat(last)} | {statistics.median(m['seconds'] for m in every):.0f} | {len(runs)} |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("instruct", "model", "data", "out"):
        p.add_argument(name)
    p.add_argument("--recipes", nargs="+", required=True)
    p.add_argument("--keep", nargs="*", default=[], help="rows that rounds keep; else --keep_prompts of the 935")
    p.add_argument("--keep_prompts", type=int, default=96)
    p.add_argument("--sets", default="a,b")
    p.add_argument("--seeds", default="1,2,3")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--guard", default="1,5", help="rounds after which the guard prompts are asked")
    p.add_argument("--models", action="store_true", help="keep the behaviour folders")
    p.add_argument("--report", action="store_true")
    x = p.parse_args()
    x.out, x.model = pathlib.Path(x.out), pathlib.Path(x.model).resolve()
    x.recipes = [r.split("=", 1) for r in x.recipes]
    x.sets, x.seeds = x.sets.split(","), [int(s) for s in x.seeds.split(",")]
    x.guard_after = {int(g) for g in x.guard.split(",")}
    if not x.report:
        (x.out / "guard").mkdir(parents=True, exist_ok=True)
        data = json.load(open(x.data))
        x.keep = x.keep or [write(x.out / "keep.jsonl", [{"messages": [
            {"role": "user", "content": asked(r)}, {"role": "assistant", "content": r["output"]}]}
            for r in (data[i * 935 // x.keep_prompts] for i in range(x.keep_prompts))])]
        guard = Guard(x, x.out / "guard")
        x.before = before(x, x.out / "guard")
        for seed in x.seeds:
            for which in x.sets:
                for name, recipe in x.recipes:
                    teach(x, guard, name, recipe, which, seed)
    report(x)


if __name__ == "__main__":
    main()
