"""How well do the scores of `instruct explain` predict what happens without rows?

The linear datamodeling score (Park et al. 2023, arXiv:2303.14186): a short run is made again without many random sets of
rows (drop_rows: exactly the same run otherwise). For each answer, the rank correlation, over the sets, of the predicted
change of its log-probability (minus the summed scores of the rows that are gone) with the measured one; the mean over
the answers is the score.

    python docs/experiments/explain_lds.py --instruct bin/instruct --model FOLDER --data instruction-data.json --out /tmp/lds
"""

import argparse
import json
import pathlib
import random
import statistics
import subprocess


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


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--instruct", default="bin/instruct")
    p.add_argument("--model", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--rows", type=int, default=200)
    p.add_argument("--answers", type=int, default=10)
    p.add_argument("--sets", type=int, default=30)
    p.add_argument("--fractions", default="0.5,0.01")
    p.add_argument("--methods", default="trace,bm25")
    p.add_argument("--train", default="--num_train_epochs 3 --learning_rate 1e-3 --max_length 512")
    o = p.parse_args()
    out = pathlib.Path(o.out)
    out.mkdir(parents=True, exist_ok=True)
    rows = json.loads(pathlib.Path(o.data).read_text())
    data, asked = out / "rows.jsonl", out / "asked.jsonl"
    data.write_text("".join(json.dumps(r) + "\n" for r in rows[: o.rows]))
    asked.write_text("".join(json.dumps(r) + "\n" for r in rows[o.rows : o.rows + o.answers]))

    def instruct(*args):
        return subprocess.run([o.instruct, *args], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout

    def train(to, *more):
        instruct("train", "--model_name_or_path", o.model, "--dataset", str(data), "--eval_fraction", "0", "--output_dir", str(to),
                 "--overwrite_output_dir", *o.train.split(), *more)

    def logprobs(run):
        lines = instruct("score", "--model", str(run), "--dataset", str(out / "answers.jsonl"), "--json").splitlines()
        return [-json.loads(line)["loss_sum"] for line in lines[:-1]]

    run = out / "run"
    if not (run / "model.safetensors").exists():
        train(run, "--explain", "true")
    scores, answers = {}, None
    for method in o.methods.split(","):
        kept = out / f"{method}.jsonl"
        if not kept.exists():
            kept.write_text(instruct("explain", str(run), "--suite", str(asked), "--method", method, "--json", "--scores"))
        told = [json.loads(line) for line in kept.read_text().splitlines()]
        answers = [(x["prompt"], x["answer"]) for x in told]
        scores[method] = [{int(s["source"].rsplit(":", 1)[1]): s["score"] for s in x["scores"]} for x in told]
    draw = random.Random(1)
    scores["random"] = [{i: draw.random() for i in range(1, o.rows + 1)} for _ in answers]
    (out / "answers.jsonl").write_text("".join(json.dumps({"prompt": q, "completion": a}) + "\n" for q, a in answers))
    before = logprobs(run)

    for fraction in map(float, o.fractions.split(",")):
        kept = out / f"measured-{fraction}.json"
        measured = json.loads(kept.read_text()) if kept.exists() else []
        for n in range(len(measured), o.sets):
            gone = sorted(random.Random(f"{fraction} {n}").sample(range(1, o.rows + 1), max(1, round(fraction * o.rows))))
            (out / "gone.txt").write_text("".join(f"rows.jsonl:{i}\n" for i in gone))
            train(out / "without", "--drop_rows", f"@{out / 'gone.txt'}", "--save_strategy", "no")
            measured.append([gone, [a - b for a, b in zip(logprobs(out / "without"), before)]])
            kept.write_text(json.dumps(measured))
        print(f"{fraction:.0%} of {o.rows} rows gone, {len(measured)} runs, {len(answers)} answers")
        for method, of in scores.items():
            each = []
            for i, score in enumerate(of):
                predicted = [-sum(score.get(row, 0) for row in gone) for gone, _ in measured]
                each.append(spearman(predicted, [change[i] for _, change in measured]))
            print(f"  {method:8} {statistics.mean(each):+.3f}   (answers: {min(each):+.2f} to {max(each):+.2f})")


if __name__ == "__main__":
    main()
