"""How far float32 log-probabilities are off, and what the order of a product's sum has to do with it (docs/preferences.md).

    instruct score --model FOLDER --dataset rows.jsonl --json > scored.jsonl
    python docs/experiments/product_order.py --model FOLDER --scored scored.jsonl [--rows 2]

Needs torch 2.15 and transformers 5.23. FOLDER is a Llama's Hugging Face folder in float32. Prints the root mean square, over the trained tokens,
of the difference to the model in float64: of instruct's log-probabilities, of torch's in float32, and of the exact hidden states with a head
whose logits are sums over k in one chain of fused multiply-adds, in 2 and 4 chains that are added, and as torch makes them.
"""

import argparse
import json

import torch
from transformers import AutoModelForCausalLM


def chains(x, w, blocks):
    """x · wᵀ, each element the sum of so many chains of multiply-adds in ascending order of k, rounded to float32 after each."""
    total, size = 0, w.shape[1] // blocks
    for b in range(blocks):
        sum_ = torch.zeros(x.shape[0], w.shape[0], dtype=torch.float32)
        for k in range(b * size, (b + 1) * size):
            sum_ = (sum_.double() + x[:, k:k + 1] * w[:, k]).float()
        total = total + sum_
    return total.double()


@torch.no_grad()
def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True)
    p.add_argument("--scored", required=True)
    p.add_argument("--rows", type=int, default=2)
    a = p.parse_args()
    rows = [r for r in map(json.loads, open(a.scored)) if "ids" in r][:a.rows]
    load = lambda dtype: AutoModelForCausalLM.from_pretrained(a.model, dtype=dtype)
    exact, single, off = load(torch.float64), load(torch.float32), {}
    w = exact.lm_head.weight
    for r in rows:
        ids = torch.tensor([r["ids"]])
        at = [i for i in range(1, len(r["ids"])) if r["mask"][i]]
        of = lambda logits: torch.log_softmax(logits.double(), -1)[range(len(at)), ids[0, at]]
        before = [i - 1 for i in at]
        true = of(exact(ids).logits[0][before])
        off.setdefault("instruct", []).append(torch.tensor(r["logprobs"]) - true)
        off.setdefault("torch in float32", []).append(of(single(ids).logits[0][before]) - true)
        h = exact.model(ids).last_hidden_state[0][before].float().double()
        true = of(h @ w.t())
        for n in (1, 2, 4):
            off.setdefault(f"the head alone, chains: {n}", []).append(of(chains(h, w, n)) - true)
        off.setdefault("the head alone, torch", []).append(of(torch.nn.functional.linear(h.float(), w.float())) - true)
    for name, parts in off.items():
        d = torch.cat(parts)
        print(f"{name}: {d.square().mean().sqrt():.1e} over {len(d)} tokens, at most {d.abs().max():.1e}")


if __name__ == "__main__":
    main()
