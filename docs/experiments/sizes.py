"""Memory and tokens a second of training, by the size of the model: the table of docs/models.md.

    python docs/experiments/sizes.py --instruct ./instruct --tokenizer DIR --work DIR [--only NAME,...] [--kinds "A; B"]

Needs transformers 5.23 and torch 2.15. Each model is a Hugging Face folder with the published shape of its name and random weights in bf16, made for the
time of its measurements; DIR of --tokenizer is a folder with tokenizer.json. A step is one row of 512 tokens, all of them trained. Each measurement is
`instruct bench --recipe` in a process of its own, and its peak is the resident memory of all of it, loading included. A kind whose estimate does not
fit the machine is refused by the program, and said so. Prints Markdown. Linux only.
"""

import argparse
import json
import os
import random
import shutil
import subprocess

import torch
import transformers
from safetensors.torch import save_file

LLAMA3 = {"rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                                  "original_max_position_embeddings": 8192}}
SHAPES = {  # model_type, what config.json says
    "SmolLM2-135M": ("llama", dict(hidden_size=576, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3, intermediate_size=1536,
                                   vocab_size=49152, tie_word_embeddings=True, rope_theta=100000.0)),
    "Gemma 3 270M": ("gemma3_text", dict(hidden_size=640, num_hidden_layers=18, num_attention_heads=4, num_key_value_heads=1, head_dim=256,
                                         intermediate_size=2048, vocab_size=262144, tie_word_embeddings=True, sliding_window=512)),
    "SmolLM2-360M": ("llama", dict(hidden_size=960, num_hidden_layers=32, num_attention_heads=15, num_key_value_heads=5, intermediate_size=2560,
                                   vocab_size=49152, tie_word_embeddings=True, rope_theta=100000.0)),
    "Qwen2.5-0.5B": ("qwen2", dict(hidden_size=896, num_hidden_layers=24, num_attention_heads=14, num_key_value_heads=2, intermediate_size=4864,
                                   vocab_size=151936, tie_word_embeddings=True, rope_theta=1000000.0)),
    "Llama-3.2-1B": ("llama", dict(hidden_size=2048, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8, intermediate_size=8192,
                                   vocab_size=128256, tie_word_embeddings=True, **LLAMA3)),
    "Qwen2.5-1.5B": ("qwen2", dict(hidden_size=1536, num_hidden_layers=28, num_attention_heads=12, num_key_value_heads=2, intermediate_size=8960,
                                   vocab_size=151936, tie_word_embeddings=True, rope_theta=1000000.0)),
    "SmolLM2-1.7B": ("llama", dict(hidden_size=2048, num_hidden_layers=24, num_attention_heads=32, num_key_value_heads=32, intermediate_size=8192,
                                   vocab_size=49152, tie_word_embeddings=True, rope_theta=130000.0)),
    "Llama-3.2-3B": ("llama", dict(hidden_size=3072, num_hidden_layers=28, num_attention_heads=24, num_key_value_heads=8, intermediate_size=8192,
                                   vocab_size=128256, tie_word_embeddings=True, **LLAMA3)),
    "Qwen3-4B": ("qwen3", dict(hidden_size=2560, num_hidden_layers=36, num_attention_heads=32, num_key_value_heads=8, head_dim=128,
                               intermediate_size=9728, vocab_size=151936, tie_word_embeddings=True, rope_theta=1000000.0)),
}
LORA = {"lora_r": 16, "lora_alpha": 32, "lora_target_modules": "all-linear"}
KINDS = {  # the columns
    "every weight": {},
    "every weight, checkpointing": {"gradient_checkpointing": "true"},
    "LoRA": LORA,
    "LoRA, bf16": {**LORA, "dtype": "bf16"},
    "LoRA, q8_0": {**LORA, "dtype": "q8_0"},
    "LoRA, q8_0, checkpointing": {**LORA, "dtype": "q8_0", "gradient_checkpointing": "true"},
    "LoRA, q4_0, checkpointing": {**LORA, "dtype": "q4_0", "gradient_checkpointing": "true"},
}


def folder(a, name):
    """A model folder of the shape; returns its path and the number of weights."""
    kind, keys = SHAPES[name]
    out = os.path.join(a.work, "model")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    config = transformers.AutoConfig.for_model(kind, max_position_embeddings=16384, **keys)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    names = {k: v.shape for k, v in model.state_dict().items() if k != "lm_head.weight"}
    block = torch.randn(1 << 20, generator=torch.Generator().manual_seed(1)).mul_(0.02).to(torch.bfloat16)
    tensors = {k: block.repeat(-(-s.numel() // block.numel()))[:s.numel()].view(s).clone() for k, s in names.items()}
    save_file(tensors, os.path.join(out, "model.safetensors"))
    config.architectures = [type(model).__name__]
    config.save_pretrained(out)
    for f in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if os.path.exists(os.path.join(a.tokenizer, f)):
            shutil.copy(os.path.join(a.tokenizer, f), out)
    return out, sum(s.numel() for s in names.values())


def measure(a, model, kind):
    """(peak in GB, tokens a second) or the program's refusal."""
    keys = {"model_name_or_path": model, "dataset": os.path.join(a.work, "rows.jsonl"), "max_length": 512, "per_device_train_batch_size": 1,
            "eval_fraction": 0, "save_strategy": "no", "learning_rate": 1e-6, "allow_unended": "true",
            "output_dir": os.path.join(a.work, "run"), **KINDS[kind]}
    recipe = os.path.join(a.work, "recipe.yaml")
    with open(recipe, "w") as f:
        f.writelines(f"{k}: {json.dumps(v) if isinstance(v, str) and v not in ('true',) else v}\n" for k, v in keys.items())
    p = subprocess.Popen([a.instruct, "bench", "--recipe", recipe, "--steps", "1", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = p.communicate()
    if p.returncode:
        return err.strip().splitlines()[-1]
    r = json.loads(out.splitlines()[-1])
    return r["peak_rss_bytes"] / 1e9, r["tokens_per_second"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--instruct", required=True)
    p.add_argument("--tokenizer", required=True)
    p.add_argument("--work", required=True)
    p.add_argument("--only", default=",".join(SHAPES))
    p.add_argument("--kinds", default="; ".join(KINDS), help="separated by semicolons")
    a = p.parse_args()
    os.makedirs(a.work, exist_ok=True)
    words = random.Random(1)
    with open(os.path.join(a.work, "rows.jsonl"), "w") as f:
        for _ in range(64):
            f.write(json.dumps({"text": "".join(words.choice(" abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(4000))}) + "\n")
    kinds = [k.strip() for k in a.kinds.split(";")]
    print("| shape, weights | " + " | ".join(kinds) + " |\n|" + "---|" * (len(kinds) + 1), flush=True)
    for name in a.only.split(","):
        model, weights = folder(a, name)
        cells = []
        for kind in kinds:
            got = measure(a, model, kind)
            cells.append(f"{got[0]:.2f} GB, {got[1]:.0f}" if isinstance(got, tuple) else got)
        print(f"| {name}, {weights / 1e6:.0f} M | " + " | ".join(cells) + " |", flush=True)
        shutil.rmtree(model)


main()
