"""Strata that are added up from the parts of a pool; what has the size of the pool is fetched when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.sampling.plan._strata import Strata
from penstock.sampling.pool._class_sums import ClassSums
from penstock.sampling.pool._class_values import ClassValues
from penstock.sampling.pool._labels import ClassCounts
from penstock.sampling.pool._masking import group_masks

__all__ = ["PartSums", "PartwiseStrata"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PartSums:
    """What a part of a pool knows of its strata: as small as they are few.

    Parameters
    ----------
    sizes, matches
        As in `Strata`.
    sums : ClassSums
        Of the part.
    values : ClassValues
        Of the part.
    num_unlabeled : int
        Rows without a label.
    """

    sizes: Ints
    matches: NDArray[np.bool_]
    sums: ClassSums
    values: ClassValues
    num_unlabeled: int

    @classmethod
    def of(cls, strata: Strata) -> PartSums:
        """Return what the strata of a part add to those of the whole."""
        unlabeled = 0 if strata.labels is None else strata.labels.num_unlabeled
        return cls(
            sizes=strata.sizes,
            matches=strata.matches,
            sums=strata.class_sums,
            values=strata.class_values,
            num_unlabeled=unlabeled,
        )


class PartwiseStrata(Strata):
    """Strata of all rows of a dataset, made of those of its parts; `ids` is fetched when it is asked for."""

    _fetch_ids: Callable[[], NDArray[np.unsignedinteger]]

    @classmethod
    def joined(
        cls,
        parts: Sequence[PartSums],
        *,
        expressions: tuple[str, ...] | None,
        names: tuple[str, ...] | None,
        tensor: str,
        fetch_ids: Callable[[], NDArray[np.unsignedinteger]],
        fetch_labels: Callable[[], ClassCounts],
    ) -> PartwiseStrata:
        """Add up the strata of consecutive parts.

        Parameters
        ----------
        parts : sequence of PartSums
            At least one.
        expressions : tuple of str, optional
            Source of each clause, where no two are the same.
        names : tuple of str, optional
            Of the classes; None without labels.
        tensor : str
            The label tensor.
        fetch_ids, fetch_labels : callable
            Return the stratum and the labels of every row.
        """
        every = np.concatenate([part.matches for part in parts], axis=1)
        codes, _, first = group_masks(list(every), every.shape[1])
        begins = np.cumsum([0, *(len(part.sizes) for part in parts)])
        owners = [codes[begin:end].astype(np.int64) for begin, end in pairwise(begins)]
        sizes = np.zeros(len(first), np.int64)
        np.add.at(sizes, np.concatenate(owners), np.concatenate([part.sizes for part in parts]))
        sums = _added_sums(parts, owners, len(first))
        made = cls.__new__(cls)
        labels = (
            None if names is None else _PartwiseLabels.of(names, tensor, int(sizes.sum()), parts, sums, fetch_labels)
        )
        vars(made).update(
            sizes=sizes,
            matches=np.ascontiguousarray(every[:, first]),
            expressions=expressions,
            labels=labels,
            level="clauses",
            row_weights=None,
            row_numbers=None,
            class_sums=sums,
            class_values=_added_values(parts, owners, sums.num_classes),
            _fetch_ids=fetch_ids,
        )
        return made

    @property
    def num_rows(self) -> int:
        """Number of rows of the pool."""
        return int(self.sizes.sum())

    def __getattr__(self, name: str) -> Any:
        return _fetched(self, name, "ids", "_fetch_ids")

    def __getstate__(self) -> dict[str, Any]:
        """Pickle with the ids: another process may not reach the engine."""
        return {"ids": self.ids, **{name: value for name, value in vars(self).items() if name != "_fetch_ids"}}


class _PartwiseLabels(ClassCounts):
    """Labels of which the sums are known; the labels themselves are fetched when they are asked for."""

    @classmethod
    def of(
        cls,
        names: tuple[str, ...],
        tensor: str,
        num_rows: int,
        parts: Sequence[PartSums],
        sums: ClassSums,
        fetch: Callable[[], ClassCounts],
    ) -> _PartwiseLabels:
        made = cls.__new__(cls)
        vars(made).update(
            class_names=names,
            tensor=tensor,
            row_numbers=None,
            instances=np.bincount(sums.classes, sums.instances, len(names)).astype(np.int64),
            samples=np.bincount(sums.classes, sums.rows_with_class, len(names)).astype(np.int64),
            _known_rows=num_rows,
            _known_unlabeled=sum(part.num_unlabeled for part in parts),
            _fetch=fetch,
        )
        return made

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return int(vars(self)["_known_rows"])

    @property
    def num_unlabeled(self) -> int:
        """Rows without a label."""
        return int(vars(self)["_known_unlabeled"])

    def __getattr__(self, name: str) -> Any:
        if name in {"values", "offsets"} and "_fetch" in vars(self):
            labels: ClassCounts = vars(self)["_fetch"]()
            vars(self).update(values=labels.values, offsets=labels.offsets)
            return vars(self)[name]
        raise AttributeError(name)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as plain labels."""
        known = {"values": self.values, "offsets": self.offsets, "class_names": self.class_names}
        return _plain_labels, (known, self.tensor)


def _plain_labels(known: dict[str, Any], tensor: str) -> ClassCounts:
    return ClassCounts(**known, tensor=tensor)


def _fetched(thing: object, name: str, wanted: str, fetch: str) -> Any:
    """Return an attribute that was not fetched yet."""
    if name != wanted or fetch not in vars(thing):
        raise AttributeError(name)
    vars(thing)[name] = vars(thing)[fetch]()
    return vars(thing)[name]


def _added_sums(parts: Sequence[PartSums], owners: Sequence[Ints], num_strata: int) -> ClassSums:
    """Add up the entries of equal stratum and class."""
    num_classes = parts[0].sums.num_classes
    width = max(num_classes, 1)
    joint = np.concatenate(
        [owner[part.sums.strata] * width + part.sums.classes for part, owner in zip(parts, owners, strict=True)]
    )
    distinct, place = np.unique(joint, return_inverse=True)

    def added(name: str) -> NDArray[np.float64]:
        entries = np.concatenate([getattr(part.sums, name) for part in parts])
        return np.bincount(place, entries, len(distinct)).astype(np.float64, copy=False)

    present, instances = added("rows_with_class"), added("instances")
    once = bool((present == instances).all())
    strata, classes = np.divmod(distinct, width)
    return ClassSums(
        offsets=np.searchsorted(strata, np.arange(num_strata + 1)).astype(np.int32),
        classes=classes.astype(np.int32),
        strata=strata.astype(np.int32),
        rows_with_class=present,
        instances=present if once else instances,
        instances_squared=present if once else added("instances_squared"),
        num_classes=num_classes,
    )


def _added_values(parts: Sequence[PartSums], owners: Sequence[Ints], num_classes: int) -> ClassValues:
    """Add up the rows of equal class, stratum and number of instances."""
    often = np.zeros(num_classes, bool)
    for part in parts:
        often[: len(part.values.offsets) - 1] |= np.diff(part.values.offsets) > 0
    found = [_values(part, owner, often) for part, owner in zip(parts, owners, strict=True)]
    keys = np.concatenate([keys for keys, _ in found], axis=1)
    distinct, place = np.unique(keys, axis=1, return_inverse=True)
    rows = np.zeros(distinct.shape[1], np.int64)
    np.add.at(rows, place.reshape(-1), np.concatenate([rows for _, rows in found]))
    return ClassValues(
        offsets=np.searchsorted(distinct[0], np.arange(num_classes + 1)), strata=distinct[1], counts=distinct[2],
        rows=rows,
    )  # fmt: skip


def _values(part: PartSums, owner: Ints, often: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return (class, stratum, count) and rows of a part, for the classes that some row of the pool has twice."""
    values, sums = part.values, part.sums
    here = np.diff(values.offsets) if len(values.offsets) > 1 else np.zeros(len(often), np.int64)
    classes = np.repeat(np.arange(len(here)), here)
    once = (often & (here == 0))[sums.classes] if len(often) else np.zeros(0, bool)  # no row of this part has it twice
    keys = np.stack(
        [
            np.concatenate([classes, sums.classes[once].astype(np.int64)]),
            owner[np.concatenate([values.strata, sums.strata[once].astype(np.int64)])],
            np.concatenate([values.counts, np.ones(int(once.sum()), np.int64)]),
        ]
    )
    return keys, np.concatenate([values.rows, sums.rows_with_class[once].astype(np.int64)])
