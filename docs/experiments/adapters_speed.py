"""The time of a training step here and with TRL, on the same rows: every weight, LoRA (with PEFT there), and DPO.

    python docs/experiments/adapters_speed.py --instruct ./instruct --model DIR --data rows.json --pairs pairs.json --work DIR [--rounds 3]

Needs torch 2.15, transformers 5.23, trl 1.16, peft 0.21. DIR is a Hugging Face folder that both sides read. Each measurement is a process of its own;
in every round they take turns. A measurement is the time from the end of the first step to the end of the last one, optimizer and batching included,
divided by the steps between: of the clock, and of the processor (user and system, all threads), which says more on a machine that has other things to
do. TRL's mode is the fast one on a processor without bfloat16: float32, no gradient checkpointing, SDPA. Linux only (/proc). Prints every figure, the medians and ratios.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

STEPS, ROWS = 4, 8  # the first step warms up
LORA = {"lora_r": 16, "lora_alpha": 32, "lora_target_modules": "all-linear"}
KINDS = {"full": {"learning_rate": 1e-5}, "lora": {"learning_rate": 1e-4, **LORA}, "dpo": {"learning_rate": 1e-6, "loss_type": "sigmoid"},
         "dpo_lora": {"learning_rate": 1e-5, "loss_type": "sigmoid", **LORA}}


def rows(a, kind):
    """The first rows as messages."""
    out = []
    for row in json.load(open(a.pairs if kind.startswith("dpo") else a.data))[:STEPS * ROWS]:
        prompt = [{"role": "user", "content": row["instruction"] + ("\n" + row["input"] if row["input"] else "")}]
        answer = lambda key: [{"role": "assistant", "content": row[key]}]
        if kind.startswith("dpo"):
            out.append({"prompt": prompt, "chosen": answer("chosen"), "rejected": answer("rejected")})
        else:
            out.append({"prompt": prompt, "completion": answer("output")})
    return out


def processor(pid):
    """Seconds of processor time that a process has had."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ours(a, kind):
    data, run = os.path.join(a.work, kind + ".jsonl"), os.path.join(a.work, "run-" + kind)
    with open(data, "w") as f:
        f.writelines(json.dumps(r) + "\n" for r in rows(a, kind))
    keys = {"model_name_or_path": a.model, "dataset": data, "lr_scheduler_type": "linear", "per_device_train_batch_size": ROWS, "max_steps": STEPS,
            "logging_steps": 1, "train_sampling_strategy": "sequential", "eval_fraction": 0, "save_strategy": "no", "output_dir": run,
            "overwrite_output_dir": "true", "threads": a.threads, **KINDS[kind]}
    metrics = os.path.join(run, "metrics.jsonl")
    if os.path.exists(metrics):
        os.remove(metrics)
    p = subprocess.Popen([a.instruct, "train", "--quiet"] + [x for k, v in keys.items() for x in ("--" + k, str(v))], stdout=subprocess.DEVNULL)
    ends = []
    while p.poll() is None:
        done = open(metrics).read().count("\n") if os.path.exists(metrics) else 0
        if len(ends) < done:
            ends += [(time.time(), processor(p.pid))] * (done - len(ends))
        time.sleep(0.005)
    if p.returncode != 0 or len(ends) != STEPS:
        sys.exit(f"{kind}: instruct ended with {p.returncode} after {len(ends)} steps")
    steps = [json.loads(line) for line in open(metrics)]
    return between(ends, steps[-1])


def between(ends, last):
    (t0, p0), (t1, p1) = ends[0], ends[-1]
    return {"clock": (t1 - t0) / (STEPS - 1), "processor": (p1 - p0) / (STEPS - 1), "loss": last["loss"], "tokens": last["num_tokens"]}


def theirs(a, kind):
    """Runs in a process of its own: prints one line of JSON."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    torch.set_num_threads(a.threads)
    tokenizer = AutoTokenizer.from_pretrained(a.model)
    model = AutoModelForCausalLM.from_pretrained(a.model, dtype=torch.float32)
    data = []
    for row in rows(a, kind):
        prompt = tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
        data.append({"prompt": prompt, **{k: v[0]["content"] + tokenizer.eos_token for k, v in row.items() if k != "prompt"}})
    config, trainer = (DPOConfig, DPOTrainer) if kind.startswith("dpo") else (SFTConfig, SFTTrainer)
    own = {"precompute_ref_log_probs": True} if kind == "dpo" else {}
    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM") if "lora_r" in KINDS[kind] else None
    ends = []

    class Clock(TrainerCallback):
        def on_step_end(self, *args, **kwargs):
            ends.append((time.time(), time.process_time()))

    t = trainer(model=model, processing_class=tokenizer, train_dataset=Dataset.from_list(data), peft_config=lora, callbacks=[Clock()], args=config(
        output_dir=os.path.join(a.work, "trl-" + kind), per_device_train_batch_size=ROWS, max_steps=STEPS, learning_rate=KINDS[kind]["learning_rate"],
        lr_scheduler_type="linear", optim="adamw_torch", gradient_checkpointing=False, bf16=False, use_cpu=True, logging_steps=1, save_strategy="no",
        report_to="none", disable_tqdm=True, max_length=1024, train_sampling_strategy="sequential", **own))
    t.train()
    log = [{**h, "loss": float(h["loss"])} for h in t.state.log_history if "loss" in h]
    print(json.dumps(between(ends, log[-1])))


def main():
    p = argparse.ArgumentParser()
    for name in ("instruct", "model", "data", "pairs", "work"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--kinds", default="full,lora,dpo", help="of " + ", ".join(KINDS))
    p.add_argument("--trl", default="lora,dpo", help="those that TRL runs, too")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--only", help=argparse.SUPPRESS)
    a = p.parse_args()
    os.makedirs(a.work, exist_ok=True)
    if a.only:
        return theirs(a, a.only)
    seen = {}
    for n in range(a.rounds):
        for kind in a.kinds.split(","):
            seen.setdefault("instruct " + kind, []).append(ours(a, kind))
            if kind in a.trl.split(","):
                out = subprocess.run([sys.executable] + sys.argv + ["--only", kind], check=True, stdout=subprocess.PIPE,
                                     env={**os.environ, "OMP_WAIT_POLICY": "passive"}, text=True).stdout
                seen.setdefault("trl " + kind, []).append(json.loads(out.strip().split("\n")[-1]))
        for name, values in seen.items():
            v = values[-1]
            print(f"round {n + 1}  {name}: {v['clock']:.2f} s  processor {v['processor']:.2f} s  loss {v['loss']:.4f}  "
                  f"{v['tokens']:.0f} tokens  load {os.getloadavg()[0]:.1f}", flush=True)
    middle = {(name, k): statistics.median(v[k] for v in values) for name, values in seen.items() for k in ("clock", "processor")}
    for name in seen:
        kind = name.split()[-1]
        line = f"{name}: {middle[name, 'clock']:.2f} s, processor {middle[name, 'processor']:.2f} s a step"
        for other in ("trl " + kind, "instruct full"):
            if name.startswith("instruct") and other != name and other in seen and not (kind.startswith("dpo") and other == "instruct full"):
                line += f"; {other} takes " + ", processor ".join(f"{middle[other, k] / middle[name, k]:.2f}" for k in ("clock", "processor"))
        print(line)


if __name__ == "__main__":
    main()
