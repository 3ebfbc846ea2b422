"""Writes ../segresnet-cases.json: SegResNet in PyTorch, float64, on shapes and options beyond the 16-cube.

Run by hand: python3 make/segresnet.py. Inputs and weights come from the integer hash of test/support/hash-fill.ts.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(2)


def u(i, n):
    j = np.arange(n, dtype=np.uint64)
    h = (j * 0x9E3779B1 + i * 0x85EBCA77 + 0xC2B2AE3D) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    h = (h * 0x85EBCA6B) & 0xFFFFFFFF
    h ^= h >> np.uint64(13)
    h = (h * 0xC2B2AE35) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    return h.astype(np.float64) / 2.0**32


class Named(nn.Module):
    """A convolution whose parameters are called `conv.weight` and `conv.bias`."""

    def __init__(self, conv, ins, outs, kernel, stride=1, bias=False):
        super().__init__()
        self.conv = conv(ins, outs, kernel, stride, (kernel - 1) // 2, bias=bias)

    def forward(self, x):
        return self.conv(x)


class Block(nn.Module):
    def __init__(self, conv, channels, groups):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, channels)
        self.norm2 = nn.GroupNorm(groups, channels)
        self.conv1 = Named(conv, channels, channels, 3)
        self.conv2 = Named(conv, channels, channels, 3)

    def forward(self, x):
        h = self.conv1(F.relu(self.norm1(x)))
        return self.conv2(F.relu(self.norm2(h))) + x


class SegResNet(nn.Module):
    def __init__(self, dims, filters, ins, outs, down, up, groups):
        super().__init__()
        conv = nn.Conv2d if dims == 2 else nn.Conv3d
        self.mode = "bilinear" if dims == 2 else "trilinear"
        self.convInit = Named(conv, ins, filters, 3)
        self.down_layers = nn.ModuleList()
        for level, blocks in enumerate(down):
            channels = filters * 2**level
            first = Named(conv, channels // 2, channels, 3, 2) if level else nn.Identity()
            self.down_layers.append(nn.Sequential(first, *[Block(conv, channels, groups) for _ in range(blocks)]))
        self.up_layers = nn.ModuleList()
        self.up_samples = nn.ModuleList()
        for level, blocks in enumerate(up):
            channels = filters * 2 ** (len(up) - 1 - level)
            self.up_layers.append(nn.Sequential(*[Block(conv, channels, groups) for _ in range(blocks)]))
            self.up_samples.append(nn.Sequential(Named(conv, 2 * channels, channels, 1)))
        self.conv_final = nn.Sequential(
            nn.GroupNorm(groups, filters), nn.ReLU(), Named(conv, filters, outs, 1, bias=True)
        )
        self.mask = None

    def forward(self, x):
        x = self.convInit(x)
        if self.mask is not None:
            x = x * self.mask.reshape(*self.mask.shape, *[1] * (x.dim() - 2))
        skips = []
        for level in self.down_layers:
            x = level(x)
            skips.append(x)
        for i, (narrow, level) in enumerate(zip(self.up_samples, self.up_layers)):
            x = F.interpolate(narrow(x), scale_factor=2, mode=self.mode, align_corners=False)
            x = level(x + skips[-2 - i])
        return self.conv_final(x)


def dice(logits, label, nr, dr, squared):
    p = torch.sigmoid(logits)
    axes = list(range(2, logits.dim()))
    power = 2 if squared else 1
    both = (p**power).sum(axes) + (label**power).sum(axes)
    return (1 - (2 * (p * label).sum(axes) + nr) / (both + dr)).mean()


def stats(index, t):
    flat = t.detach().double().flatten().numpy()
    return {
        "sum": flat.sum(),
        "l2": math.sqrt((flat**2).sum()),
        "projection": float((flat * (2 * u(5000 + index, flat.size) - 1)).sum()),
        "first4": flat[:4].tolist(),
        "last2": flat[-2:].tolist(),
    }


def fill(model):
    for i, (name, p) in enumerate(model.named_parameters()):
        r = u(i, p.numel())
        if p.dim() > 1 or name.endswith("conv.bias"):
            fan_in = math.prod(p.shape[1:]) if p.dim() > 1 else model.conv_final[2].conv.weight.shape[1]
            values = (2 * r - 1) / math.sqrt(fan_in)
        elif name.endswith("weight"):
            values = 1 + 0.2 * (r - 0.5)
        else:
            values = 0.2 * (r - 0.5)
        p.data = torch.from_numpy(values.astype(np.float32)).double().reshape(p.shape)


def run(case):
    options = case["options"]
    build = lambda: SegResNet(
        options["spatialDims"],
        options["initFilters"],
        options["inChannels"],
        options["outChannels"],
        options["blocksDown"],
        options["blocksUp"],
        options["numGroups"],
    )
    torch.manual_seed(case["seed"])
    model = build()
    initial = [stats(i, p) for i, p in enumerate(model.parameters())]
    model = model.double()
    fill(model)
    shape = case["inputShape"]
    label_shape = [shape[0], options["outChannels"], *shape[2:]]
    image = torch.from_numpy(((u(1000, math.prod(shape)) - 0.5) * 4).astype(np.float32)).double().reshape(shape)
    label = torch.from_numpy((u(2000, math.prod(label_shape)) < 0.4).astype(np.float64)).reshape(label_shape)
    if case["dropped"]:
        mask = torch.full((shape[0], options["initFilters"]), 1 / (1 - options["dropoutProb"]), dtype=torch.float64)
        for sample, channel in case["dropped"]:
            mask[sample, channel] = 0
        model.mask = mask
    reference = [(p.detach() + 0.05 * (1 + i % 3)).float().double() for i, p in enumerate(model.parameters())]
    mu = float(np.float32(case["mu"]))
    adam = torch.optim.Adam(model.parameters(), lr=1e-4, weight_decay=case["weightDecay"])
    losses = []
    for step in range(3):
        logits = model(image)
        loss = dice(logits, label, **case["dice"])
        if mu > 0:
            for p, r in zip(model.parameters(), reference):
                loss = loss + mu / 2 * ((p - r) ** 2).sum()
        adam.zero_grad()
        loss.backward()
        if step == 0:
            first = stats(0, logits)
            gradients = [stats(i, p.grad) for i, p in enumerate(model.parameters())]
        losses.append(loss.item())
        adam.step()
    return {
        **case,
        "names": [name for name, _ in model.named_parameters()],
        "initial": initial,
        "logits": first,
        "gradients": gradients,
        "losses": losses,
    }


brats = dict(spatialDims=3, initFilters=16, inChannels=4, outChannels=3, dropoutProb=0.2, numGroups=8)
dice_brats = dict(nr=0.0, dr=1e-5, squared=True)
plain = dict(seed=7, dice=dice_brats, dropped=[], mu=0.0, weightDecay=1e-5)
cases = [
    dict(plain, title="3-D, unequal lengths", options=dict(brats, blocksDown=[1, 2, 2, 4], blocksUp=[1, 1, 1]), inputShape=[1, 4, 8, 16, 24]),
    dict(plain, title="3-D, two samples, channels dropped, proximal term", options=dict(brats, blocksDown=[1, 2, 2, 4], blocksUp=[1, 1, 1]), inputShape=[2, 4, 8, 8, 16], dropped=[[0, 3], [0, 11], [1, 0]], mu=0.01),
    dict(plain, title="2-D", options=dict(brats, spatialDims=2, blocksDown=[1, 2, 2, 4], blocksUp=[1, 1, 1]), inputShape=[1, 4, 16, 24], seed=123456789),
    dict(plain, title="2-D, two samples, few channels", options=dict(brats, spatialDims=2, initFilters=6, inChannels=1, outChannels=2, numGroups=3, dropoutProb=0.5, blocksDown=[2, 1], blocksUp=[2]), inputShape=[2, 1, 6, 10], dropped=[[1, 2]], dice=dict(nr=1e-5, dr=1e-5, squared=False), weightDecay=0.0),
    dict(plain, title="3-D, five levels", options=dict(brats, initFilters=8, inChannels=2, outChannels=1, numGroups=8, blocksDown=[1, 1, 1, 1, 1], blocksUp=[1, 1, 1, 1]), inputShape=[1, 2, 16, 16, 32]),
    dict(plain, title="3-D, one level", options=dict(brats, initFilters=4, inChannels=3, outChannels=5, numGroups=1, blocksDown=[1], blocksUp=[]), inputShape=[1, 3, 5, 3, 7]),
]
if __name__ == "__main__":
    out = Path(__file__).parent.parent / "segresnet-cases.json"
    out.write_text(json.dumps([run(case) for case in cases]))
    print(out, out.stat().st_size)
