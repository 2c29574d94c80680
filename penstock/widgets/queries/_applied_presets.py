"""Which preset the weights of a query come from: told by its clauses, so that undo and a reload tell it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock import tql

__all__ = ["AppliedPreset", "AppliedPresets"]

_MOST = 20


@dataclass(frozen=True, slots=True)
class AppliedPreset:
    """A preset and the weights it wrote, by the source of their clauses."""

    name: str
    parameter: float | None
    weights: Mapping[str, float]

    def changed(self, clauses: Sequence[tql.WeightClause]) -> int | None:
        """Return how many of its weights are others by now; None where a clause of it is missing."""
        now = {clause.expression: clause.weight for clause in clauses}
        if not self.weights.keys() <= now.keys():
            return None
        return sum(now[source] != weight for source, weight in self.weights.items())


class AppliedPresets:
    """The presets of a session that may hold."""

    def __init__(self) -> None:
        self._applied: tuple[AppliedPreset, ...] = ()  # the newest first

    def remember(self, name: str, parameter: float | None, clauses: Sequence[tql.WeightClause]) -> None:
        """Keep what a preset wrote: its classes and all other samples."""
        weights = {c.expression: c.weight for c in clauses if c.class_name is not None or c.label == "everything else"}
        if weights:
            self._applied = (AppliedPreset(name, parameter, weights), *self._applied)[:_MOST]

    def of(self, clauses: Sequence[tql.WeightClause]) -> AppliedPreset | None:
        """Return the preset that clauses come from: the one with the fewest changes, the newest of several."""
        known = [(changed, one) for one in self._applied if (changed := one.changed(clauses)) is not None]
        return min(known, key=lambda pair: pair[0])[1] if known else None
