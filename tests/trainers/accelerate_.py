"""Accelerate, and the Hugging Face Trainer on top of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from tests.trainers.handed import EPOCHS, make, rows_of


def train(kind, world, saved, resume=None):
    from accelerate import Accelerator, skip_first_batches

    loader = Accelerator(cpu=True).prepare(make(kind)[0])
    steps, seen = len(loader), []
    first = 0 if resume is None else resume
    for epoch in range(first // steps, EPOCHS):
        loader.set_epoch(epoch)
        skipped = first % steps if epoch == first // steps else 0
        for batch in skip_first_batches(loader, skipped) if skipped else loader:
            seen.append(rows_of(batch))
            if resume is None:
                saved[len(seen)] = None  # the step alone is what a script with accelerate saves
    return seen


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def forward(self, index, **_):
        self.seen.append(rows_of(index))
        return {"loss": self.weight.sum()}


def as_index(batch):
    return {"index": batch} if isinstance(batch, torch.Tensor) else batch


def hugging_face(kind, world, saved, resume=None):
    from torch.utils.data import default_collate
    from transformers import Trainer, TrainingArguments

    class OwnLoader(Trainer):
        def get_train_dataloader(self):
            loader = make(kind)[0]
            if kind != "Loader":
                loader.collate_fn = lambda samples: {"index": default_collate(samples)}
            return self.accelerator.prepare(loader)

    saved["folder"] = saved.get("folder") or tempfile.mkdtemp()
    model = Model()
    arguments = TrainingArguments(
        saved["folder"], num_train_epochs=EPOCHS, per_device_train_batch_size=8, save_steps=1, report_to="none",
        use_cpu=True, disable_tqdm=True, save_strategy="steps" if resume is None else "no", save_total_limit=None,
        remove_unused_columns=False, logging_strategy="no", ddp_backend="gloo" if world > 1 else None,
    )  # fmt: skip
    trainer = OwnLoader(model=model, args=arguments)
    trainer.train(resume_from_checkpoint=saved[resume] if resume else None)
    if resume is None:
        for path in Path(saved["folder"]).glob("checkpoint-*"):
            saved[int(path.name.split("-")[1])] = str(path)
    return model.seen
