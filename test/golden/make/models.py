"""Writes ../models.json.gz: the networks in PyTorch, float64, at two sizes each.

Run by hand: python3 make/models.py. Written from the published descriptions of the networks with nothing but torch.nn; the
names of the state are those of the originals. Inputs and weights come from the integer hash of ../fill.ts.
"""

import gzip
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(2)

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
DECONV = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
POOL = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
BATCH = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
INSTANCE = {1: nn.InstanceNorm1d, 2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def u(i, n):
    j = np.arange(n, dtype=np.uint64)
    h = (j * 0x9E3779B1 + i * 0x85EBCA77 + 0xC2B2AE3D) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    h = (h * 0x85EBCA6B) & 0xFFFFFFFF
    h ^= h >> np.uint64(13)
    h = (h * 0xC2B2AE35) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    return h.astype(np.float64) / 2.0**32


def norm_of(kind, dims, channels, groups=8):
    if kind == "group":
        return nn.GroupNorm(groups, channels)
    if kind == "batch":
        return BATCH[dims](channels)
    return INSTANCE[dims](channels, affine=kind == "instance-affine")


def act_of(kind, slope=0.01):
    return {"relu": nn.ReLU(), "leaky-relu": nn.LeakyReLU(slope), "prelu": nn.PReLU(), "silu": nn.SiLU(), "mish": nn.Mish(), "elu": nn.ELU()}[kind]


class Dropout(nn.Module):
    """Element dropout whose factors are those of the hash, numbered in the order of the model's modules."""

    def __init__(self, p):
        super().__init__()
        self.p, self.number, self.shape = p, None, None

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        self.shape = list(x.shape)
        return x * drop_factors(self.number, x.shape, self.p)


def drop_factors(number, shape, p):
    kept = u(6000 + number, math.prod(shape)) >= p
    return torch.from_numpy((kept * np.float32(1 / (1 - p))).astype(np.float64)).reshape(shape)


def dropouts(model):
    return [(name, m) for name, m in model.named_modules(remove_duplicate=True) if isinstance(m, Dropout) and m.p > 0]


def named(**modules):
    net = nn.Sequential()
    for name, module in modules.items():
        net.add_module(name, module)
    return net


# SegResNet


class SegBlock(nn.Module):
    def __init__(self, dims, channels, o):
        super().__init__()
        conv = lambda: named(conv=CONV[dims](channels, channels, 3, 1, 1, bias=False))
        self.norm1 = norm_of(o["norm"], dims, channels, o.get("numGroups", 8))
        self.norm2 = norm_of(o["norm"], dims, channels, o.get("numGroups", 8))
        self.act = act_of(o["act"], o.get("negativeSlope", 0.01))
        self.conv1 = conv()
        self.conv2 = conv()

    def forward(self, x):
        h = self.conv1(self.act(self.norm1(x)))
        return self.conv2(self.act(self.norm2(h))) + x


class Subpixel(nn.Module):
    def __init__(self, dims, ins, outs=None):
        super().__init__()
        outs = outs or ins
        self.conv_block = CONV[dims](ins, outs * 2**dims, 3, 1, 1)
        start = nn.init.kaiming_normal_(torch.zeros(outs, ins, *[3] * dims))
        self.conv_block.weight.data.copy_(start.repeat_interleave(2**dims, 0))
        self.dims = dims

    def forward(self, x):
        x = self.conv_block(x)
        for axis in range(self.dims - 1, -1, -1):  # the last axis varies fastest: two and two channels interleave along it
            x = x.unflatten(1, (-1, 2)).movedim(2, axis + 3).flatten(axis + 2, axis + 3)
        x = F.pad(x, [1, 0] * self.dims)
        return {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}[self.dims](x, 2, 1)


class SegResNet(nn.Module):
    def __init__(self, o):
        super().__init__()
        dims, filters = o["spatialDims"], o["initFilters"]
        conv = lambda i, c, k, s=1, bias=False: named(conv=CONV[dims](i, c, k, s, (k - 1) // 2, bias=bias))
        self.o = o
        self.act_mod = act_of(o["act"], o.get("negativeSlope", 0.01))
        self.convInit = conv(o["inChannels"], filters, 3)
        self.down_layers = nn.ModuleList()
        for level, blocks in enumerate(o["blocksDown"]):
            c = filters * 2**level
            first = conv(c // 2, c, 3, 2) if level else nn.Identity()
            self.down_layers.append(nn.Sequential(first, *[SegBlock(dims, c, o) for _ in range(blocks)]))
        self.up_layers, self.up_samples = nn.ModuleList(), nn.ModuleList()
        for level, blocks in enumerate(o["blocksUp"]):
            c = filters * 2 ** (len(o["blocksUp"]) - 1 - level)
            self.up_layers.append(nn.Sequential(*[SegBlock(dims, c, o) for _ in range(blocks)]))
            if o["upsampleMode"] == "deconv":
                narrow = conv(2 * c, c, 1)
                up = named(deconv=DECONV[dims](c, c, 2, 2))
            elif o["upsampleMode"] == "pixelshuffle":
                narrow = conv(2 * c, c, 1)
                up = named(pixelshuffle=Subpixel(dims, c))
            else:
                narrow = conv(2 * c, c, 1)
                up = nn.Upsample(scale_factor=2, mode=LINEAR[dims], align_corners=False)
            self.up_samples.append(nn.Sequential(narrow, up))
        head = conv(filters, o["outChannels"], 1, bias=True)
        self.conv_final = nn.Sequential(norm_of(o["norm"], dims, filters, o.get("numGroups", 8)), self.act_mod, head)

    def forward(self, x):
        x = self.convInit(x)
        skips = []
        for level in self.down_layers:
            x = level(x)
            skips.append(x)
        for i, (up, level) in enumerate(zip(self.up_samples, self.up_layers)):
            x = level(up(x) + skips[-2 - i])
        return self.conv_final(x) if self.o.get("useConvFinal", True) else x


# The U-Net of the translation job


class DoubleConv(nn.Module):
    def __init__(self, ins, outs, mid, o):
        super().__init__()
        norm = lambda c: nn.Identity() if o["norm"] == "none" else norm_of(o["norm"], 2, c, o.get("numGroups", 32))
        self.norm1 = norm(mid)
        self.norm2 = norm(outs)
        self.conv1 = nn.Conv2d(ins, mid, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(mid, outs, 3, padding=1, bias=False)

    def forward(self, x):
        return F.relu(self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))


class Down(nn.Module):
    def __init__(self, ins, outs, o):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(ins, outs, outs, o))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, ins, outs, o):
        super().__init__()
        if o["bilinear"]:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = DoubleConv(ins, outs, ins // 2, o)
        else:
            self.up = nn.ConvTranspose2d(ins, ins // 2, 2, 2)
            self.conv = DoubleConv(ins, outs, outs, o)

    def forward(self, x, skip):
        x = self.up(x)
        dy, dx = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        x = F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.conv(torch.cat([skip, x], 1))


class OutConv(nn.Module):
    def __init__(self, ins, outs):
        super().__init__()
        self.conv = nn.Conv2d(ins, outs, 1)

    def forward(self, x):
        return self.conv(x)


class TranslationUNet(nn.Module):
    def __init__(self, o):
        super().__init__()
        c = o["baseChannels"]
        k = 2 if o["bilinear"] else 1
        self.inc = DoubleConv(o["inChannels"], c, c, o)
        self.down1, self.down2, self.down3 = Down(c, 2 * c, o), Down(2 * c, 4 * c, o), Down(4 * c, 8 * c, o)
        self.down4 = Down(8 * c, 16 * c // k, o)
        self.up1, self.up2 = Up(16 * c, 8 * c // k, o), Up(8 * c, 4 * c // k, o)
        self.up3, self.up4 = Up(4 * c, 2 * c // k, o), Up(2 * c, c, o)
        self.outc = OutConv(c, o["outChannels"])

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        x = self.up1(self.down4(x4), x4)
        return torch.sigmoid(self.outc(self.up4(self.up3(self.up2(x, x3), x2), x1)))


# MONAI's UNet


class Adn(nn.Sequential):
    def __init__(self, dims, channels, o):
        super().__init__()
        parts = {"N": norm_of(o["norm"], dims, channels), "D": Dropout(o["dropout"]), "A": act_of(o["act"], o.get("negativeSlope", 0.01))}
        for letter in o.get("adnOrdering", "NDA"):
            self.add_module(letter, parts[letter])


def convolution(dims, ins, outs, kernel, stride, o, bare=False, transposed=False, bias=True):
    pad = (kernel - 1) // 2
    if transposed:
        conv = DECONV[dims](ins, outs, kernel, stride, pad, stride - 1, bias=bias)
    else:
        conv = CONV[dims](ins, outs, kernel, stride, pad, bias=bias)
    return named(conv=conv) if bare else named(conv=conv, adn=Adn(dims, outs, o))


class ResidualUnit(nn.Module):
    def __init__(self, dims, ins, outs, stride, kernel, units, o, last_bare=False):
        super().__init__()
        self.conv = nn.Sequential()
        self.residual = nn.Identity()
        for i in range(units):
            bare = last_bare and i == units - 1
            first = i == 0
            unit = convolution(dims, ins if first else outs, outs, kernel, stride if first else 1, o, bare, bias=o.get("bias", True))
            self.conv.add_module(f"unit{i}", unit)
        if stride != 1 or ins != outs:
            k = 1 if stride == 1 else kernel
            self.residual = CONV[dims](ins, outs, k, stride, (k - 1) // 2, bias=o.get("bias", True))

    def forward(self, x):
        return self.conv(x) + self.residual(x)


class Skip(nn.Module):
    def __init__(self, submodule):
        super().__init__()
        self.submodule = submodule

    def forward(self, x):
        return torch.cat([x, self.submodule(x)], 1)


class MonaiUNet(nn.Module):
    def __init__(self, o):
        super().__init__()
        dims, units, kernel = o["spatialDims"], o["numResUnits"], o.get("kernelSize", 3)
        bias = o.get("bias", True)

        def down(ins, outs, stride):
            if units:
                return ResidualUnit(dims, ins, outs, stride, kernel, units, o)
            return convolution(dims, ins, outs, kernel, stride, o, bias=bias)

        def up(ins, outs, stride, top):
            conv = convolution(dims, ins, outs, o.get("upKernelSize", 3), stride, o, top and not units, True, bias)
            if not units:
                return conv
            return nn.Sequential(conv, ResidualUnit(dims, outs, outs, 1, kernel, 1, o, top))

        def block(ins, outs, channels, strides, top):
            c, s = channels[0], strides[0]
            if len(channels) > 2:
                sub, wide = block(c, c, channels[1:], strides[1:], False), 2 * c
            else:
                sub, wide = down(c, channels[1], 1), c + channels[1]
            first = down(ins, c, s)
            return nn.Sequential(first, Skip(sub), up(wide, outs, s, top))

        self.model = block(o["inChannels"], o["outChannels"], o["channels"], o["strides"], True)

    def forward(self, x):
        return self.model(x)


# MONAI's BasicUNet


def two_conv(dims, ins, outs, o):
    return named(
        conv_0=convolution(dims, ins, outs, 3, 1, o, bias=o.get("bias", True)),
        conv_1=convolution(dims, outs, outs, 3, 1, o, bias=o.get("bias", True)),
    )


class UpCat(nn.Module):
    def __init__(self, dims, ins, skip, outs, o, halves=True):
        super().__init__()
        mid = ins // 2 if halves else ins
        if o["upsample"] == "deconv":
            self.upsample = named(deconv=DECONV[dims](ins, mid, 2, 2))
        elif o["upsample"] == "pixelshuffle":
            self.upsample = named(pixelshuffle=Subpixel(dims, ins, mid))
        else:
            resize = nn.Upsample(scale_factor=2, mode=LINEAR[dims], align_corners=True)
            first = {"preconv": CONV[dims](ins, mid, 1)} if ins != mid else {}
            self.upsample = named(**first, upsample_non_trainable=resize)
        self.convs = two_conv(dims, skip + mid, outs, o)

    def forward(self, x, skip):
        x = self.upsample(x)
        pad = []
        for axis in range(x.dim() - 1, 1, -1):
            pad += [0, int(skip.shape[axis] != x.shape[axis])]
        return self.convs(torch.cat([skip, F.pad(x, pad, "replicate")], 1))


class BasicUNet(nn.Module):
    def __init__(self, o):
        super().__init__()
        dims, f = o["spatialDims"], o["features"]
        down = lambda i: named(max_pooling=POOL[dims](2), convs=two_conv(dims, f[i - 1], f[i], o))
        self.conv_0 = two_conv(dims, o["inChannels"], f[0], o)
        self.down_1, self.down_2, self.down_3, self.down_4 = down(1), down(2), down(3), down(4)
        self.upcat_4 = UpCat(dims, f[4], f[3], f[3], o)
        self.upcat_3 = UpCat(dims, f[3], f[2], f[2], o)
        self.upcat_2 = UpCat(dims, f[2], f[1], f[1], o)
        self.upcat_1 = UpCat(dims, f[1], f[0], f[5], o, halves=False)
        self.final_conv = CONV[dims](f[5], o["outChannels"], 1)

    def forward(self, x):
        x0 = self.conv_0(x)
        x1 = self.down_1(x0)
        x2 = self.down_2(x1)
        x3 = self.down_3(x2)
        x = self.upcat_4(self.down_4(x3), x3)
        return self.final_conv(self.upcat_1(self.upcat_2(self.upcat_3(x, x2), x1), x0))


# MONAI's DynUNet


def per_axis(dims, value):
    return [value] * dims if isinstance(value, int) else list(value)


def dyn_conv(dims, ins, outs, kernel, stride, drop, bias=False, transposed=False):
    kernel, stride = per_axis(dims, kernel), per_axis(dims, stride)
    pad = [(k - s + 1) // 2 for k, s in zip(kernel, stride)]
    if transposed:
        extra = [2 * p + s - k for p, s, k in zip(pad, stride, kernel)]
        conv = DECONV[dims](ins, outs, kernel, stride, pad, extra, bias=bias)
    else:
        conv = CONV[dims](ins, outs, kernel, stride, pad, bias=bias)
    return named(conv=conv, adn=named(D=Dropout(drop))) if drop else named(conv=conv)


class DynBlock(nn.Module):
    def __init__(self, ins, outs, kernel, stride, o, residual):
        super().__init__()
        dims = o["spatialDims"]
        norm = lambda: norm_of(o["norm"], dims, outs, o.get("numGroups", 8))
        drop = o.get("dropout", 0)
        self.conv1 = dyn_conv(dims, ins, outs, kernel, stride, drop)
        self.conv2 = dyn_conv(dims, outs, outs, kernel, 1, drop)
        self.lrelu = act_of(o.get("act", "leaky-relu"), o.get("negativeSlope", 0.01))
        self.norm1, self.norm2 = norm(), norm()
        self.residual = residual
        self.projected = residual and (ins != outs or any(s != 1 for s in per_axis(dims, stride)))
        if self.projected:
            self.conv3 = dyn_conv(dims, ins, outs, 1, stride, drop)
            self.norm3 = norm()

    def forward(self, x):
        y = self.norm2(self.conv2(self.lrelu(self.norm1(self.conv1(x)))))
        if self.residual:
            y = y + (self.norm3(self.conv3(x)) if self.projected else x)
        return self.lrelu(y)


class DynUp(nn.Module):
    def __init__(self, ins, outs, kernel, up, o):
        super().__init__()
        self.transp_conv = dyn_conv(o["spatialDims"], ins, outs, up, up, o.get("dropout", 0), o.get("transBias", False), True)
        self.conv_block = DynBlock(2 * outs, outs, kernel, 1, o, False)

    def forward(self, x, skip):
        return self.conv_block(torch.cat([self.transp_conv(x), skip], 1))


class DynSkip(nn.Module):
    def __init__(self, downsample, next_layer, upsample):
        super().__init__()
        self.downsample, self.next_layer, self.upsample = downsample, next_layer, upsample

    def forward(self, x):
        down = self.downsample(x)
        up = self.upsample(self.next_layer(down), down)
        if hasattr(self, "super_head"):
            self.heads[self.index] = self.super_head.conv(up)
        return up


class DynUNet(nn.Module):
    def __init__(self, o):
        super().__init__()
        kernels, strides, f = o["kernelSize"], o["strides"], o["filters"]
        n, residual, drop = len(strides), o.get("resBlock", False), o.get("dropout", 0)
        self.input_block = DynBlock(o["inChannels"], f[0], kernels[0], strides[0], o, residual)
        self.downsamples = nn.ModuleList(
            [DynBlock(f[i - 1], f[i], kernels[i], strides[i], o, residual) for i in range(1, n - 1)]
        )
        self.bottleneck = DynBlock(f[n - 2], f[n - 1], kernels[-1], strides[-1], o, residual)
        self.upsamples = nn.ModuleList(
            [DynUp(f[i], f[i - 1], kernels[i], o["upsampleKernelSize"][i - 1], o) for i in range(n - 1, 0, -1)]
        )
        self.output_block = nn.Module()
        self.output_block.conv = dyn_conv(o["spatialDims"], f[0], o["outChannels"], 1, 1, drop, bias=True)
        count = o["deepSuprNum"] if o.get("deepSupervision") else 0
        self.heads = [torch.rand(1)] * max(count, 1)
        if count:
            self.deep_supervision_heads = nn.ModuleList()
            for i in range(count):
                head = nn.Module()
                head.conv = dyn_conv(o["spatialDims"], f[i + 1], o["outChannels"], 1, 1, drop, bias=True)
                self.deep_supervision_heads.append(head)
        self.apply(self.start)
        layer = self.bottleneck
        downs = [self.input_block, *self.downsamples]
        for i in range(len(downs) - 1, -1, -1):
            layer = DynSkip(downs[i], layer, self.upsamples[len(downs) - 1 - i])
            if 1 <= i <= count:
                layer.super_head, layer.heads, layer.index = self.deep_supervision_heads[i - 1], self.heads, i - 1
        self.skip_layers = layer
        self.supervised = count > 0

    @staticmethod
    def start(module):
        if isinstance(module, (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
            nn.init.kaiming_normal_(module.weight, a=0.01)
            if module.bias is not None:
                nn.init.constant_(module.bias, 0)

    def forward(self, x):
        out = self.output_block.conv(self.skip_layers(x))
        if not (self.training and self.supervised):
            return out
        return torch.stack([out, *[F.interpolate(head, out.shape[2:]) for head in self.heads]], 1)


# pFLSynth: discriminator and generator


def start_normal(module):
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.constant_(module.bias, 0.0)


class PatchGan(nn.Module):
    def __init__(self, o):
        super().__init__()
        c, layers, instance = o["baseChannels"], o["layers"], o["norm"] == "instance"
        parts = [nn.Conv2d(o["inChannels"], c, 4, 2, 1), nn.LeakyReLU(0.2)]
        ins = c
        for i in range(1, layers + 1):
            outs = c * min(2**i, 8)
            stride = 2 if i < layers else 1
            parts += [nn.Conv2d(ins, outs, 4, stride, 1, bias=instance), norm_of(o["norm"], 2, outs), nn.LeakyReLU(0.2)]
            ins = outs
        parts.append(nn.Conv2d(ins, 1, 4, 1, 1))
        self.model = nn.Sequential(*parts)
        self.apply(start_normal)

    def forward(self, x):
        return self.model(x)


class Equalised(nn.Module):
    def __init__(self, ins, outs, gain, rate):
        super().__init__()
        self.std, self.rate = 1 / rate, rate
        self.weight = nn.Parameter(torch.randn(outs, ins) * self.std)
        self.bias = nn.Parameter(torch.zeros(outs))
        self.factor = gain / math.sqrt(ins) * rate

    def forward(self, x):
        return F.linear(x, self.weight * self.factor, self.bias * self.rate)


class Personalisation(nn.Module):
    def __init__(self, channels, o):
        super().__init__()
        latent, narrow = o["latentSize"], channels // o["reduction"]
        self.adain = nn.Module()
        self.adain.style_mod = nn.Module()
        self.adain.style_mod.lin = Equalised(latent, 2 * channels, 1, 1)
        self.adacw = nn.Module()
        self.adacw.fc = nn.Sequential(nn.Linear(latent, narrow, bias=False), nn.ReLU(), nn.Linear(narrow, channels, bias=False), nn.Sigmoid())

    def forward(self, x, latent):
        scale, shift = self.adain.style_mod.lin(latent).chunk(2, 1)
        x = F.instance_norm(x) * (scale + 1)[:, :, None, None] + shift[:, :, None, None]
        return x * self.adacw.fc(latent)[:, :, None, None]


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        conv = lambda: nn.Conv2d(c, c, 3, bias=False)
        pad = nn.ReflectionPad2d
        self.conv_block = nn.Sequential(pad(1), conv(), nn.BatchNorm2d(c), nn.ReLU(), pad(1), conv(), nn.BatchNorm2d(c))

    def forward(self, x):
        return x + self.conv_block(x)


class PflSynth(nn.Module):
    def __init__(self, o):
        super().__init__()
        c = o["baseChannels"]
        after = lambda n: [nn.BatchNorm2d(n), nn.ReLU()]
        self.model_1 = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(o["inChannels"], c, 7, bias=False), *after(c))
        self.model_2 = nn.Sequential(nn.Conv2d(c, 2 * c, 3, 2, 1, bias=False), *after(2 * c))
        self.model_3 = nn.Sequential(nn.Conv2d(2 * c, 4 * c, 3, 2, 1, bias=False), *after(4 * c))
        self.mapper = nn.Module()
        self.mapper.map = nn.Sequential()
        for i in range(o["mappingLayers"]):
            ins = o["latentSize"] if i else o["sites"] + 2 * o["contrasts"]
            self.mapper.map.add_module(f"dense{i}", Equalised(ins, o["latentSize"], math.sqrt(2), 0.01))
            self.mapper.map.add_module(f"dense{i}_act", nn.LeakyReLU(0.2))
        widths = [c, 2 * c, *[4 * c] * 10, 2 * c, c]
        self.personalization_blocks = nn.ModuleList([Personalisation(n, o) for n in widths])
        for i in range(4, 13):
            setattr(self, f"model_{i}", Residual(4 * c))
        up = lambda ins, outs: nn.Sequential(nn.ConvTranspose2d(ins, outs, 3, 2, 1, 1, bias=False), *after(outs))
        self.model_13, self.model_14 = up(4 * c, 2 * c), up(2 * c, c)
        self.model_15 = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(c, o["outChannels"], 7), nn.Tanh())
        self.apply(start_normal)

    def forward(self, x, code):
        latent = self.mapper.map(code)
        for i, block in enumerate(self.personalization_blocks):
            x = block(getattr(self, f"model_{i + 1}")(x), latent)
        return self.model_15(x)


def stats(index, t):
    flat = t.detach().double().flatten().numpy()
    projection = float((flat * (2 * u(5000 + index, flat.size) - 1)).sum())
    return [float(f"{x:.14g}") for x in (flat.sum(), math.sqrt((flat**2).sum()), projection)]


def centre(module, name):
    if isinstance(module, nn.PReLU):
        return 0.25
    return 1.0 if name == "weight" else 0.0


def fill(model):
    owners = {}
    for module in model.modules():
        for name, p in module.named_parameters(recurse=False):
            owners[id(p)] = (module, name)
    for i, p in enumerate(model.parameters()):
        r = u(i, p.numel())
        owner, _ = owners[id(p)]
        if isinstance(owner, Equalised) and p.dim() > 1:
            values = (2 * r - 1) * owner.std
        elif p.dim() > 1:
            values = (2 * r - 1) / math.sqrt(math.prod(p.shape[1:]))
        else:
            module, name = owners[id(p)]
            convolves = isinstance(module, (*CONV.values(), *DECONV.values(), nn.Linear, Equalised))
            values = (0.0 if convolves else centre(module, name)) + 0.2 * (r - 0.5)
        p.data = torch.from_numpy(values.astype(np.float32)).double().reshape(p.shape)
    for i, (name, b) in enumerate(model.named_buffers()):
        if b.dtype == torch.int64:
            continue
        values = (1.0 if name.endswith("var") else 0.0) + 0.2 * (u(3000 + i, b.numel()) - 0.5)
        b.data = torch.from_numpy(values.astype(np.float32)).double().reshape(b.shape)


def tensor(index, shape, scale):
    values = (u(index, math.prod(shape)) - 0.5) * scale
    return torch.from_numpy(values.astype(np.float32)).double().reshape(shape)


def run(case):
    torch.manual_seed(case["seed"])
    model = MODELS[case["kind"]](case["options"])
    initial = [stats(i, p) for i, p in enumerate(model.parameters())]
    state = list(model.state_dict())
    names = [name for name, _ in model.named_parameters()]
    buffers = [name for name, _ in model.named_buffers()]
    dropped = dropouts(model)
    for number, (_, dropout) in enumerate(dropped):
        dropout.number = number
    sizes = []
    for shape in case["inputShapes"]:
        model = model.double()
        fill(model)
        inputs = [tensor(1000, shape, 4)]
        if case["kind"] == "pflsynth":
            o = case["options"]
            inputs.append(tensor(4000, [shape[0], o["sites"] + 2 * o["contrasts"]], 2))
        model.eval()
        with torch.no_grad():
            evaluated = stats(1, model(*inputs))
        model.train()
        output = model(*inputs)
        loss = ((output - tensor(2000, output.shape, 2)) ** 2).mean()
        model.zero_grad()
        loss.backward()
        gradients = [stats(i, p.grad if p.grad is not None else torch.zeros_like(p)) for i, p in enumerate(model.parameters())]
        after = {name: stats(i, b) for i, (name, b) in enumerate(model.named_buffers()) if b.dtype != torch.int64}
        sizes.append(dict(inputShape=shape, outputShape=list(output.shape), evaluated=evaluated, trained=stats(0, output), loss=loss.item(), gradients=gradients, buffers=list(after.values()), dropouts=[d.shape for _, d in dropped]))
    return {**{k: v for k, v in case.items() if k != "inputShapes"}, "state": state, "names": names, "bufferNames": buffers, "dropoutNames": [name for name, _ in dropped], "initial": initial, "sizes": sizes}


MODELS = {
    "segresnet": SegResNet,
    "translation-unet": TranslationUNet,
    "monai-unet": MonaiUNet,
    "basic-unet": BasicUNet,
    "dynunet": DynUNet,
    "patchgan": PatchGan,
    "pflsynth": PflSynth,
}

seg = dict(spatialDims=2, initFilters=8, inChannels=2, outChannels=3, dropoutProb=0, blocksDown=[1, 2], blocksUp=[1], norm="group", numGroups=4, act="relu", upsampleMode="nontrainable")
seg_sizes = [[1, 2, 8, 6], [2, 2, 4, 10]]
unet = dict(inChannels=1, outChannels=1, baseChannels=4, norm="batch", numGroups=2, bilinear=False)
monai = dict(spatialDims=2, inChannels=2, outChannels=3, channels=[4, 6, 8], strides=[2, 2], numResUnits=0, norm="instance", act="prelu", dropout=0)
basic = dict(spatialDims=2, inChannels=1, outChannels=2, features=[4, 4, 6, 8, 10, 4], norm="instance-affine", act="leaky-relu", negativeSlope=0.1, upsample="deconv", dropout=0)
dyn = dict(spatialDims=2, inChannels=2, outChannels=3, kernelSize=[3, 3, 3], strides=[1, 2, 2], upsampleKernelSize=[2, 2], filters=[4, 6, 8], norm="instance-affine")
synth = dict(inChannels=1, outChannels=1, baseChannels=4, sites=2, contrasts=2, mappingLayers=3, latentSize=16, reduction=4, dropout=False)
gan = dict(inChannels=2, baseChannels=4, layers=3, norm="batch")
cases = [
    dict(kind="segresnet", title="transposed convolutions, PReLU", options=dict(seg, upsampleMode="deconv", act="prelu"), inputShapes=seg_sizes),
    dict(kind="segresnet", title="batch norm, leaky ReLU", options=dict(seg, norm="batch", act="leaky-relu", negativeSlope=0.2), inputShapes=seg_sizes),
    dict(kind="segresnet", title="3-D, instance norm, features only", options=dict(seg, spatialDims=3, initFilters=4, norm="instance", useConvFinal=False), inputShapes=[[1, 2, 4, 6, 4], [2, 2, 4, 4, 2]]),
    dict(kind="translation-unet", title="batch norm", options=unet, inputShapes=[[2, 1, 32, 16], [1, 1, 48, 32]]),
    dict(kind="translation-unet", title="group norm, bilinear", options=dict(unet, norm="group", bilinear=True, outChannels=2), inputShapes=[[1, 1, 32, 16], [2, 1, 16, 16]]),
    dict(kind="translation-unet", title="no norm, lengths that do not halve", options=dict(unet, norm="none"), inputShapes=[[1, 1, 31, 18], [1, 1, 20, 25]]),
    dict(kind="monai-unet", title="plain", options=monai, inputShapes=[[2, 2, 8, 12], [1, 2, 16, 8]]),
    dict(kind="monai-unet", title="residual units", options=dict(monai, numResUnits=2, channels=[4, 8, 8, 12], strides=[2, 1, 2]), inputShapes=[[1, 2, 16, 24], [2, 2, 16, 16]]),
    dict(kind="monai-unet", title="3-D, batch norm, ReLU first, wider kernels, no bias", options=dict(monai, spatialDims=3, numResUnits=1, channels=[2, 4], strides=[2], norm="batch", act="relu", adnOrdering="AND", kernelSize=5, upKernelSize=3, bias=False), inputShapes=[[1, 2, 4, 6, 4], [2, 2, 6, 4, 4]]),
    dict(kind="basic-unet", title="transposed convolutions", options=basic, inputShapes=[[1, 1, 32, 32], [2, 1, 48, 16]]),
    dict(kind="basic-unet", title="3-D, interpolation, lengths that do not halve", options=dict(basic, spatialDims=3, features=[2, 2, 4, 4, 4, 2], upsample="nontrainable"), inputShapes=[[1, 1, 34, 16, 33], [1, 1, 32, 34, 32]]),
    dict(kind="dynunet", title="basic blocks", options=dyn, inputShapes=[[1, 2, 8, 12], [2, 2, 8, 8]]),
    dict(kind="dynunet", title="3-D, residual blocks, unequal kernels", options=dict(dyn, spatialDims=3, kernelSize=[[3, 3, 1], 3, 3, 3], strides=[1, [2, 2, 1], 2, [1, 2, 2]], upsampleKernelSize=[[2, 2, 1], 2, [1, 2, 2]], filters=[2, 4, 4, 6], resBlock=True, transBias=True), inputShapes=[[1, 2, 8, 8, 8], [1, 2, 8, 16, 8]]),
    dict(kind="patchgan", title="batch norm", options=gan, inputShapes=[[2, 2, 32, 40], [1, 2, 64, 32]]),
    dict(kind="pflsynth", title="a code per sample", options=synth, inputShapes=[[2, 1, 24, 32], [1, 1, 24, 24]]),
    dict(kind="patchgan", title="instance norm, two layers", options=dict(gan, layers=2, norm="instance"), inputShapes=[[1, 2, 16, 24], [2, 2, 32, 16]]),
    dict(kind="segresnet", title="sub-pixel convolutions", options=dict(seg, upsampleMode="pixelshuffle", blocksDown=[1, 1, 1], blocksUp=[1, 1]), inputShapes=[[1, 2, 8, 12], [2, 2, 4, 8]]),
    dict(kind="segresnet", title="3-D, sub-pixel convolutions", options=dict(seg, spatialDims=3, initFilters=4, norm="instance-affine", upsampleMode="pixelshuffle"), inputShapes=[[1, 2, 4, 6, 4], [2, 2, 4, 4, 2]]),
    dict(kind="dynunet", title="deep supervision by one head", options=dict(dyn, deepSupervision=True, deepSuprNum=1), inputShapes=[[1, 2, 8, 12], [2, 2, 8, 8]]),
    dict(kind="dynunet", title="3-D, deep supervision by two heads, unequal strides", options=dict(dyn, spatialDims=3, kernelSize=[3, 3, 3, 3], strides=[1, [2, 2, 1], 2, [1, 2, 2]], upsampleKernelSize=[[2, 2, 1], 2, [1, 2, 2]], filters=[2, 4, 4, 6], deepSupervision=True, deepSuprNum=2), inputShapes=[[1, 2, 8, 8, 4], [2, 2, 4, 16, 4]]),
    dict(kind="segresnet", title="SiLU", options=dict(seg, act="silu"), inputShapes=seg_sizes),
    dict(kind="segresnet", title="Mish", options=dict(seg, act="mish"), inputShapes=seg_sizes),
    dict(kind="basic-unet", title="sub-pixel convolutions, ELU", options=dict(basic, upsample="pixelshuffle", act="elu"), inputShapes=[[1, 1, 32, 32], [2, 1, 33, 48]]),
    dict(kind="dynunet", title="group norm, PReLU, residual blocks", options=dict(dyn, norm="group", numGroups=2, act="prelu", resBlock=True), inputShapes=[[1, 2, 8, 12], [2, 2, 8, 8]]),
    dict(kind="monai-unet", title="1-D, residual units, dropout", options=dict(monai, spatialDims=1, channels=[4, 6, 8], strides=[2, 3], numResUnits=2, norm="batch", dropout=0.25), inputShapes=[[2, 2, 96], [1, 2, 150]]),
    dict(kind="monai-unet", title="1-D, plain, dropout first", options=dict(monai, spatialDims=1, kernelSize=5, adnOrdering="DAN", dropout=0.4), inputShapes=[[2, 2, 64], [1, 2, 100]]),
    dict(kind="basic-unet", title="1-D, interpolation, lengths that do not halve, dropout", options=dict(basic, spatialDims=1, upsample="nontrainable", dropout=0.2), inputShapes=[[1, 1, 37], [2, 1, 48]]),
    dict(kind="basic-unet", title="1-D, sub-pixel convolutions", options=dict(basic, spatialDims=1, upsample="pixelshuffle", norm="batch"), inputShapes=[[2, 1, 32], [1, 1, 50]]),
    dict(kind="dynunet", title="dropout", options=dict(dyn, dropout=0.3), inputShapes=[[1, 2, 8, 12], [2, 2, 8, 8]]),
    dict(kind="dynunet", title="3-D, dropout, residual blocks, deep supervision", options=dict(dyn, spatialDims=3, kernelSize=[3, 3, 3, 3], strides=[1, [2, 2, 1], 2, 2], upsampleKernelSize=[[2, 2, 1], 2, 2], filters=[2, 4, 4, 6], resBlock=True, transBias=True, deepSupervision=True, deepSuprNum=2, dropout=0.15), inputShapes=[[1, 2, 16, 8, 8], [2, 2, 8, 16, 4]]),
]

if __name__ == "__main__":
    out = Path(__file__).parent.parent / "models.json.gz"
    text = json.dumps([run(dict(seed=7 + i, **case)) for i, case in enumerate(cases)])
    out.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(out, out.stat().st_size, len(text))
