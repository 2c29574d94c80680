"""The Hugging Face Trainer, on top of Accelerate."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch.utils.data import default_collate
from transformers import Trainer, TrainingArguments

from tests.trainers.handed import EPOCHS, make, rows_of


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def forward(self, index, **_):
        self.seen.append(rows_of(index))
        return {"loss": self.weight.sum()}


def train(kind, world, saved, resume=None):
    class OwnLoader(Trainer):
        def get_train_dataloader(self):
            loader = make(kind)[0]
            if not kind.startswith("Loader"):
                loader.collate_fn = lambda samples: {"index": default_collate(samples)}
            return self.accelerator.prepare(loader)

    saved["folder"] = saved.get("folder") or tempfile.mkdtemp()
    model = Model()
    arguments = TrainingArguments(
        saved["folder"], num_train_epochs=EPOCHS, per_device_train_batch_size=8, save_steps=1, report_to="none",
        use_cpu=True, disable_tqdm=True, save_strategy="steps" if resume is None else "no", save_total_limit=None,
        remove_unused_columns=False, logging_strategy="no", ddp_backend="gloo" if world > 1 else None, ddp_find_unused_parameters=False,
    )  # fmt: skip
    trainer = OwnLoader(model=model, args=arguments)
    trainer.train(resume_from_checkpoint=saved[resume] if resume else None)
    if resume is None:
        for path in Path(saved["folder"]).glob("checkpoint-*"):
            saved[int(path.name.split("-")[1])] = str(path)
    return model.seen
