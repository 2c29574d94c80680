"""The columns a table shows: tensors of the dataset, what a projection computed, or the columns of a table result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from penstock.table import Ragged, Table
from penstock.tensors import TensorSpec
from penstock.tql import QueryResult, parse, quote_name
from penstock.tql.syntax import _ast as ast
from penstock.widgets.queries._signals import ShownSignals, signal_expression

__all__ = ["ShownColumn", "shown_columns"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShownColumn:
    """A column of a table.

    Parameters
    ----------
    name : str
        As it is shown; for a tensor also as queries name it, for a signal the expression that queries have for it.
    htype : str
        The tensor's kind; ``generic`` for what a query computed, ``signal`` for what training reported.
    computed : Ragged, optional
        The values, where a query computed them: one a row of the result. None for a tensor of the dataset.
    reported : Ragged, optional
        The values of a signal, one a row of the table.
    token : str, optional
        Of a signal: another one when its values may have changed.
    """

    name: str
    htype: str
    computed: Ragged | None = None
    reported: Ragged | None = None
    token: str = ""

    def column(self, table: Table) -> Ragged:
        """Return the values."""
        if self.computed is not None:
            return self.computed
        return table.column(self.name) if self.reported is None else self.reported

    @property
    def expression(self) -> str:
        """How a query asks for the value of a row."""
        return quote_name(self.name) if self.reported is None else self.name


def shown_columns(
    text: str, result: QueryResult, table: Table, signals: ShownSignals | None = None
) -> dict[str, ShownColumn]:
    """Return the columns of a query's result, by name, then the signals; images and masks are left out."""
    if not result.is_rows:
        return {name: _computed(name, column) for name, column in (result.columns or {}).items()}
    found: dict[str, ShownColumn] = {}
    for name, kind in _items(text, table):
        if kind == "tensor":
            if not table.tensors[name].is_encoded:
                found[name] = ShownColumn(name=name, htype=table.tensors[name].htype)
        elif result.plan is None and result.columns is not None and name in result.columns:
            found[name] = _computed(name, result.columns[name])
    found = found or {name: ShownColumn(name=name, htype=spec.htype) for name, spec in _plain(table)}
    return found | _signals(signals)


def _signals(signals: ShownSignals | None) -> dict[str, ShownColumn]:
    if signals is None:
        return {}
    named = {signal_expression(name): name for name in signals.names}
    return {
        expression: ShownColumn(
            name=expression, htype="signal", reported=signals.column(name), token=f"signal {signals.token}"
        )
        for expression, name in named.items()
    }


def _computed(name: str, column: Ragged) -> ShownColumn:
    return ShownColumn(name=name, htype="generic" if column.class_names is None else "class_label", computed=column)


def _plain(table: Table) -> list[tuple[str, TensorSpec]]:
    return [(name, spec) for name, spec in table.tensors.items() if not spec.is_encoded]


def _items(text: str, table: Table) -> list[tuple[str, Literal["tensor", "computed"]]]:
    """Return the names a query selects, and whether each is a tensor as it is or computed."""
    body = parse(text).body
    if not isinstance(body, ast.Select) or isinstance(body.source, ast.QuerySource):
        return [(name, "tensor") for name in table.tensors]
    found: list[tuple[str, Literal["tensor", "computed"]]] = []
    for item in body.items:
        expression = item.expression
        if isinstance(expression, ast.Star):
            found += [(name, "tensor") for name in table.tensors]
        elif isinstance(expression, ast.Column) and item.alias in {None, expression.parts[-1]}:
            name = expression.parts[-1]
            found.append((name, "tensor" if name in table.tensors else "computed"))
        elif item.alias is not None:
            found.append((item.alias, "computed"))
    return found
