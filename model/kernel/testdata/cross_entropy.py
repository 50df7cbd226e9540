"""Makes cross_entropy.json: losses and gradients of logits with label smoothing by transformers' LabelSmoother and with the z-loss by autograd.

    python cross_entropy.py > cross_entropy.json    (torch 2.15, transformers 5.23)
"""

import json

import torch
from transformers.trainer_pt_utils import LabelSmoother

torch.manual_seed(1)
N, V = 4, 37
logits, targets = (4 * torch.randn(N, V)).tolist(), [3, -100, 36, 0]
cases = []
for smoothing, z in [(0.1, 0.0), (0.0, 1e-2), (0.3, 1e-3)]:
    x = torch.tensor(logits, requires_grad=True)
    y = torch.tensor(targets)
    n = int((y >= 0).sum())
    loss = LabelSmoother(epsilon=smoothing)({"logits": x[None]}, y[None]) * n  # its mean over the tokens that count
    loss = loss + z * (torch.logsumexp(x, -1)[y >= 0] ** 2).sum()
    loss.backward()
    cases.append({"smoothing": smoothing, "z": z, "loss": loss.item(), "grad": x.grad.ravel().tolist()})
out = json.loads(json.dumps({"logits": sum(logits, []), "targets": [max(t, -1) for t in targets], "cases": cases}),
                 parse_float=lambda s: round(float(s), 8))
print(json.dumps(out))
