"""The valid values of `shuffle`, and the random orders that follow from them.

A `RandomState`, or numpy's own with ``shuffle=True``, is asked exactly what BatchUp asks it. A seed or a `Generator`
names a stream of `penstock.sampling`, which is the same on every machine and in every release of numpy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataSourceTypeError
from penstock.sampling import IndexStream, ShuffledStream

__all__ = ["Seeded", "chosen_order", "cut_passes", "cut_stream", "orders_of", "permuted", "rng_of", "seed_of"]

_WORD = (1 << 64) - 1
_ROWS_AT_ONCE = 1 << 14


class Seeded(np.random.Generator):
    """A generator that knows its seed, which names a stream of `penstock.sampling`.

    Parameters
    ----------
    seed : int
        In ``[0, 2**128)``.
    """

    def __init__(self, seed: int) -> None:
        self.seed = ShuffledStream(1, seed).seed
        super().__init__(np.random.PCG64(self.seed))

    def member(self, number: int) -> Seeded:
        """Return the generator of one of several sources that are shuffled independently."""
        low, high = np.random.SeedSequence([self.seed, number]).generate_state(2, np.uint64).tolist()
        return Seeded((high << 64) + low)


def rng_of(shuffle: Any) -> Any:
    """Return where random orders come from; None for samples in order.

    Parameters
    ----------
    shuffle : bool, None, int, RandomState or Generator
        What a user wrote.

    Raises
    ------
    DataSourceTypeError
        If it is none of these.
    SamplingError
        If it is a seed out of range.
    """
    if shuffle is None or (isinstance(shuffle, bool | np.bool_) and not shuffle):
        return None
    if isinstance(shuffle, bool | np.bool_):
        return np.random
    if isinstance(shuffle, int | np.integer):
        return Seeded(int(shuffle))
    if not isinstance(shuffle, type) and (isinstance(shuffle, np.random.Generator) or _is_legacy(shuffle)):
        return shuffle
    raise DataSourceTypeError(
        f"shuffle={shuffle!r} is not valid. "
        "Expected True, a RandomState, a Generator, a seed, or None for samples in order"
    )


def _is_legacy(shuffle: Any) -> bool:
    return all(callable(getattr(shuffle, name, None)) for name in ("permutation", "shuffle", "random_sample"))


def seed_of(rng: np.random.Generator) -> int:
    """Return the next stream seed of a generator; a generator with the same seed returns the same one."""
    if isinstance(rng, Seeded):
        return rng.seed
    with rng.bit_generator.lock:
        return int(rng.bit_generator.random_raw()) & _WORD


def orders_of(rng: Any, count: int) -> Iterator[NDArray[np.int64]]:
    """Yield one random order of ``range(count)`` after another, without end."""
    if not isinstance(rng, np.random.Generator):
        while True:
            yield rng.permutation(count)
    stream = ShuffledStream(count, seed_of(rng))
    epoch = 0
    while True:
        yield stream.epoch(epoch)
        epoch += 1


def permuted(rng: Any, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return an array in random order."""
    if isinstance(rng, np.random.Generator):
        return values[next(orders_of(rng, len(values)))]
    shuffled = values.copy()
    rng.shuffle(shuffled)
    return shuffled


def chosen_order(order: NDArray[np.int64], indices: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Return the samples at some places of a subset; of all samples the places themselves."""
    return order if indices is None else indices.take(order)


def cut_passes(
    passes: Iterator[NDArray[np.int64]], length: int, repeats: int, batch_size: int
) -> Iterator[NDArray[np.int64]]:
    """Cut orders of a data set that follow one another into batches.

    Parameters
    ----------
    passes : iterator of ndarray of int64, shape (length,)
        One order after another. With several passes one more is taken when the last is over, as BatchUp does: a
        generator that several iterations share so stays where BatchUp's would be.
    length : int
        Samples of a pass.
    repeats : int
        How many passes; -1 without end.
    batch_size : int
        A batch may go beyond the end of a pass, or hold several.
    """
    order = next(passes)
    if repeats == 1:
        for start in range(0, length, batch_size):
            yield order[start : start + batch_size]
        return
    start = 0
    while repeats:
        if start + batch_size <= length:
            yield order[start : start + batch_size]
            start += batch_size
            continue
        parts, missing = [], batch_size
        while missing and repeats:
            parts.append(order[start : start + missing])
            missing -= len(parts[-1])
            start += len(parts[-1])
            if start == length:
                order, start = next(passes), 0
                repeats -= repeats > 0
        batch = np.concatenate(parts)
        if len(batch):
            yield batch


def cut_stream(
    stream: IndexStream, total: int | None, batch_size: int, indices: NDArray[np.int64] | None = None
) -> Iterator[NDArray[np.int64]]:
    """Cut the first draws of a stream into batches, all of it where `total` is None; drawn some batches at a time."""
    step = max(_ROWS_AT_ONCE // batch_size, 1) * batch_size
    first = 0
    while total is None or first < total:
        last = first + step if total is None else min(first + step, total)
        rows = chosen_order(stream.slice(first, last), indices)
        for start in range(0, last - first, batch_size):
            yield rows[start : start + batch_size]
        first = last
