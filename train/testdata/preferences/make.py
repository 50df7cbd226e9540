"""Makes values.json: every loss of preferences and its gradients of the tiny random Llama of model/testdata/reference, in float64.

The pairs are those of ../dpo; label i of the answers (kto) is whether i is even. The formulas are TRL 1.16's: trainer/dpo_trainer.py (sigmoid, ipo, sft for
rpo_alpha), trainer/kto_trainer.py, experimental/orpo and experimental/cpo (simpo).

Regenerate (same bytes each time; torch 2.15, transformers 5.23):  python make.py

values.json: for each case the recipe's keys, loss, grad_norm (global L2), the gradient of the last norm's weight, and TRL's metrics.
"""

import json
import os
import sys

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "model", "testdata", "reference"))
import make as reference  # noqa: E402

CASES = [
    dict(loss_type="sigmoid", beta=0.5),
    dict(loss_type="sigmoid", beta=0.3, label_smoothing=0.1, rpo_alpha=0.7),
    dict(loss_type="ipo", beta=0.2),
    dict(loss_type="orpo", beta=0.4),
    dict(loss_type="simpo", beta=2.0, simpo_gamma=1.2, label_smoothing=0.05),
    dict(loss_type="kto", beta=0.3, desirable_weight=1.3, undesirable_weight=0.8),
]


def token_logps(model, row):
    ids = torch.tensor(row["ids"])
    logits = model(input_ids=ids[None], use_cache=False).logits[0]
    logp = torch.log_softmax(logits[:-1], dim=-1).gather(1, ids[1:, None])[:, 0]
    return logp, torch.tensor(row["mask"][1:], dtype=torch.bool)


def log1mexp(x):
    return torch.log(-torch.expm1(x))


def run(model, pairs, case):
    kind, beta = case["loss_type"], case["beta"]
    smooth = case.get("label_smoothing", 0)
    rows = [pair[kind] for pair in pairs for kind in ("chosen", "rejected")]
    said = [token_logps(model, row) for row in rows]
    sums = torch.stack([(logp * mask).sum() for logp, mask in said])
    lengths = torch.stack([mask.sum() for _, mask in said])
    ref = torch.tensor([row["reference_logprob"] for row in rows], dtype=torch.float64)
    ratio, mean = sums - ref, sums / lengths
    w, l = slice(0, None, 2), slice(1, None, 2)
    metrics = {}
    if kind == "kto":
        answers = [(row["ids"][:row["mask"].index(1)], row["ids"][row["mask"].index(1):]) for row in rows]
        mixed = [dict(ids=p + answers[i - 1][1], mask=[0] * len(p) + [1] * len(answers[i - 1][1])) for i, (p, _) in enumerate(answers)]
        kl_logps = torch.stack([(logp * mask).sum() for logp, mask in (token_logps(model, row) for row in mixed)]).detach()
        kl_ref = (kl_logps - torch.tensor([0.9, -0.2, 0.4, 0.6], dtype=torch.float64)).round(decimals=6)
        metrics["mismatched_reference"] = kl_ref.tolist()
        kl = (kl_logps - kl_ref).mean().clamp(min=0)
        losses = torch.cat((case["desirable_weight"] * (1 - torch.sigmoid(beta * (ratio[w] - kl))),
                            case["undesirable_weight"] * (1 - torch.sigmoid(beta * (kl - ratio[l])))))
        loss = losses.mean()
        metrics["kl"] = kl.item()
    elif kind == "ipo":
        delta = ratio[w] / lengths[w] - ratio[l] / lengths[l]
        loss = ((delta - 1 / (2 * beta)) ** 2).mean()
    elif kind == "orpo":
        odds = (mean[w] - mean[l]) - (log1mexp(mean[w]) - log1mexp(mean[l]))
        nll = -torch.cat([said[i][0] for i in range(0, len(said), 2)]).mean()
        loss = nll - (beta * F.logsigmoid(odds)).mean()
        metrics["nll_loss"] = nll.item()
    else:
        if kind == "simpo":
            z = beta * (mean[w] - mean[l] - case["simpo_gamma"] / beta)
        else:
            z = beta * (ratio[w] - ratio[l])
        loss = (-F.logsigmoid(z) * (1 - smooth) - F.logsigmoid(-z) * smooth).mean()
    if case.get("rpo_alpha"):
        nll = -torch.cat([said[i][0][said[i][1]] for i in range(0, len(said), 2)]).mean()
        loss = loss + case["rpo_alpha"] * nll
        metrics["nll_loss"] = nll.item()
    rewards, logps = (beta * mean, mean) if kind in ("orpo", "simpo") else (beta * ratio, sums)
    for name, side in (("chosen", w), ("rejected", l)):
        metrics["rewards/" + name] = rewards[side].mean().item()
        metrics["logps/" + name] = logps[side].mean().item()
    metrics["rewards/margins"] = (rewards[w] - rewards[l]).mean().item()
    if kind != "kto":
        metrics["rewards/accuracies"] = (rewards[w] > rewards[l]).double().mean().item()
    return loss, metrics


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    model_type, config, seed = reference.MODELS["llama"]
    reference.set_precision(model_type, True)
    pairs = json.load(open(os.path.join(HERE, "..", "dpo", "expected.json")))["pairs"]
    out = []
    for case in CASES:
        model = reference.build(model_type, config, seed).double()
        loss, metrics = run(model, pairs, case)
        loss.backward()
        norm = torch.sqrt(sum((p.grad ** 2).sum() for p in model.parameters())).item()
        out.append(dict(recipe=case, loss=reference.digits(loss.item(), 12), grad_norm=reference.digits(norm, 12),
                        last_norm=reference.digits(model.model.norm.weight.grad.tolist(), 9),
                        metrics={k: reference.digits(v, 12) for k, v in metrics.items()}))
    with open(os.path.join(HERE, "values.json"), "w") as f:
        f.write("[\n" + ",\n".join(" " + json.dumps(c) for c in out) + "\n]\n")


if __name__ == "__main__":
    main()
