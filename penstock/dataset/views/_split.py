"""Split samples at random, optionally stratified by label sets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import Content
from penstock.errors import DatasetError
from penstock.table import Ragged

__all__ = ["split_positions"]

_ROUNDING = 1e-9


def split_positions(
    samples: Content, fractions: Mapping[str, float], *, stratify: str | None, seed: int | None
) -> dict[str, NDArray[np.int64]]:
    """Return the positions of each part, ascending."""
    shares = np.array(list(fractions.values()), np.float64)
    if not len(shares) or (shares < 0).any() or not np.isfinite(shares).all() or shares.sum() > 1 + _ROUNDING:
        raise DatasetError(
            f"the shares {dict(fractions)!r} are not valid. Expected shares of 0 or more that sum to at most 1"
        )
    rng = np.random.Generator(np.random.Philox(seed))
    strata = _strata(samples, stratify)
    part = np.full(len(samples), -1, np.int64)
    owed = np.zeros(len(shares) + 1)
    all_shares = np.append(shares, max(0.0, 1.0 - shares.sum()))
    for stratum in range(int(strata.max()) + 1 if len(strata) else 0):
        members = rng.permutation(np.flatnonzero(strata == stratum))
        owed += all_shares * len(members)
        sizes = _whole(owed, len(members))
        owed -= sizes
        part[members] = np.repeat(np.arange(len(sizes)), sizes)
    return {name: np.flatnonzero(part == index) for index, name in enumerate(fractions)}


def _whole(owed: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Return integer sizes that sum to `total`, by largest remainders; negative remainders get none."""
    wanted = np.clip(owed, 0, None)
    if wanted.sum() > 0:
        wanted *= total / wanted.sum()
    sizes = np.floor(wanted + _ROUNDING).astype(np.int64)
    order = np.argsort(-(wanted - sizes), kind="stable")
    sizes[order[: total - int(sizes.sum())]] += 1
    return sizes


def _strata(samples: Content, stratify: str | None) -> NDArray[np.int64]:
    if stratify is None:
        return np.zeros(len(samples), np.int64)
    spec = samples.spec(stratify)
    if spec.htype != "class_label":
        raise DatasetError(f"stratify={stratify!r} has htype {spec.shown_htype}. Expected a class_label tensor")
    return _label_sets(samples.table.column(stratify).take(samples.rows))


def _label_sets(column: Ragged) -> NDArray[np.int64]:
    """Return a number for each row's label set, by the sum of two random 64-bit words a class."""
    rows = np.repeat(np.arange(len(column)), column.lengths)
    pairs = np.unique(np.stack([rows, column.values.astype(np.int64)]), axis=1)
    classes = int(column.values.max()) + 1 if len(column.values) else 0
    words = np.random.Generator(np.random.Philox(0)).integers(0, 2**63, (classes, 2), np.uint64)
    keys = np.zeros((len(column), 2), np.uint64)
    np.add.at(keys, pairs[0], words[pairs[1]])
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
