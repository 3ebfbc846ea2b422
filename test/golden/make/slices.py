"""Fixtures of .npy files and of slices cut from NIfTI volumes. Needs numpy and nibabel.

    python test/golden/make/slices.py

Writes test/golden/slices/: npy/*.npy with npy.json (what they hold), nifti/ (volumes of patients) with slices.json (what
`consilium data slices` has to make of them, and what normalisation has to make of one patient).
"""

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np

OUT = Path(__file__).parent.parent / "slices"


def npy():
    folder = OUT / "npy"
    folder.mkdir(parents=True)
    random = np.random.RandomState(0)
    expected = {}
    types = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
    for name in types:
        for endian in ["<", ">"]:
            for order in ["C", "F"]:
                dtype = np.dtype(endian + name)
                values = random.uniform(0 if name[0] == "u" else -100, 100, (3, 4))
                array = np.asarray(values.astype(dtype), order=order)
                file = f"{'le' if endian == '<' else 'be'}-{name}-{order}.npy"
                np.save(folder / file, array)
                expected[file] = {"shape": list(array.shape), "values": array.astype(np.float32).ravel().tolist()}
    cube = np.asfortranarray(random.randint(-9, 9, (2, 3, 4)).astype("<i2"))
    for file, array in {
        "three-axes-F.npy": cube,
        "one-axis.npy": np.arange(5, dtype="<f4"),
        "no-axis.npy": np.array(7.5),
        "bool.npy": cube[0] > 0,
    }.items():
        np.save(folder / file, array)
        expected[file] = {"shape": list(array.shape), "values": array.astype(np.float32).ravel().tolist()}
    np.save(folder / "objects.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    np.save(folder / "complex.npy", np.array([1 + 2j]))
    np.save(folder / "structured.npy", np.zeros(2, dtype=[("x", "<f4"), ("y", "<i4")]))
    with open(folder / "version-3.npy", "wb") as file:
        np.lib.format.write_array(file, np.arange(6, dtype="<f4").reshape(2, 3), version=(3, 0))
    expected["version-3.npy"] = {"shape": [2, 3], "values": list(range(6))}
    (OUT / "npy.json").write_text(json.dumps(expected))


def volume(random, size, low, high, bright):
    """Ones that are bright only in slices of the range, as a head is; with dark slices before and behind."""
    data = np.zeros(size)
    data[1:-1, 1:-1, low:high] = random.uniform(0.2, 1, (size[0] - 2, size[1] - 2, high - low)) * bright
    return data


def slices():
    folder = OUT / "nifti"
    random = np.random.RandomState(1)
    size = (9, 8, 7)
    affine = np.array([[-1, 0, 0, 0], [0, -1, 0, 7], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    shares = ["train", "train", "validation", "test"]
    expected, patients = {}, {}
    for i, split in enumerate(shares):
        patient = f"Case_{i + 1:02d}"
        low, high = [(1, 6), (0, 7), (2, 4), (1, 5)][i]
        t1 = volume(random, size, low, high, 900)
        if i == 0:
            t1[2:-2, 2:-2, 3] = 0  # A rather dark slice between bright ones.
        if i == 3:
            t1[:, :, 2] = 0  # And one that is dark throughout.
        t2 = volume(random, size, low, high, 400)
        seg = np.zeros(size)
        seg[3:5, 3:5, 3] = [[1, 2], [4, 0]]
        (folder / patient).mkdir(parents=True)
        for kind, data in {"t1": t1, "t2": t2, "seg": seg}.items():
            stored, to = data, affine
            if i == 1:  # Sagittal: the first axis runs along the body.
                stored, to = data.transpose(2, 0, 1), affine[:, [2, 0, 1, 3]]
            dtype = [np.int16, np.float32, np.dtype(">i2"), np.uint16][i] if kind != "seg" else np.uint8
            image = nib.Nifti1Image(np.round(stored).astype(dtype), to)
            if i == 2:
                image = nib.Nifti1Image(np.round(stored).astype(np.int16), to, image.header.as_byteswapped(">"))
            if i == 3 and kind != "seg":
                image.header.set_slope_inter(0.5, 0)
                image = nib.Nifti1Image(np.round(stored) * 0.5, to, image.header)
            image.to_filename(folder / patient / f"{patient}_{kind}.nii.gz")
        read = {kind: nib.load(folder / patient / f"{patient}_{kind}.nii.gz").get_fdata() for kind in ["t1", "t2", "seg"]}
        if i == 1:
            read = {kind: data.transpose(1, 2, 0) for kind, data in read.items()}
        # The published job: slice first, dark pixels below 1e-4, kept when their share of T1 is below 0.8.
        first = {kind: np.transpose(data, (2, 0, 1)) for kind, data in read.items()}
        bright = [z for z, image in enumerate(first["t1"]) if np.mean(image < 1e-4) < 0.8]
        kept = range(min(bright), max(bright) + 1)  # Its own range leaves the last one out.
        for kind, name in {"t1": "t1", "t2": "t2", "seg": "mask"}.items():
            for z in kept:
                image = first[kind][z] if kind != "seg" else (first[kind][z] > 0)
                expected[f"{split}/{name}/patient-{patient}-slice{z}.npy"] = image.astype(np.float32).ravel().tolist()
        patients[patient] = np.stack([first["t1"][z] for z in kept])
    case = patients["Case_02"].astype(np.float64)
    above = case[case > 0]
    norms = {
        "none": case,
        "slice-max": case / case.max(axis=(1, 2), keepdims=True),
        "volume-max": case / case.max(),
        "percentile": np.minimum(case / np.percentile(above, 99.5), 1),
        "z-score": (case - above.mean()) / above.std(),
    }
    result = {
        "shape": [size[0], size[1]],
        "slices": expected,
        "normalised": {name: data.reshape(len(data), -1).tolist() for name, data in norms.items()},
    }
    (OUT / "slices.json").write_text(json.dumps(result))


shutil.rmtree(OUT, ignore_errors=True)
npy()
slices()
