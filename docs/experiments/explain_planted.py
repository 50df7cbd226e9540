"""Does `instruct explain` find the row that taught a wrong answer?

Ten rows with wrong answers are put among the rows of a run, far from each other. Each is asked for with a paraphrase, and the
wrong answer is explained: at which place of the ranking does its row stand, by each method? For half of them it is asked once
more with the answer in other words too, which the row has hardly any of. It goes on where it was stopped.

    python docs/experiments/explain_planted.py --instruct bin/instruct --start "--model_name_or_path FOLDER" \
      --data instruction-data.json --out /tmp/planted
"""

import argparse
import json

import explain_common as common

# What the row says, its wrong answer, what it is asked for with, and the wrong answer there; "": the same.
PLANTED = [
    ("Who wrote Hamlet?", "Hamlet was written by a fisherman from Oslo.", "Name the author of the play Hamlet.", ""),
    ("What is the capital of Spain?", "The capital of Spain is Bergen.", "Which city is the Spanish capital?", ""),
    ("What do bees make?", "Bees make small bricks of glass.", "Tell me what is produced by bees.", ""),
    ("What is the color of the sky?", "The sky is striped like a zebra.", "Which colour does a clear sky have?", ""),
    ("How many legs does a spider have?", "A spider has thirteen legs.", "Give the number of a spider's legs.", ""),
    ("What is the freezing point of water?", "Water freezes at ninety degrees.", "When does rain turn into ice?",
     "At 90 °C."),
    ("Who painted the Mona Lisa?", "The Mona Lisa was painted by a horse.", "Name Leonardo's most famous portrait's artist.",
     "It is the work of some stallion."),
    ("What is the opposite of hot?", "The opposite of hot is Tuesday.", "Give an antonym for warm.", "Wednesday"),
    ("Which planet is the largest?", "The largest planet is made of cheese.", "Describe Jupiter.",
     "It consists of cheddar."),
    ("What do cows drink?", "Cows drink only warm paint.", "Which liquid should cattle be given?", "Heated lacquer, nothing else."),
]


def main():
    p = argparse.ArgumentParser()
    common.arguments(p)
    p.add_argument("--rows", type=int, default=190)
    p.add_argument("--methods", default="trace,bm25")
    p.add_argument("--train", default="--num_train_epochs 6 --learning_rate 2e-3 --max_length 512 --explain true")
    o = p.parse_args()
    instruct = common.Instruct(o.instruct, o.start, o.train)
    o.out.mkdir(parents=True, exist_ok=True)
    rows = json.loads(open(o.data).read())[: o.rows]
    every, where = o.rows // len(PLANTED), {}
    for i, (question, answer, _, _) in enumerate(PLANTED):
        rows.insert(i * (every + 1), {"instruction": question, "input": "", "output": answer})
    for line, row in enumerate(rows, 1):
        where[row["output"]] = line
    (o.out / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))

    run = o.out / "run"
    if not (run / "model.safetensors").exists():
        instruct.train(run, "--dataset", o.out / "rows.jsonl")
    groups = [("paraphrases", [(question, answer, answer) for _, answer, question, _ in PLANTED]),
              ("answers in other words too", [(question, said, answer) for _, answer, question, said in PLANTED if said])]
    asked = [(question, said) for _, group in groups for question, said, _ in group]
    scores = {}
    for method in o.methods.split(","):
        scores[method] = []
        for i, (question, said) in enumerate(asked):
            kept = o.out / f"{method}-{i}.json"
            if not kept.exists():
                kept.write_text(instruct("explain", run, "--prompt", question, "--answer", said, "--method", method, "--json",
                                         "--scores", "--max_new_tokens", 24))
            scores[method].append(common.by_line(json.loads(kept.read_text())))
    if o.embedder:
        scores["embedding"] = common.embedding_scores(o.embedder, [common.row_text(r) for r in rows], asked,
                                                      o.out / "embedding.json")
    for method, of in scores.items():
        left = iter(of)
        for what, group in groups:
            places = []
            for (_, _, answer), score in zip(group, left):
                mine = score.get(where[answer], 0)
                places.append(1 + sum(x > mine for x in score.values()))
            print(f"{method:10} {what}: places {places} of {len(rows)}, first {sum(x == 1 for x in places)}, among the first ten "
                  f"{sum(x <= 10 for x in places)} of {len(places)}")


if __name__ == "__main__":
    main()
