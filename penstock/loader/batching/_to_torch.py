"""Batches of arrays to batches of tensors."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from penstock.errors import LoaderError, MissingDependencyError, SamplingError
from penstock.sampling.samplers._processes import own_rank, world_size_of_group

__all__ = [
    "agree",
    "require_torch",
    "to_tensors",
    "warn_if_nobody_shares",
    "warn_of_draws_left",
    "warn_of_place_given_up",
    "world",
]


def require_torch() -> Any:
    """Return torch, or tell how to get it."""
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError(
            ".pytorch() needs torch, which is not installed", hint="pip install 'penstock[torch]'"
        ) from error
    return torch


def to_tensors(value: Any, *, pin: bool = False) -> Any:
    """Return a batch with its arrays as tensors, sharing memory."""
    torch = require_torch()
    if isinstance(value, np.ndarray):
        value = _from_array(torch, value)
    if isinstance(value, torch.Tensor):
        return value.pin_memory() if pin and torch.cuda.is_available() else value
    if isinstance(value, dict):
        return {name: to_tensors(item, pin=pin) for name, item in value.items()}
    if isinstance(value, list):
        return [to_tensors(item, pin=pin) for item in value]
    return _to_tuple(value, pin=pin) if isinstance(value, tuple) else value


def _from_array(torch: Any, value: np.ndarray[Any, Any]) -> Any:
    if value.dtype.kind not in "biufc":
        return value.tolist()
    return torch.from_numpy(value if value.flags.writeable else value.copy())


def _to_tuple(value: tuple[Any, ...], *, pin: bool) -> Any:
    items = [to_tensors(item, pin=pin) for item in value]
    return type(value)(*items) if hasattr(value, "_fields") else tuple(items)


def world() -> tuple[int, int]:
    """Return this process's rank and the number of processes; a single process is rank 0 of 1.

    Raises
    ------
    LoaderError
        If a launcher started several processes, and torch.distributed is not initialized.
    """
    try:
        return own_rank()
    except SamplingError as error:
        message = str(error).split(". Hint")[0]
        raise LoaderError(message, hint="call torch.distributed.init_process_group() first") from None


def warn_if_nobody_shares(distributed: bool | None) -> bool:
    """Warn where several processes each have all batches, and nobody chose that; return whether it warned."""
    size = world_size_of_group()
    if distributed is not None or size == 1:
        return False
    warnings.warn(
        f"each of the {size} processes of torch.distributed gets every batch of this loader; distributed=True "
        "in .pytorch() splits them among the processes, distributed=False confirms that this is intended",
        stacklevel=6,
    )
    return True


def warn_of_place_given_up(epoch: int, draws: int, of: int) -> None:
    """Warn that a restored place is lost."""
    warnings.warn(f"set_epoch({epoch}) discards the restored position, {draws} draws into epoch {of}", stacklevel=4)


def warn_of_draws_left(epoch: int, left: int, of: int) -> None:
    """Warn of a trainer that goes on to the next epoch before the end of this one."""
    warnings.warn(
        f"epoch {epoch} was left with {left} of its {of} draws not read, and no later epoch makes up for them: "
        "coverage and certificate of the plan do not hold. Trainers that read fewer batches need a plan of "
        f"that size, here size={of - left}",
        stacklevel=4,
    )


def agree(mine: Mapping[str, Any]) -> None:
    """Make sure that all processes say the same.

    Parameters
    ----------
    mine : mapping of str to Any
        What this process has, by what it is called in a message.

    Raises
    ------
    LoaderError
        On every rank, if two of them differ; the message says in what.
    """
    distributed = require_torch().distributed
    gathered: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(gathered, dict(mine))
    for rank, other in enumerate(gathered):
        for name, value in gathered[0].items():
            if other[name] != value:
                raise LoaderError(
                    f"the ranks disagree on {name}: rank 0 has {value!r}, rank {rank} has {other[name]!r}",
                    hint="build the same loader and load the same state on every rank",
                )
