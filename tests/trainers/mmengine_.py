"""mmengine's Runner."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.runner import Runner

from penstock.trainers import MMEngineResume
from tests.trainers.handed import EPOCHS
from tests.trainers.recorded import handed


class Model(BaseModel):
    def __init__(self, seen):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = seen

    def forward(self, index=None, mode="loss", **_):
        self.seen.see(index)
        return {"loss": self.weight.sum()}


class EndOfEpoch(Hook):
    def __init__(self, seen):
        self.seen = seen

    def after_train_epoch(self, runner):
        self.seen.end_epoch()


def as_index(samples):
    return {"index": torch.stack(samples)}


def train(kind, world, saved, resume=None):
    loader, sampler, seen = handed(kind, saved, resume, distributed=True)
    if not kind.startswith("Loader"):
        loader.collate_fn = as_index
    model = Model(seen)
    saved["folder"] = saved.get("folder") or tempfile.mkdtemp()
    every = {"type": "CheckpointHook", "interval": 1, "by_epoch": False} if resume is None else None
    runner = Runner(
        model=MMDistributedDataParallel(model) if world > 1 else model,  # the Runner itself would wrap it for GPUs only
        work_dir=saved["folder"], train_dataloader=loader, train_cfg={"by_epoch": True, "max_epochs": EPOCHS},
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.1}}, default_hooks={"checkpoint": every, "logger": None},
        custom_hooks=[MMEngineResume(sampler), EndOfEpoch(seen)], log_level=logging.ERROR, launcher="pytorch" if world > 1 else "none",
        load_from=None if resume is None else saved[resume], resume=resume is not None,
        experiment_name=f"{kind}{resume}".replace(" ", ""), log_processor={"by_epoch": True},
    )  # fmt: skip
    runner.train()
    if resume is None:
        for path in Path(saved["folder"]).glob("iter_*.pth"):
            saved[int(path.stem.split("_")[1])] = str(path)
    return seen
