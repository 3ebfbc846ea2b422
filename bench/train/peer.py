"""The same row as ours.ts in PyTorch, with the same protocol: peer.py '<row as JSON>'."""

import json
import math
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "golden" / "make"))

import torch

row = json.loads(sys.argv[1])
torch.set_num_threads(row["threads"])


def say(message):
    print(json.dumps(message), flush=True)


def waves(shape):
    return torch.sin(torch.arange(math.prod(shape), dtype=torch.float32)).reshape(shape)


def segresnet():
    from segresnet import SegResNet, dice

    return SegResNet(3, 16, 4, 3, [1, 2, 2, 4], [1, 1, 1], 8), dice


def segresnet_inference(shape):
    model, _ = segresnet()
    model.eval()
    image = waves(shape)

    def infer():
        with torch.inference_mode():
            model(image)

    return infer


def segresnet_step(shape):
    model, dice = segresnet()
    image = waves(shape)
    label_shape = [1, 3, *shape[2:]]
    label = (torch.sin(torch.arange(math.prod(label_shape), dtype=torch.float32) / 100) > 0.5).float().reshape(label_shape)
    adam = torch.optim.Adam(model.parameters(), lr=1e-4, weight_decay=1e-5)

    def step():
        model.mask = (torch.rand(1, 16) >= 0.2).float() / 0.8
        adam.zero_grad(set_to_none=True)
        loss = dice(model(image), label, 0.0, 1e-5, True)
        loss.backward()
        adam.step()
        loss.item()

    return step


def unet_step(shape):
    from models import TranslationUNet

    options = dict(inChannels=1, outChannels=1, baseChannels=64, norm="batch", numGroups=32, bilinear=False)
    model, image, label = TranslationUNet(options), waves(shape), waves(shape)
    adam = torch.optim.Adam(model.parameters(), lr=1e-4)

    def step():
        adam.zero_grad(set_to_none=True)
        loss = torch.nn.functional.mse_loss(model(image), label)
        loss.backward()
        adam.step()
        loss.item()

    return step


def pflsynth_step(shape):
    from models import PatchGan, PflSynth

    sizes = dict(sites=4, contrasts=4, mappingLayers=6, latentSize=512, reduction=8, dropout=False)
    g = PflSynth(dict(inChannels=shape[1], outChannels=1, baseChannels=64, **sizes))
    d = PatchGan(dict(inChannels=shape[1] + 1, baseChannels=64, layers=3, norm="batch"))
    image_shape = [1, 1, *shape[2:]]
    x, y, code = waves(shape), waves(image_shape), torch.full((1, 12), 0.5)
    adams = [torch.optim.Adam(n.parameters(), lr=2e-4, betas=(0.5, 0.999)) for n in (g, d)]
    mse = lambda scores, target: ((scores - target) ** 2).mean()
    judge = lambda image: d(torch.cat([x, image], 1))

    def step():
        fake = g(x, code)
        adams[1].zero_grad(set_to_none=True)
        loss = 0.5 * (mse(judge(fake.detach()), 0) + mse(judge(y), 1))
        loss.backward()
        adams[1].step()
        adams[0].zero_grad(set_to_none=True)
        # As the published loop does: the generator's step needs no gradients of the discriminator's weights.
        d.requires_grad_(False)
        (mse(judge(fake), 1) + 100 * (fake - y).abs().mean()).backward()
        adams[0].step()
        d.requires_grad_(True)
        loss.item()

    return step


prepare = {
    "segresnet-step": segresnet_step,
    "segresnet-inference": segresnet_inference,
    "unet-step": unet_step,
    "pflsynth-step": pflsynth_step,
}
torch.manual_seed(0)
run = prepare[row["network"]](row["input"])
say({"name": "torch", "version": torch.__version__, "openMs": 0})
for _ in sys.stdin:
    started = time.perf_counter()
    run()
    ms = 1000 * (time.perf_counter() - started)
    say({"ms": ms, "rssMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
