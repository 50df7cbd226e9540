"""Ten steps of each loss of preferences beside TRL's, on the same model, pairs, order and optimizer.

    python docs/experiments/preferences.py --instruct ./instruct --model SmolLM2.gguf --pairs pairs.json --work DIR [--losses sigmoid,ipo]

Needs torch 2.15, transformers 5.23, trl 1.16 (its experimental CPO and ORPO too). The model is first written as a Hugging Face folder: a step
with learning rate 0. Prompts are rendered once, with the model's own template, and given to TRL as texts whose answers end with the end-of-turn
token, so that both train the same tokens. Prints, for every loss, the largest relative difference of the losses and of each metric over the
steps (a metric's difference is taken relative to its largest value, since rewards begin at 0), and the seconds of both.
"""

import argparse
import json
import os
import subprocess
import time

METRICS = ["rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected", "nll_loss", "kl"]
EXTRA = {"ipo": {"beta": 0.1}, "simpo": {"beta": 2.0, "simpo_gamma": 0.5}, "kto": {"beta": 0.1, "undesirable_weight": 0.8}}
STEPS, PAIRS = 10, 2


def rows(path, loss):
    """The first pairs as messages; of kto every other pair's better answer, and the worse one of those between."""
    out = []
    for i, row in enumerate(json.load(open(path))[:STEPS * PAIRS]):
        text = row["instruction"] + ("\n" + row["input"] if row["input"] else "")
        prompt = [{"role": "user", "content": text}]
        answer = lambda key: [{"role": "assistant", "content": row[key]}]
        if loss == "kto":
            good = i % 2 == 0
            out.append({"prompt": prompt, "completion": answer("chosen" if good else "rejected"), "label": good})
        else:
            out.append({"prompt": prompt, "chosen": answer("chosen"), "rejected": answer("rejected")})
    return out


def ours(a, loss):
    data = os.path.join(a.work, f"{loss}.jsonl")
    with open(data, "w") as f:
        f.writelines(json.dumps(r) + "\n" for r in rows(a.pairs, loss))
    run = os.path.join(a.work, f"run-{loss}")
    keys = {"model_name_or_path": os.path.join(a.work, "base"), "dataset": data, "loss_type": loss, "learning_rate": a.learning_rate,
            "lr_scheduler_type": "linear", "per_device_train_batch_size": PAIRS, "max_steps": STEPS, "train_sampling_strategy": "sequential",
            "eval_fraction": 0, "adam_epsilon": a.adam_epsilon,
            "save_strategy": "no", "output_dir": run, "overwrite_output_dir": "true", "threads": a.threads, **EXTRA.get(loss, {})}
    subprocess.run([a.instruct, "train", "--quiet"] + [x for k, v in keys.items() for x in ("--" + k, str(v))], check=True,
                   stdout=subprocess.DEVNULL)
    steps = [json.loads(line) for line in open(os.path.join(run, "metrics.jsonl"))]
    tokens = [s["num_tokens"] - before for s, before in zip(steps, [0] + [s["num_tokens"] for s in steps])]
    return steps, [n / s["tokens_per_second"] for s, n in zip(steps, tokens)]


def theirs(a, loss):
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer
    from trl.experimental.cpo import CPOConfig, CPOTrainer
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

    torch.set_num_threads(a.threads)
    base = os.path.join(a.work, "base")
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, a.dtype))
    data = []
    for row in rows(a.pairs, loss):
        prompt = tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
        texts = {k: v[0]["content"] + tokenizer.eos_token for k, v in row.items() if k in ("chosen", "rejected", "completion")}
        data.append({**row, "prompt": prompt, **texts})
    config, trainer = {"orpo": (ORPOConfig, ORPOTrainer), "simpo": (CPOConfig, CPOTrainer), "kto": (KTOConfig, KTOTrainer)}.get(
        loss, (DPOConfig, DPOTrainer))
    own = dict(EXTRA.get(loss, {}))
    if loss in ("sigmoid", "ipo", "simpo"):
        own["loss_type"] = loss
    if loss == "simpo":
        own["cpo_alpha"] = 0.0
    if loss in ("sigmoid", "ipo", "kto"):
        own["precompute_ref_log_probs"] = True
    losses, seconds = [], []

    class Recorded(trainer):
        def training_step(self, *args, **kwargs):
            start = time.time()
            x = super().training_step(*args, **kwargs)
            losses.append(x.item())
            seconds.append(time.time() - start)
            return x

    t = Recorded(model=model, processing_class=tokenizer, train_dataset=Dataset.from_list(data), args=config(
        output_dir=os.path.join(a.work, "trl-" + loss), per_device_train_batch_size=PAIRS, max_steps=STEPS, learning_rate=a.learning_rate,
        lr_scheduler_type="linear", optim="adamw_torch", gradient_checkpointing=False, bf16=False, use_cpu=True, logging_steps=1, save_strategy="no",
        report_to="none", disable_tqdm=True, max_length=1024, train_sampling_strategy="sequential", max_grad_norm=1.0, weight_decay=0.0,
        adam_epsilon=a.adam_epsilon, **own))
    t.train()
    log = [h for h in t.state.log_history if "learning_rate" in h or "rewards/chosen" in h][:STEPS]
    return [{**h, "loss": x} for h, x in zip(log, losses)], seconds


def compare(loss, mine, other):
    line = {"loss": max(abs(m["loss"] - o["loss"]) / abs(o["loss"]) for m, o in zip(mine, other))}
    line["grad_norm"] = max(abs(m["grad_norm"] - o["grad_norm"]) / abs(o["grad_norm"]) for m, o in zip(mine, other))
    for key in METRICS:
        if all(key in o and key in m for m, o in zip(mine, other)):
            scale = max(abs(o[key]) for o in other) or 1
            line[key] = max(abs(m[key] - o[key]) for m, o in zip(mine, other)) / scale
    print(f"{loss}: " + "  ".join(f"{k} {v:.1e}" for k, v in line.items()), flush=True)


def main():
    p = argparse.ArgumentParser()
    for name in ("instruct", "model", "pairs", "work"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--losses", default="sigmoid,ipo,orpo,simpo,kto")
    p.add_argument("--learning_rate", type=float, default=1e-5)
    p.add_argument("--adam_epsilon", type=float, default=1e-8)
    p.add_argument("--dtype", default="float32", help="of TRL's model: float64 shows whose rounding a difference is")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--keep_trl", action="store_true", help="TRL's values are those of the last run in the same folder, where it has them")
    a = p.parse_args()
    os.makedirs(a.work, exist_ok=True)
    base = os.path.join(a.work, "base")
    if not os.path.exists(os.path.join(base, "model.safetensors")):
        with open(os.path.join(a.work, "one.jsonl"), "w") as f:
            f.write('{"prompt": "Say yes.", "completion": "Yes."}\n')
        subprocess.run([a.instruct, "train", "--quiet", "--model_name_or_path", a.model, "--dataset", f.name, "--learning_rate", "0", "--max_steps", "1",
                        "--save_strategy", "no", "--output_dir", base], check=True, stdout=subprocess.DEVNULL)
    for loss in a.losses.split(","):
        mine, mine_seconds = ours(a, loss)
        kept = os.path.join(a.work, loss + ".json")
        if a.keep_trl and os.path.exists(kept):
            saved = json.load(open(kept))
            other, other_seconds = saved["trl"], saved["seconds"][1]
        else:
            other, other_seconds = theirs(a, loss)
        with open(kept, "w") as f:
            json.dump({"instruct": mine, "trl": other, "seconds": [mine_seconds, other_seconds]}, f, indent=1)
        compare(loss, mine, other)
        print(f"    seconds of steps 2 to {STEPS}: instruct {sum(mine_seconds[1:]):.1f}, trl {sum(other_seconds[1:]):.1f} (its optimizer left out)", flush=True)


if __name__ == "__main__":
    main()
