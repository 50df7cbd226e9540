"""What a checkpoint costs a run: the same run without checkpoints and with one every few steps, in turns.

    python docs/experiments/saving.py --instruct ./instruct --model DIR --data rows.json --work DIR [--steps 24] [--every 3] [--rounds 3] [--before OLD]

Needs Python alone; Linux only (/proc). Each run is a process of its own, in every round one after the other. Counted are the seconds of processor time
of the process (wait4: user, and system: what the kernel does on its behalf), of all threads of the kernel together (/proc/PID/schedstat: write-back, journal,
reclaim, the block layer; those of other programs, too, so the machine has to do nothing else), and of the clock. What a checkpoint costs is the difference of the run
with checkpoints and of the one without, divided by their number; with save_total_limit 1, so the deletion of the one before is in it. Not counted: interrupts
that come while another program runs, and what a hypervisor does for the disk. The share is that of two cores with one checkpoint a minute: of 120 seconds.

--before names another program to compare with. Prints every figure, the medians and shares; all runs must have the same weights and losses.
"""

import argparse
import glob
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time


def kernel_threads():
    """Seconds of processor time of each thread of the kernel (the children of kthreadd), by pid."""
    out = {}
    for path in glob.glob("/proc/[0-9]*"):
        try:
            if int(open(path + "/stat").read().rsplit(")", 1)[1].split()[1]) == 2:
                out[path] = int(open(path + "/schedstat").read().split()[0]) / 1e9
        except (OSError, ValueError):
            pass  # it has ended
    return out


def run(a, program, saves):
    out = os.path.join(a.work, "run")
    shutil.rmtree(out, ignore_errors=True)
    os.sync()
    keys = {"model_name_or_path": a.model, "dataset": a.data, "per_device_train_batch_size": a.batch, "max_steps": a.steps, "learning_rate": 1e-5,
            "logging_steps": 1, "eval_strategy": "no", "threads": a.threads, "output_dir": out, "save_strategy": "no"}
    if saves:
        keys |= {"save_strategy": "steps", "save_steps": a.every, "save_total_limit": 1}
    kernel, clock = kernel_threads(), time.time()
    p = subprocess.Popen([program, "train", "--quiet"] + [x for k, v in keys.items() for x in ("--" + k, str(v))], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(p.pid, 0)
    if status != 0:
        sys.exit(f"{program} ended with {os.waitstatus_to_exitcode(status)}")
    got = {"clock": time.time() - clock, "user": usage.ru_utime, "system": usage.ru_stime}
    os.sync()  # what the kernel puts off belongs to the run
    got["kernel"] = sum(t - kernel.get(k, 0) for k, t in kernel_threads().items())
    got["process"] = got["user"] + got["system"]
    losses = [json.loads(line)["loss"] for line in open(os.path.join(out, "metrics.jsonl"))]
    with open(os.path.join(out, "model.safetensors"), "rb") as f:
        got["same"] = losses, hashlib.file_digest(f, "sha256").hexdigest()
    if saves:
        last, = glob.glob(os.path.join(out, "checkpoint-*"))
        subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=last, check=True)
        got["bytes"] = sum(os.path.getsize(f) for f in glob.glob(last + "/*"))
    return got


def main():
    p = argparse.ArgumentParser()
    for name in ("instruct", "model", "data", "work"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--before", help="another program to compare with")
    for name, value in {"steps": 24, "every": 3, "batch": 8, "rounds": 3, "threads": 2}.items():
        p.add_argument("--" + name, type=int, default=value)
    a = p.parse_args()
    if a.steps % a.every:
        p.error("--every must divide --steps: the last step of a run is always saved")
    os.makedirs(a.work, exist_ok=True)
    programs = {"now": a.instruct} | ({"before": a.before} if a.before else {})
    kinds = ["user", "system", "process", "kernel", "clock"]
    costs, same = {name: [] for name in programs}, None
    for n in range(a.rounds):
        without = run(a, a.instruct, False)
        print(f"round {n + 1}  without: " + "  ".join(f"{k} {without[k]:.2f}" for k in kinds), flush=True)
        for name, program in programs.items():
            got = run(a, program, True)
            costs[name].append({k: (got[k] - without[k]) / (a.steps // a.every) for k in kinds})
            print(f"round {n + 1}  {name}: " + "  ".join(f"{k} {got[k]:.2f} ({costs[name][-1][k]:+.2f} each)" for k in kinds)
                  + f"  {got['bytes'] / 1e9:.2f} GB  load {os.getloadavg()[0]:.1f}", flush=True)
            for r in without, got:
                same = same or r["same"]
                if r["same"] != same:
                    sys.exit("the runs have other losses or weights")
        for name, values in costs.items():
            middle = {k: statistics.median(v[k] for v in values) for k in kinds}
            print(f"{name}, a checkpoint, median of {n + 1}: " + "  ".join(f"{k} {middle[k]:.2f}" for k in kinds) + f"; process {middle['process'] / 1.2:.1f} %, "
                  f"with the kernel's threads {(middle['process'] + middle['kernel']) / 1.2:.1f} %", flush=True)
    shutil.rmtree(os.path.join(a.work, "run"))


if __name__ == "__main__":
    main()
