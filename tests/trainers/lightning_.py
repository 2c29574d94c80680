"""Lightning's Trainer."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from penstock.trainers import LightningResume
from tests.trainers.handed import EPOCHS
from tests.trainers.recorded import handed

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Model(pl.LightningModule):
    def __init__(self, seen):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = seen

    def training_step(self, batch, _):
        self.seen.see(batch)
        return self.weight.sum()

    def on_train_epoch_end(self):
        self.seen.end_epoch()

    def validation_step(self, batch, _):
        pass

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(loader, seen, world, callbacks, resume=None, max_epochs=EPOCHS, **options):
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = pl.Trainer(
        max_epochs=max_epochs, accelerator="cpu", devices=world, strategy="ddp" if world > 1 else "auto",
        callbacks=callbacks, enable_checkpointing=any(isinstance(c, ModelCheckpoint) for c in callbacks),
        **quiet, **options,
    )  # fmt: skip
    trainer.fit(Model(seen), loader, ckpt_path=resume, weights_only=False)
    return seen


def train(kind, world, saved, resume=None):
    # a batch sampler works with the default settings: Lightning tells it rank and world size
    own = "+ TorchSampler" in kind
    loader, sampler, seen = handed(kind, saved, resume, **({"distributed": True} if own else {}))
    options = {"use_distributed_sampler": False} if own else {}
    callbacks = [LightningResume(sampler)] if kind.startswith("DataLoader") else []
    if resume is None:
        saved["folder"] = saved.get("folder") or tempfile.mkdtemp()
        folder = Path(saved["folder"])
        each = ModelCheckpoint(folder / "steps", "{step}", every_n_train_steps=1, save_top_k=-1)
        ends = ModelCheckpoint(folder / "epochs", "{step}", every_n_epochs=1, save_top_k=-1)
        fit(loader, seen, world, [*callbacks, each, ends], **options)
        for path in folder.glob("*/*.ckpt"):
            step = int(path.stem.split("=")[1])
            saved[step if path.parent.name == "steps" else f"end of epoch {step}"] = str(path)
        return seen
    return fit(loader, seen, world, callbacks, saved[resume], **options)
