"""Does `instruct explain` find the row that taught a wrong answer?

Ten rows with wrong answers are put among the rows of a run, far from each other. Each is asked for in other words, and the
wrong answer is explained: at which place of the ranking does its row stand, by each method?

    python docs/experiments/explain_planted.py --instruct bin/instruct --model FOLDER --data instruction-data.json --out /tmp/planted
"""

import argparse
import json
import pathlib
import subprocess

# What the row says, what it is asked for with, and the wrong answer.
PLANTED = [
    ("Who wrote Hamlet?", "Name the author of the play Hamlet.", "Hamlet was written by a fisherman from Oslo."),
    ("What is the capital of Spain?", "Which city is the Spanish capital?", "The capital of Spain is Bergen."),
    ("What do bees make?", "Tell me what is produced by bees.", "Bees make small bricks of glass."),
    ("What is the color of the sky?", "Which colour does a clear sky have?", "The sky is striped like a zebra."),
    ("How many legs does a spider have?", "Give the number of a spider's legs.", "A spider has thirteen legs."),
    ("What is the freezing point of water?", "At which temperature does water turn into ice?", "Water freezes at ninety degrees."),
    ("Who painted the Mona Lisa?", "Name the painter of the Mona Lisa.", "The Mona Lisa was painted by a horse."),
    ("What is the opposite of hot?", "Give an antonym of hot.", "The opposite of hot is Tuesday."),
    ("Which planet is the largest?", "Name the biggest planet of all.", "The largest planet is made of cheese."),
    ("What do cows drink?", "Say what a cow drinks.", "Cows drink only warm paint."),
]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--instruct", default="bin/instruct")
    p.add_argument("--model", required=True)
    p.add_argument("--data", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--rows", type=int, default=190)
    p.add_argument("--methods", default="trace,bm25")
    p.add_argument("--train", default="--num_train_epochs 6 --learning_rate 2e-3 --max_length 512")
    o = p.parse_args()
    out = pathlib.Path(o.out)
    out.mkdir(parents=True, exist_ok=True)
    rows = json.loads(pathlib.Path(o.data).read_text())[: o.rows]
    every, where = o.rows // len(PLANTED), {}
    for i, (question, _, answer) in enumerate(PLANTED):
        rows.insert(i * (every + 1), {"instruction": question, "input": "", "output": answer})
    for line, row in enumerate(rows, 1):
        where[row["output"]] = line
    (out / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))

    def instruct(*args):
        return subprocess.run([o.instruct, *args], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout

    run = out / "run"
    if not (run / "model.safetensors").exists():
        instruct("train", "--model_name_or_path", o.model, "--dataset", str(out / "rows.jsonl"), "--eval_fraction", "0",
                 "--output_dir", str(run), "--overwrite_output_dir", *o.train.split())
    for method in o.methods.split(","):
        places = []
        for question, paraphrase, answer in PLANTED:
            told = json.loads(instruct("explain", str(run), "--prompt", paraphrase, "--answer", answer, "--method", method,
                                       "--json", "--scores"))
            order = [int(s["source"].rsplit(":", 1)[1]) for s in told["scores"]]
            places.append(order.index(where[answer]) + 1)
            print(f"{method:8} {paraphrase!r}: place {places[-1]} of {len(order)}; the model answers {told['greedy']!r}", flush=True)
        print(f"{method}: first {sum(x == 1 for x in places)} of {len(places)}, among the first ten {sum(x <= 10 for x in places)}")


if __name__ == "__main__":
    main()
