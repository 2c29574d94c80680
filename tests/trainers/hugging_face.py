"""The Hugging Face Trainer, on top of Accelerate."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch.utils.data import default_collate
from transformers import Trainer, TrainerCallback, TrainingArguments

from tests.trainers.handed import EPOCHS
from tests.trainers.recorded import handed


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, **_):
        return {"loss": self.weight.sum()}


def train(kind, world, saved, resume=None):
    loader, _, seen = handed(kind, saved, resume)

    class OwnLoader(Trainer):
        def get_train_dataloader(self):
            if not kind.startswith("Loader"):
                loader.collate_fn = lambda samples: {"index": default_collate(samples)}
            return self.accelerator.prepare(loader)

        def compute_loss(self, model, inputs, **_):
            seen.see(inputs)
            return model(**inputs)["loss"]

    class EndOfEpoch(TrainerCallback):
        def on_epoch_end(self, *_, **__):
            seen.end_epoch()

    saved["folder"] = saved.get("folder") or tempfile.mkdtemp()
    arguments = TrainingArguments(
        saved["folder"], num_train_epochs=EPOCHS, per_device_train_batch_size=8, save_steps=1, report_to="none",
        use_cpu=True, disable_tqdm=True, save_strategy="steps" if resume is None else "no", save_total_limit=None,
        remove_unused_columns=False, logging_strategy="no", ddp_backend="gloo" if world > 1 else None, ddp_find_unused_parameters=False,
    )  # fmt: skip
    trainer = OwnLoader(model=Model(), args=arguments, callbacks=[EndOfEpoch()])
    trainer.train(resume_from_checkpoint=saved[resume] if resume else None)
    if resume is None:
        for path in Path(saved["folder"]).glob("checkpoint-*"):
            saved[int(path.name.split("-")[1])] = str(path)
    return seen
