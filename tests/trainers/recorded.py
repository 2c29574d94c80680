"""What a trainer's loop records of its batches, and what must be kept of them: each draw once, at its position."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

import penstock
from tests.trainers.handed import EPOCHS, LABELS, draws, make, rows_of
from tests.trainers.names import RECORDED


class Stop(Exception):  # noqa: N818  what a user's error would be
    """Ends training in the middle of an epoch."""


class Seen(list):
    """The rows of the batches that were trained on; `see` is called in each step, `end_epoch` after each epoch.

    Parameters
    ----------
    kind : str
        What the trainer was handed.
    asked : dict
        "dataset", "run" and, to stop there, the number of steps as "stop"; nothing is recorded without.
    """

    def __init__(self, kind, loader, sampler, asked, *, resumed):
        self._stop = asked.get("stop")
        self._loader, self._run = None, None
        if kind not in RECORDED:
            return
        if kind.startswith("Loader"):
            self._loader = loader
        else:
            ds = penstock.load(asked["dataset"])
            self._run = ds.start_run(asked["run"], resumed=resumed, sampler=sampler, distributed=True)

    def see(self, batch):
        if len(self) == self._stop:
            self.close()
            raise Stop
        rows = rows_of(batch)
        self.append(rows)
        if not (self._loader is None and self._run is None) and dist.is_initialized():
            dist.barrier()  # in step, as gradients keep the processes of a real training
        loss = torch.tensor(rows, dtype=torch.float64) / 4
        if self._loader is not None:
            self._loader.record(batch, loss=loss)
        elif self._run is not None:
            self._run.record(rows, None, {"loss": loss})

    def end_epoch(self):
        if self._run is not None:
            self._run.write()

    def close(self):
        for one in (self._loader, self._run):
            if one is not None:
                one.close()


def handed(kind, saved, resume, **options):
    """Return what a trainer is handed, the sampler in it, and what sees its batches."""
    loader, sampler = make(kind, saved, **options)
    return loader, sampler, Seen(kind, loader, sampler, saved, resumed=resume is not None)


def stored(rank):
    """Return a dataset that numbers can be kept beside, made by the first rank."""
    if rank:
        return None
    ds = penstock.empty(str(Path(tempfile.mkdtemp(), "ds")))
    ds.create_tensor("labels", htype="class_label", class_names=["often", "rare"])
    ds.extend({"labels": LABELS[:, None].tolist()})
    ds.commit("made")
    return ds.path


def wrong(kind, saved, world):
    """Return what the run does not have as it was drawn; nothing if all is right."""
    drawn = draws(kind, world)
    last = {row: position for position, row in enumerate(drawn)}
    signals = penstock.load(saved["dataset"], read_only=True).signals(saved["run"])
    seen = np.array(sorted(last))
    found = {kind: signals.values("loss", kind) for kind in ("last", "mean", "count", "position")}
    right = {
        "last": seen / 4,
        "mean": seen / 4,
        "count": np.bincount(drawn, minlength=len(LABELS))[seen],
        "position": np.array([last[row] for row in seen.tolist()]),
    }
    names = [name for name, values in right.items() if not np.array_equal(found[name][seen], values)]
    unseen = np.setdiff1d(np.arange(len(LABELS)), seen)
    if not np.isnan(found["last"][unseen]).all():
        names.append("samples that were never drawn")
    epochs = penstock.load(saved["dataset"], read_only=True).runs[saved["run"]].num_epochs
    if epochs < EPOCHS - 1:
        names.append(f"epochs, {epochs} of {EPOCHS}")
    return f"recorded {', '.join(names)}" if names else ""
