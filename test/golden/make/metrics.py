"""Makes test/golden/image-metrics.json: metrics of images in float64 by PyTorch, each image on its own, as the evaluation of
the MRI translation job computes them (its batches hold one image). Run by hand: python test/golden/make/metrics.py

Inputs are sines, so only results are kept; see `prediction`, `target`, `mask`, `logits` and `classes`.
"""
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

from losses import ssim

torch.set_default_dtype(torch.float64)


def sines(shape, start, step):
    return torch.tensor([math.sin(start + step * i) for i in range(math.prod(shape))]).reshape(shape)


def prediction(shape):
    return (1 + sines(shape, 2, 0.7)) / 2


def target(shape):
    """Zero in about half of the voxels; the last image is a quarter as bright as the others."""
    t = sines(shape, 1, 0.45).clamp(min=0)
    t[-1] /= 4
    return t


def mask(shape):
    return (sines([shape[0], 1, *shape[2:]], 5, 1.1) > 0.2).double()


def logits(shape):
    """Multiples of 1/4: many ties between classes."""
    return torch.floor(4 * sines(shape, 1, 1.3)) / 4


def regions(shape):
    return (sines(shape, 5, 1.1) > 0.2).double()


def classes(shape):
    one = [shape[0], 1, *shape[2:]]
    return torch.clamp(torch.floor((1 + sines(one, 4, 1.9)) / 2 * shape[1]), 0, shape[1] - 1)


def masked_mse(p, t, m):
    return (((p - t) ** 2) * m).sum() / m.sum()


def relative_error(p, t, m):
    return torch.nansum((p - t).abs() / t * m) / m.sum()


def dice_counts(p, t, by="threshold", threshold=0.0):
    """argmax takes the first of several largest: torch's does not say which it takes."""
    k = p.shape[1]
    if by == "argmax":
        best = torch.full([p.shape[0], *p.shape[2:]], -1)
        for c in reversed(range(k)):
            best = torch.where(p[:, c] == p.amax(1), c, best)
        pred = torch.stack([(best == c).double() for c in range(k)], 1)
    else:
        pred = (p >= threshold).double()
    truth = t if t.shape[1] == k else torch.stack([(t[:, 0] == c).double() for c in range(k)], 1)
    axes = tuple(range(2, p.dim()))
    return torch.stack([(pred * truth).sum(axes), pred.sum(axes), truth.sum(axes)], -1).flatten().tolist()


def image_metric(kind, p, t, m, o):
    given = m.expand_as(t) if m is not None else (t > 0).double()
    if kind == "mse":
        return F.mse_loss(p, t)
    if kind == "mae":
        return F.l1_loss(p, t)
    if kind == "masked-mse":
        return masked_mse(p, t, given)
    if kind == "relative-error":
        return relative_error(p, t, given)
    if kind == "psnr":
        return 10 * torch.log10(o.get("dataRange", 1) ** 2 / F.mse_loss(p, t))
    more = {k: v for k, v in o.items() if k != "kind"}
    if more.get("dataRange") == "image":
        more["dataRange"] = "batch"
    return ssim(p, t, **more)


def numbers(shape, masked, options):
    kind = options["kind"]
    if kind == "dice-counts":
        truth = classes(shape) if masked == "classes" else regions(shape)
        more = {k: v for k, v in options.items() if k != "kind"}
        return dice_counts(logits(shape), truth, **more)
    p, t = prediction(shape), target(shape)
    if options.get("dataRange") == "batch":
        r = max((v.max() - v.min()).item() for v in (p, t))
        options = {**options, "dataRange": r}
    m = mask(shape) if masked else None
    of = lambda v, i: v[i : i + 1]
    return [image_metric(kind, of(p, i), of(t, i), m if m is None else of(m, i), options).item() for i in range(shape[0])]


FLAT, DEEP = [3, 2, 16, 13], [2, 1, 12, 11, 13]
TORCHMETRICS = {"clampVariance": True, "border": "valid"}
CASES = [
    (FLAT, False, {"kind": "mse"}),
    (DEEP, False, {"kind": "mae"}),
    (FLAT, False, {"kind": "masked-mse"}),
    (FLAT, True, {"kind": "masked-mse"}),
    (DEEP, False, {"kind": "relative-error"}),
    (FLAT, False, {"kind": "relative-error"}),
    (FLAT, False, {"kind": "psnr"}),
    (DEEP, False, {"kind": "psnr", "dataRange": 2.5}),
    (FLAT, False, {"kind": "ssim"}),
    (FLAT, False, {"kind": "ssim", "dataRange": "batch", **TORCHMETRICS}),
    (FLAT, False, {"kind": "ssim", "dataRange": "image", **TORCHMETRICS}),
    (DEEP, False, {"kind": "ssim", "dataRange": "image", "border": "reflect", "windowSize": 7}),
    ([3, 1, 24, 20], False, {"kind": "ssim", "dataRange": "image", "border": "reflect", "clampVariance": True}),
    (FLAT, "regions", {"kind": "dice-counts"}),
    (DEEP, "regions", {"kind": "dice-counts", "threshold": 0.5}),
    ([2, 3, 9, 8], "classes", {"kind": "dice-counts", "by": "argmax"}),
    ([2, 3, 4, 5, 6], "regions", {"kind": "dice-counts", "by": "argmax"}),
    ([2, 4, 9, 8], "classes", {"kind": "dice-counts", "threshold": 0.25}),
]
out = {
    "torch": torch.__version__,
    "cases": [
        {"shape": shape, "given": given, "options": options, "numbers": numbers(shape, given, options)}
        for shape, given, options in CASES
    ],
}
path = Path(__file__).parent.parent / "image-metrics.json"
path.write_text(json.dumps(out) + "\n")
