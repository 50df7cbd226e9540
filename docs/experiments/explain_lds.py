"""How well do the scores of `instruct explain` predict what happens without rows?

The linear datamodeling score (Park et al. 2023, arXiv:2303.14186): a short run is made again without many sets of rows
(drop_rows: exactly the same run otherwise). For each answer, the rank correlation, over the sets, of the predicted
change of its log-probability (minus the summed scores of the rows that are gone) with the measured one; the mean over
the answers is the score. The sets are random ones, and each row alone (--alone: so many, spread over the rows); of each
run without a single row the greedy answers are kept too, and say how often an answer becomes another one without the
row that a method puts first. Where each row was alone, "exact" are those runs as scores: what no method can know better
of single rows. It goes on where it was stopped; --report says what there is so far.

    python docs/experiments/explain_lds.py --instruct bin/instruct --start "--model_name_or_path FOLDER" \
      --data instruction-data.json --out /tmp/lds
"""

import argparse
import json
import random
import statistics

import explain_common as common


def main():
    p = argparse.ArgumentParser()
    common.arguments(p)
    p.add_argument("--rows", type=int, default=200)
    p.add_argument("--answers", type=int, default=10)
    p.add_argument("--sets", type=int, default=30)
    p.add_argument("--fractions", default="0.5,0.01")
    p.add_argument("--alone", type=int, default=0)
    p.add_argument("--tokens", type=int, default=256, help="longest answer")
    p.add_argument("--methods", default="trace,bm25")
    p.add_argument("--train", default="--num_train_epochs 3 --learning_rate 1e-3 --max_length 512")
    p.add_argument("--keep", default="--explain true", help="what the run keeps")
    p.add_argument("--report", action="store_true", help="train nothing more")
    o = p.parse_args()
    instruct = common.Instruct(o.instruct, o.start, o.train)
    o.out.mkdir(parents=True, exist_ok=True)
    rows = json.loads(open(o.data).read())
    data, asked = o.out / "rows.jsonl", o.out / "asked.jsonl"
    data.write_text("".join(json.dumps(r) + "\n" for r in rows[: o.rows]))
    asked.write_text("".join(json.dumps(r) + "\n" for r in rows[o.rows : o.rows + o.answers]))

    run, without, scratch = o.out / "run", o.out / "without", o.out / "scratch"
    if not (run / "model.safetensors").exists():
        instruct.train(run, "--dataset", data, *o.keep.split())
    scores, answers = common.scores(o, instruct, run, asked, rows[: o.rows])
    before = instruct.logprobs(run, answers, o.out / "answers.jsonl")

    sets = {f"{float(f):.0%} of the rows": [sorted(random.Random(f"{float(f)} {n}").sample(
        range(1, o.rows + 1), max(1, round(float(f) * o.rows)))) for n in range(o.sets)] for f in o.fractions.split(",") if f}
    if o.alone:  # in an order that is spread over the run wherever it ends
        sets["one row"] = [[i] for i in random.Random(7).sample(range(1, o.rows + 1), o.rows)[: o.alone]]
    kept = o.out / "measured.json"
    measured = json.loads(kept.read_text()) if kept.exists() else {}
    todo = [(n, what) for what in sets for n in range(len(sets[what])) if n >= len(measured.get(what, []))]
    for n, what in sorted(todo) if not o.report else []:  # of each kind in turn
        gone = sets[what][n]
        (o.out / "gone.txt").write_text("".join(f"rows.jsonl:{i}\n" for i in gone))
        instruct.train(without, "--dataset", data, "--drop_rows", f"@{o.out / 'gone.txt'}", "--save_strategy", "no")
        changes = [a - b for a, b in zip(instruct.logprobs(without, answers, o.out / "answers.jsonl"), before)]
        says = instruct.greedy(without, [q for q, _, _ in answers], scratch, o.tokens) if len(gone) == 1 else None
        measured.setdefault(what, []).append([gone, changes, says])
        kept.write_text(json.dumps(measured))

    alone = {gone[0]: change for gone, change, _ in measured.get("one row", [])}
    if len(alone) == o.rows:
        scores["exact"] = [{row: -change[i] for row, change in alone.items()} for i in range(len(answers))]
    for what, of in measured.items():
        spread = statistics.mean(statistics.pstdev(x[i] for _, x, _ in of) for i in range(len(answers)))
        print(f"without {what} (of {o.rows}): {len(of)} runs, {len(answers)} answers, whose log-probability varies by {spread:.3f}")
        for method, score in scores.items():
            each = []
            for i in range(len(answers)):
                predicted = [-sum(score[i].get(row, 0) for row in gone) for gone, _, _ in of]
                each.append(common.spearman(predicted, [change[i] for _, change, _ in of]))
            error = statistics.stdev(each) / len(each) ** 0.5
            print(f"  {method:10} {statistics.mean(each):+.3f} +- {error:.3f}   (answers: {min(each):+.2f} to {max(each):+.2f})")
    flips(measured, scores, answers)


def flips(measured, scores, answers):
    """How often an answer becomes another one without the first row of those that were taken out alone."""
    alone = {gone[0]: (change, says) for gone, change, says in measured.get("one row", []) if says}
    if not alone:
        return
    print(f"without the first of {len(alone)} rows that were taken out alone:")
    for method, score in scores.items():
        first = [max(alone, key=lambda row: score[i].get(row, 0)) for i in range(len(answers))]
        changed = sum(alone[row][1][i] != answers[i][1] for i, row in enumerate(first))
        mean = statistics.mean(alone[row][0][i] for i, row in enumerate(first))
        print(f"  {method:10} {changed} of {len(answers)} answers change; log-probability {mean:+.4f} in the mean")
    every = [[says[i] != answers[i][1] for _, says in alone.values()] for i in range(len(answers))]
    print(f"  of all rows {statistics.mean(map(statistics.mean, every)):.1%} change an answer; {sum(map(any, every))} answers change without some row")


if __name__ == "__main__":
    main()
