"""Samples that can only be read one after the other, shuffled in a buffer of bounded size."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderError
from penstock.loader.place._seeding import generator_of
from penstock.loader.sources._first_sample import FirstSampleTable, named
from penstock.storage import renew_in_children
from penstock.table import Ragged, checked_rows, checked_tensor

__all__ = ["BufferedStream", "SequentialSource", "SequentialTable"]

_MEGABYTE = 1 << 20


class SequentialSource(Protocol):
    """Samples that come one after the other; a loader can read them."""

    def num_samples(self) -> int:
        """Return the number of samples of an epoch."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Start an epoch: samples that are mappings, tuples or single arrays."""
        ...


class SequentialTable(FirstSampleTable):
    """A `SequentialSource` seen as a table; a row can be taken once its stream has come to it.

    Parameters
    ----------
    source : SequentialSource
        What is read.

    Raises
    ------
    LoaderError
        If the source has no samples.
    """

    def __init__(self, source: SequentialSource) -> None:
        count: Any = source.num_samples
        num_rows = int(count() if callable(count) else count)
        first = next(iter(source), None)
        if first is None or num_rows < 1:
            raise LoaderError(f"the source reports {num_rows} samples and gives none. Expected at least 1")
        super().__init__(source, num_rows, named(first))
        self.source = source
        self.waiting: dict[int, dict[str, Any]] = {}

    def column(self, tensor: str) -> Ragged:
        """Refuse: nothing can be read by number."""
        checked_tensor(self._specs, tensor)
        self.refuse(f"the column {tensor!r}")

    def refuse(self, what: str) -> NoReturn:
        """Say that something needs samples by number."""
        raise LoaderError(
            f"{what} needs samples that can be read by number; this source is read in sequence",
            hint="give the source samples_by_indices",
        )

    def stacked(self, tensor: str, shape: tuple[int, ...]) -> NDArray[Any] | None:  # noqa: ARG002  the contract's
        """Return None: samples have to be read first."""
        checked_tensor(self._specs, tensor)
        return None

    def take(self, rows: NDArray[np.int64], tensors: Sequence[str]) -> Mapping[str, Sequence[Any]]:
        """Return samples the stream has come to, each once."""
        rows = checked_rows(rows, self._num_rows)
        for name in tensors:
            checked_tensor(self._specs, name)
        missing = [row for row in rows.tolist() if row not in self.waiting]
        if missing or len(set(rows.tolist())) < len(rows):
            self.refuse(f"row {missing[0]}" if missing else "one row twice")
        samples = [self.waiting.pop(row) for row in rows.tolist()]
        return {name: [sample[name] for sample in samples] for name in tensors}


class BufferedStream:
    """The order a buffer of bounded size gives samples that come one after the other.

    Parameters
    ----------
    table : SequentialTable
        Where samples wait once they are due.
    seed : int
        Of the order.
    megabytes : int
        Size of the buffer; 0 keeps the order of the source.
    """

    block = 64

    def __init__(self, table: SequentialTable, seed: int, megabytes: int) -> None:
        self._table = table
        self._seed = seed
        self._limit = megabytes * _MEGABYTE
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Read the epoch from its beginning, in a forked child too."""
        self._reading: Iterator[tuple[int, dict[str, Any]]] = iter(())
        self._position = -1

    @property
    def size(self) -> int:
        """Draws of an epoch."""
        return self._table.num_rows

    @property
    def fingerprint(self) -> str:
        """Identity of the order."""
        identity = f"{self._table.version}/{self._seed}/{self._limit}"
        return hashlib.sha256(identity.encode()).hexdigest()

    def epoch(self, number: int) -> NDArray[np.int64]:
        """Return the order of an epoch, by reading through it."""
        order = np.array([row for row, _ in self._ordered(number)], np.int64)
        return order[: self.size]

    def slice(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the next draws and have their samples wait; anything but the next starts the epoch again."""
        if start != self._position:
            epoch, done = divmod(start, self.size)
            self._table.waiting.clear()
            self._reading = itertools.islice(self._ordered(epoch), done, None)
        rows = []
        for row, sample in itertools.islice(self._reading, stop - start):
            self._table.waiting[row] = sample
            rows.append(row)
        if len(rows) < stop - start:
            raise LoaderError(
                f"the source reports {self.size} samples and gave {start % self.size + len(rows)}. Expected as many"
            )
        self._position = stop if stop % self.size else -1
        return np.array(rows, np.int64)

    def _ordered(self, epoch: int) -> Iterator[tuple[int, dict[str, Any]]]:
        rng = generator_of(self._seed, epoch, -1)
        buffer: list[tuple[int, dict[str, Any]]] = []
        held = 0
        for row, sample in enumerate(itertools.islice(self._table.source, self.size)):
            buffer.append((row, named(sample)))
            held += _bytes_of(buffer[-1][1])
            while held > self._limit:
                due = self._drawn(buffer, rng)
                held -= _bytes_of(due[1])
                yield due
        while buffer:
            yield self._drawn(buffer, rng)

    def _drawn(self, buffer: list[tuple[int, dict[str, Any]]], rng: np.random.Generator) -> tuple[int, dict[str, Any]]:
        """Take one sample out of the buffer: any, or the first where nothing is shuffled."""
        if not self._limit:
            return buffer.pop(0)
        chosen = int(rng.integers(len(buffer)))
        # swapped to the end: taking out of the middle would move all behind it
        buffer[chosen], buffer[-1] = buffer[-1], buffer[chosen]
        return buffer.pop()


def _bytes_of(sample: Mapping[str, Any]) -> int:
    return 1 + sum(
        value.nbytes if hasattr(value, "nbytes") else len(value) if hasattr(value, "__len__") else 8
        for value in sample.values()
    )
