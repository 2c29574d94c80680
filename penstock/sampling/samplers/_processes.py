"""Which processes share a stream, and who takes rows from a sampler; torch and accelerate are looked at, not loaded."""

from __future__ import annotations

import os
import sys
from typing import Any

from penstock.errors import SamplingError

__all__ = [
    "consumer_of_caller",
    "dispatched_batches_skipped",
    "epoch_of_accelerate",
    "epoch_of_lightning",
    "is_lightning_wrapper",
    "num_processes_of_accelerate",
    "own_rank",
    "world_size_of_group",
]


_FAR = 24
"""Callers that are looked at; a loader with workers is about ten calls away."""


def _group() -> Any:
    torch: Any = sys.modules.get("torch")
    group = getattr(torch, "distributed", None)
    return group if group is not None and group.is_available() and group.is_initialized() else None


def world_size_of_group() -> int:
    """Return the number of processes of torch.distributed; 1 where it is not running."""
    group = _group()
    return 1 if group is None else int(group.get_world_size())


def own_rank() -> tuple[int, int]:
    """Return rank and world size of torch.distributed; a single process is rank 0 of 1.

    Raises
    ------
    SamplingError
        If a launcher started several processes, and torch.distributed is not initialized.
    """
    group = _group()
    if group is not None:
        return int(group.get_rank()), int(group.get_world_size())
    launched = os.environ.get("WORLD_SIZE", "1")
    if launched.isdecimal() and int(launched) > 1:
        raise SamplingError(
            f"distributed=True: WORLD_SIZE is {launched}, but torch.distributed is not initialized",
            hint="call torch.distributed.init_process_group() first, or pass rank= and world_size=",
        )
    return 0, 1


def num_processes_of_accelerate() -> int:
    """Return the number of processes among which accelerate shares out batches; 1 where it is not in use."""
    state: Any = getattr(sys.modules.get("accelerate.state"), "PartialState", None)
    shared = getattr(state, "_shared_state", {})
    return int(shared.get("num_processes", 1))


def consumer_of_caller(depth: int) -> Any:
    """Return the object whose method calls `iter` on a sampler, `depth` calls above; None where it is not a method."""
    try:
        return sys._getframe(depth + 1).f_locals.get("self")  # noqa: SLF001  a DataLoader does not introduce itself
    except ValueError:
        return None


def epoch_of_accelerate() -> int | None:
    """Return the epoch of the accelerate loader that is asking for rows, None where none is.

    Its `set_epoch` ends at the sampler of its own batch sampler: behind a `SkipBatchSampler` and a `BatchSamplerShard`,
    as in a resume with several processes, nothing is called, and neither of them knows the epoch. Only the loader
    does, which is not passed on.
    """
    loader = _caller("accelerate.data_loader", "__iter__", "iteration")
    epoch = getattr(loader, "iteration", None)
    return epoch if isinstance(epoch, int) else None


def dispatched_batches_skipped() -> int:
    """Return the batches that accelerate is skipping where one process reads for all of them, 0 where it does not."""
    loader = _caller("accelerate.data_loader", "__iter__", "iteration")
    if type(loader).__name__ != "DataLoaderDispatcher" or getattr(loader, "split_batches", False):
        return 0
    return int(getattr(getattr(loader, "batch_sampler", None), "skip_batches", 0))


def epoch_of_lightning() -> int | None:
    """Return the epoch that Lightning's Trainer is setting up a DataLoader for, None where it is not.

    A DataLoader with workers begins to read there, before Lightning calls `set_epoch`, and what it has read ahead is
    trained on.
    """
    loop = _caller("lightning.pytorch.loops.fit_loop", "setup_data", "epoch_progress") or _caller(
        "pytorch_lightning.loops.fit_loop", "setup_data", "epoch_progress"
    )
    epoch = getattr(getattr(getattr(loop, "epoch_progress", None), "current", None), "processed", None)
    return epoch if isinstance(epoch, int) else None


def _caller(module: str, method: str, attribute: str) -> Any:
    """Return the object with an attribute whose method of a module is under way above, None where there is none."""
    if module not in sys.modules:
        return None
    frame = sys._getframe(1).f_back  # noqa: SLF001  what asks for rows is only to be found among the callers
    for _ in range(_FAR):
        if frame is None:
            return None
        if frame.f_code.co_name == method and frame.f_globals.get("__name__") == module:
            caller = frame.f_locals.get("self")
            if hasattr(caller, attribute):
                return caller
        frame = frame.f_back
    return None


def is_lightning_wrapper(consumer: object) -> bool:
    """Tell whether Lightning is about to put the draws of a sampler into another order."""
    return type(consumer).__name__ == "_DatasetSamplerWrapper"
