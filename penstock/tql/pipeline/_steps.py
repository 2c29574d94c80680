"""Steps between the rows of a source and those of a result: EXPAND, UNGROUP, another name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from penstock.tql.values._relations import ColumnSource, ComputedColumn, Context, Field, Relation, Stage, TensorColumn
from penstock.tql.values._values import Value, take

__all__ = ["Expansion", "Requalified", "ungrouped"]

_MOST_ROWS = 100_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Expansion:
    """Each row with its neighbors in the dataset, clipped at its ends.

    `distance`, where there is one, tells how many rows a row lies behind the
    hit it came with (before it: negative); of several the nearest, of two as
    near the one before.
    """

    before: int
    after: int
    overlap: bool
    distance: Field | None
    span: tuple[int, int]

    def __call__(self, relation: Relation, context: Context) -> Relation:
        table = relation.table
        if table is None:
            raise context.error("EXPAND BY needs rows of a dataset", self.span)
        hits = relation.source_rows()
        width = self.before + self.after + 1
        if width * len(hits) > _MOST_ROWS:
            message = f"EXPAND BY would make {width * len(hits):,} rows. Expected at most {_MOST_ROWS:,}"
            raise context.error(message, self.span)
        windows = hits[:, None] + np.arange(-self.before, self.after + 1)
        inside = (windows >= 0) & (windows < table.num_rows)
        rows, distances = windows[inside], (windows - hits[:, None])[inside]
        if not self.overlap:
            # the nearest hit first, then the one before; the first entry of each row stays
            order = np.lexsort((distances < 0, np.abs(distances), rows))
            rows, first = np.unique(rows[order], return_index=True)
            distances = distances[order[first]]
        columns: dict[Field, ColumnSource] = {
            field: TensorColumn(table, field.tensor or "", rows) for field in relation.columns
        }
        if self.distance is not None:
            columns[self.distance] = ComputedColumn(Value(data=distances))
        return Relation(num_rows=len(rows), columns=columns, table=table, rows=rows)


def ungrouped(fields: tuple[Field, ...], extra: Field, relation: Relation, context: Context) -> Relation:
    """Return the rows of groups again, with their number inside the group."""
    context.check()
    grouping = relation.grouping
    assert grouping is not None
    rows = grouping.rows
    by_name = {field.name: column for field, column in rows.columns.items()}
    counts = np.diff(grouping.offsets)
    number = np.arange(rows.num_rows) - np.repeat(grouping.offsets[:-1], counts)
    group = np.repeat(np.arange(len(counts)), counts)
    columns = {
        field: by_name.get(field.name) or ComputedColumn(take(relation.columns[field].load(), group))
        for field in fields
    }
    columns[extra] = ComputedColumn(Value(data=number))
    return replace(rows, columns=columns)


@dataclass(frozen=True, slots=True, eq=False)
class Requalified:
    """A query under another name."""

    inner: Stage
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, inner: Stage, qualifier: str) -> Requalified:
        return cls(inner, tuple(replace(field, qualifier=qualifier) for field in inner.fields))

    @property
    def plain(self) -> bool:
        return self.inner.plain

    @property
    def has_groups(self) -> bool:
        return self.inner.has_groups

    def run(self, context: Context) -> Relation:
        relation = self.inner.run(context)
        pairs = zip(self.fields, self.inner.fields, strict=True)
        return replace(relation, columns={new: relation.columns[old] for new, old in pairs})

    def load(self, relation: Relation, context: Context, number: int) -> Value:
        context.check()
        return relation.columns[self.fields[number]].load()
