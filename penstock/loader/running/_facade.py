"""What trainers look for on a DataLoader, answered by a loader: sampler, batch sampler, dataset, skipped batches."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from penstock.errors import LoaderError
from penstock.loader.batching._batch import Draw
from penstock.loader.running._iterator import EpochIterator, nothing_ready
from penstock.storage import renewed_lock
from penstock.table import Selection

__all__ = ["BatchRows", "BatchSampler", "DrawnRows", "Iteration", "RowSampler", "as_it_is"]


class Steps(Protocol):
    """What the parts below need of a loader."""

    @property
    def batch_size(self) -> int:
        """Samples in a batch."""
        ...

    @property
    def drop_last(self) -> bool:
        """Whether a smaller last batch is left out."""
        ...

    def __len__(self) -> int:
        """Return the batches of an epoch."""
        ...

    def set_epoch(self, epoch: int) -> None:
        """Make the next iteration that epoch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader is."""
        ...

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where a state was taken."""
        ...


class BatchRows(list[int]):
    """The rows of a batch, and which batch it is; a plain list in any other process."""

    __slots__ = ("draw", "take")

    def __init__(self, draw: Draw, take: Callable[[Draw], Any]) -> None:
        super().__init__(draw.rows.tolist())
        self.draw = draw
        self.take = take

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


class BatchSampler:
    """The rows a loader's batches hold, batch by batch.

    Parameters
    ----------
    loader : Loader
        Whose epochs, places and states these are.
    rows : callable
        Returns an iterator of the rows of each batch of the epoch under way or the next.
    """

    def __init__(self, loader: Steps, rows: Callable[[], Iterator[list[int]]]) -> None:
        self._loader = loader
        self._rows = rows
        self.batch_size = loader.batch_size
        self.drop_last = loader.drop_last
        self.set_epoch = loader.set_epoch
        self.state_dict = loader.state_dict
        self.load_state_dict = loader.load_state_dict

    @property
    def sampler(self) -> RowSampler:
        """The same rows one by one."""
        return RowSampler(self)

    def __iter__(self) -> Iterator[list[int]]:
        """Go through the batches; the loader stays where it is."""
        return self._rows()

    def __len__(self) -> int:
        """Return the number of batches."""
        return len(self._loader)


class RowSampler:
    """The rows a loader's samples have, one by one.

    Parameters
    ----------
    batches : BatchSampler
        The same rows in batches.
    """

    def __init__(self, batches: BatchSampler) -> None:
        self._batches = batches
        self.set_epoch = batches.set_epoch
        self.state_dict = batches.state_dict
        self.load_state_dict = batches.load_state_dict

    @property  # type: ignore[misc]  # mypy takes the class of an object for fixed
    def __class__(self) -> type:  # Lightning replaces any other sampler by a SequentialSampler to overfit batches
        torch: Any = sys.modules.get("torch")
        return type(self) if torch is None else torch.utils.data.SequentialSampler

    def __iter__(self) -> Iterator[int]:
        """Go through the rows; the loader stays where it is."""
        return (row for batch in self._batches for row in batch)

    def __len__(self) -> int:
        """Return the number of rows."""
        return sum(map(len, self._batches))


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnRows(Selection):
    """The samples a loader draws from; finishes the batches that its batch sampler names."""

    def __getitems__(self, rows: list[int]) -> Any:
        """Return the finished batch of some rows of the loader's batch sampler; `accelerate` skips batches by this."""
        draw = getattr(rows, "draw", None)
        if not isinstance(rows, BatchRows) or len(rows) != len(rows.draw):
            raise LoaderError(
                f"a batch of {len(rows)} rows that is {'a part of' if draw is None else 'longer than'} one of the "
                "loader's. Expected the batches of loader.batch_sampler as they are",
                hint="to share a loader among processes, use .pytorch(distributed=True) and iterate the loader itself",
            )
        return rows.take(rows.draw)


class Iteration(Iterator[Any]):
    """Batches of one epoch; what `iter(loader)` returns. The epoch begins with the first batch that is requested.

    Parameters
    ----------
    begin : callable
        Begins the next epoch.
    num_batches : callable
        Says how many batches that has.
    """

    def __init__(self, begin: Callable[[], EpochIterator], num_batches: Callable[[], int]) -> None:
        self._begin = begin
        self._num_batches = num_batches
        self._lock = renewed_lock(threading.Lock())
        self._begun: EpochIterator | None = None
        self._ready: Callable[[], Any] = nothing_ready
        self._closed = False

    def __next__(self) -> Any:
        try:
            return self._ready()
        except IndexError:
            pass
        return self._more()

    def _more(self) -> Any:
        begun = self._begun
        if begun is None:
            begun = self._first()
        batch = next(begun)
        self._ready = begun.ready
        return batch

    def _first(self) -> EpochIterator:
        with self._lock:
            if self._closed:
                raise StopIteration
            if self._begun is None:
                self._begun = self._begin()
            return self._begun

    def __len__(self) -> int:
        """Return the number of batches still to come."""
        if self._begun is not None:
            return len(self._begun)
        return 0 if self._closed else self._num_batches()

    def close(self) -> None:
        """Give no more batches; an epoch that has not begun does not count."""
        self._closed = True
        if self._begun is not None:
            self._begun.close()


def as_it_is(batch: Any) -> Any:
    """Return a finished batch: what a loader has for `collate_fn`."""
    return batch
