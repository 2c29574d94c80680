"""Samples divided into folds of equal size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from penstock.dataset.samples._content import Content
from penstock.dataset.views.splits._split import Division, Method, divide
from penstock.errors import DatasetError

__all__ = ["divided_into_folds"]


def divided_into_folds(
    content: Content,
    num_folds: int,
    *,
    stratify: str | Sequence[str] | None,
    group: str | None,
    method: Method | None,
    seed: int | None,
) -> Division:
    """Return the fold of each sample."""
    if isinstance(num_folds, bool) or not isinstance(num_folds, int | np.integer) or num_folds < 2:
        raise DatasetError(f"num_folds={num_folds!r} is not valid. Expected an integer of 2 or more")
    if num_folds > len(content):
        raise DatasetError(f"{len(content):,} samples are too few for {num_folds:,} folds. Expected as many samples")
    shares = {str(number): 1 / num_folds for number in range(num_folds)}
    division = divide(content, shares, stratify=stratify, group=group, method=method, seed=seed)
    if division.number is not None and int(division.number.max()) + 1 < num_folds:
        raise DatasetError(
            f"{int(division.number.max()) + 1:,} groups of {group!r} are too few for {num_folds:,} folds. "
            "Expected as many groups"
        )
    return division
