"""Writes test/golden/torch/: small checkpoints of torch.save, and pickles that must be refused.

Run with PyTorch 2.x: python test/golden/make/torch_checkpoints.py
"""

import argparse
import collections
import datetime
import pathlib
import pickle
import zipfile
from pathlib import Path

import numpy as np
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


def company():
    """What training code keeps beside weights."""
    return {
        "best_acc": np.float64(0.8),
        "history": np.arange(3.0),
        "args": argparse.Namespace(lr=0.1),
        "counts": collections.Counter("aab"),
        "when": datetime.datetime(2024, 1, 1),
        "where": pathlib.PurePosixPath("/x"),
        "logs": collections.defaultdict(list, {"loss": [1.0]}),
        "queue": collections.deque([1]),
        "complex": torch.tensor([1j]),
    }


def numpy_weights():
    kinds = ["float16", "float32", "float64", "int64", "uint8", "bool"]
    arrays = {kind: np.arange(6).reshape(2, 3).astype(kind) for kind in kinds}
    odd = {"big-endian": np.ones(2, ">f4"), "text": np.array(["a"]), "objects": np.array([None])}
    return {**arrays, "fortran": np.asfortranarray(arrays["float32"]), **odd}


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
    torch.save({"epoch": 3, "student": {"w": ramp(2)}, "teacher": {"w": ramp(2)}}, OUT / "two-keys.pt")
    torch.save({"model": {"w": ramp(2)}, "net": {"w": ramp(2)}}, OUT / "two-known-keys.pt")
    torch.save({"net": net.state_dict(), "opt": optimizer.state_dict()}, OUT / "monai-saver.pt")
    torch.save({"network_weights": {"w": ramp(2)}, "ema": {"w": ramp(2)}}, OUT / "nnunet.pt")
    for protocol in (2, 4, 5):
        torch.save({"state_dict": {"w": ramp(2)}, **company()}, OUT / f"company-{protocol}.pt", pickle_protocol=protocol)
        torch.save({"model": numpy_weights()}, OUT / f"numpy-{protocol}.pt", pickle_protocol=protocol)
    torch.save({"model": net}, OUT / "whole-module.pt")
    repack("views.pt", "deflated.pt", compression=zipfile.ZIP_DEFLATED)
    repack("views.pt", "malicious.pt", pickle.dumps({"model": Exploit()}, protocol=2))
    repack("views.pt", "malicious-4.pt", pickle.dumps({"model": Exploit()}, protocol=4))
    repack("views.pt", "missing-storage.pt", drop=("views/data/0",))


main()
