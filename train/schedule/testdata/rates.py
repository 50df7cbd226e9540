# Rates of transformers' schedules, 20 steps, 4 of them warm-up: python rates.py >rates.json (transformers 5.23)
import json

import torch
from transformers import get_scheduler

cases = [
    ("linear", {}), ("constant_with_warmup", {}), ("cosine", {}), ("cosine", {"num_cycles": 1.5}),
    ("cosine_with_restarts", {"num_cycles": 3}), ("cosine_with_min_lr", {"min_lr_rate": 0.1}),
    ("cosine_with_min_lr", {"min_lr": 0.0005}), ("polynomial", {"power": 2, "lr_end": 1e-5}), ("polynomial", {}),
    ("inverse_sqrt", {}), ("inverse_sqrt", {"timescale": 7}), ("warmup_stable_decay", {"num_decay_steps": 5}),
    ("warmup_stable_decay", {"num_decay_steps": 6, "num_cycles": 0.25}),
]
out = []
for kind, options in cases:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2e-3)
    schedule = get_scheduler(kind, optimizer, num_warmup_steps=4, num_training_steps=20, scheduler_specific_kwargs=options)
    rates = []
    for _ in range(20):
        rates.append(float("%.9g" % optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    out.append(json.dumps({"kind": kind, "options": {k: str(v) for k, v in options.items()}, "rates": rates}))
print("[\n" + ",\n".join(out) + "\n]")
