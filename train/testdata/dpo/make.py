"""Makes the reference values in this folder: DPO's loss and gradients of the tiny random Llama of model/testdata/reference.

The loss is that of Rafailov et al. 2023 (arXiv:2305.18290), the mean over pairs of -log sigmoid(beta * ((pi_w - r_w) - (pi_l - r_l))), where pi is
the sum of log p over the answer's tokens and r, the reference model's, is a given number. Everything is computed in float64 from the stored
float32 weights; gradients are then rounded to float32.

Regenerate (same bytes each time; torch 2.15, transformers 5.23):  python make.py

expected.json: beta; pairs of chosen and rejected rows (ids, mask: token i belongs to the answer where mask[i] = 1) with reference_logprob of each;
loss; rows' log-probabilities; grad_norm (global L2). grads.safetensors: the gradient of loss for every parameter under its Hugging Face name.
"""

import os
import sys

import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "model", "testdata", "reference"))
import make as reference  # noqa: E402

BETA = 0.5
PROMPTS, ANSWERS = [9, 12], [(4, 3), (2, 6)]  # tokens of each prompt, and of its better and worse answer


def make_pairs():
    g = torch.Generator().manual_seed(7)
    draw = lambda n: torch.randint(0, reference.VOCAB, (n,), generator=g).tolist()
    pairs = []
    for prompt, lengths in zip(PROMPTS, ANSWERS):
        start = draw(prompt)
        rows = [dict(ids=start + draw(n), mask=[0] * prompt + [1] * n) for n in lengths]
        pairs.append(dict(chosen=rows[0], rejected=rows[1]))
    return pairs


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    model_type, config, seed = reference.MODELS["llama"]
    reference.set_precision(model_type, True)
    model = reference.build(model_type, config, seed).double()
    pairs = make_pairs()
    rows = [pair[kind] for pair in pairs for kind in ("chosen", "rejected")]
    logprobs = -reference.row_loss_sums(model, rows)
    offsets = torch.tensor([0.7, -1.1, -0.4, 0.9], dtype=torch.float64)  # how far the reference model is from this one
    ref = (logprobs.detach() + offsets).round(decimals=6)
    margin = (logprobs - ref)[0::2] - (logprobs - ref)[1::2]
    loss = -torch.nn.functional.logsigmoid(BETA * margin).mean()
    loss.backward()
    grads = {n: p.grad for n, p in model.named_parameters()}
    norm = torch.sqrt(sum((g ** 2).sum() for g in grads.values())).item()
    for row, r in zip(rows, ref.tolist()):
        row["reference_logprob"] = r
    save_file({n: g.float().contiguous() for n, g in grads.items()}, os.path.join(HERE, "grads.safetensors"), metadata={"format": "pt"})
    reference.write_json(os.path.join(HERE, "expected.json"), dict(
        beta=BETA, pairs=pairs, loss=reference.digits(loss.item(), 12), logprobs=reference.digits(logprobs.tolist(), 12),
        grad_norm=reference.digits(norm, 12)))
    print("loss", loss.item(), "grad_norm", norm)


if __name__ == "__main__":
    main()
