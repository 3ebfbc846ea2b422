"""Writes test/golden/torch/: small checkpoints of torch.save, and pickles that must be refused.

Run with PyTorch 2.x: python test/golden/make/torch_checkpoints.py
"""

import collections
import pickle
import zipfile
from pathlib import Path

import torch

OUT = Path(__file__).parent.parent / "torch"


def ramp(*shape, dtype=torch.float32):
    size = 1
    for n in shape:
        size *= n
    return torch.arange(size).reshape(shape).to(dtype)


def every_dtype():
    kinds = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64"]
    tensors = {kind: ramp(2, 3, dtype=getattr(torch, kind)) for kind in kinds}
    tensors["bool"] = torch.tensor([True, False, True])
    tensors["scalar"] = torch.tensor(7.5)
    tensors["empty"] = torch.zeros(0, 3)
    tensors["negative"] = torch.tensor([-1, -(2**62)])
    return tensors


def views():
    """Shared storage, offsets, transposed and broadcast strides."""
    base = ramp(4, 6)
    return {
        "base": base,
        "tied": base,
        "row": base[2],
        "column": base[:, 1],
        "transposed": base.t(),
        "block": base[1:3, 2:5],
        "permuted": ramp(2, 3, 4).permute(2, 0, 1),
        "broadcast": torch.tensor([1.0, 2.0]).unsqueeze(1).expand(2, 3),
    }


def module():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Conv3d(1, 2, 1), torch.nn.BatchNorm3d(2))


class Exploit:
    def __reduce__(self):
        return (open, ("/tmp/consilium-was-here", "w"))


class Stateful:
    pass


def repack(source, target, data_pkl=None, compression=zipfile.ZIP_STORED, drop=()):
    with zipfile.ZipFile(OUT / source) as old, zipfile.ZipFile(OUT / target, "w", compression) as new:
        for info in old.infolist():
            name = info.filename
            if name in drop:
                continue
            replaced = data_pkl is not None and name.endswith("/data.pkl")
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = compression
            new.writestr(entry, data_pkl if replaced else old.read(name))


def main():
    OUT.mkdir(exist_ok=True)
    net = module()
    torch.save({"model": every_dtype()}, OUT / "dtypes.pt")
    torch.save(views(), OUT / "views.pt")
    torch.save(net.state_dict(), OUT / "state-dict.pt")
    torch.save({"model": dict(net.named_parameters())}, OUT / "parameters.pt")
    for protocol in (3, 4, 5):
        torch.save({"model": views()}, OUT / f"protocol-{protocol}.pt", pickle_protocol=protocol)
    torch.save({"model": views()}, OUT / "legacy.pt", _use_new_zipfile_serialization=False)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    net(torch.ones(2, 1, 2, 2, 2)).sum().backward()
    optimizer.step()
    extras = {"epoch": 3, "best": 0.5, "history": [(1, None), {"a": b"x"}], "big": 2**70, "name": "α", "on": True}
    torch.save({"state_dict": module().state_dict(), "optimizer": optimizer.state_dict(), **extras}, OUT / "training.pt")
    torch.save({"epoch": 3, "weights": {"w": ramp(2)}}, OUT / "other-key.pt")
    torch.save({"model": net}, OUT / "whole-module.pt")
    repack("views.pt", "deflated.pt", compression=zipfile.ZIP_DEFLATED)
    repack("views.pt", "malicious.pt", pickle.dumps({"model": Exploit()}, protocol=2))
    repack("views.pt", "malicious-4.pt", pickle.dumps({"model": Exploit()}, protocol=4))
    repack("views.pt", "missing-storage.pt", drop=("views/data/0",))


main()
