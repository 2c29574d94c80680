"""Options of a session, checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from penstock.errors import SamplingError
from penstock.sampling import fresh_seed
from penstock.tensors import TensorSpec, label_tensor, label_tensors

__all__ = ["Unit", "checked_seed", "checked_unit", "present_labels"]

Unit = Literal["instances", "samples"]
_MAX_SEED = 2**53 - 1


def checked_seed(seed: int | None) -> int:
    """Return the seed, a fresh one for None; none that a browser would round."""
    if seed is None:
        return fresh_seed() & _MAX_SEED
    if seed > _MAX_SEED:
        raise SamplingError(f"seed {seed} is above 2**53 - 1, the largest whole number a browser holds exactly")
    return seed


def checked_unit(unit: Unit) -> Unit:
    """Return the unit of the bars."""
    if unit not in get_args(Unit):
        raise SamplingError(f"unit is {unit!r}. Expected instances or samples")
    return unit


def present_labels(wanted: str | None, tensors: Mapping[str, TensorSpec]) -> str | None:
    """Return the wanted class label tensor, the first one where another version has none of that name."""
    return label_tensor(tensors, wanted if wanted in label_tensors(tensors) else None)
