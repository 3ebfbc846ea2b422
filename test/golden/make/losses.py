"""Makes test/golden/losses.json: losses and their gradients by the prediction in float64, from the formulas of their
papers or PyTorch's own functions. Run by hand: python test/golden/make/losses.py

Inputs are sines, so only results are kept: logits 2·sin(1 + 1.3i), probabilities (1 + sin(2 + 0.7i))/2 … see `make`.
"""
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def sines(shape, start, step, scale=1.0):
    n = math.prod(shape)
    return torch.tensor([scale * math.sin(start + step * i) for i in range(n)]).reshape(shape)


def logits(shape):
    return sines(shape, 1, 1.3, 2.0)


def other_logits(shape):
    return sines(shape, 3, 0.9, 1.5)


def image(shape):
    return (1 + sines(shape, 2, 0.7)) / 2


def other_image(shape):
    return (1 + sines(shape, 1, 0.45)) / 2


def mask(shape):
    return (sines(shape, 5, 1.1) > 0.2).double()


def classes(shape):
    """Class numbers [N, 1, ...] for predictions of this shape."""
    one = (shape[0], 1, *shape[2:])
    return torch.clamp(torch.floor((1 + sines(one, 4, 1.9)) / 2 * shape[1]), 0, shape[1] - 1)


def shares(shape):
    return torch.softmax(sines(shape, 7, 2.3, 3.0), 1)


def one_hot(label, count):
    return torch.cat([(label == c).double() for c in range(count)], 1)


def dice(x, y, sigmoid=False, softmax=False, toOnehotY=False, includeBackground=True, squaredPred=False, jaccard=False,
         softLabel=False, smoothNr=1e-5, smoothDr=1e-5, batch=False, weight=None, reduction="mean", otherAct=None):
    p = torch.sigmoid(x) if sigmoid else torch.softmax(x, 1) if softmax else x
    if otherAct is not None:
        p = getattr(torch, otherAct)(p)
    g = one_hot(y, x.shape[1]) if toOnehotY else y
    if not includeBackground:
        p, g = p[:, 1:], g[:, 1:]
    axes = ([0] if batch else []) + list(range(2, x.dim()))
    both = (p * g).sum(axes)
    sizes = ((p**2).sum(axes) + (g**2).sum(axes)) if squaredPred else (p.sum(axes) + g.sum(axes))
    if softLabel:
        norm = lambda v: v.norm(p=2, dim=axes) ** 2 if squaredPred else v.abs().sum(axes)
        sizes = norm(p) + norm(g)
        both = (sizes - norm(p - g)) / 2
    below = 2 * (sizes - both) if jaccard else sizes
    f = 1 - (2 * both + smoothNr) / (below + smoothDr)
    if weight is not None and p.shape[1] > 1:
        f = f * torch.as_tensor(weight, dtype=f.dtype)
    if reduction == "none":
        return f.reshape(*f.shape[:2], *[1] * (x.dim() - 2))
    return f.mean() if reduction == "mean" else f.sum()


def cross_entropy(x, y, weight=None, labelSmoothing=0.0, ignoreIndex=None, reduction="mean"):
    w = None if weight is None else torch.tensor(weight)
    target = y[:, 0].long() if y.shape[1] == 1 else y
    more = {} if ignoreIndex is None else {"ignore_index": ignoreIndex}
    return F.cross_entropy(x, target, weight=w, label_smoothing=labelSmoothing, reduction=reduction, **more)


def binary_cross_entropy(x, y, logits=True, posWeight=None, reduction="mean"):
    if not logits:
        return F.binary_cross_entropy(x, y, reduction=reduction)
    w = None
    if posWeight is not None:
        w = torch.as_tensor(posWeight, dtype=x.dtype)
        w = w.reshape([-1] + [1] * (x.dim() - 2)) if w.dim() else w
    return F.binary_cross_entropy_with_logits(x, y, pos_weight=w, reduction=reduction)


def windows(x, kernel, size, sigma):
    """The means of all windows inside each channel, by the full window."""
    t = torch.arange(size) - (size - 1) / 2
    line = torch.ones(size) if kernel == "uniform" else torch.exp(-((t / sigma) ** 2) / 2)
    dims = x.dim() - 2
    full = line
    for _ in range(dims - 1):
        full = full[..., None] * line
    full = (full / full.sum())[None, None].repeat(x.shape[1], *[1] * (dims + 1))
    return (F.conv2d if dims == 2 else F.conv3d)(x, full, groups=x.shape[1])


def ssim(x, y, kernel="gaussian", windowSize=11, sigma=1.5, k1=0.01, k2=0.03, dataRange=1, border="valid",
         clampVariance=False):
    r = max(v.max() - v.min() for v in (x, y)).item() if dataRange == "batch" else dataRange
    c1, c2 = (k1 * r) ** 2, (k2 * r) ** 2
    if border == "reflect":
        margin = [(windowSize - 1) // 2] * (2 * (x.dim() - 2))
        x, y = F.pad(x, margin, mode="reflect"), F.pad(y, margin, mode="reflect")
    mean = lambda v: windows(v, kernel, windowSize, sigma)
    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    if clampVariance:
        vx, vy = vx.clamp(min=0), vy.clamp(min=0)
    return ((2 * mx * my + c1) * (2 * vxy + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean()


def distillation(x, y, temperature=1):
    p = F.log_softmax(y / temperature, 1)
    q = F.log_softmax(x / temperature, 1)
    return temperature**2 * F.kl_div(q, p, reduction="sum", log_target=True) * x.shape[1] / x.numel()


def dice_ce(x, y, dice={}, crossEntropy={}, lambdaDice=1, lambdaCe=1):
    return lambdaDice * DICE(x, y, **dice) + lambdaCe * cross_entropy(x, y, **crossEntropy)


def dice_bce(x, y, dice={}, binaryCrossEntropy={}, lambdaDice=1, lambdaBce=1):
    return lambdaDice * DICE(x, y, **dice) + lambdaBce * binary_cross_entropy(x, y, **binaryCrossEntropy)


def mse_dssim(x, y, dssim={}, lambdaMse=1, lambdaDssim=1):
    return lambdaMse * F.mse_loss(x, y) + lambdaDssim * (1 - ssim(x, y, **dssim)) / 2


def rmse_dssim(x, y, dssim={}, lambdaRmse=1, lambdaDssim=1):
    return lambdaRmse * F.mse_loss(x, y).sqrt() + lambdaDssim * (1 - ssim(x, y, **dssim)) / 2


DICE = dice
FORMULAS = {
    "dice": dice,
    "cross-entropy": cross_entropy,
    "binary-cross-entropy": binary_cross_entropy,
    "mse": lambda x, y, reduction="mean": F.mse_loss(x, y, reduction=reduction),
    "l1": lambda x, y, reduction="mean": F.l1_loss(x, y, reduction=reduction),
    "ssim": lambda x, y, **o: 1 - ssim(x, y, **o),
    "dssim": lambda x, y, **o: (1 - ssim(x, y, **o)) / 2,
    "distillation": distillation,
    "dice-ce": dice_ce,
    "dice-bce": dice_bce,
    "mse-dssim": mse_dssim,
    "rmse-dssim": rmse_dssim,
}
FILLS = {f.__name__: f for f in (logits, other_logits, image, other_image, mask, classes, shares)}
A, B, C = [2, 3, 4, 5], [2, 3, 2, 3, 4], [2, 1, 3, 4]
BIG2, BIG3 = [2, 2, 16, 13], [1, 1, 12, 8, 9]
CASES = [
    (A, "logits", "mask", {"kind": "dice", "sigmoid": True}),
    (B, "image", "mask", {"kind": "dice"}),
    (B, "logits", "mask", {"kind": "dice", "sigmoid": True, "squaredPred": True, "smoothNr": 0, "smoothDr": 1e-4}),
    (A, "logits", "classes", {"kind": "dice", "softmax": True, "toOnehotY": True}),
    (A, "logits", "classes", {"kind": "dice", "softmax": True, "toOnehotY": True, "includeBackground": False, "jaccard": True}),
    (A, "logits", "classes", {"kind": "dice", "softmax": True, "toOnehotY": True, "batch": True, "weight": [0.5, 1, 2]}),
    (A, "logits", "classes", {"kind": "dice", "softmax": True, "toOnehotY": True, "includeBackground": False, "weight": [1, 3], "reduction": "sum"}),
    (A, "logits", "mask", {"kind": "dice", "sigmoid": True, "weight": 0.25, "squaredPred": True, "jaccard": True, "batch": True}),
    (C, "logits", "mask", {"kind": "dice", "sigmoid": True}),
    (A, "logits", "shares", {"kind": "dice", "softmax": True, "softLabel": True}),
    (B, "image", "other_image", {"kind": "dice", "softLabel": True, "jaccard": True, "batch": True, "includeBackground": False}),
    (A, "logits", "shares", {"kind": "dice", "softmax": True, "softLabel": True, "squaredPred": True}),
    (A, "logits", "mask", {"kind": "dice", "sigmoid": True, "softLabel": True}),
    (A, "logits", "classes", {"kind": "cross-entropy"}),
    (B, "logits", "classes", {"kind": "cross-entropy", "weight": [0.2, 1, 3]}),
    (A, "logits", "classes", {"kind": "cross-entropy", "labelSmoothing": 0.1, "reduction": "sum"}),
    (A, "logits", "classes", {"kind": "cross-entropy", "weight": [0.2, 1, 3], "labelSmoothing": 0.2, "ignoreIndex": 1}),
    (A, "logits", "shares", {"kind": "cross-entropy"}),
    (A, "logits", "shares", {"kind": "cross-entropy", "weight": [0.2, 1, 3], "labelSmoothing": 0.1}),
    (A, "logits", "mask", {"kind": "binary-cross-entropy"}),
    (B, "logits", "mask", {"kind": "binary-cross-entropy", "posWeight": [0.5, 1, 4], "reduction": "sum"}),
    (A, "logits", "mask", {"kind": "binary-cross-entropy", "posWeight": 3}),
    (A, "image", "mask", {"kind": "binary-cross-entropy", "logits": False}),
    (A, "image", "other_image", {"kind": "mse"}),
    (B, "image", "other_image", {"kind": "mse", "reduction": "sum"}),
    (A, "image", "other_image", {"kind": "l1"}),
    (BIG2, "image", "other_image", {"kind": "ssim"}),
    (BIG2, "image", "other_image", {"kind": "ssim", "dataRange": "batch", "border": "reflect", "clampVariance": True}),
    (BIG2, "image", "other_image", {"kind": "dssim", "windowSize": 5, "sigma": 0.8, "k1": 0.02, "k2": 0.05, "dataRange": 2}),
    (BIG3, "image", "other_image", {"kind": "ssim", "windowSize": 7}),
    (BIG3, "image", "other_image", {"kind": "dssim", "windowSize": 5, "kernel": "uniform", "border": "reflect", "dataRange": "batch"}),
    (A, "logits", "other_logits", {"kind": "distillation"}),
    (B, "logits", "other_logits", {"kind": "distillation", "temperature": 3}),
    (A, "logits", "classes", {"kind": "dice-ce", "dice": {"softmax": True, "toOnehotY": True}}),
    (A, "logits", "classes", {"kind": "dice-ce", "dice": {"softmax": True, "toOnehotY": True, "includeBackground": False, "batch": True},
                              "crossEntropy": {"weight": [0.2, 1, 3]}, "lambdaDice": 0.5, "lambdaCe": 2}),
    (A, "logits", "mask", {"kind": "dice-bce", "dice": {"sigmoid": True}, "lambdaBce": 0.5}),
    (BIG2, "image", "other_image", {"kind": "mse-dssim", "dssim": {"dataRange": "batch", "clampVariance": True}}),
    ([3, 1, 24, 20], "image", "other_image", {"kind": "mse-dssim", "dssim": {"dataRange": "batch", "border": "reflect", "clampVariance": True}}),
    ([3, 1, 24, 20], "image", "other_image", {"kind": "rmse-dssim", "dssim": {"dataRange": "batch", "border": "reflect", "clampVariance": True}}),
]

# What only the library offers: another activation, by its name in torch, and the terms themselves.
DICE_CASES = [
    (A, "logits", "mask", {"otherAct": "tanh"}),
    (A, "logits", "classes", {"otherAct": "tanh", "toOnehotY": True, "includeBackground": False, "weight": [1, 3], "reduction": "sum"}),
    (B, "logits", "mask", {"sigmoid": True, "reduction": "none"}),
    (A, "logits", "classes", {"softmax": True, "toOnehotY": True, "includeBackground": False, "weight": [1, 3], "reduction": "none"}),
    (A, "logits", "mask", {"otherAct": "exp", "squaredPred": True, "jaccard": True, "batch": True, "reduction": "none"}),
    (C, "logits", "mask", {"sigmoid": True, "weight": 2, "reduction": "none"}),
]


def make_dice(shape, x, y, options):
    prediction = FILLS[x](shape).requires_grad_()
    terms = dice(prediction, FILLS[y](shape), **options)
    (terms.flatten() * torch.arange(1, terms.numel() + 1)).sum().backward()
    grad = prediction.grad.flatten()
    keep = {"sum": grad.sum().item(), "l2": grad.norm().item(), "first8": grad[:8].tolist()}
    return {"shape": shape, "prediction": x, "label": y, "options": options, "termsShape": list(terms.shape),
            "terms": terms.flatten().tolist(), "gradient": keep}


# Of three heads: the loss of each, and their weights.
DEEP_CASES = [
    ([2, 3, 3, 4, 5], "logits", "mask", {"kind": "dice-bce", "dice": {"sigmoid": True}}, None),
    ([2, 3, 3, 4, 5], "logits", "classes", {"kind": "dice-ce", "dice": {"softmax": True, "toOnehotY": True}}, [1, 0.5, 0.25]),
]


def make_deep(shape, x, y, options, weights):
    prediction = FILLS[x](shape).requires_grad_()
    label = FILLS[y]([shape[0], *shape[2:]])
    more = {k: v for k, v in options.items() if k != "kind"}
    factors = weights or [0.5**i / sum(0.5**j for j in range(shape[1])) for i in range(shape[1])]
    loss = sum(w * FORMULAS[options["kind"]](head, label, **more) for w, head in zip(factors, prediction.unbind(1)))
    loss.backward()
    grad = prediction.grad.flatten()
    keep = {"sum": grad.sum().item(), "l2": grad.norm().item(), "first8": grad[:8].tolist()}
    more = {} if weights is None else {"weights": weights}
    return {"shape": shape, "prediction": x, "label": y, "options": options, **more, "loss": loss.item(), "gradient": keep}


def make(shape, x, y, options):
    prediction = FILLS[x](shape).requires_grad_()
    label = FILLS[y](shape)
    more = {k: v for k, v in options.items() if k != "kind"}
    loss = FORMULAS[options["kind"]](prediction, label, **more)
    loss.backward()
    grad = prediction.grad.flatten()
    keep = {"sum": grad.sum().item(), "l2": grad.norm().item(), "first8": grad[:8].tolist()}
    return {"shape": shape, "prediction": x, "label": y, "options": options, "loss": loss.item(), "gradient": keep}


if __name__ == "__main__":
    out = {
        "torch": torch.__version__,
        "cases": [make(*case) for case in CASES],
        "dice": [make_dice(*case) for case in DICE_CASES],
        "deep": [make_deep(*case) for case in DEEP_CASES],
    }
    path = Path(__file__).parent.parent / "losses.json"
    path.write_text(json.dumps(out) + "\n")
