#!/usr/bin/env python3
"""Thirty-two deletions, each compared with training afresh.

    docs/experiments/forget.py bin/instruct MODEL DATA.json OUT [runs | behaviours | taught]

14 of rows of a run (1 to 5 rows each, drawn from all of the run; two runs, one of them shuffled with averaged weights,
the other packed), 6 of corrections of a behaviour of four rounds, 12 of corrections and of a policy's examples of a
behaviour of five rounds, of which one was taught by a policy and two by practice. `instruct forget` goes on from a
checkpoint, or makes rounds again; afresh is `instruct train --drop_rows`, or rounds that never had the correction (of a
policy: a file without the example). A line each: what was forgotten, its first use, what was gone on from, and whether
the weights are equal. Exit 1 where one is not.
"""
import json, os, random, re, shutil, subprocess, sys

instruct, model, data, out = sys.argv[1:5]
rng = random.Random(20)
os.makedirs(out, exist_ok=True)
failed = 0


def call(*args, may=None):
    done = subprocess.run([instruct, *args], capture_output=True, text=True)
    if done.returncode != 0 and not (may and may in done.stderr):
        sys.exit(f"instruct {' '.join(args)}\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def weights(text):
    return re.search("weights sha256 ([0-9a-f]{64})", text)[1]


def line(what, first, start, before, now, afresh):
    global failed
    equal = now == afresh and now != before
    failed += not equal
    print(f"{what:<46} {first:>10} {start:>14}   {'equal' if equal else 'DIFFERS'}  {now[:16]}", flush=True)


def runs():
    with open(data) as f:  # the lines on which rows begin
        begins = [n for n, text in enumerate(f, 1) if text.strip() == "{"]
    common = ["--model_name_or_path", model, "--dataset", data, "--max_samples", "160", "--max_length", "512",
              "--per_device_train_batch_size", "4", "--learning_rate", "1e-3", "--max_steps", "60", "--save_steps", "10",
              "--save_total_limit", "9", "--quiet", "--eval_fraction", "0"]
    kinds = {"random, ema": ["--train_sampling_strategy", "random", "--ema_decay", "0.9", "--warmup_steps", "5"],
             "packed": ["--train_sampling_strategy", "random", "--packing", "true", "--lr_scheduler_type", "cosine",
                        "--max_length", "256"]}
    for kind, keys in kinds.items():
        whole = f"{out}/whole"
        shutil.rmtree(whole, ignore_errors=True)
        before = weights(call("train", *common, *keys, "--output_dir", whole)[0])
        for i in range(7):
            rows = sorted(rng.sample(begins[:150], 1 + i % 5))
            names = [f"{os.path.basename(data)}:{n}" for n in rows]
            with open(f"{out}/rows.txt", "w") as f:
                f.write("\n".join(names))
            shutil.rmtree(f"{out}/run", ignore_errors=True)
            shutil.copytree(whole, f"{out}/run")
            said = call("forget", f"{out}/run", "--rows", f"{out}/rows.txt", "--yes")
            shutil.rmtree(f"{out}/afresh", ignore_errors=True)
            afresh = weights(call("train", *common, *keys, "--output_dir", f"{out}/afresh", "--drop_rows",
                                  f"@{out}/rows.txt")[0])
            call("audit", "verify", f"{out}/run")
            first = re.search("first used in step ([0-9]+)", said[1])
            start = re.search("train again from (the beginning|checkpoint-[0-9]+)", said[1])[1]
            line(f"{kind}: {','.join(n.split(':')[1] for n in names)}", "step " + first[1] if first else "never", start, before,
                 weights(said[0]), afresh)


def behaviours():
    prompts = [["Where is my parcel?", "When do you open?"], ["Who are you?", "Do you sell tea?"],
               ["Is it far?", "Can I pay later?"], ["What is new?"]]
    taught = []
    for i, some in enumerate(prompts):
        path = f"{out}/c{i}.jsonl"
        if os.path.exists(path):
            os.remove(path)
        for j, p in enumerate(some):
            call("correct", "--model", model, "--prompt", p, "--good", f"{'Yes No Soon Here'.split()[(i + j) % 4]}.", "--bad",
                 "-", "--out", path)
        taught.append([json.loads(text) for text in open(path)])
    with open(f"{out}/brief.json", "w") as f:
        json.dump({"learning_rate": 5e-3, "frozen": 0, "steps": 40, "kept_rows": 2, "kept_weight": 0.1, "contrasts": 0}, f)

    def teach(b, rounds):
        shutil.rmtree(b, ignore_errors=True)
        for i, some in enumerate(rounds):
            with open(f"{out}/taught.jsonl", "w") as f:
                f.writelines(json.dumps(c) + "\n" for c in some)
            call("round", b, "--corrections", f"{out}/taught.jsonl", "--recipe", f"{out}/brief.json", "--max_new_tokens", "24",
                 "--keep", f"{out}/keep.jsonl", "--keep_prompts", "8", "--max_worse", "100%", "--yes",
                 *(["--base", model] if i == 0 else []))

    def last(b):
        n = int(open(f"{b}/current").read())
        return json.load(open(f"{b}/rounds/{n:03d}/round.json"))["weights_sha256"]

    rows = json.load(open(data))[:40]
    with open(f"{out}/keep.jsonl", "w") as f:
        f.writelines(json.dumps(r) + "\n" for r in rows)
    whole = f"{out}/shop-whole"
    teach(whole, taught)
    for gone in [["Where is my parcel?"], ["When do you open?"], ["Do you sell tea?"], ["Is it far?", "Who are you?"],
                 ["Who are you?", "Do you sell tea?"], ["What is new?"]]:
        ids = [c["id"] for some in taught for c in some if c["prompt"][0]["content"] in gone]
        with open(f"{out}/ids.txt", "w") as f:
            f.write("\n".join(ids))
        shutil.rmtree(f"{out}/shop", ignore_errors=True)
        shutil.copytree(whole, f"{out}/shop")
        said = call("forget", f"{out}/shop", "--rows", f"{out}/ids.txt", "--yes")
        call("audit", "verify", f"{out}/shop")
        left = [[c for c in some if c["id"] not in ids] for some in taught]
        teach(f"{out}/shop-afresh", [some for some in left if some])
        first = re.search("first taught in (round [0-9]+)", said[1])[1]
        line("corrections: " + " ".join(gone), first, first, last(whole), last(f"{out}/shop"), last(f"{out}/shop-afresh"))


# The rounds of taught(): prompts of corrections, whether the policy is taught too, answers to practise to each test.
TAUGHT = [(["Where is my parcel?", "When do you open?"], False, 0), ([], True, 0), ([], False, 32),
          (["Is it far?", "Can I pay later?"], False, 0), (["What is new?"], False, 32)]
EXAMPLES = {"Do you deliver?": "Yes.", "Is it used?": "No.", "May I come in?": "Yes."}


def taught():
    recipe = f"{out}/brief.json"
    with open(recipe, "w") as f:
        json.dump({"learning_rate": 5e-3, "frozen": 0, "steps": 40, "kept_rows": 0, "contrasts": 0}, f)
    suites = {}
    for n, wanted in (2, "Here|Yes"), (4, "No"):
        suites[n] = f"{out}/practised{n}.yaml"
        with open(suites[n], "w") as f:
            f.write('prompts: ["{{q}}"]\ntests:\n')
            for q in ["Who are you?", "Is it open?", "Do you sell tea?", "How much is it?", "Is it here?"]:
                f.write(f"  - vars: {{q: {json.dumps(q)}}}\n    assert: [{{type: regex, value: '{wanted}'}}]\n")

    def policy(path, gone):
        with open(path, "w") as f:
            f.write("rules:\n  - id: short\n    text: Be short.\n    severity: warn\n    assert: [{type: regex, value: .}]\n"
                    "    good:\n")
            f.writelines(f"      - {{prompt: {json.dumps(p)}, answer: {json.dumps(a)}}}\n" for p, a in EXAMPLES.items()
                         if p not in gone)
        return path

    corrections = {}
    for i, p in enumerate(p for some, _, _ in TAUGHT for p in some):
        path = f"{out}/one.jsonl"
        if os.path.exists(path):
            os.remove(path)
        call("correct", "--model", model, "--prompt", p, "--good", ["Soon.", "Here.", "No.", "Yes."][i % 4], "--bad", "-",
             "--out", path)
        corrections[p] = open(path).read()

    def teach(b, gone, rules):
        shutil.rmtree(b, ignore_errors=True)
        for n, (some, with_policy, answers) in enumerate(TAUGHT):
            args = []
            left = [p for p in some if p not in gone]
            if left:
                with open(f"{out}/taught.jsonl", "w") as f:
                    f.writelines(corrections[p] for p in left)
                args += ["--corrections", f"{out}/taught.jsonl"]
            if with_policy and set(EXAMPLES) - set(gone):
                args += ["--policy", rules]
            if answers:
                args += ["--self", str(answers), "--suite", suites[n], "--temperature", "2"]
            if args:
                call("round", b, *args, "--recipe", recipe, "--max_new_tokens", "12", "--max_worse", "100%", "--yes",
                     *([] if os.path.exists(b) else ["--base", model]), may="there is nothing to learn")

    def last(b):
        n = int(open(f"{b}/current").read())
        return json.load(open(f"{b}/rounds/{n:03d}/round.json"))["weights_sha256"]

    whole = f"{out}/taught-whole"
    teach(whole, [], policy(f"{out}/policy.yaml", []))
    ids = {}
    for n in range(1, len(TAUGHT) + 1):
        path = f"{whole}/rounds/{n:03d}/corrections.jsonl"
        if os.path.exists(path):
            ids.update((c["prompt"][-1]["content"], c["id"]) for c in map(json.loads, open(path)))
    for gone in [["Where is my parcel?"], ["When do you open?"], ["Where is my parcel?", "When do you open?"],
                 ["Do you deliver?"], ["Is it used?"], ["Is it used?", "May I come in?"], list(EXAMPLES),
                 ["Where is my parcel?", "Do you deliver?"], ["Is it far?"], ["Can I pay later?", "May I come in?"],
                 ["What is new?"], ["When do you open?", "Is it used?", "Is it far?", "What is new?"]]:
        with open(f"{out}/ids.txt", "w") as f:
            f.write("\n".join(ids[p] for p in gone))
        shutil.rmtree(f"{out}/taught", ignore_errors=True)
        shutil.copytree(whole, f"{out}/taught")
        said = call("forget", f"{out}/taught", "--rows", f"{out}/ids.txt", "--yes")
        call("audit", "verify", f"{out}/taught")
        teach(f"{out}/taught-afresh", gone, policy(f"{out}/fewer.yaml", gone))
        first = re.search("first taught in (round [0-9]+)", said[1])[1]
        line("taught: " + " ".join(gone)[:38], first, first, last(whole), last(f"{out}/taught"), last(f"{out}/taught-afresh"))


print(f"{'forgotten':<46} {'first use':>10} {'made from':>14}")
for part in sys.argv[5:] or ["runs", "behaviours", "taught"]:
    {"runs": runs, "behaviours": behaviours, "taught": taught}[part]()
sys.exit(failed > 0)
