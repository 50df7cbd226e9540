"""Makes muon.json: steps of Muon in float64, after torch.optim.Muon (adjust_lr_fn="match_rms_adamw"), whose own Newton-Schulz is in bfloat16.

    python muon.py > muon.json
"""

import json

import numpy as np

A, B, C = 3.4445, -4.7750, 2.0315


def orthogonal(x):
    x = x.T if x.shape[0] > x.shape[1] else x
    x = x / (np.linalg.norm(x) + 1e-7)
    for _ in range(5):
        g = x @ x.T
        x = A * x + (B * g + C * g @ g) @ x
    return x


def main():
    rng = np.random.default_rng(1)
    lr, mu, decay, scale = 0.02, 0.95, 0.1, 0.5
    cases = []
    for rows, cols in [(4, 7), (7, 4), (5, 5), (1, 6), (24, 16)]:
        w, m = rng.normal(size=(rows, cols)), np.zeros((rows, cols))
        case = {"rows": rows, "cols": cols, "start": w.ravel().tolist(), "grads": []}
        for _ in range(3):
            g = rng.normal(size=(rows, cols))
            case["grads"].append(g.ravel().tolist())
            m = mu * m + (1 - mu) * scale * g
            u = orthogonal((1 - mu) * scale * g + mu * m)
            u = u.T if u.shape != w.shape else u
            w = w * (1 - lr * decay) - lr * 0.2 * max(rows, cols) ** 0.5 * u
        case["end"] = w.ravel().tolist()
        cases.append(case)
    rounded = json.loads(json.dumps(cases), parse_float=lambda s: round(float(s), 7))
    print(json.dumps({"lr": lr, "momentum": mu, "weight_decay": decay, "grad_scale": scale, "cases": rounded}))


main()
