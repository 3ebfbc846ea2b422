"""Makes test/golden/optimisers.json: what torch.optim does, in float64. Run by hand: python test/golden/make/optimisers.py

The loss is Σ a·w²/2 + b·w over two parameters, so the gradient is a·w + b; the learning rate changes from step to step.
"""
import json
import math
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)
W = [[0.5, -1.25, 2.0, 0.01, -0.3], [[1.5, -0.75], [0.2, 3.0]]]
A = [[1.0, 0.5, 2.0, 0.0, 4.0], [[0.25, 1.0], [3.0, 0.1]]]
B = [[0.1, -0.2, 0.0, 0.3, -1.0], [[0.0, 0.5], [-0.4, 0.05]]]
RATES = [0.1, 0.05, 0.2, 0.01, 0.1]

CASES = [
    ("sgd", {}, {}),
    ("sgd", {"weightDecay": 0.1}, {}),
    ("sgd", {"momentum": 0.9}, {}),
    ("sgd", {"momentum": 0.9, "dampening": 0.3, "weightDecay": 0.01}, {}),
    ("sgd", {"momentum": 0.8, "nesterov": True, "weightDecay": 0.05}, {}),
    ("adam", {}, {}),
    ("adam", {"beta1": 0.5, "beta2": 0.99, "epsilon": 1e-4, "weightDecay": 0.1}, {}),
    ("adamw", {}, {}),
    ("adamw", {"beta1": 0.8, "weightDecay": 0.2}, {}),
    ("rmsprop", {}, {}),
    ("rmsprop", {"alpha": 0.9, "weightDecay": 0.1}, {}),
    ("rmsprop", {"momentum": 0.9, "epsilon": 1e-3}, {}),
    ("rmsprop", {"alpha": 0.95, "centered": True, "momentum": 0.7, "weightDecay": 0.01}, {}),
    ("sgd", {"momentum": 0.9}, {"clip": {"kind": "norm", "max": 1.5}}),
    ("adam", {}, {"clip": {"kind": "value", "max": 0.25}}),
    ("adamw", {}, {"groups": [{"match": "^second", "learningRateFactor": 0.1, "weightDecay": 0}]}),
    ("sgd", {"momentum": 0.9}, {"groups": [{"match": "^first", "frozen": True}], "clip": {"kind": "norm", "max": 1.5}}),
]


def make(kind, options, groups):
    names = {"weightDecay": "weight_decay", "epsilon": "eps"}
    kwargs = {names.get(k, k): v for k, v in options.items() if k not in ("beta1", "beta2")}
    if "beta1" in options or "beta2" in options:
        kwargs["betas"] = (options.get("beta1", 0.9), options.get("beta2", 0.999))
    classes = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop}
    return classes[kind](groups, lr=0.1, **kwargs)


def run(kind, options, more):
    ws = {n: torch.tensor(w, requires_grad=True) for n, w in zip(("first", "second"), W)}
    a = [torch.tensor(x) for x in A]
    b = [torch.tensor(x) for x in B]
    factors, groups = [], []
    rules = more.get("groups", [])
    for name, w in ws.items():
        rule = next((r for r in rules if name.startswith(r["match"][1:])), {})
        if rule.get("frozen"):
            w.requires_grad_(False)
            continue
        group = {"params": [w]}
        if "weightDecay" in rule:
            group["weight_decay"] = rule["weightDecay"]
        groups.append(group)
        factors.append(rule.get("learningRateFactor", 1))
    optimiser = make(kind, options, groups)
    clip = more.get("clip", {})
    steps = []
    for rate in RATES:
        for group, factor in zip(optimiser.param_groups, factors):
            group["lr"] = rate * factor
        optimiser.zero_grad()
        loss = sum((x * w * w / 2 + y * w).sum() for w, x, y in zip(ws.values(), a, b))
        loss.backward()
        trained = [w for w in ws.values() if w.requires_grad]
        if clip.get("kind") == "norm":
            torch.nn.utils.clip_grad_norm_(trained, clip["max"])
        if clip.get("kind") == "value":
            torch.nn.utils.clip_grad_value_(trained, clip["max"])
        optimiser.step()
        steps.append({"loss": loss.item(), "first": ws["first"].tolist(), "second": ws["second"].flatten().tolist()})
    return {"optimiser": {"kind": kind, **options}, **more, "steps": steps}


flat = lambda x: torch.tensor(x).flatten().tolist()
out = {
    "torch": torch.__version__,
    "rates": RATES,
    "w": [flat(x) for x in W],
    "a": [flat(x) for x in A],
    "b": [flat(x) for x in B],
    "cases": [run(*case) for case in CASES],
}
assert all(math.isfinite(s["loss"]) for c in out["cases"] for s in c["steps"])
path = Path(__file__).parent.parent / "optimisers.json"
path.write_text(json.dumps(out) + "\n")
