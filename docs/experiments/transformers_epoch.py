"""One epoch in a loop of transformers, with the rows, ids, masks, order and schedule of a run of `instruct`, to compare losses with.

    python docs/experiments/transformers_epoch.py --gguf DIR/model.gguf --run RUN --train train.json --held_out heldout.json [--rate 2e-5] [--trim 1]

Needs torch 2.15 and transformers 5.23. RUN is the folder of the run, whose tokenizer and template are taken; DIR holds the GGUF file alone. The run
has --train_sampling_strategy sequential --num_train_epochs 1 --warmup_steps 10 --weight_decay 0 --per_device_train_batch_size 8. --trim leaves as many
tokens of each row's end untrained as its template puts behind the end of a turn, such as Qwen's line feed. Prints the held-out loss with its tokens
before and after, and loss, tokens and gradient norm of the first three steps, every tenth and the last.
"""

import argparse
import json
import os
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

ROWS, WARM = 8, 10
p = argparse.ArgumentParser()
for name in ("gguf", "run", "train", "held_out"):
    p.add_argument("--" + name, required=True)
p.add_argument("--rate", type=float, default=2e-5)
p.add_argument("--trim", type=int, default=0)
p.add_argument("--threads", type=int, default=2)
a = p.parse_args()
torch.set_num_threads(a.threads)
tokenizer = AutoTokenizer.from_pretrained(a.run)
model = AutoModelForCausalLM.from_pretrained(os.path.dirname(a.gguf), gguf_file=os.path.basename(a.gguf), dtype=torch.float32)
train, held_out = json.load(open(a.train)), json.load(open(a.held_out))


def encode(row):
    """Ids of a row, and how many of them are the prompt."""
    asked = [{"role": "user", "content": row["instruction"] + ("\n" + row["input"] if row["input"] else "")}]
    prompt = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    text = tokenizer.apply_chat_template(asked + [{"role": "assistant", "content": row["output"]}], tokenize=False)
    prompt, ids = (tokenizer(t, add_special_tokens=False)["input_ids"] for t in (prompt, text))
    assert ids[:len(prompt)] == prompt
    return ids, len(prompt)


def loss(rows):
    """The sum of the losses of the trained tokens, and their number. The head is computed where it counts."""
    rows = [encode(r) for r in rows]
    n = max(len(ids) for ids, _ in rows)
    x, seen, y = (torch.full((len(rows), n), v) for v in (0, 0, -100))
    for i, (ids, prompt) in enumerate(rows):
        end = len(ids) - a.trim
        x[i, :len(ids)], seen[i, :len(ids)], y[i, prompt:end] = torch.tensor(ids), 1, torch.tensor(ids[prompt:end])
    hidden, y = model.model(input_ids=x, attention_mask=seen).last_hidden_state[:, :-1], y[:, 1:]
    trained = y != -100
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[trained]), y[trained], reduction="sum"), trained.sum().item()


def evaluate(when):
    with torch.no_grad():
        all = [loss(held_out[i:i + ROWS]) for i in range(0, len(held_out), ROWS)]
    tokens = sum(n for _, n in all)
    print(when, sum(s.item() for s, _ in all) / tokens, tokens, flush=True)


steps = -(-len(train) // ROWS)
optimizer = torch.optim.AdamW(model.parameters(), lr=a.rate, weight_decay=0.0)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: s / WARM if s < WARM else max(0.0, (steps - s) / (steps - WARM)))
model.eval()
evaluate("before")
model.train()
begin = time.time()
for s in range(steps):
    total, tokens = loss(train[ROWS * s:ROWS * (s + 1)])
    (total / tokens).backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
    if s % 10 == 0 or s < 3 or s == steps - 1:
        print(s + 1, (total / tokens).item(), tokens, norm.item(), f"{time.time() - begin:.0f} s", flush=True)
model.eval()
evaluate("after")
