"""The speed of a training step here and in PyTorch, in all the ways that PyTorch has: eager and torch.compile; float32, autocast to bfloat16, and
everything in bfloat16 (`model.to(torch.bfloat16)`).

    python docs/experiments/torch_modes.py --instruct ./instruct --out speeds.jsonl [--presets tiny-15m,...] [--modes eager-fp32,...] [--rounds 3]
    python docs/experiments/torch_modes.py --out speeds.jsonl --table

Needs torch 2.15 and transformers 5.23; torch.compile needs a C++ compiler. The shapes are those of `instruct bench`: the model is made from a
configuration by transformers, with SDPA, tied embeddings, no dropout and random weights; random ids, cross-entropy over all positions, clipping to a
norm of 1, fused AdamW. Each measurement is a process of its own, and in a round all take turns: the middle step of --steps after two that warm up, or of
as many as --seconds allows, and one of each at least (a bfloat16 step takes minutes where the CPU has no instructions for it). What fails stands in the
table with its reason. Rounds may be made in pieces: --out is added to, and the table, tokens/s in the order of the rounds, is made of all of it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

LLAMA = {"tie_word_embeddings": True, "max_position_embeddings": 2048}
PRESETS = {  # rows, tokens, configuration; as train/bench/preset.go has them
    "smollm2-135m": (4, 256, dict(LLAMA, hidden_size=576, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, intermediate_size=1536,
                                  vocab_size=49152)),
    "gpt2-124m": (4, 256, {"vocab_size": 50257, "resid_pdrop": 0, "embd_pdrop": 0, "attn_pdrop": 0}),
    "tiny-15m": (8, 256, dict(LLAMA, hidden_size=288, num_hidden_layers=6, num_attention_heads=6, num_key_value_heads=6, intermediate_size=768,
                              vocab_size=32000)),
}
OURS = ["instruct-fp32", "instruct-bf16"]
MODES = [f"{how}-{what}" for what in ("fp32", "autocast", "bf16") for how in ("eager", "compile")]


def torch_step(preset, mode, threads):
    """Makes a model and returns a function that makes a step."""
    import torch
    import transformers
    from torch.nn.functional import cross_entropy
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    rows, tokens, config = PRESETS[preset]
    kind = "GPT2" if preset.startswith("gpt2") else "Llama"
    config = getattr(transformers, kind + "Config")(attn_implementation="sdpa", **config)
    model = getattr(transformers, {"GPT2": "GPT2LMHeadModel", "Llama": "LlamaForCausalLM"}[kind])(config).train()
    how, what = mode.split("-")
    if what == "bf16":
        model = model.to(torch.bfloat16)
    x, y = (torch.randint(config.vocab_size, (rows, tokens)) for _ in range(2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

    def loss():
        with torch.autocast("cpu", torch.bfloat16, enabled=what == "autocast"):
            logits = model(input_ids=x, use_cache=False).logits
        return cross_entropy(logits.float().flatten(0, 1), y.flatten())

    if how == "compile":
        loss = torch.compile(loss)

    def step():
        loss().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return step


def measure(a, preset, mode):
    """Is the child process: times steps of PyTorch."""
    step, times = torch_step(preset, mode, a.threads), []
    begin = time.time()
    step()  # compiles
    if time.time() - begin < a.seconds:
        step()
    begin = time.time()
    while len(times) < a.steps and (not times or time.time() - begin < a.seconds):
        start, cpu = time.time(), time.process_time()
        step()
        times.append((time.time() - start, time.process_time() - cpu))
    rows, tokens, _ = PRESETS[preset]
    wall, cpu = (statistics.median(t) for t in zip(*times))
    print(json.dumps({"tokens_per_second": rows * tokens / wall, "cpu_seconds": cpu, "steps": len(times)}))


def speed(a, preset, mode):
    """Measures once, in a process of its own, and adds what it found to the file."""
    if mode in OURS:
        rows, tokens, _ = PRESETS[preset]
        command = [a.instruct, "bench", "--preset", preset, "--dtype", mode.split("-")[1], "--steps", str(a.steps), "--threads", str(a.threads), "--json"]
    else:
        command = [sys.executable, __file__, "--out", a.out, "--threads", str(a.threads), "--steps", str(a.steps), "--seconds", str(a.seconds),
                   "--child", preset, mode]
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ, OMP_NUM_THREADS=str(a.threads)))
    found = {"preset": preset, "mode": mode}
    if p.returncode == 0:
        r = json.loads(p.stdout.strip().splitlines()[-1])
        found["cpu_seconds"] = r["cpu_seconds"] if "cpu_seconds" in r else r["cpu_ns_per_step"] / 1e9
        found["tokens_per_second"] = rows * tokens / r["ns_per_step"] * 1e9 if mode in OURS else r["tokens_per_second"]
    else:
        found["failed"] = (p.stderr.strip().splitlines() or [f"exit {p.returncode}"])[-1][:120]
    print(json.dumps(found), flush=True)
    with open(a.out, "a") as f:
        f.write(json.dumps(found) + "\n")


def table(path):
    """Prints tokens/s of all rounds and the processor time of a step (median) of every way."""
    found = [json.loads(line) for line in open(path)]
    presets = [p for p in PRESETS if any(f["preset"] == p for f in found)]
    print("| tokens/s (seconds of the processor a step) | " + " | ".join(presets) + " |\n|---" + "|---" * len(presets) + "|")
    for mode in OURS + MODES:
        cells = []
        for preset in presets:
            mine = [f for f in found if (f["preset"], f["mode"]) == (preset, mode)]
            good = [f for f in mine if "failed" not in f]
            cell = " ".join(f"{f['tokens_per_second']:,.0f}" for f in good)
            if good:
                cell += f" ({statistics.median(f['cpu_seconds'] for f in good):.2f})"
            elif mine:
                cell = mine[0]["failed"]
            cells.append(cell)
        if any(cells):
            print(f"| {mode} | " + " | ".join(cells) + " |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--instruct")
    p.add_argument("--out", required=True)
    p.add_argument("--presets", default=",".join(PRESETS))
    p.add_argument("--modes", default=",".join(OURS + MODES))
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--steps", type=int, default=5)
    p.add_argument("--seconds", type=float, default=40)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--table", action="store_true")
    p.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.child:
        return measure(a, *a.child)
    if not a.table:
        for i in range(a.rounds):
            for preset in a.presets.split(","):
                modes = a.modes.split(",")
                for mode in modes if i % 2 == 0 else modes[::-1]:
                    speed(a, preset, mode)
    table(a.out)


if __name__ == "__main__":
    main()
