"""Five rounds of each server optimiser, from torch.optim (sgd, Adam) and from the rules of Flower 1.4.0 in numpy.

    python test/golden/make/server-optimisers.py > test/golden/server-optimisers.json

Everything is float64, so that differences are those of the formulas alone.
"""
import json

import numpy as np
import torch

rng = np.random.default_rng(4)
start = rng.normal(size=6)
deltas = rng.normal(size=(5, 6)) * np.array([1, 0.1, 1e-2, 1e-3, 1e-4, 0])


def by_torch(make):
    w = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimiser = make([w])
    rounds = []
    for delta in deltas:
        w.grad = torch.tensor(-delta)
        optimiser.step()
        rounds.append(w.detach().tolist())
    return rounds


def by_flower(rule, eta, tau, beta1=0.9, beta2=0.99):
    w, m, v, rounds = start.copy(), np.zeros(6), np.zeros(6), []
    for delta in deltas:
        b1 = 0.0 if rule == "adagrad" else beta1
        m = b1 * m + (1 - b1) * delta
        square = delta * delta
        if rule == "adam":
            v = beta2 * v + (1 - beta2) * square
        elif rule == "yogi":
            v = v - (1 - beta2) * square * np.sign(v - square)
        else:
            v = v + square
        w = w + eta * m / (np.sqrt(v) + tau)
        rounds.append(w.tolist())
    return rounds


SGD, Adam = torch.optim.SGD, torch.optim.Adam
print(
    json.dumps(
        {
            "start": start.tolist(),
            "deltas": deltas.tolist(),
            "cases": [
                {"settings": {"kind": "sgd", "learningRate": 0.7}, "rounds": by_torch(lambda p: SGD(p, 0.7))},
                {
                    "settings": {"kind": "sgd", "momentum": 0.9},
                    "rounds": by_torch(lambda p: SGD(p, 1.0, momentum=0.9)),
                },
                {
                    "settings": {"kind": "sgd", "learningRate": 0.5, "momentum": 0.6, "nesterov": True},
                    "rounds": by_torch(lambda p: SGD(p, 0.5, momentum=0.6, nesterov=True)),
                },
                {
                    "settings": {
                        "kind": "adam",
                        "learningRate": 0.01,
                        "beta2": 0.999,
                        "tau": 1e-8,
                        "initialSquare": 0,
                        "biasCorrection": True,
                    },
                    "rounds": by_torch(lambda p: Adam(p, 0.01, betas=(0.9, 0.999), eps=1e-8)),
                },
                {"settings": {"kind": "adam", "initialSquare": 0}, "rounds": by_flower("adam", 0.1, 1e-3)},
                {"settings": {"kind": "yogi", "initialSquare": 0}, "rounds": by_flower("yogi", 0.01, 1e-3)},
                {"settings": {"kind": "adagrad", "initialSquare": 0}, "rounds": by_flower("adagrad", 0.1, 1e-3)},
            ],
        }
    )
)
