"""Does an answer change when the rows are gone that a method of `instruct explain` names first?

A run is made, and questions behind its rows are asked: those whose greedy answer the run changed are the answers that it
learned. For each of them, and each method, the run is made again without the first K rows (drop_rows: exactly the same run
otherwise) and the question is asked again. Printed is how many answers are another one then, and by how much the old
one's log-probability fell. It goes on where it was stopped; --report says what there is so far.

    python docs/experiments/explain_flips.py --instruct bin/instruct --start "--model_name_or_path FOLDER" \
      --data rows.json --out /tmp/flips
"""

import argparse
import json
import random
import statistics

import explain_common as common


def main():
    p = argparse.ArgumentParser()
    common.arguments(p)
    p.add_argument("--rows", type=int, default=935)
    p.add_argument("--answers", type=int, default=50)
    p.add_argument("--right", action="store_true", help="only answers that the row gives too")
    p.add_argument("--first", default="1,5,20", help="how many rows are taken out")
    p.add_argument("--tokens", type=int, default=40, help="longest answer")
    p.add_argument("--methods", default="trace,bm25")
    p.add_argument("--train", default="--num_train_epochs 1 --learning_rate 1e-4")
    p.add_argument("--keep", default="--explain true", help="what the run keeps")
    p.add_argument("--report", action="store_true", help="train nothing more")
    o = p.parse_args()
    instruct = common.Instruct(o.instruct, o.start, o.train)
    base = instruct.start[instruct.start.index("--model_name_or_path") + 1]
    o.out.mkdir(parents=True, exist_ok=True)
    rows = json.loads(open(o.data).read())
    data, asked = o.out / "rows.jsonl", o.out / "asked.jsonl"
    data.write_text("".join(json.dumps(r) + "\n" for r in rows[: o.rows]))
    run, without, scratch = o.out / "run", o.out / "without", o.out / "scratch"
    if not (run / "model.safetensors").exists():
        instruct.train(run, "--dataset", data, *o.keep.split())
    if not asked.exists():
        rest = rows[o.rows :]
        prompts = [common.row_text(r)[0] for r in rest]
        before, after = (instruct.greedy(m, prompts, scratch, o.tokens) for m in (base, run))
        learned = [r for r, b, a in zip(rest, before, after) if b != a and (not o.right or a == r["output"])]
        print(f"{len(learned)} of {len(rest)} answers were learned; taken are {min(o.answers, len(learned))}")
        asked.write_text("".join(json.dumps(r) + "\n" for r in learned[: o.answers]))

    scores, answers = common.scores(o, instruct, run, asked, rows[: o.rows])
    before = instruct.logprobs(run, answers, o.out / "answers.jsonl")

    kept = o.out / "measured.json"
    measured = json.loads(kept.read_text()) if kept.exists() else {}
    first = [int(k) for k in o.first.split(",")]
    todo = [(i, k, method) for i in range(len(answers)) for k in first for method in scores]
    random.Random(1).shuffle(todo)  # so that a part of them is a fair one
    for i, k, method in todo if not o.report else []:
        gone = sorted(sorted(scores[method][i], key=lambda row: -scores[method][i][row])[:k])
        if f"{i} {k} {method}" in measured:
            continue
        (o.out / "gone.txt").write_text("".join(f"rows.jsonl:{row}\n" for row in gone))
        instruct.train(without, "--dataset", data, "--drop_rows", f"@{o.out / 'gone.txt'}", "--save_strategy", "no")
        question = [answers[i]]
        says = instruct.greedy(without, [question[0][0]], scratch, o.tokens)[0]
        change = instruct.logprobs(without, question, o.out / "answer.jsonl")[0] - before[i]
        measured[f"{i} {k} {method}"] = [gone, change, says]
        kept.write_text(json.dumps(measured))

    print(f"{len(answers)} answers; another one without the first K of {o.rows} rows, in how many of those tried; fall of the log-probability")
    for k in first:
        for method in scores:
            of = [(i, measured[f"{i} {k} {method}"]) for i in range(len(answers)) if f"{i} {k} {method}" in measured]
            if of:
                changed = sum(says != answers[i][1] for i, (_, _, says) in of)
                fall = [-change for _, (_, change, _) in of]
                print(f"  K {k:<3} {method:10} {changed} of {len(of)}; {statistics.mean(fall):.3f} in the mean, {statistics.median(fall):.3f} in the middle")


if __name__ == "__main__":
    main()
