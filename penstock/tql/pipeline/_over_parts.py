"""Conditions evaluated over the parts of a table, wherever an engine runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from penstock.engines import Engine
from penstock.sampling import ClassCounts, Strata
from penstock.sampling.plan._partwise import PartSums, PartwiseStrata
from penstock.table import OverlayTable, Rows, Table, TablePart, class_names_of, part_rows
from penstock.tql.values._relations import SIGNAL, Bound, Context, Field
from penstock.tql.values._values import Value, expand_rows, from_ragged

__all__ = ["PartFrame", "PartwiseMasks", "part_labels", "part_mask", "partwise_strata"]

LABEL_ROWS = 1 << 17  # rows of a part where columns are read
_PIXEL_ROWS = 1 << 11  # and where images are decoded


@dataclass(frozen=True, slots=True, eq=False)
class PartwiseMasks:
    """Evaluates conditions of a stored table part by part; what comes back is a bit for each row.

    Parameters
    ----------
    engine : Engine
        Where.
    num_workers : int
        Parts at the same time; 0 leaves it to the engine.
    """

    engine: Engine
    num_workers: int = 0

    def __call__(self, bound: Bound, table: Table, context: Context) -> Value | None:
        """Return the condition in every row; None where only the caller can evaluate it."""
        if (
            not isinstance(table, OverlayTable)
            or any(field.table is not table for field in bound.fields)
            or SIGNAL in bound.key
        ):
            return None
        pixels = any(field.pixels for field in bound.fields)
        parts = part_rows(table.num_rows, _PIXEL_ROWS if pixels else LABEL_ROWS)
        task = _Mask(bound, table, context.text, context.seed)
        found = np.zeros(table.num_rows, bool)
        for (start, stop), bits in zip(parts, self.engine.map(task, parts, num_workers=self.num_workers), strict=True):
            context.check()
            if context.progress is not None and pixels:
                context.progress(stop, table.num_rows)
            found[start:stop] = np.unpackbits(bits, count=stop - start)
        return Value(data=found)


@dataclass(frozen=True, slots=True, eq=False)
class _Mask:
    """The task: a condition in some rows, packed to bits."""

    bound: Bound
    table: OverlayTable
    text: str
    seed: int

    def __call__(self, rows: Rows) -> NDArray[np.uint8]:
        frame = PartFrame(TablePart(self.table, rows), Context(self.text, self.seed))
        return np.packbits(part_mask(self.bound, frame))


def part_mask(bound: Bound, frame: PartFrame) -> NDArray[np.bool_]:
    """Return where a condition holds in the rows of a part; NULL does not hold."""
    value = expand_rows(bound.run(frame), frame.num_rows)
    held: NDArray[np.bool_] = value.data.astype(bool, copy=False)
    return held if value.valid is None else held & value.valid


class PartFrame:
    """The rows of a part, in which an expression is evaluated.

    Parameters
    ----------
    part : TablePart
        The rows.
    context : Context
        Of the run.
    """

    def __init__(self, part: TablePart, context: Context) -> None:
        self.part = part
        self.context = context
        self._loaded: dict[str, Value] = {}

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return self.part.num_rows

    def load(self, field: Field) -> Value:
        """Return a tensor in these rows."""
        tensor = field.tensor or ""
        if tensor not in self._loaded:
            self._loaded[tensor] = from_ragged(self.part.column(tensor))
        return self._loaded[tensor]

    def source_rows(self) -> NDArray[np.int64]:
        """Return the row numbers in the whole table."""
        return self.part.rows

    def rows_of(self, field: Field) -> NDArray[np.int64]:  # noqa: ARG002  one table, one numbering
        """Return the row numbers in the whole table."""
        return self.part.rows

    def recall(self, bound: Bound) -> Value:
        """Return a condition that is part of another; nothing is kept."""
        return bound.run(self)


# ---- strata ------------------------------------------------------------------------------------------


def partwise_strata(
    conditions: Sequence[tuple[str, Bound]], table: Table, labels: str | None, engine: Engine, num_workers: int = 0
) -> PartwiseStrata | None:
    """Return the strata of all rows of a table, added up from those of its parts.

    Parameters
    ----------
    conditions : sequence of (str, Bound)
        The clauses.
    table : Table
        Where they are evaluated.
    labels : str, optional
        The class label tensor that charts count.
    engine : Engine
        Where the parts are worked on.
    num_workers : int
        Parts at the same time; 0 leaves it to the engine.

    Returns
    -------
    PartwiseStrata or None
        None where a part alone cannot tell, as with ``random()``, a signal or a query inside a clause.
    """
    if not isinstance(table, OverlayTable) or not table.num_rows:
        return None
    if not all(bound.stable and all(field.table is table for field in bound.fields) for _, bound in conditions):
        return None
    if any(SIGNAL in bound.key for _, bound in conditions):
        return None
    if labels is not None and not table.tensors[labels].class_names:  # which numbers occur, only all parts know
        return None
    parts = part_rows(table.num_rows, LABEL_ROWS)
    task = _Sums(tuple(bound for _, bound in conditions), table, labels)
    sums = list(engine.map(task, parts, num_workers=num_workers))

    def fetch_ids() -> NDArray[np.unsignedinteger]:
        strata = [task.strata(rows) for rows in parts]
        return Strata.concatenate([replace(one, labels=None) for one in strata]).ids

    sources = tuple(source for source, _ in conditions)
    return PartwiseStrata.joined(
        sums,
        expressions=sources if len(set(sources)) == len(sources) else None,
        names=None if labels is None else tuple(class_names_of(table, labels)),
        tensor=labels or "labels",
        fetch_ids=fetch_ids,
        fetch_labels=lambda: part_labels(table, labels or ""),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """The task: the strata of some rows, as sums."""

    conditions: tuple[Bound, ...]
    table: OverlayTable
    labels: str | None

    def __call__(self, rows: Rows) -> PartSums:
        return PartSums.of(self.strata(rows))

    def strata(self, rows: Rows) -> Strata:
        part = TablePart(self.table, rows)
        frame = PartFrame(part, Context(""))
        masks = [part_mask(bound, frame) for bound in self.conditions]
        labels = None if self.labels is None else part_labels(part.table, self.labels)
        return Strata.from_masks(masks, labels=labels, num_rows=part.num_rows)


def part_labels(table: Table, tensor: str) -> ClassCounts:
    """Return the labels of every row of a table."""
    column = table.column(tensor)
    names = tuple(class_names_of(table, tensor))
    return ClassCounts(values=column.values, offsets=column.offsets, class_names=names, tensor=tensor)
