"""In which order the grid shows the samples of the pool; equal ones stay as the query has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError, TensorNotFoundError
from penstock.table import OverlayTable, Ragged
from penstock.tensors import TensorSpec, boxes_xywh, first_tensor
from penstock.widgets.columns._shown import shown_columns
from penstock.widgets.queries._query_run import QueryRun

__all__ = [
    "AS_QUERIED",
    "COLUMN",
    "SIGNAL",
    "TENSOR",
    "GridOrder",
    "SortKeys",
    "arranged_positions",
    "checked_order",
    "ordered_by",
    "present_order",
    "result_order",
    "scalar_tensors",
]

TENSOR = "tensor:"
COLUMN = "column:"
SIGNAL = f"{COLUMN}signal("
_BY = ("query", "row", "labels", "box_area", "image_size", "drawn", "weight")
_UP = ("query", "row")
_BY_WEIGHT = ("drawn", "weight")
_NUMBERS = "biuf"
_MAX_HEADERS = 5000
Keys = NDArray[Any]
Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GridOrder:
    """What samples are ordered by.

    Parameters
    ----------
    by : str
        ``query`` (as the query orders), ``row``, ``labels`` (how many), ``box_area`` (the largest box, ascending the
        smallest), ``image_size`` (pixels), ``drawn`` (times an epoch), ``weight``, ``tensor:`` and the name of a
        scalar tensor, or ``column:`` and the name of a column of what the query returns: its value, of lists how many.
    descending : bool
        The greatest first. What has no value comes last either way.
    """

    by: str = "query"
    descending: bool = False

    @property
    def by_weight(self) -> bool:
        """Whether other weights order the samples otherwise."""
        return self.by in _BY_WEIGHT


AS_QUERIED = GridOrder()
"""The order of the query."""


def scalar_tensors(table: OverlayTable) -> list[str]:
    """Return the tensors of one number or text a sample."""
    return [name for name, spec in table.tensors.items() if _is_scalar(spec)]


def _is_scalar(spec: TensorSpec) -> bool:
    if spec.htype == "class_label":
        return spec.single_valued
    return spec.htype == "text" or (spec.htype == "generic" and spec.ndim == 0)


def checked_order(by: str, descending: bool | None, run: QueryRun) -> GridOrder:
    """Return an order that a run has; without a direction, the one people mean by it.

    Raises
    ------
    SamplingError
        If there is no such order.
    TensorNotFoundError
        If there is no such tensor or column.
    """
    table = run.table
    if by.startswith(COLUMN):
        name, columns = by.removeprefix(COLUMN), shown_columns(run.text, run.result, table, run.signals)
        if name not in columns:
            raise TensorNotFoundError(name, list(columns))
        return GridOrder(by=by, descending=bool(descending))
    if by.startswith(TENSOR):
        name = by.removeprefix(TENSOR)
        known = scalar_tensors(table)
        if name not in table.tensors:
            raise TensorNotFoundError(name, known)
        if name not in known:
            raise SamplingError(f"{name!r} has more than one value in a sample. Expected one of: {', '.join(known)}")
        return GridOrder(by=by, descending=bool(descending))
    if by not in _BY:
        raise SamplingError(f"sort is {by!r}. Expected one of: {', '.join(_BY)}, {TENSOR}<name>")
    return GridOrder(by=by, descending=by not in _UP if descending is None else descending)


def present_order(order: GridOrder, run: QueryRun) -> GridOrder:
    """Return the order, or that of the query where a run has no such tensor or column."""
    if order.by.startswith(TENSOR):
        gone = order.by.removeprefix(TENSOR) not in scalar_tensors(run.table)
    else:
        gone = order.by.startswith(COLUMN) and order.by.removeprefix(COLUMN) not in shown_columns(
            run.text, run.result, run.table, run.signals
        )
    return AS_QUERIED if gone else order


def result_order(run: QueryRun, order: GridOrder) -> Positions | None:
    """Return the rows of a table result in an order by one of its columns; None: as they are."""
    if run.result.is_rows or not order.by.startswith(COLUMN):
        return None
    column = shown_columns(run.text, run.result, run.table, run.signals)[order.by.removeprefix(COLUMN)].column(
        run.table
    )
    keys, present = _column_keys(column)
    return _ordered(np.arange(len(column)), keys, present, descending=order.descending)


def ordered_by(run: QueryRun, order: GridOrder) -> tuple[Ragged, bool] | None:
    """Return the column that samples are ordered by, and whether it has a value a row of the result, not of the table.

    None where they are ordered by something else.
    """
    if order.by.startswith(TENSOR):
        return run.table.column(order.by.removeprefix(TENSOR)), False
    if not order.by.startswith(COLUMN):
        return None
    column = shown_columns(run.text, run.result, run.table, run.signals)[order.by.removeprefix(COLUMN)]
    return column.column(run.table), column.computed is not None


class SortKeys:
    """Keeps what the last tensor is sorted by: texts of a million samples take a second to rank."""

    def __init__(self) -> None:
        self._kept: tuple[object, tuple[Keys, NDArray[np.bool_] | None]] | None = None

    def of(self, table: OverlayTable, tensor: str) -> tuple[Keys, NDArray[np.bool_] | None]:
        """Return numbers in the order of a scalar tensor's values, and which rows have one; None: all."""
        snapshot, kept = table.stored.snapshot, self._kept
        state = (tensor, snapshot.branch, snapshot.version, table.revision(tensor))
        if kept is not None and kept[0] == state:
            return kept[1]
        values, present = _scalars(table.column(tensor))
        found = (_codes(values) if len(values) else values), present
        self._kept = state, found
        return found


def arranged_positions(run: QueryRun, positions: Positions, order: GridOrder, kept: SortKeys) -> Positions:
    """Return positions of the pool in an order; equal ones stay as they are."""
    if order.by == "query":
        return positions[::-1] if order.descending else positions
    keys, present = _keys(run, order, kept)
    return _ordered(positions, keys, present, descending=order.descending)


def _ordered(positions: Positions, keys: Keys, present: NDArray[np.bool_] | None, *, descending: bool) -> Positions:
    found = positions[stable_order(keys[positions], descending=descending)]
    if present is None:
        return found
    here = present[found]
    return np.concatenate([found[here], positions[~present[positions]]])


def _keys(run: QueryRun, order: GridOrder, kept: SortKeys) -> tuple[Keys, NDArray[np.bool_] | None]:
    """Return what each position of the pool is ordered by, and which have a value; None: all."""
    if order.by == "row":
        return run.pool, None
    if order.by_weight:
        return (run.weights if order.by == "weight" else run.times_drawn), None
    if order.by.startswith(TENSOR):
        keys, present = kept.of(run.table, order.by.removeprefix(TENSOR))
    elif order.by.startswith(COLUMN):
        column = shown_columns(run.text, run.result, run.table, run.signals)[order.by.removeprefix(COLUMN)]
        keys, present = _column_keys(column.column(run.table))
        if column.computed is not None:
            return keys, present
    else:
        keys, present = _row_keys(run.table, run.labels, order)
    return keys[run.pool], None if present is None else present[run.pool]


def _row_keys(table: OverlayTable, labels: str | None, order: GridOrder) -> tuple[Keys, NDArray[np.bool_] | None]:
    if order.by == "labels":
        return (np.zeros(table.num_rows, np.int64) if labels is None else table.column(labels).lengths), None
    if order.by == "box_area":
        return _box_areas(table, largest=order.descending)
    return _image_sizes(table)


def _box_areas(table: OverlayTable, *, largest: bool) -> tuple[Keys, NDArray[np.bool_]]:
    """Return the largest or smallest box of each row in square pixels, and which have any."""
    tensor = first_tensor(table.tensors, "bbox")
    if tensor is None:
        return np.zeros(table.num_rows), np.zeros(table.num_rows, bool)
    column = table.column(tensor)
    boxes = boxes_xywh(column.values, table.tensors[tensor].coords)
    areas = np.abs(boxes[:, 2] * boxes[:, 3])
    starts = column.offsets // 4
    present = starts[1:] > starts[:-1]
    found = np.zeros(table.num_rows)
    if present.any():
        found[present] = (np.fmax if largest else np.fmin).reduceat(areas, starts[:-1][present])
    present &= ~np.isnan(found)
    return np.where(present, found, 0), present


def _image_sizes(table: OverlayTable) -> tuple[Keys, NDArray[np.bool_]]:
    """Return the pixels of each row's image, and where they are known."""
    tensor = first_tensor(table.tensors, "image")
    if tensor is None:
        return np.zeros(table.num_rows, np.int64), np.zeros(table.num_rows, bool)
    recorded = table.stored.shapes(tensor)
    few = int((recorded[:, 0] < 0).sum()) <= _MAX_HEADERS  # more headers take longer to read than anybody waits
    shapes = table.shapes(tensor) if few else recorded
    return shapes[:, 0] * shapes[:, 1], np.asarray((shapes[:, :2] >= 0).all(axis=1), bool)


def _column_keys(column: Ragged) -> tuple[Keys, NDArray[np.bool_] | None]:
    """Return what the rows of a column are ordered by: the value, of lists how many there are."""
    if int(column.lengths.max(initial=0)) <= 1 and (column.ndim == 0 or column.class_names is not None):
        return _scalars(column)
    present = column.valid_rows
    return column.lengths, None if present.all() else present


def _scalars(column: Ragged) -> tuple[Keys, NDArray[np.bool_] | None]:
    """Return the value of each row, and which have one; NaN counts as none."""
    present = column.valid_rows & (column.lengths > 0)
    values = column.values
    if values.dtype.kind not in _NUMBERS:
        values = np.unique(values, return_inverse=True)[1]
    found = np.zeros(len(column), values.dtype)
    found[present] = values[column.offsets[:-1][present]]
    if values.dtype.kind == "f":
        present &= ~np.isnan(found)
        found[~present] = 0
    return found, None if present.all() else present


def stable_order(keys: Keys, *, descending: bool) -> Positions:
    """Return the places of keys in ascending or descending order, equal ones as they are.

    Four times as fast as a stable sort of a million: each key and its place are packed into one number.
    """
    if not len(keys):
        return np.empty(0, np.int64)
    codes = _codes(keys)
    if descending:
        codes = codes.max() - codes
    codes <<= np.uint64(32)
    codes |= np.arange(len(codes), dtype=np.uint64)
    codes.sort()
    return (codes & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _codes(keys: Keys) -> NDArray[np.uint64]:
    """Return numbers of 32 bits that have the order of keys."""
    if keys.dtype.kind == "b":
        return keys.astype(np.uint64)
    if keys.dtype.kind in "iu":
        low, high = int(keys.min()), int(keys.max())
        return (keys.astype(np.int64) - low).astype(np.uint64) if high - low < 2**32 and high < 2**63 else _ranks(keys)
    with np.errstate(over="ignore"):
        short = keys.astype(np.float32)
    if (short != keys).any():
        return _ranks(keys)
    bits = (short + np.float32(0)).view(np.uint32)  # -0.0 is 0.0
    return np.where(bits >> 31, ~bits, bits | np.uint32(2**31)).astype(np.uint64)


def _ranks(keys: Keys) -> NDArray[np.uint64]:
    """Return the rank of each key among the distinct ones."""
    order = np.argsort(keys)
    ordered = keys[order]
    ranks = np.zeros(len(keys), np.uint64)
    ranks[order[1:]] = np.cumsum(ordered[1:] != ordered[:-1])
    return ranks
