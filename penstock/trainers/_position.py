"""The position of training in the sampler or loader of a DataLoader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from penstock.errors import LoaderError
from penstock.loader import Loader
from penstock.sampling import TorchBatchSampler, TorchSampler

__all__ = ["Resumable", "checked", "in_use", "state_of"]


class Resumable(Protocol):
    """A sampler of penstock, or a loader."""

    def state_dict(self) -> dict[str, Any]:
        """Return its position."""
        ...

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        """Go on where a state was taken."""
        ...


def checked(given: Any) -> Resumable:
    """Return a loader or a sampler of penstock."""
    if not all(hasattr(given, name) for name in ("state_dict", "load_state_dict", "set_epoch")):
        raise LoaderError(
            f"a {type(given).__name__} cannot be resumed. Expected a TorchSampler, TorchBatchSampler or Loader",
            hint="pass the object that you passed to DataLoader(sampler=...) or DataLoader(batch_sampler=...)",
        )
    resumable: Resumable = given
    return resumable


def in_use(dataloader: Any, given: Resumable) -> Resumable:
    """Return the sampler that a trainer's dataloader uses: the trainer may have copied or recreated it."""
    if isinstance(given, Loader) and isinstance(dataloader, Loader):
        return dataloader
    batches = getattr(dataloader, "batch_sampler", None)
    for sampler in (batches, getattr(batches, "sampler", None), getattr(dataloader, "sampler", None)):
        if isinstance(sampler, TorchSampler | TorchBatchSampler):
            return sampler
    return given


def state_of(dataloader: Any, given: Resumable, num_batches: int) -> dict[str, Any]:
    """Return the state after some batches of this run of the epoch.

    Parameters
    ----------
    dataloader : DataLoader or Loader
        What the trainer iterates; its sampler may be another one than was given to it.
    given : Resumable
        What it was made of.
    num_batches : int
        Batches that training has had since the run began; a DataLoader may have read more.
    """
    if isinstance(given, Loader) or not hasattr(dataloader, "batch_sampler"):
        return given.state_dict()
    batches = dataloader.batch_sampler
    of_batches = hasattr(batches, "load_state_dict")
    state: dict[str, Any] = (
        batches.state_dict(num_batches) if of_batches else batches.sampler.state_dict(num_batches * batches.batch_size)
    )
    return state
