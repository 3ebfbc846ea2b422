"""Makes test/golden/gan.json: three steps of a small conditional GAN in float64, first the discriminator, then the
generator, each with its own Adam. Run by hand: python test/golden/make/gan.py

LSGAN: L_D = (mse(D(x, G(x)), 0) + mse(D(x, y), 1)) / 2, L_G = mse(D(x, G(x)), 1) + 100·L1(G(x), y), D being the updated one.
"""
import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import l1_loss, mse_loss

torch.set_default_dtype(torch.float64)


def filled(shape, seed, scale):
    n = math.prod(shape)
    return torch.tensor([scale * math.sin(seed + 1.7 * i) for i in range(n)]).reshape(shape)


def fill(net, seed):
    for k, p in enumerate(net.parameters()):
        p.data = filled(p.shape, seed + k, 0.5)


g = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1))
d = nn.Sequential(nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1))
fill(g, 10)
fill(d, 20)
x, y = filled((2, 1, 6, 8), 1, 1.0), filled((2, 1, 6, 8), 2, 1.0)
opt_g = torch.optim.Adam(g.parameters(), lr=2e-2, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(d.parameters(), lr=1e-2, betas=(0.5, 0.999))
steps = []
for _ in range(3):
    fake = g(x)
    on_fake, on_real = d(torch.cat([x, fake.detach()], 1)), d(torch.cat([x, y], 1))
    loss_d = (mse_loss(on_fake, torch.zeros_like(on_fake)) + mse_loss(on_real, torch.ones_like(on_real))) / 2
    opt_d.zero_grad()
    loss_d.backward()
    opt_d.step()
    judged = d(torch.cat([x, fake], 1))
    adversarial = mse_loss(judged, torch.ones_like(judged))
    loss_g = adversarial + 100 * l1_loss(fake, y)
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    steps.append({"d": loss_d.item(), "adversarial": adversarial.item(), "g": loss_g.item()})
flat = lambda net: {n: p.flatten().tolist() for n, p in net.named_parameters()}
path = Path(__file__).parent.parent / "gan.json"
path.write_text(json.dumps({"torch": torch.__version__, "steps": steps, "g": flat(g), "d": flat(d)}) + "\n")
