"""Reference values of adapters: PEFT's, beside the tiny random models of ../reference, computed in float64.

Regenerate (torch 2.15, transformers 5.23, peft 0.21):  python make.py [folder ...]

Each folder is an adapter as PEFT saves it (adapter_config.json, adapter_model.safetensors; its base is ../reference/BASE), with B and
the magnitudes of DoRA moved away from where they start, and beside it:
  grads.safetensors  gradient of "loss" for everything that is trained, under the names of adapter_model.safetensors
  expected.json      rows, loss, trained_tokens, logits and steps as in ../reference; steps are ten AdamW steps of what is trained
"""

import importlib.util
import json
import os
import shutil
import sys

import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("reference", os.path.join(HERE, "..", "reference", "make.py"))
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

# folder: (base, LoraConfig, seed)
ADAPTERS = {
    "lora": ("llama", dict(r=4, lora_alpha=8, target_modules="all-linear"), 1),
    "gpt2": ("gpt2", dict(r=2, lora_alpha=4, target_modules=["c_attn", "c_fc", "c_proj"], fan_in_fan_out=True), 2),
    "rslora": ("qwen2", dict(r=4, lora_alpha=6, use_rslora=True, target_modules=["q_proj", "v_proj", "gate_proj"],
                             modules_to_save=["lm_head", "model.norm"]), 3),
    "dora": ("qwen3", dict(r=3, lora_alpha=6, use_dora=True, target_modules=["q_proj", "k_proj", "o_proj", "up_proj", "down_proj"]), 4),
    # what other families have beside that: norms and two kinds of RoPE; biases; q, k, v and gate, up in one tensor; short convolutions; query,
    # key and value of a head side by side, with biases
    "gemma3": ("gemma3", dict(r=4, lora_alpha=8, target_modules="all-linear"), 5),
    "qwen2": ("qwen2", dict(r=4, lora_alpha=8, target_modules="all-linear"), 6),
    "phi3": ("phi3", dict(r=4, lora_alpha=8, target_modules="all-linear"), 7),
    "lfm2": ("lfm2", dict(r=4, lora_alpha=8, target_modules="all-linear"), 8),
    "neox": ("neox", dict(r=4, lora_alpha=8, target_modules="all-linear"), 9),
    "phi3-dora": ("phi3", dict(r=4, lora_alpha=8, use_dora=True, target_modules="all-linear"), 10),
    "neox-dora": ("neox", dict(r=4, lora_alpha=8, use_dora=True, target_modules="all-linear"), 11),
}


def build(name, double):
    base, config, seed = ADAPTERS[name]
    model_type, model_config, model_seed = reference.MODELS[base]
    model = reference.build(model_type, model_config, model_seed)
    model.name_or_path = "../reference/" + base
    peft = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **config), autocast_adapter_dtype=False)
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for n, p in sorted(peft.named_parameters()):
            if not p.requires_grad:
                continue
            r = torch.randn(p.shape, generator=g)
            if "lora_" in n and p.dim() == 2:
                p.copy_(r * 0.2)
            elif "magnitude" in n:
                p.mul_(1 + 0.1 * r)
    return peft.double() if double else peft


def run(model, rows):
    """Loss, logits, gradients and ten steps of what is trained."""
    trained = sum(sum(r["mask"]) for r in rows)
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([rows[0]["ids"]]), use_cache=False).logits[0]
    params = [p for p in model.parameters() if p.requires_grad]
    o = reference.OPTIMIZER
    adamw = torch.optim.AdamW([dict(params=[p for p in params if p.dim() == 2], weight_decay=o["weight_decay"]),
                               dict(params=[p for p in params if p.dim() != 2], weight_decay=0.0)],
                              lr=o["learning_rate"], betas=tuple(o["betas"]), eps=o["eps"], foreach=False)
    grads, steps = None, []
    for _ in range(reference.STEPS):
        adamw.zero_grad()
        loss = reference.row_loss_sums(model, rows).sum() / trained
        loss.backward()
        if grads is None:
            values = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
            grads = get_peft_model_state_dict(model, {n: values.get(n, p) for n, p in model.state_dict().items()})
            grads = {n: g.detach().float().contiguous().clone() for n, g in grads.items()}
            out = dict(loss=loss.item(), trained_tokens=trained)
        norm = torch.nn.utils.clip_grad_norm_(params, o["max_grad_norm"])
        steps.append(dict(loss=loss.item(), grad_norm=norm.item()))
        adamw.step()
    return out, logits, grads, steps


def make(name):
    base, _, seed = ADAPTERS[name]
    folder, rows = os.path.join(HERE, name), reference.make_rows(100 + seed)
    shutil.rmtree(folder, ignore_errors=True)
    build(name, False).save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    reference.set_precision(reference.MODELS[base][0], True)
    out, logits, grads, steps = run(build(name, True), rows)
    reference.set_precision(reference.MODELS[base][0], False)
    save_file(grads, os.path.join(folder, "grads.safetensors"), metadata={"format": "pt"})
    digits = reference.digits
    reference.write_json(os.path.join(folder, "expected.json"), dict(
        base=base, rows=rows, **{k: digits(v, 12) for k, v in out.items()}, logits=digits(logits.tolist(), 7),
        optimizer=reference.OPTIMIZER, steps=[{k: digits(v, 12) for k, v in s.items()} for s in steps]))
    print(name, "loss", out["loss"], "grad_norm", steps[0]["grad_norm"], "last loss", steps[-1]["loss"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name in sys.argv[1:] or ADAPTERS:
        make(name)
