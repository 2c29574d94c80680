"""Draws without replacement: who is in, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling.pool._groups import Groups
from penstock.sampling.random._permute import sorted_order
from penstock.sampling.random._philox import ONCE, ONCE_ORDER, units, words
from penstock.sampling.streams._stream import Stream, by_epoch

__all__ = ["OnceStream", "inclusion"]

_BLOCK = 1 << 14
_MAX_STEPS = 500


def inclusion(sizes: NDArray[np.int64], weights: NDArray[np.float64], num_draws: int) -> NDArray[np.float64]:
    """Return the probability that a row of each stratum is among the draws.

    ``1 - exp(-w T)`` with ``sum n (1 - exp(-w T)) = num_draws``: exact where all weights are equal, else right up to
    the order of one row. ``T`` by Newton's steps from ``num_draws / sum n w``, which come from below; they end where
    a step is below ``1e-15 T``.

    Parameters
    ----------
    sizes : ndarray of int64, shape (num_strata,)
        Rows of each stratum.
    weights : ndarray of float64, shape (num_strata,)
        Weight of a row.
    num_draws : int
        At most the rows with a positive weight.

    Returns
    -------
    ndarray of float64, shape (num_strata,)

    References
    ----------
    P. S. Efraimidis, P. G. Spirakis, Weighted random sampling with a reservoir, 2006: the keys; B. Rosen, Asymptotic
    theory for order sampling, 1997: the inclusion probabilities.
    """
    live = weights > 0
    if num_draws >= sizes[live].sum():
        return live.astype(np.float64)
    scaled = weights / weights.max()
    time = num_draws / float((sizes * scaled).sum())
    for _ in range(_MAX_STEPS):
        left = np.exp(-scaled * time)
        step = (num_draws - float((sizes * -np.expm1(-scaled * time)).sum())) / float((sizes * scaled * left).sum())
        time += step
        if abs(step) <= 1e-15 * time:
            break
    return np.asarray(-np.expm1(-scaled * time))


class OnceStream(Stream):
    """Weighted draws without replacement, anew each epoch.

    Row ``i`` gets the key ``-log(1 - u) / w`` with ``u`` from word ``i`` of the epoch; the `size` smallest keys are
    in, shuffled, so that any part of an epoch has the epoch's composition. Arming an epoch is O(num_rows); it is
    kept while it is read.

    Parameters
    ----------
    strata : Groups
        The pool.
    weights : ndarray of float64, shape (num_strata,)
        Weight of a row of each stratum.
    size : int
        Draws per epoch, at most the rows with a positive weight.
    seed : int
        In ``[0, 2**128)``.
    identity : callable
        Returns what else tells this stream from others: the spec. Called when a fingerprint is asked for.
    """

    def __init__(
        self, strata: Groups, weights: NDArray[np.float64], *, size: int, seed: int, identity: Callable[[], str]
    ) -> None:
        super().__init__(size, seed)
        drawable = int(strata.sizes[weights > 0].sum())
        if size > drawable:
            raise SamplingError(
                f"{size} draws without replacement. Expected at most {drawable}, the rows with a weight above 0"
            )
        self._drawable = drawable
        self._strata = strata
        self._weights = weights
        self._name = identity
        self._armed: tuple[int, NDArray[np.integer]] | None = None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of spec and strata."""
        return super().fingerprint

    def _identity(self) -> str:
        return self._name() + self._strata.fingerprint

    def _draw(self, start: int, stop: int) -> NDArray[np.int64]:
        return by_epoch(start, stop, self.size, self._of_epoch)

    def _of_epoch(self, epoch: int, first: int, last: int) -> NDArray[np.int64]:
        kept = self._armed
        if kept is None or kept[0] != epoch:
            kept = (epoch, self._arm(epoch))
            self._armed = kept
        return kept[1][first:last].astype(np.int64)

    def _arm(self, epoch: int) -> NDArray[np.integer]:
        chosen = self._chosen(epoch)
        order = sorted_order(words(self.seed, (ONCE_ORDER, epoch, 0), 0, len(chosen)))
        return chosen.take(order, 0, None, "clip")  # the only mode that neither checks nor buffers

    def _chosen(self, epoch: int) -> NDArray[np.integer]:
        """Return the rows that are in, ascending."""
        dtype = self._strata.rows.dtype
        if self.size == self._drawable:
            return self._all_drawable.astype(dtype)
        keys = self._keys(epoch)
        limit = np.partition(keys, self.size - 1)[self.size - 1]
        chosen = np.flatnonzero(keys <= limit)
        surplus = len(chosen) - self.size
        if surplus:  # of equal keys the first rows are in
            at_limit = np.flatnonzero(keys[chosen] == limit)
            chosen = np.delete(chosen, at_limit[-surplus:])
        return chosen.astype(dtype)

    @property
    def _all_drawable(self) -> NDArray[np.int64]:
        live = self._weights > 0
        return np.arange(self._strata.num_rows) if live.all() else np.flatnonzero(live[self._strata.ids])

    def _keys(self, epoch: int) -> NDArray[np.float64]:
        keys = np.empty(self._strata.num_rows)
        live = self._weights > 0
        slowness = 1 / np.where(live, self._weights, 1.0)
        for start in range(0, len(keys), _BLOCK):
            part = self._strata.ids[start : start + _BLOCK]
            drawn = units(words(self.seed, (ONCE, epoch, 0), start, len(part)))
            # -log(1 - u) / w, in place
            np.log1p(np.negative(drawn, out=drawn), out=drawn)
            np.negative(drawn, out=drawn)
            np.multiply(drawn, slowness[part], out=keys[start : start + _BLOCK])
            if not live.all():
                keys[start : start + _BLOCK][~live[part]] = np.inf
        return keys
