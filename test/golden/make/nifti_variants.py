"""Makes test/golden/nifti/variants: small NIfTI files of every kind, and what nibabel reads from them (expected.json).

Run by hand in a Python with nibabel and NumPy:  python test/golden/make/nifti_variants.py
"""
import gzip
import json
from pathlib import Path

import nibabel as nib
import numpy as np

OUT = Path(__file__).parent.parent / "nifti" / "variants"
OUT.mkdir(parents=True, exist_ok=True)
SHAPE = (5, 4, 3)
BRATS = np.array([[-1.0, 0, 0, 0], [0, -1, 0, 3], [0, 0, 1, 0], [0, 0, 0, 1]])
OBLIQUE = nib.affines.from_matvec(
    nib.quaternions.quat2mat([0.8, 0.2, -0.4, 0.4]) @ np.diag([0.9, 1.2, -2.5]), [10.5, -20.25, 30]
)


def values(shape, dtype):
    ramp = (np.arange(np.prod(shape)) * 37 % 101).reshape(shape)
    return (ramp - 50 if np.dtype(dtype).kind in "if" else ramp).astype(dtype)


def image(dtype=np.int16, shape=SHAPE, kind=nib.Nifti1Image, affine=BRATS, endianness="<"):
    header = kind.header_class(endianness=endianness)
    header.set_data_dtype(np.dtype(dtype).newbyteorder(endianness))
    return kind(values(shape, dtype), affine, header)


images = {}
for name in ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]:
    images[f"{name}.nii.gz"] = image(dtype=name)
images["big-endian-int16.nii.gz"] = image(endianness=">")
images["big-endian-float64.nii"] = image(dtype=np.float64, endianness=">")
images["nifti2-int16.nii.gz"] = image(kind=nib.Nifti2Image)
images["nifti2-big-endian-float32.nii"] = image(dtype=np.float32, kind=nib.Nifti2Image, endianness=">")
images["four-axes.nii.gz"] = image(shape=(3, 4, 2, 5))
images["trailing-axis.nii.gz"] = image(shape=(5, 4, 3, 1))
images["two-axes.nii.gz"] = image(shape=(5, 4))

scaled = image()
scaled.header.set_slope_inter(0.25, -3)
images["scaled-int16.nii.gz"] = scaled

qform = image(affine=OBLIQUE)
qform.set_sform(None, code=0)
qform.set_qform(OBLIQUE, code=1)
images["qform-only.nii.gz"] = qform

both = image()
both.set_qform(OBLIQUE, code=1)
both.set_sform(np.diag([0.9, 1.2, 2.5, 1]), code=2)
images["sform-and-qform.nii.gz"] = both

neither = image(affine=None)
neither.header.set_zooms((0.5, 2, 3))
images["no-form.nii.gz"] = neither

disagreeing = image()
disagreeing.set_qform(OBLIQUE, code=1)
disagreeing.set_sform(BRATS, code=2)
images["sform-disagrees.nii.gz"] = disagreeing

extended = image()
extended.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"a comment of some length"))
images["extension.nii"] = extended

expected = {}
for name, one in images.items():
    if name == "scaled-int16.nii.gz":
        raw = nib.Nifti1Image(values(SHAPE, np.int16), BRATS)
        raw.header.set_slope_inter(1, 0)
        payload = bytearray(raw.to_bytes())
        payload[112:120] = np.array([0.25, -3], "<f4").tobytes()
        (OUT / name).write_bytes(gzip.compress(bytes(payload), mtime=0))
    else:
        payload = one.to_bytes()
        (OUT / name).write_bytes(gzip.compress(payload, mtime=0) if name.endswith(".gz") else payload)
    read = nib.load(OUT / name)
    data = np.asarray(read.dataobj).astype(np.float32)
    affine = read.get_qform() if name == "sform-disagrees.nii.gz" else read.affine
    expected[name] = {
        "shape": list(data.shape),
        "dtype": str(read.get_data_dtype().newbyteorder("=")),
        "affine": affine.tolist(),
        "data": data.ravel().tolist(),
    }

# Two gzip members in a row are one file.
whole = (OUT / "int16.nii.gz").read_bytes()
plain = gzip.decompress(whole)
(OUT / "two-members.nii.gz").write_bytes(gzip.compress(plain[:400], mtime=0) + gzip.compress(plain[400:], mtime=0))
expected["two-members.nii.gz"] = expected["int16.nii.gz"]
(OUT / "expected.json").write_text(json.dumps(expected))
