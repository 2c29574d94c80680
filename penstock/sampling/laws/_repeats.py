"""Pools that hold a row of the dataset at several positions: what is seen are rows, what is drawn are positions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.laws._unseen import OnceLaw
from penstock.sampling.pool._build import by_weights, first_positions
from penstock.sampling.pool._grouping import dense_codes
from penstock.sampling.pool._groups import Groups
from penstock.sampling.pool._statistics import bins_of
from penstock.sampling.random._hypergeometric import hypergeometric
from penstock.sampling.random._philox import words

__all__ = ["PassLaw", "folded_rows", "folded_statistics"]

_CODES: Final = 11

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_G = TypeVar("_G", bound=Groups)


def folded_rows(strata: _G, weights: Floats) -> _G:
    """Return the distinct rows of a pool, each with the summed weight of its positions.

    Parameters
    ----------
    strata : Groups
        A pool in which rows repeat.
    weights : ndarray of float64, shape (num_strata,)
        Weight of a position of each stratum.
    """
    identity = strata.identity
    if identity is None:
        return strata
    first = first_positions(identity)
    summed: Floats = np.bincount(identity, weights[strata.ids], len(first)).astype(np.float64, copy=False)
    grouping, distinct = by_weights(summed)
    labels = None if strata.labels is None else strata.labels.take(first)
    return replace(
        strata,
        ids=grouping.ids,
        sizes=grouping.sizes,
        matches=grouping.matches,
        expressions=(),
        labels=labels,
        level="bins",
        row_weights=distinct,
        row_numbers=None if labels is None else labels.row_numbers,
    )


def folded_statistics(strata: Groups) -> dict[str, NDArray[Any]]:
    """Return what a browser needs to tell distinct rows from positions; nothing where no row repeats.

    Distinct rows are grouped by the positions they have in each stratum: ``fold_offsets`` and ``fold_strata`` say in
    which, ``fold_times`` how many; ``fold_sizes`` the rows of a group; ``fold_class_offsets``, ``fold_class_ids`` and
    ``fold_rows_with_class`` how many of them have which class.
    """
    identity = strata.identity
    if identity is None:
        return {}
    ids = strata.ids if strata.row_weights is None else bins_of(strata)[1][strata.ids]
    group, first = _groups(identity, ids.astype(np.int64))
    owners, members, times = _held(identity, ids.astype(np.int64))
    shown = np.isin(owners, first)
    places = group[owners[shown]]
    order = np.argsort(places, kind="stable")
    sizes = np.bincount(group, minlength=len(first))
    found: dict[str, NDArray[Any]] = {
        "fold_sizes": sizes.astype(np.float64),
        "fold_offsets": np.searchsorted(places[order], np.arange(len(first) + 1)).astype(np.int32),
        "fold_strata": members[shown][order].astype(np.int32),
        "fold_times": times[shown][order].astype(np.float64),
    }
    return {**found, **_folded_classes(strata, identity, group, len(first))}


def _held(identity: Ints, ids: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the strata each distinct row has positions in, and how many, ordered by both."""
    width = int(ids.max()) + 1
    # row and stratum as one number
    joint, counts = np.unique(identity * width + ids, return_counts=True)
    owners, members = np.divmod(joint, width)
    return owners, members, counts


def _groups(identity: Ints, ids: Ints) -> tuple[Ints, Ints]:
    """Return the group of each distinct row, and the first row of each group."""
    owners, members, counts = _held(identity, ids)
    _, kinds = np.unique(members * (int(counts.max()) + 1) + counts, return_inverse=True)
    # what a row holds as one number: the sum of a random 64-bit word for each (stratum, count) it has
    codes = words(0, (_CODES, 0, 0), 0, int(kinds.max()) + 1)
    begins = np.flatnonzero(np.diff(owners, prepend=-1))
    _, first, group = np.unique(np.add.reduceat(codes[kinds], begins), return_index=True, return_inverse=True)
    return group, first


def _folded_classes(strata: Groups, identity: Ints, group: Ints, count: int) -> dict[str, NDArray[Any]]:
    labels = None if strata.labels is None else strata.labels.take(first_positions(identity))
    if labels is None:
        none = np.zeros(0, np.int32)
        return {
            "fold_class_offsets": np.zeros(count + 1, np.int32),
            "fold_class_ids": none,
            "fold_rows_with_class": none.astype(np.float64),
        }
    rows, classes, _ = labels.entries
    joint = group[rows] * np.int64(labels.num_classes) + classes
    codes, distinct = dense_codes(joint, count * labels.num_classes)
    owners, members = np.divmod(distinct, max(labels.num_classes, 1))
    return {
        "fold_class_offsets": np.searchsorted(owners, np.arange(count + 1)).astype(np.int32),
        "fold_class_ids": members.astype(np.int32),
        "fold_rows_with_class": np.bincount(codes, minlength=len(distinct)).astype(np.float64),
    }


class PassLaw(OnceLaw):
    """Every position once an epoch, in random order, of which the first `num_draws` are delivered.

    Of ``N`` positions a row has ``m``. An epoch misses it with probability ``C(N - m, d) / C(N, d)``, and two rows
    with that of ``m + m'``; epochs are independent. All is exact but the law of few left, which takes rows as
    independent.

    Parameters
    ----------
    sizes : ndarray of int64, shape (num_groups,)
        Rows of each group.
    times : ndarray of float64, shape (num_groups,)
        Positions of a row of each group; all different.
    num_positions : int
        Positions of the pool.
    num_draws : int
        Draws delivered per epoch.
    """

    def __init__(self, sizes: Ints, times: Floats, num_positions: int, num_draws: int) -> None:
        self._rows = sizes.astype(np.float64)
        self._times = times.astype(np.int64)
        self._positions = num_positions
        self._draws = min(num_draws, num_positions)
        self._log_missed = _log_missed(2 * int(self._times.max()), num_positions, self._draws)
        super().__init__(sizes, -np.expm1(self._log_missed[self._times]))

    def moments(self, epochs: Ints) -> tuple[Floats, Floats]:
        """Return mean and variance of the unseen rows."""
        moments = [self._unseen(float(epoch)) for epoch in epochs]
        return np.array([mean for mean, _ in moments]), np.array([variance for _, variance in moments])

    def _unseen(self, epoch: float) -> tuple[float, float]:
        rows, times = self._rows, self._times
        missed = np.exp(epoch * self._log_missed[times])
        both = np.exp(epoch * self._log_missed[times[:, None] + times])
        variance = rows @ (both - np.outer(missed, missed)) @ rows + rows @ (missed - np.diag(both))
        return float(rows @ missed), max(float(variance), 0.0)

    def times_seen(self, epoch: int, max_times: int) -> tuple[Floats, Ints]:
        """Return the law of each group's draws: hypergeometric in an epoch, added up over epochs."""
        owner, count, mass = hypergeometric(self._times, self._draws, self._positions)
        of_epoch = np.zeros((len(self._times), int(self._times.max()) + 1))
        of_epoch[owner, count] = mass
        laws = [_repeated(law, epoch, max_times) for law in of_epoch]
        return np.minimum(np.cumsum(np.stack(laws), axis=1), 1.0), np.arange(len(laws))


def _log_missed(most: int, positions: int, draws: int) -> Floats:
    """Return ``log(C(N - k, d) / C(N, d))`` for k = 0 .. most."""
    gone = np.arange(most, dtype=np.float64)
    kept = np.maximum(positions - draws - gone, 0.0) / np.maximum(positions - gone, 1.0)
    with np.errstate(divide="ignore"):
        return np.concatenate([np.zeros(1), np.cumsum(np.log(kept))])


def _repeated(law: Floats, epochs: int, max_count: int) -> Floats:
    """Return the law of the sum over epochs, cut after `max_count`."""
    # by squaring: the law of 2, 4, 8, ... epochs, those of the bits of `epochs` convolved
    total, power = np.ones(1), law
    while epochs:
        if epochs % 2:
            total = np.convolve(total, power)[: max_count + 1]
        power = np.convolve(power, power)[: max_count + 1]
        epochs //= 2
    return np.pad(total, (0, max_count + 1 - len(total)))
