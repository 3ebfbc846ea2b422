"""The same row as ours.ts in PyTorch, with the same protocol: peer.py '<row as JSON>'."""

import json
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


def segresnet():
    from segresnet import SegResNet, dice

    torch.manual_seed(0)
    return SegResNet(3, 16, 4, 3, [1, 2, 2, 4], [1, 1, 1], 8), dice


def prepare(network, shape):
    voxels = 1
    for n in shape[2:]:
        voxels *= n
    image = torch.sin(torch.arange(4 * voxels, dtype=torch.float32)).reshape(shape)
    model, dice = segresnet()
    if network == "segresnet-inference":
        model.eval()

        def infer():
            with torch.inference_mode():
                model(image)

        return infer
    label = (torch.sin(torch.arange(3 * voxels, dtype=torch.float32) / 100) > 0.5).float().reshape(1, 3, *shape[2:])
    adam = torch.optim.Adam(model.parameters(), lr=1e-4, weight_decay=1e-5)

    def step():
        model.mask = (torch.rand(1, 16) >= 0.2).float() / 0.8
        adam.zero_grad(set_to_none=True)
        loss = dice(model(image), label, 0.0, 1e-5, True)
        loss.backward()
        adam.step()
        loss.item()

    return step


run = prepare(row["network"], row["input"])
say({"name": "torch", "version": torch.__version__, "openMs": 0})
for _ in sys.stdin:
    started = time.perf_counter()
    run()
    ms = 1000 * (time.perf_counter() - started)
    say({"ms": ms, "rssMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
