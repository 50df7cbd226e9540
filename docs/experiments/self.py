#!/usr/bin/env python3
"""Does a model that practises a suite by itself get better at a suite that it has not seen (docs/teaching.md)?

    self.py INSTRUCT MODEL OUT [--seeds 1,2,3] [--rounds 3] [--k 8] [--max_new_tokens 256] [--split request|prompt]
            [-- FLAGS OF `instruct round`, such as --keep F]

INSTRUCT is the built program. The 300 prompts of data/checks/ifeval/testdata are divided by hash: 100 are never trained
and only measured, the others are practised. By request: prompts that ask for the same thing under other instructions
lie on one side; by prompt: they may lie on both. Every seed has a line of rounds of its own, all of which are accepted
(--max_worse 100%), so that the table says what came out and not what was let through.

A round that is finished is kept in OUT; a run that was stopped goes on with the next one. --report only prints.
"""
import argparse, hashlib, json, pathlib, statistics, subprocess, sys

HERE = pathlib.Path(__file__).resolve().parent
PROMPTS = HERE.parent.parent / "data/checks/ifeval/testdata/prompts.jsonl"


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def request(prompt):
    """What is asked for, without the instructions: the first sentence."""
    ends = [i for i in map(prompt.find, (". ", "? ", "! ")) if i > 0]
    return prompt[:min(ends)] if ends else prompt


def divide(rows, by, unseen):
    """The rows that are practised, and so many others; whole groups in the order of their hashes while they fit."""
    groups = {}
    for r in rows:
        groups.setdefault(request(r["prompt"]) if by == "request" else r["prompt"], []).append(r)
    others = set()
    for g in sorted(groups, key=digest):
        if len(others) + len(groups[g]) <= unseen:
            others.update(r["key"] for r in groups[g])
    return [r for r in rows if r["key"] not in others], [r for r in rows if r["key"] in others]


def log(x, folder):
    """The rounds of a folder, as `instruct log --json` has them."""
    if not folder.exists():
        return []
    done = subprocess.run([x.instruct, "log", folder, "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(l) for l in done.stdout.splitlines()]


def practise(x, seed):
    """Makes the rounds of a seed that are not there yet, and gives all of them."""
    folder = x.out / f"seed-{seed}"
    end = x.out / f"seed-{seed}.end"  # says why there are no more rounds
    while len(log(x, folder)) < x.rounds and not end.exists() and not x.report:
        n = len(log(x, folder)) + 1
        print(f"seed {seed}, round {n}", file=sys.stderr, flush=True)
        command = [x.instruct, "round", folder, "--self", x.k, "--suite", x.out / "practised.jsonl", "--unseen",
                   x.out / "unseen.jsonl", "--seed", seed, "--max_new_tokens", x.max_new_tokens, "--max_worse", "100%", "--yes"]
        command += [] if folder.exists() else ["--base", x.model]
        command += ["--threads", x.threads, *x.more]
        done = subprocess.run([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode not in (0, 1):
            sys.exit(f"{' '.join(map(str, command))}: {done.stderr}")
        if len(log(x, folder)) < n:
            end.write_text(done.stderr.splitlines()[-1] + "\n")
    if end.exists():
        print(f"seed {seed}: {end.read_text()}", file=sys.stderr, end="")
    return log(x, folder)


def share(n, of):
    return f"{n}/{of} = {100 * n / of:.1f} %"


def table(lines):
    """Rows of rounds by seed; then the unseen suite over the seeds."""
    print("| seed | round | practised: before | after | unseen: before | after | lost | answers that passed | tests solved | "
          "trained | steps | s |")
    print("|---" * 12 + "|")
    for seed, rounds in lines.items():
        for r in rounds:
            s, g, p = r["suites"][0], r["suites"][1], r["practice"]
            print(f"| {seed} | {r['round']} | {share(s['before'], s['tests'])} | {share(s['after'], s['tests'])} | "
                  f"{share(g['before'], g['tests'])} | {share(g['after'], g['tests'])} | {len(g['lost'])} | "
                  f"{share(p['passed'], max(1, p['sampled']))} | {p['solved']}/{p['tests']} | {p['trained']} | "
                  f"{r['taught']['steps']} | {r['seconds']:.0f} |")
    print()
    for i, name in enumerate(("practised", "unseen")):
        for n in range(1, 1 + max((len(r) for r in lines.values()), default=0)):
            gains = [100 * (r[n - 1]["suites"][i]["after"] - r[0]["suites"][i]["before"]) / r[0]["suites"][i]["tests"]
                     for r in lines.values() if len(r) >= n]
            print(f"{name}, after round {n}: {statistics.mean(gains):+.1f} points, "
                  f"from {min(gains):+.1f} to {max(gains):+.1f} ({len(gains)} seeds)")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("instruct", type=pathlib.Path)
    p.add_argument("model")
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--prompts", default=PROMPTS)
    p.add_argument("--split", choices=("request", "prompt"), default="request")
    p.add_argument("--unseen", type=int, default=100)
    p.add_argument("--seeds", default="1,2,3")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--k", type=int, default=8)
    p.add_argument("--max_new_tokens", type=int, default=256)
    p.add_argument("--threads", type=int, default=0)
    p.add_argument("--report", action="store_true")
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    x = p.parse_args(sys.argv[1:end])
    x.more = sys.argv[end + 1:]
    x.instruct = x.instruct.resolve()
    practised, unseen = divide([json.loads(l) for l in open(x.prompts, encoding="utf-8")], x.split, x.unseen)
    x.out.mkdir(parents=True, exist_ok=True)
    for name, rows in (("practised", practised), ("unseen", unseen)):
        text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
        path = x.out / f"{name}.jsonl"
        if path.exists() and path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path} holds other prompts: give the flags of before, or another folder")
        path.write_text(text, encoding="utf-8")
    print(f"{len(practised)} prompts are practised, {len(unseen)} are not seen\n")
    table({seed: practise(x, seed) for seed in x.seeds.split(",")})


if __name__ == "__main__":
    main()
