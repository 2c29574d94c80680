"""Numbers per sample that training reported, in queries."""

from __future__ import annotations

import numpy as np

from penstock._wording import nearest
from penstock.errors import PenstockError
from penstock.signals import KINDS, Kind, Runs, StoredRun, stored_run
from penstock.storage import Location
from penstock.table import Table
from penstock.tql.binding._binder import FLOAT, INT, Binder
from penstock.tql.functions._registry import builtin
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._lexer import quote_text
from penstock.tql.values._memo import memo_of
from penstock.tql.values._relations import SIGNAL, Bound, Field, Frame
from penstock.tql.values._values import Value

__all__: list[str] = []

_POSITIONAL = 2  # the name, and which of its numbers
_SIGNATURE = "signal(name [, kind, run => name])"


@builtin(
    _SIGNATURE, "'last', 'mean' or 'count' of what training recorded for the sample, of the newest run or a named one"
)
def _signal(binder: Binder, node: ast.Call) -> Bound:
    if len(node.arguments) > _POSITIONAL:
        raise binder.error("signal takes a run by name", node.arguments[_POSITIONAL], hint="run => 'baseline'")
    of = _samples(binder, node)
    table = of.table
    assert table is not None
    name = _text(binder, node.arguments[0], "the name of a signal")
    kind = _kind(binder, node)
    run = _run(binder, node, table)
    names = run.names
    if name not in names:
        raise _unknown(binder, node.arguments[0], f"run {run.name!r} has no signal {name!r}", name, names)
    key = f"{SIGNAL}{run.key()!r} {name!r} {kind}"

    def whole() -> Value:
        values, recorded = run.numbers(name, kind).at(table.uids(np.arange(table.num_rows)))
        if kind == "count":
            return Value(data=np.where(recorded, values, 0).astype(np.int64))
        return Value(data=values, valid=None if recorded.all() else recorded)

    def compute(frame: Frame) -> Value:
        column, rows = memo_of(table).keep(key, whole), frame.rows_of(of)
        inside = rows >= 0
        valid = inside if column.valid is None else inside & column.valid[rows]
        return Value(data=column.data[rows], valid=None if valid.all() else valid)

    return Bound(
        span=(node.start, node.end), type=INT if kind == "count" else FLOAT, run=compute, key=f"{key} {of.key}",
        fields=() if of.pixels else (of,), stable=True,
    )  # fmt: skip


def _samples(binder: Binder, node: ast.Call) -> Field:
    """Return a tensor whose rows are those of the dataset that has the signal."""
    stored = [field for field in binder.scope.fields if field.table is not None and field.tensor is not None]
    if not stored or _location(stored[0].table) is None:
        raise binder.error("signal() takes samples of a stored dataset, and these rows are not samples of one", node)
    if len({id(field.table) for field in stored}) > 1:
        raise binder.error("signal() takes samples of one dataset, and FROM joins several", node)
    return next((field for field in stored if not field.pixels), stored[0])


def _location(table: Table | None) -> Location | None:
    return None if table is None else table.location


def _text(binder: Binder, node: ast.Expression, what: str) -> str:
    if isinstance(node, ast.Column):
        written = quote_text(".".join(node.parts))
        raise binder.error(f"{what} is text in single quotes", node, hint=f"write {written}", fix=written)
    bound = binder.bind(node)
    if bound.constant is None or bound.type.kind != "text" or bound.constant.valid is not None:
        raise binder.error(f"{what} must be a text that is the same in every row", node, hint=_SIGNATURE)
    return str(bound.constant.data[0])


def _kind(binder: Binder, node: ast.Call) -> Kind:
    if len(node.arguments) < _POSITIONAL:
        return "last"
    kind = _text(binder, node.arguments[1], "what is kept of a signal")
    found = next((known for known in KINDS if known == kind), None)
    if found is None:
        raise _unknown(binder, node.arguments[1], f"{kind!r} is not kept of a signal", kind, KINDS)
    return found


def _run(binder: Binder, node: ast.Call, table: Table) -> StoredRun:
    location = table.location
    assert location is not None
    runs, named = Runs(location), dict(node.named).get("run")
    try:
        if named is not None:
            name = _text(binder, named, "the name of a run")
            if name not in runs:
                raise _unknown(binder, named, f"{name!r} is not a run of this dataset", name, list(runs))
            return stored_run(runs[name])
        newest = runs.newest
    except PenstockError as error:
        if isinstance(error, ValueError) and hasattr(error, "text"):
            raise
        raise binder.error(f"the runs of this dataset cannot be read: {error}", node) from error
    if newest is None:
        hint = "in the training loop: loader.record(batch, loss=loss)"
        raise binder.error("no run was recorded beside this dataset", node, hint=hint)
    return stored_run(newest)


def _unknown(binder: Binder, node: ast.Expression, message: str, name: str, known: object) -> PenstockError:
    names = list(known) if isinstance(known, (list, tuple)) else []
    like = nearest(name, names)
    fix = None if like is None else quote_text(like)
    return binder.error(
        f"{message}. Expected one of: {', '.join(map(repr, names)) or 'none'}",
        node,
        hint=None if fix is None else f"did you mean {fix}?",
        suggestion=like,
        fix=fix,
    )
