"""Writes test/golden/tensorboard/: an event file of torch's SummaryWriter.

Run with PyTorch and TensorBoard: python test/golden/make/tensorboard_events.py
"""

import shutil
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

OUT = Path(__file__).parent.parent / "tensorboard"


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    writer = SummaryWriter(OUT)
    for step in range(3):
        writer.add_scalar("val_metric_global_model", 0.25 * step, step, walltime=1_700_000_000.5 + step)
    writer.add_scalar("train_loss", 0.75, 2**33, walltime=1_700_000_010)
    writer.close()
    next(OUT.glob("events.*")).rename(OUT / "events.out.tfevents.torch")


main()
