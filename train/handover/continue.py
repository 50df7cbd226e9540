"""Goes on with the run of this folder, where it stood: the same rows in the same order, moments, learning rates.

    torchrun --nproc_per_node 2 continue.py                     # one machine, DDP
    accelerate launch --config_file ddp.yaml continue.py        # the same by accelerate, whose flags say the rest:
    accelerate launch --config_file fsdp.yaml continue.py       # machines, GPUs, FSDP, mixed precision
    ACCELERATE_USE_FSDP=true torchrun --nproc_per_node 2 continue.py    # FSDP without accelerate's launcher

Needs torch, accelerate, transformers, safetensors, pyarrow. Writes result/, which `instruct import` takes back:
    --steps N     stop after N steps; all that are left otherwise
    --rows N      rows that a process computes at a time; the batch of a step stays what it is
"""

import argparse
import contextlib
import json
import os
import shutil

import pyarrow.parquet
import torch
from accelerate import Accelerator, DistributedType
from safetensors.torch import load_file, save_file
from torch.distributed.checkpoint import state_dict as dcp
from torch.distributed.fsdp import fully_shard
from transformers import AutoModelForCausalLM

WHOLE = dcp.StateDictOptions(full_state_dict=True, cpu_offload=True)
SPREAD = dcp.StateDictOptions(full_state_dict=True, broadcast_from_rank0=False)


def micro_batches(rows, data, size):
    """Padded ids, attention mask and labels of the rows, size of them at a time. One row of no weight where there are none."""
    for at in range(0, max(1, len(rows)), size):
        some = [data[r] for r in rows[at:at + size]] or [([0, 0], [0, 0])]
        width = max(len(ids) for ids, _ in some)
        ids, seen = torch.zeros(len(some), width, dtype=torch.long), torch.zeros(len(some), width, dtype=torch.long)
        labels = torch.full((len(some), width), -100)
        for k, (row, mask) in enumerate(some):
            ids[k, :len(row)] = torch.tensor(row)
            seen[k, :len(row)] = 1
            labels[k, :len(row)] = torch.where(torch.tensor(mask) > 0, torch.tensor(row), -100)
        yield ids, seen, labels


def moments(optimizer, model, tensors, step):
    """Gives the optimizer the moments of the run: whole ones for each parameter by its name, which torch spreads."""
    names = {id(p): name.removeprefix("module.") for name, p in model.named_parameters()}
    groups = [dict(group, params=[names[id(p)] for p in group["params"]]) for group in optimizer.param_groups]
    state = {name: dict(step=torch.tensor(float(step)), exp_avg=tensors["exp_avg." + name], exp_avg_sq=tensors["exp_avg_sq." + name])
             for name in names.values()}
    dcp.set_optimizer_state_dict(model, optimizer, dict(state=state, param_groups=groups), options=SPREAD)


def shard(model):
    """FSDP where accelerate has none, between processors; what its version 2 does on accelerators."""
    for module in model.modules():
        if type(module).__name__ in (model._no_split_modules or []):
            fully_shard(module)
    fully_shard(model)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--rows", type=int, default=0)
    args = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    os.chdir(here)
    run = json.load(open("handover.json"))
    plan = [json.loads(line) for line in open("plan.jsonl")]
    plan = plan[:args.steps] if args.steps else plan
    table = pyarrow.parquet.read_table("train.parquet").to_pydict()
    data = list(zip(table["input_ids"], table["completion_mask"]))

    accelerator = Accelerator(cpu=not torch.accelerator.is_available())
    world, rank, rows = accelerator.num_processes, accelerator.process_index, args.rows or run["rows"]
    accelerator.print(f"{len(plan)} steps from {plan[0]['step']} on, {world} processes, {accelerator.distributed_type}")
    model = AutoModelForCausalLM.from_pretrained("model", dtype=torch.float32)
    model.train()
    by_hand = accelerator.distributed_type == DistributedType.MULTI_CPU and os.environ.get("ACCELERATE_USE_FSDP") == "true"
    if by_hand:
        shard(model)
    groups = [dict(params=[p for p in model.parameters() if p.ndim > 1], weight_decay=run["weight_decay"]),
              dict(params=[p for p in model.parameters() if p.ndim <= 1], weight_decay=0.0)]
    optimizer = torch.optim.AdamW(groups, lr=plan[0]["learning_rate"], betas=(run["adam_beta1"], run["adam_beta2"]),
                                  eps=run["adam_epsilon"])
    if not by_hand:
        model, optimizer = accelerator.prepare(model, optimizer)
    inner = getattr(optimizer, "optimizer", optimizer)
    moments(inner, model, load_file("optimizer.safetensors"), run["step"])

    log = []
    for step in plan:
        for group in inner.param_groups:
            group["lr"] = step["learning_rate"]
        total = torch.zeros((), dtype=torch.float64)
        # As many micro-batches in every process, or the gradients would wait for each other.
        share = -(-len(step["rows"]) // world)
        mine = step["rows"][rank * share:(rank + 1) * share]
        count = max(1, -(-share // rows))
        batches = list(micro_batches(mine, data, rows))
        batches += list(micro_batches([], data, rows)) * (count - len(batches))
        for k, (ids, seen, labels) in enumerate(batches):
            last = k == len(batches) - 1
            with contextlib.nullcontext() if last else accelerator.no_sync(model):
                device = accelerator.device
                logits = model(input_ids=ids.to(device), attention_mask=seen.to(device)).logits[:, :-1].float()
                loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten().to(device),
                                                         ignore_index=-100, reduction="sum")
                accelerator.backward(loss * (world / step["trained"]))  # gradients are averaged over the processes
            total += loss.detach().double().cpu()
        norm = accelerator.clip_grad_norm_(model.parameters(), run["max_grad_norm"] or float("inf"))
        norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
        optimizer.step()
        optimizer.zero_grad()
        total = accelerator.reduce(total.to(torch.float32).to(accelerator.device), reduction="sum")
        log.append(dict(step=step["step"], epoch=step["epoch"], loss=float(total) / step["trained"], grad_norm=float(norm),
                        learning_rate=step["learning_rate"], num_tokens=step["done"]["num_tokens"], trained_tokens=step["trained"]))
        accelerator.print(json.dumps(log[-1]))

    weights = dcp.get_model_state_dict(model, options=WHOLE)
    state = dcp.get_optimizer_state_dict(model, inner, options=WHOLE).get("state", {})  # in the first process only
    if accelerator.is_main_process:
        os.makedirs("result", exist_ok=True)
        shutil.copytree("model", "result/model", dirs_exist_ok=True)
        plain = {name.removeprefix("module."): w.contiguous().clone() for name, w in weights.items()}
        kept = {name for name in load_file("model/model.safetensors")}
        save_file({n: w for n, w in plain.items() if n in kept}, "result/model/model.safetensors", metadata={"format": "pt"})
        out = {}
        for name, s in state.items():
            for kind in ("exp_avg", "exp_avg_sq"):
                out[kind + "." + name.removeprefix("module.")] = s[kind].contiguous().clone()
        save_file(out, "result/optimizer.safetensors", metadata={"format": "pt"})
        with open("result/metrics.jsonl", "w") as f:
            f.writelines(json.dumps(row) + "\n" for row in log)
    accelerator.wait_for_everyone()
    accelerator.end_training()


if __name__ == "__main__":
    main()
