"""Tables of class weights that a query names: what a preset over many classes writes in place of a clause for each."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from penstock import tql
from penstock.table import Table

__all__ = ["NO_TABLES", "ClassTable", "ClassTables", "pair_numbers"]

_COMBINED: Mapping[str, Callable[[float, float], float]] = {"max": max, "sum": operator.add, "product": operator.mul}


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Weights by class name of a tensor; classes that are not named weigh 1."""

    tensor: str
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ClassTables:
    """All tables of a session by name. A name means the same table in every query, with the weights of now.

    Parameters
    ----------
    by_name : mapping of str to ClassTable
        The tables; also of classes that are gone, which may come back.
    merged : tuple of (tuple of str, mapping of str to ClassTable)
        Class names before a merge, and the tables of then.
    """

    by_name: Mapping[str, ClassTable] = field(default_factory=dict)
    merged: tuple[tuple[tuple[str, ...], Mapping[str, ClassTable]], ...] = ()

    def fitting(self, table: Table) -> dict[str, dict[str, float]]:
        """Return the weights by name that fit the classes of a table: what a query takes as its parameters."""
        found = {}
        for name, one in self.by_name.items():
            known = set(table.tensors[one.tensor].class_names) if one.tensor in table.tensors else set()
            found[name] = {label: weight for label, weight in one.weights.items() if label in known}
        return found

    def added(self, stem: str, new: ClassTable) -> tuple[str, ClassTables]:
        """Return a name for a table, and the tables with it; a table that is there already keeps its name."""
        number, name = 1, stem
        while name in self.by_name and self.by_name[name] != new:
            number += 1
            name = f"{stem}_{number}"
        return name, ClassTables({**self.by_name, name: new}, self.merged)

    def with_weights(self, clauses: Sequence[tql.WeightClause], weights: Sequence[float]) -> ClassTables:
        """Return the tables with the weights that the clauses of a query have now."""
        moved: dict[str, dict[str, float]] = {}
        for clause, weight in zip(clauses, weights, strict=True):
            if clause.table is not None and clause.class_name is not None:
                known = self.by_name[clause.table].weights.get(clause.class_name, 1.0)
                if known != weight:
                    moved.setdefault(clause.table, {})[clause.class_name] = weight
        if not moved:
            return self
        changed = {name: self._with(name, more) for name, more in moved.items()}
        return ClassTables({**self.by_name, **changed}, self.merged)

    def _with(self, name: str, more: Mapping[str, float]) -> ClassTable:
        one = self.by_name[name]
        return ClassTable(one.tensor, {**one.weights, **more})

    def followed(
        self, renames: Mapping[str, Mapping[str, str]], before: Table, after: Table, combine: str
    ) -> ClassTables:
        """Return the tables for classes renamed or merged; where a merge was taken back, as they were before."""
        tables, merged = dict(self.by_name), list(self.merged)
        for name, one in self.by_name.items():
            if one.tensor not in before.tensors or one.tensor not in after.tensors:
                continue
            then, now = before.tensors[one.tensor].class_names, after.tensors[one.tensor].class_names
            again = next((past[name] for names, past in reversed(merged) if names == tuple(now) and name in past), None)
            if again is not None and len(now) > len(then):
                back = {label: weight for label, weight in again.weights.items() if self._was_merged(label, one, then)}
                tables[name] = ClassTable(one.tensor, {**one.weights, **back})
                continue
            new = renames.get(one.tensor, {})
            tables[name] = ClassTable(one.tensor, _renamed(one.weights, new, set(then), set(now), combine))
            if len(now) < len(then):
                merged.append((tuple(then), {name: one}))
        return ClassTables(tables, tuple(merged))

    def _was_merged(self, label: str, one: ClassTable, then: Sequence[str]) -> bool:
        return label not in then or any(
            past.weights.get(label) != one.weights.get(label) for _, tables in self.merged for past in tables.values()
        )


NO_TABLES = ClassTables()


def _renamed(
    weights: Mapping[str, float], names: Mapping[str, str], then: set[str], now: set[str], combine: str
) -> dict[str, float]:
    """Return weights by the names of now; of classes that became one, combined as its clauses would be."""
    found: dict[str, float] = {}
    for label in [*weights, *(old for old in names if old not in weights)]:
        target, weight = names.get(label, label), weights.get(label, 1.0)
        both = target in found or (target in then and target not in names and target != label and target in now)
        if both:
            weight = _COMBINED[combine](found.get(target, weights.get(target, 1.0)), weight)
        found[target] = weight if target not in found or both else found[target]
    return found


def pair_numbers(clauses: Sequence[tql.WeightClause]) -> list[int]:
    """Return for each clause which term of the text it is: a table is one term with a clause for each class."""
    numbers: list[int] = []
    for place, clause in enumerate(clauses):
        last = clauses[place - 1] if place else None
        same = (
            last is not None
            and clause.table is not None
            and (last.table, last.tensor) == (clause.table, clause.tensor)
            and (last.class_index or 0) < (clause.class_index or 0)
        )
        numbers.append(numbers[-1] if same else (numbers[-1] + 1 if numbers else 0))
    return numbers
