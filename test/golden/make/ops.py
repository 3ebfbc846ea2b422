"""Writes ../ops.json: operators and their gradients in PyTorch, float64, on the cases of test/support/op-cases.

Run by hand, in the project's folder:
    npx ts-node test/golden/make/op-cases.ts | python3 test/golden/make/ops.py

To cover an operator, add a function to OPS: from the inputs and the attributes of a case to the first output. Inputs and
the weights of the loss come from the integer hash of test/golden/fill.ts, as in test/support/op-graph.ts; the loss is
the sum of output times weight.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

WEIGHTS = 31
SAMPLES = 12


def fill(i, n):
    j = np.arange(n, dtype=np.uint64)
    h = (j * 0x9E3779B1 + i * 0x85EBCA77 + 0xC2B2AE3D) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    h = (h * 0x85EBCA6B) & 0xFFFFFFFF
    h ^= h >> np.uint64(13)
    h = (h * 0xC2B2AE35) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    return h.astype(np.float64) / 2.0**32


def tensor(values, shape):
    return torch.from_numpy(np.asarray(values, dtype=np.float32).astype(np.float64)).reshape(shape)


def drawn(i, shape, low, high):
    return tensor(low + (high - low) * fill(i, math.prod(shape)), shape)


def keep(f):
    """A reduction that keeps its axes, and keeps everything when there are none."""
    return lambda x, a: f(x, dim=tuple(a["axes"]), keepdim=True) if a["axes"] else x


def pixel_shuffle(x, a):
    block, dims = a["block"], x.dim() - 2
    samples, channels, *small = x.shape
    apart = x.reshape(samples, channels // block**dims, *[block] * dims, *small)
    order = [0, 1] + [axis for i in range(dims) for axis in (2 + dims + i, 2 + i)]
    return apart.permute(order).reshape(samples, -1, *[n * block for n in small])


def pad(x, a):
    margins = [n for pair in reversed(list(zip(a["begin"], a["end"]))) for n in pair]
    if not any(margins):
        return x
    if a["mode"] == "zero":
        return F.pad(x, margins)
    # PyTorch pads only the last one to three axes in these modes: the others, which have no margin, become one or two.
    last = max(len(x.shape) - next(i for i, p in enumerate(zip(a["begin"], a["end"])) if any(p)), 1)
    flat = x.reshape(1, -1, *x.shape[len(x.shape) - last :])
    padded = F.pad(flat, margins[: 2 * last], mode={"reflect": "reflect", "edge": "replicate"}[a["mode"]])
    return padded.reshape(*x.shape[: len(x.shape) - last], *padded.shape[2:])


def gather(x, indices, a):
    return x[(slice(None),) * a["axis"] + (indices.long(),)]


def cut(x, a):
    return x[tuple(slice(*s) for s in zip(a["start"], a["end"], a["step"]))]


def conv_transpose(x, w, a):
    spans = zip(x.shape[2:], w.shape[2:], a["stride"], a["padding"], a["dilation"])
    reached = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, k, s, p, d in spans]
    left = [n - r for n, r in zip(a["spatial"], reached)]
    f = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[x.dim() - 3]
    return f(x, w, None, a["stride"], a["padding"], left, a["groups"], a["dilation"])


def resize(x, a):
    linear = ("linear", "bilinear", "trilinear")[x.dim() - 3]
    return F.interpolate(
        x,
        size=a.get("size"),
        scale_factor=a.get("scale"),
        mode=linear if a["mode"] == "linear" else "nearest",
        align_corners=a["alignCorners"] if a["mode"] == "linear" else None,
    )


OPS = {
    "Add": lambda x, y, a: x + y,
    "Sub": lambda x, y, a: x - y,
    "Mul": lambda x, y, a: x * y,
    "Div": lambda x, y, a: x / y,
    "Pow": lambda x, y, a: torch.pow(x, y),
    "Maximum": lambda x, y, a: torch.maximum(x, y),
    "Minimum": lambda x, y, a: torch.minimum(x, y),
    "Greater": lambda x, y, a: (x > y).double(),
    "GreaterOrEqual": lambda x, y, a: (x >= y).double(),
    "Equal": lambda x, y, a: (x == y).double(),
    "Where": lambda c, x, y, a: torch.where(c != 0, x, y),
    "Neg": lambda x, a: -x,
    "Abs": lambda x, a: x.abs(),
    "Sign": lambda x, a: x.sign(),
    "Exp": lambda x, a: x.exp(),
    "Log": lambda x, a: x.log(),
    "Sqrt": lambda x, a: x.sqrt(),
    "Tanh": lambda x, a: x.tanh(),
    "Sigmoid": lambda x, a: x.sigmoid(),
    "Softplus": lambda x, a: F.softplus(x),
    "Relu": lambda x, a: F.relu(x),
    "LeakyRelu": lambda x, a: F.leaky_relu(x, a["alpha"]),
    "PRelu": lambda x, s, a: F.prelu(x, s.flatten()),
    "Clip": lambda x, a: x.clamp(a["min"], a["max"]),
    "ReduceSum": keep(torch.sum),
    "ReduceMax": keep(torch.amax),
    "SumProduct": lambda x, y, a: (x * y).sum(dim=tuple(a["axes"]), keepdim=True),
    "Softmax": lambda x, a: x.softmax(a["axis"]),
    "LogSoftmax": lambda x, a: x.log_softmax(a["axis"]),
    "Reshape": lambda x, a: x.reshape(a["shape"]),
    "Expand": lambda x, a: x.expand(a["shape"]),
    "Transpose": lambda x, a: x.permute(a["order"]),
    "Concat": lambda *args: torch.cat(args[:-1], dim=args[-1]["axis"]),
    "Slice": cut,
    "Pad": pad,
    "Gather": gather,
    "PixelShuffle": pixel_shuffle,
    "After": lambda x, trigger, a: x,
    "MatMul": lambda x, y, a: x @ y,
    "Conv": lambda x, w, a: (F.conv1d, F.conv2d, F.conv3d)[x.dim() - 3](
        x, w, None, a["stride"], a["padding"], a["dilation"], a["groups"]
    ),
    "GroupNorm": lambda x, s, t, a: F.group_norm(x, a["groups"], s, t, a["epsilon"]),
    "ConvInputGrad": conv_transpose,
    "MaxPool": lambda x, a: (F.max_pool1d, F.max_pool2d, F.max_pool3d)[x.dim() - 3](
        x, a["kernel"], a["stride"], a["padding"]
    ),
    "AveragePool": lambda x, a: (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[x.dim() - 3](
        x, a["kernel"], a["stride"], a["padding"], False, a["countIncludePad"]
    ),
    "GlobalAveragePool": lambda x, a: x.mean(dim=tuple(range(2, x.dim())), keepdim=True),
    "BatchNorm": lambda x, s, t, a: F.batch_norm(x, None, None, s, t, True, eps=a["epsilon"]),
    "Resize": resize,
    "UpsampleLinear": lambda x, a: F.interpolate(
        x, scale_factor=2, mode=("linear", "bilinear", "trilinear")[x.dim() - 3], align_corners=False
    ),
}


def summary(value):
    """A checksum with hashed weights, then some elements, evenly spread: 13 digits of each."""
    flat = value.detach().flatten().double().numpy()
    step = -(-len(flat) // SAMPLES)
    numbers = [float(np.dot(flat, fill(WEIGHTS, len(flat)))), *flat[::step].tolist()]
    return [float(f"{x:.13g}") for x in numbers]


def result(case):
    low, high = case.get("range", (-1, 1))
    given = case.get("values", [])
    inputs = []
    for i, shape in enumerate(case["inputs"]):
        values = given[i] if i < len(given) else None
        inputs.append(drawn(i, shape, low, high) if values is None else tensor(values, shape))
    varied = [i for i in range(len(inputs)) if i not in case.get("fixed", [])]
    for i in varied:
        inputs[i].requires_grad_(True)
    y = OPS[case["op"]](*inputs, case["attrs"])
    numbers = {"y0": summary(y)}
    if y.requires_grad:
        (y * drawn(WEIGHTS, y.shape, -1, 1)).sum().backward()
    for i in varied:
        grad = inputs[i].grad
        numbers[f"dx{i}"] = summary(torch.zeros_like(inputs[i]) if grad is None else grad)
    return numbers


def main():
    cases = [case for case in json.load(sys.stdin) if case["op"] in OPS]
    lines = [f"{json.dumps(c['op'] + ': ' + c['title'])}: {json.dumps(result(c), separators=(',', ':'))}" for c in cases]
    path = Path(__file__).parent.parent / "ops.json"
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(lines)} cases, {path.stat().st_size} bytes", file=sys.stderr)


main()
