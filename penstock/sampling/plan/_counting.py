# ruff: noqa: PD011  the values are those of ClassCounts, not of pandas
"""What a stream draws, counted: subsets, batches, times seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError, UnknownClassError
from penstock.sampling.pool._build import first_positions
from penstock.sampling.pool._grouping import distinct_rows
from penstock.sampling.pool._label_input import Labels, class_counts
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.random._permute import sorted_order
from penstock.sampling.random._philox import SUBSET, words
from penstock.sampling.spec._count import checked_count
from penstock.sampling.streams._stream import IndexStream

__all__ = [
    "BatchComposition",
    "Subset",
    "TimesSeenTable",
    "batch_composition",
    "imbalanced_subset",
    "times_seen_table",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subset:
    """Rows of a data set, and their labels.

    Parameters
    ----------
    rows : ndarray of int64, shape (num_rows,)
        Ascending row numbers.
    labels : ClassCounts
        Labels of these rows.
    """

    rows: NDArray[np.int64]
    labels: ClassCounts

    def to_pandas(self) -> Any:
        """Return a DataFrame with the row number and the class name of each row."""
        import pandas as pd

        names = np.array(self.labels.class_names, dtype=object)
        return pd.DataFrame({"row": self.rows, "class": names[self.labels.values]})


def imbalanced_subset(labels: Labels, counts: Mapping[str, int], seed: int = 0) -> Subset:
    """Choose some rows of each class at random.

    Parameters
    ----------
    labels : ClassCounts, Tensor, View or array_like
        Labels of the data set, one per row.
    counts : mapping of str to int
        Rows to keep by class name; other classes are left out.
    seed : int
        In ``[0, 2**128)``.

    Returns
    -------
    Subset
        With the classes of `counts`, in their order.

    Raises
    ------
    SamplingError
        If rows have several labels, or a class has too few rows.
    UnknownClassError
        If there is no such class.

    Examples
    --------
    >>> labels = ClassCounts.from_labels([0, 1, 1, 2, 0], class_names=("Siamese", "Birman", "Pug"))
    >>> imbalanced_subset(labels, {"Siamese": 2, "Birman": 1}).labels.instances.tolist()
    [2, 1]
    """
    labels = class_counts(labels)
    _check_single(labels)
    chosen = []
    for name, count in counts.items():
        if name not in labels.class_names:
            raise UnknownClassError(name, labels.class_names, tensor=labels.tensor)
        number = labels.class_names.index(name)
        members = np.flatnonzero(labels.values == number)
        if not 0 <= count <= len(members):
            raise SamplingError(f"{count} rows of {name!r} were asked for. Expected 0 to {len(members)}, its rows")
        order = sorted_order(words(seed, (SUBSET, number, 0), 0, len(members)))
        chosen.append(members[order[:count]])
    rows = np.sort(np.concatenate(chosen)) if chosen else np.zeros(0, np.int64)
    renumbered = np.zeros(labels.num_classes, np.int64)
    renumbered[[labels.class_names.index(name) for name in counts]] = np.arange(len(counts))
    kept = ClassCounts.from_labels(renumbered[labels.values[rows]], class_names=tuple(counts), tensor=labels.tensor)
    return Subset(rows=rows, labels=kept)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchComposition:
    """Classes in the batches of a stream.

    Parameters
    ----------
    class_names : tuple of str
        The classes.
    counts : ndarray of int64, shape (num_batches, num_classes)
        Instances of each class in each batch.
    sizes : ndarray of int64, shape (num_batches,)
        Draws of each batch.
    num_seen, num_rows : int
        Distinct samples in these batches; samples of the pool.
    """

    class_names: tuple[str, ...]
    counts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    num_seen: int
    num_rows: int

    def to_pandas(self) -> Any:
        """Return a DataFrame with one row per batch and one column per class."""
        import pandas as pd

        return pd.DataFrame(self.counts, columns=list(self.class_names)).rename_axis(index="batch", columns="class")


def batch_composition(
    stream: IndexStream, labels: Labels, batch_size: int, *, num_batches: int | None = None, start: int = 0
) -> BatchComposition:
    """Count the classes in consecutive batches.

    Parameters
    ----------
    stream : IndexStream
        What is drawn.
    labels : ClassCounts
        Labels of the pool.
    batch_size : int
        Draws per batch.
    num_batches : int, optional
        Default: one epoch, with a short last batch.
    start : int
        Position of the first draw.

    Returns
    -------
    BatchComposition

    Examples
    --------
    >>> from penstock.sampling import SequentialStream
    >>> labels = ClassCounts.from_labels([0, 0, 0, 1])
    >>> batch_composition(SequentialStream(4), labels, 2).counts.tolist()
    [[2, 0], [1, 1]]
    """
    labels = class_counts(labels)
    batch_size = checked_count("batch_size", batch_size)
    stop = start + (stream.size if num_batches is None else num_batches * batch_size)
    drawn = stream.slice(start, stop)
    taken = labels.take(drawn)
    identity = distinct_rows(labels.row_numbers)
    number = -(-len(drawn) // batch_size)
    # the batch of each label, then batch and class as one number
    owner = np.repeat(np.arange(len(drawn)) // batch_size, np.diff(taken.offsets))
    joint = owner * labels.num_classes + taken.values
    counts = np.bincount(joint, minlength=number * labels.num_classes).reshape(number, labels.num_classes)
    return BatchComposition(
        class_names=labels.class_names,
        counts=counts,
        sizes=np.bincount(np.arange(len(drawn)) // batch_size, minlength=number),
        num_seen=len(np.unique(drawn if identity is None else identity[drawn])),
        num_rows=labels.num_rows if identity is None else int(identity.max()) + 1,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TimesSeenTable:
    """How often each sample was drawn.

    Parameters
    ----------
    times_seen : ndarray of int64, shape (num_rows,)
        Draws of each sample.
    labels : ClassCounts
        Labels of the samples.
    num_epochs : int
        Epochs drawn.
    """

    times_seen: NDArray[np.int64]
    labels: ClassCounts
    num_epochs: int

    def ecdf(self) -> NDArray[np.float64]:
        """Return the share of each class's samples drawn at most ``k`` times, shape (num_classes, max_times + 1)."""
        rows, classes, _ = self.labels.entries
        width = int(self.times_seen.max(initial=0)) + 1
        joint = classes.astype(np.int64) * width + self.times_seen[rows]
        counts = np.bincount(joint, minlength=self.labels.num_classes * width).reshape(-1, width)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True))

    def to_pandas(self) -> Any:
        """Return a DataFrame with one row per sample and class: row, class, times_seen."""
        import pandas as pd

        rows, classes, _ = self.labels.entries
        names = np.array(self.labels.class_names, dtype=object)
        return pd.DataFrame({"row": rows, "class": names[classes], "times_seen": self.times_seen[rows]})


def times_seen_table(stream: IndexStream, labels: Labels, num_epochs: int = 1) -> TimesSeenTable:
    """Count how often the stream draws each sample.

    Parameters
    ----------
    stream : IndexStream
        What is drawn.
    labels : ClassCounts, Tensor, View or array_like
        Labels of the pool. Where it holds samples several times, their draws are added up.
    num_epochs : int
        Epochs from the first.

    Returns
    -------
    TimesSeenTable

    Examples
    --------
    >>> from penstock.sampling import SequentialStream
    >>> times_seen_table(SequentialStream(3), ClassCounts.from_labels([0, 0, 1]), 2).times_seen.tolist()
    [2, 2, 2]
    """
    labels = class_counts(labels)
    times = np.zeros(labels.num_rows, np.int64)
    for epoch in range(checked_count("num_epochs", num_epochs, least=0)):
        times += np.bincount(stream.epoch(epoch), minlength=labels.num_rows)
    identity = distinct_rows(labels.row_numbers)
    if identity is not None:
        times = np.bincount(identity, times).astype(np.int64)
        labels = labels.take(first_positions(identity))
    return TimesSeenTable(times_seen=times, labels=labels, num_epochs=num_epochs)


def _check_single(labels: ClassCounts) -> None:
    if not (np.diff(labels.offsets) == 1).all():
        raise SamplingError("some rows have no label or several. Expected exactly one label per row")
