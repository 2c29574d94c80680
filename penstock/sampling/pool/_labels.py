"""Class labels as flat arrays, and how many of each class a row has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import SamplingError
from penstock.sampling.pool._grouping import counted
from penstock.sampling.pool._normalized import set_normalized
from penstock.sampling.pool._tally import are_single, class_tally, distinct_classes

__all__ = ["ClassCounts"]

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# words that TQL keeps for itself: a tensor of such a name is quoted (a test holds them equal to those of the lexer)
_WORDS = (
    "ALL AND ARRANGE AS ASC BETWEEN BY CASE CAST CROSS DESC DISTINCT ELSE END EXCEPT EXPAND FALSE FROM FULL GROUP "
    "HAVING ILIKE IN INNER INTERSECT IS JOIN LEFT LIKE LIMIT NOT NULL OFFSET ON OR ORDER OUTER OVERLAP RIGHT SAMPLE "
    "SELECT THEN TRUE UNGROUP UNION USING WHEN WHERE WITH"
)
_RESERVED = frozenset(_WORDS.split(" "))
_QUOTE = "'"
_MOST_CLASSES = 10_000_000  # that get a number for a name; each takes memory


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassCounts:
    """Class of every instance (label or box), row after row.

    Parameters
    ----------
    values : ndarray of int, shape (num_instances,)
        Class indices; row ``i`` holds ``values[offsets[i]:offsets[i + 1]]``.
    offsets : ndarray of int64, shape (num_rows + 1,)
        Where each row's instances begin.
    class_names : tuple of str
        Name of each class; classes without instances are allowed.
    tensor : str
        Name of the label tensor, for expressions about it.
    row_numbers : ndarray of int64, shape (num_rows,), optional
        Row of the dataset that each row is, where known; the same one may come twice.

    Raises
    ------
    SamplingError
        If the offsets do not describe `values`, or an index has no name.

    Examples
    --------
    >>> labels = ClassCounts.from_lists([[0], [0, 1], []], class_names=("cat", "dog"))
    >>> labels.num_rows, labels.instances.tolist()
    (3, [2, 1])
    """

    values: NDArray[np.integer]
    offsets: NDArray[np.int64]
    class_names: tuple[str, ...]
    tensor: str = "labels"
    row_numbers: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        set_normalized(self, class_names=tuple(self.class_names))
        if len(self.offsets) < 1 or self.offsets[0] != 0 or self.offsets[-1] != len(self.values):
            raise SamplingError(
                f"offsets do not describe {len(self.values)} values. Expected 0 first and {len(self.values)} last"
            )
        if len(self.values) and (int(self.values.min()) < 0 or int(self.values.max()) >= self.num_classes):
            wrong = int(self.values.min()) if self.values.min() < 0 else int(self.values.max())
            raise SamplingError(
                f"class index {wrong} has no name; there are {self.num_classes} class names",
                hint="pass class_names with one name per class",
            )

    @classmethod
    def from_labels(
        cls, labels: ArrayLike, *, class_names: Sequence[str] | None = None, tensor: str = "labels"
    ) -> ClassCounts:
        """Return the counts of one label per row.

        Parameters
        ----------
        labels : array_like of int, shape (num_rows,)
            Class index of each row.
        class_names : sequence of str, optional
            Default: the indices as text.
        tensor : str
            Name of the label tensor.

        Returns
        -------
        ClassCounts
        """
        values = np.asarray(labels)
        if values.ndim != 1 or (values.size and values.dtype.kind not in "iu"):
            raise SamplingError(
                f"labels are {values.dtype} of shape {values.shape}. Expected one class index per row",
                hint="from_lists takes several labels per row",
            )
        names = tuple(class_names) if class_names is not None else _numbered(values)
        return cls(values=values, offsets=np.arange(len(values) + 1, dtype=np.int64), class_names=names, tensor=tensor)

    @classmethod
    def from_lists(
        cls, labels: Iterable[Iterable[int]], *, class_names: Sequence[str] | None = None, tensor: str = "labels"
    ) -> ClassCounts:
        """Return the counts of any number of labels per row, each an iterable of class indices."""
        try:
            rows = [np.fromiter(row, np.int64) for row in labels]
        except OverflowError as error:
            raise SamplingError(f"a class index does not fit into 64 bits ({error})") from error
        except (TypeError, ValueError) as error:
            raise SamplingError(
                f"labels are not lists of class indices ({error}). Expected a list of whole numbers for each row",
                hint="from_labels takes one label per row",
            ) from error
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        values = np.concatenate(rows) if rows else np.zeros(0, np.int64)
        names = tuple(class_names) if class_names is not None else _numbered(values)
        return cls(values=values, offsets=offsets, class_names=names, tensor=tensor)

    def condition(self, number: int | None) -> str:
        """Return the TQL condition that a sample has a class; for None, that it has no label.

        Examples
        --------
        >>> ClassCounts.from_labels([0], class_names=("baker's yeast",)).condition(0)
        "contains(labels, 'baker''s yeast')"
        """
        plain = _PLAIN_NAME.fullmatch(self.tensor) and self.tensor.upper() not in _RESERVED
        tensor = self.tensor if plain else '"' + self.tensor.replace('"', '""') + '"'
        if number is None:
            return f"length({tensor}) == 0"
        return f"contains({tensor}, '{self.class_names[number].replace(_QUOTE, 2 * _QUOTE)}')"

    @property
    def num_unlabeled(self) -> int:
        """Rows without a label."""
        return 0 if self.are_single else int((self.offsets[1:] == self.offsets[:-1]).sum())

    def with_background(self, name: str = "no label") -> ClassCounts:
        """Return the labels with one more class, which rows without a label have, and only they.

        Examples
        --------
        >>> ClassCounts.from_lists([[0], []], class_names=("cat",)).with_background().instances.tolist()
        [1, 1]
        """
        name = name if name not in self.class_names else f"{name} at all"
        lengths = np.diff(self.offsets)
        values = np.insert(self.values.astype(np.int64), self.offsets[:-1][lengths == 0], self.num_classes)
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.maximum(lengths, 1))])
        return ClassCounts(
            values=values, offsets=offsets, class_names=(*self.class_names, name), tensor=self.tensor,
            row_numbers=self.row_numbers,
        )  # fmt: skip

    def take(self, rows: NDArray[np.int64]) -> ClassCounts:
        """Return the labels of some rows, in their order, repeats kept."""
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        # the ranges [start, start + length) one after the other, as one index array
        gather = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return ClassCounts(
            values=self.values[gather], offsets=offsets, class_names=self.class_names, tensor=self.tensor,
            row_numbers=None if self.row_numbers is None else self.row_numbers[rows],
        )  # fmt: skip

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return len(self.offsets) - 1

    @property
    def num_classes(self) -> int:
        """Number of classes, those without instances too."""
        return len(self.class_names)

    @cached_property
    def instances(self) -> NDArray[np.int64]:
        """Instances of each class, int64 of shape (num_classes,)."""
        return counted(self.values, self.num_classes)

    @cached_property
    def samples(self) -> NDArray[np.int64]:
        """Rows that have each class, int64 of shape (num_classes,)."""
        tally = class_tally(self.values, self.offsets, self.num_classes)
        return np.bincount(tally.classes, tally.rows, self.num_classes).astype(np.int64)

    @cached_property
    def are_single(self) -> bool:
        """Whether every row has exactly one label."""
        return are_single(self.offsets)

    @cached_property
    def entries(self) -> tuple[NDArray[np.int64], NDArray[np.integer], NDArray[np.int64] | None]:
        """Distinct (row, class) pairs in order and the instances of each; None where all are 1."""
        if self.are_single:
            return np.arange(self.num_rows), self.values, None
        return distinct_classes(self.values, np.diff(self.offsets), self.num_classes)


def _numbered(values: NDArray[np.integer]) -> tuple[str, ...]:
    most = int(values.max()) if values.size else -1
    if most >= _MOST_CLASSES:
        raise SamplingError(
            f"class index {most}. Expected less than {_MOST_CLASSES:,}", hint="number the classes from 0 on"
        )
    return tuple(map(str, range(most + 1)))
