#!/usr/bin/env python3
"""The table of docs/reproducibility.md: the sha256 of the weights after a short run, in every way to make it.

    docs/experiments/hashes.py FIXTURES OUT [--amd64 bin/instruct] [--arm64 bin/instruct-arm64] [--only NAME,...] [--ways WAY;...]

FIXTURES has models/stories260K-hf and data/rasbt-instruction. OUT is a folder for the runs and for what was found
(hashes.json); what stands there is not made again. --arm64 is the program built with GOARCH=arm64, which runs under
qemu-aarch64; without it that column is empty. Exit code 1 where two ways of a run have other weights.
"""
import argparse, json, os, pathlib, shutil, signal, subprocess, sys, time

STEPS = 40
STORIES = ("--model_name_or_path {f}/models/stories260K-hf --per_device_train_batch_size 2 --max_length 256 "
           "--learning_rate 1e-3 --lr_scheduler_type constant_with_warmup --warmup_steps 4 ")
ROWS = STORIES + "--dataset {f}/data/rasbt-instruction/instruction-data.json "
PAIRS = STORIES + "--dataset {f}/data/rasbt-instruction/instruction-data-with-preference.json --learning_rate 1e-5 --max_samples 60 "
RUNS = {
    "stories260K, AdamW": ROWS,
    "packing": ROWS + "--packing",
    "accumulation of 3": ROWS + "--gradient_accumulation_steps 3",
    "Muon": ROWS + "--optim muon",
    "dtype bf16": ROWS + "--dtype bf16",
    "gradient checkpointing": ROWS + "--gradient_checkpointing",
    "averaged weights (ema_decay)": ROWS + "--ema_decay 0.99",
    "LoRA": ROWS + "--lora_r 8 --lora_dropout 0.1",
    "LoRA beside q8_0": ROWS + "--lora_r 8 --dtype q8_0",
    "LoRA beside bf16": ROWS + "--lora_r 8 --dtype bf16",
    "DoRA": ROWS + "--lora_r 8 --use_dora",
    "DPO": PAIRS + "--loss_type sigmoid",
    "ORPO": PAIRS + "--loss_type orpo",
    "KTO": PAIRS + "--loss_type kto",
    "stages: rows, then DPO": "stages",
    "the embedded recipe, small": "--lesson_rows 400 --lesson_held_out 2 --per_device_train_batch_size 2 "
                                  "--learning_rate 2e-3 --lr_scheduler_type constant_with_warmup --warmup_steps 4",
    "the same with AdamW": "--lesson_rows 400 --lesson_held_out 2 --per_device_train_batch_size 2 --optim adamw "
                           "--learning_rate 2e-3 --lr_scheduler_type constant_with_warmup --warmup_steps 4",
}
STAGES = """model_name_or_path: {f}/models/stories260K-hf
per_device_train_batch_size: 2
max_length: 256
eval_strategy: no
learning_rate: 1e-3
lr_scheduler_type: constant_with_warmup
warmup_steps: 4
stages:
  - dataset: {f}/data/rasbt-instruction/instruction-data.json
    max_steps: 20
  - dataset: {f}/data/rasbt-instruction/instruction-data-with-preference.json
    loss_type: sigmoid
    learning_rate: 1e-5
    max_samples: 60
    max_steps: 20
"""
WAYS = {  # kernels, threads, stopped in the middle
    "avx512, 1 thread": ("avx512", 1, False),
    "2": ("avx512", 2, False),
    "4": ("avx512", 4, False),
    "stopped, resumed": ("avx512", 2, True),
    "avx2": ("avx2", 2, False),
    "avx2, resumed": ("avx2", 1, True),
    "portable": ("generic", 2, False),
    "NEON": ("neon", 2, False),
}


def run(program, words, kernels, threads, out, steps):
    """Make a run and give its process."""
    limit = [] if out.name.startswith("stages") else ["--max_steps", str(steps)]
    command = program + ["train"] + words + limit + ["--eval_strategy", "no", "--save_strategy", "steps", "--save_steps",
                         str(STEPS // 2), "--threads", str(threads), "--output_dir", str(out)]
    env = dict(os.environ, INSTRUCT_CPU=kernels)
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def done(process, expected=0):
    _, log = process.communicate()
    if process.returncode != expected:
        sys.exit(f"exit {process.returncode}: {' '.join(map(str, process.args))}\n{log}")


def weights(program, name, words, kernels, threads, stopped, out):
    shutil.rmtree(out, ignore_errors=True)
    if not stopped:
        done(run(program, words, kernels, threads, out, STEPS))
    elif out.name.startswith("stages"):  # in its second stage
        process = run(program, words, kernels, threads, out, STEPS)
        rows = out / "metrics.jsonl"
        while process.poll() is None and not (rows.exists() and rows.read_text().count("\n") > 4):
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        done(process, 130)
        done(run(program, words + ["--resume_from_checkpoint", "true"], kernels, threads, out, STEPS))
    else:
        done(run(program, words, kernels, threads, out, STEPS // 2))
        done(run(program, words + ["--resume_from_checkpoint", "true"], kernels, threads, out, STEPS))
    return json.loads((out / "run.json").read_text())["weights_sha256"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("fixtures", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--amd64", default="bin/instruct")
    p.add_argument("--arm64")
    p.add_argument("--only", default="", help="names of runs")
    p.add_argument("--ways", default="", help="names of ways, with ; between them")
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    kept = a.out / "hashes.json"
    found = json.loads(kept.read_text()) if kept.exists() else {}
    stages = a.out / "stages.yaml"
    stages.write_text(STAGES.format(f=a.fixtures.resolve()))
    for way, (kernels, threads, stopped) in WAYS.items():
        if a.ways and way not in a.ways.split(";"):
            continue
        for name, words in RUNS.items():
            if kernels == "neon" and not a.arm64 or way in found.get(name, {}) or a.only and name not in a.only.split(","):
                continue
            program = ["qemu-aarch64", a.arm64] if kernels == "neon" else [a.amd64]
            arguments = [str(stages)] if words == "stages" else words.format(f=a.fixtures.resolve()).split()
            folder = a.out / ("stages-run" if words == "stages" else "run")
            start = time.time()
            found.setdefault(name, {})[way] = weights(program, name, arguments, kernels, threads, stopped, folder)
            kept.write_text(json.dumps(found, indent=1))
            print(f"{name}, {way}: {found[name][way][:16]}, {time.time() - start:.1f} s", file=sys.stderr)
    same = True
    print("| run | " + " | ".join(WAYS) + " | weights sha256 |\n|" + "---|" * (len(WAYS) + 2))
    for name in RUNS:
        of = found.get(name, {})
        first = next(iter(of.values()), "")
        same = same and len(set(of.values())) <= 1
        cells = ["" if way not in of else "=" if of[way] == first else "DIFFERS " + of[way][:8] for way in WAYS]
        print(f"| {name} | " + " | ".join(cells) + f" | `{first[:32]}` |")
    sys.exit(0 if same else 1)


main()
