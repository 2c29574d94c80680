"""Predicates of a table whose earlier state is in memory: evaluated in the rows that changed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import QueryEvaluationError
from penstock.table import Earlier, Table
from penstock.tql.values._memo import memo_of
from penstock.tql.values._relations import SIGNAL, Bound, Context, Field
from penstock.tql.values._values import Value, expand_rows, from_ragged

__all__ = ["patched"]

_FEW = 4  # up to one changed row in so many
_MANY_PIECES = 1024  # from which picking the rows that stay is faster than joining what lies between
_BY_PLACE = ("row_number", "uid ", SIGNAL)  # parts of keys of what depends on where a row is


def patched(
    bound: Bound, table: Table, context: Context, evaluate: Callable[[Table, Callable[[str], str]], Value]
) -> Value | None:
    """Return a predicate in all rows, taken from the table's earlier state; None where it has to be evaluated.

    Parameters
    ----------
    bound : Bound
        A predicate whose value in a row depends on that row alone.
    table : Table
        The table.
    context : Context
        The run.
    evaluate : callable
        Evaluates the predicate in all rows of a table, whose keys are named by a function of those of this one.
    """
    earlier = table.earlier
    names = {field.tensor or "" for field in bound.fields}
    if earlier is None or not _holds(bound, names, earlier.table, table):
        return None
    rows = np.sort(np.concatenate([earlier.changed(name) for name in names]))
    rows = rows[np.concatenate([[True], rows[1:] != rows[:-1]])[: len(rows)]]
    if len(rows) * _FEW > table.num_rows:
        return None
    renamed = _renamed(names, table, earlier.table)
    try:
        whole = memo_of(earlier.table).keep(renamed(bound.key), lambda: evaluate(earlier.table, renamed))
        part = expand_rows(bound.run(_Rows(table, context, rows)), len(rows))
    except QueryEvaluationError:
        return None  # the row at fault may be of the earlier state
    return _joined(whole, part, rows, earlier)


def _holds(bound: Bound, names: Iterable[str], earlier: Table, table: Table) -> bool:
    """Return whether the predicate means the same in the earlier state."""
    if any(field.pixels for field in bound.fields) or any(part in bound.key for part in _BY_PLACE):
        return False
    then, now = earlier.tensors, table.tensors
    return all(name in then and _kind(then[name]) == _kind(now[name]) for name in names)


def _kind(spec: object) -> tuple[object, ...]:
    names = ("htype", "dtype", "ndim", "link", "coords", "class_names", "single_valued")
    return tuple(getattr(spec, name) for name in names)


def _renamed(names: Iterable[str], table: Table, earlier: Table) -> Callable[[str], str]:
    pairs = [
        (Field(name=name, table=table, tensor=name).key, Field(name=name, table=earlier, tensor=name).key)
        for name in names
    ]

    def of(key: str) -> str:
        for mine, theirs in pairs:
            key = key.replace(mine, theirs)
        return key

    return of


def _joined(whole: Value, part: Value, rows: NDArray[np.int64], earlier: Earlier) -> Value | None:
    if whole.offsets is not None or part.offsets is not None or whole.data.dtype != part.data.dtype:
        return None
    data = _without(whole.data, earlier.removed)
    data[rows] = part.data
    if whole.valid is None and part.valid is None:
        return Value(data=data)
    valid = _without(np.ones(len(whole.data), bool) if whole.valid is None else whole.valid, earlier.removed)
    valid[rows] = True if part.valid is None else part.valid
    return Value(data=data, valid=valid)


def _without(values: NDArray[Any], removed: NDArray[np.int64]) -> NDArray[Any]:
    """Return a copy of one value for each row without those of some rows, which are increasing."""
    if len(removed) > _MANY_PIECES:
        return np.delete(values, removed)
    begins, ends = [0, *(removed + 1).tolist()], [*removed.tolist(), len(values)]
    return np.concatenate([values[begin:end] for begin, end in zip(begins, ends, strict=True)])


class _Rows:
    """Some rows of a table, of which no more is read."""

    def __init__(self, table: Table, context: Context, rows: NDArray[np.int64]) -> None:
        self.table = table
        self.context = context
        self.rows = rows
        self._loaded: dict[str, Value] = {}

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def load(self, field: Field) -> Value:
        """Return a tensor in these rows."""
        tensor = field.tensor or ""
        if tensor not in self._loaded:
            self._loaded[tensor] = from_ragged(self.table.some(tensor, self.rows))
        return self._loaded[tensor]

    def source_rows(self) -> NDArray[np.int64]:
        """Return row numbers of the table."""
        return self.rows

    def rows_of(self, field: Field) -> NDArray[np.int64]:  # noqa: ARG002  one table, one numbering
        """Return row numbers of the table."""
        return self.rows

    def recall(self, bound: Bound) -> Value:
        """Return the inner predicate of a larger one."""
        return bound.run(self)
