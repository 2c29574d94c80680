"""SAMPLE BY: from conditions and weights to strata, a sampling plan and draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from penstock.sampling import ClassCounts, Clause, SamplingPlan, SamplingSpec, Strata
from penstock.table import Table, class_names_of
from penstock.tensors import label_tensor, label_tensors
from penstock.tql.values._frames import RelationFrame
from penstock.tql.values._relations import Bound, Context, Frame, Relation, TensorColumn, tensor_value
from penstock.tql.values._values import expand_rows, truth

__all__ = ["BoundPair", "Floats", "WeightStep", "class_counts", "counted_labels"]

Floats = NDArray[np.float64]
Masks = list[NDArray[np.bool_]]
_MANY = 40  # clauses from which on rows are grouped by their classes, not by a mask for each
_EMPTY: dict[str, float] = {"max": 0.0, "sum": 0.0, "product": 1.0}


@dataclass(frozen=True, slots=True, eq=False)
class BoundPair:
    """One ``condition: weight``; a constant weight is a number.

    `of_class` is the tensor and the class of a pair out of a table of class weights.
    """

    source: str
    condition: Bound
    weight: Bound
    span: tuple[int, int]
    of_class: tuple[str, int] | None = None

    @property
    def number(self) -> float | None:
        """The weight, where it is the same in every row."""
        held = self.weight.constant
        return None if held is None else float(held.data[0]) if held.valid is None else np.nan

    @property
    def shown(self) -> str:
        """The pair as text."""
        return f"{self.source}: {'…' if self.number is None else f'{self.number:g}'}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WeightStep:
    """A bound SAMPLE BY.

    Exactly clauses of constant weight become the clauses of a spec; every other
    form is evaluated to one weight a row. A table of class weights is a clause for each class.
    """

    combine: Literal["max", "sum", "product"]
    pairs: tuple[BoundPair, ...]
    tables: tuple[tuple[str, tuple[float, ...]], ...]  # weights by class index of each ``$name``
    raw: Bound | None
    text: str
    span: tuple[int, int]
    cap: float | None
    replace: bool
    limit: int | None
    percent: float | None
    depth: int = 0

    @property
    def by_clauses(self) -> bool:
        """Return whether every weight is a constant."""
        return self.raw is None and all(pair.number is not None for pair in self.pairs)

    def size(self, num_rows: int) -> int | None:
        """Return the number of draws requested, None if it is not given."""
        if self.percent is not None:
            return int(np.floor(num_rows * self.percent / 100 + 1e-9))
        return self.limit

    def spec(self, num_rows: int, context: Context) -> SamplingSpec:
        """Return the spec of this step for a pool of `num_rows` rows."""
        clauses: tuple[Clause, ...] = ()
        if self.by_clauses:
            clauses = tuple(Clause(pair.source, pair.number or 0.0) for pair in self.pairs)
        replaced = self.replace and context.mode != "once"
        return SamplingSpec(
            clauses=clauses,
            combine=self.combine,
            replace=replaced,
            size=self.size(num_rows) or None,
            seed=_seed_at(context.seed, self.depth),
            mode=cast("Any", context.mode if replaced else "once"),
            cap=self.cap,
            expression=None if self.by_clauses else self.text,
            tables=() if self.by_clauses else self.tables,
        )

    def draw(self, relation: Relation, context: Context, *, top: bool = False) -> Relation:
        """Return the rows of epoch 0; the outermost step leaves pool and plan in the context."""
        if top:
            context.pool = relation.source_rows() if relation.table is not None else None
        asked = self.size(relation.num_rows)
        if asked == 0:
            context.count("sample by", 0)
            return relation.take(np.zeros(0, np.int64))
        if relation.num_rows == 0:
            hint = "the query before SAMPLE BY returns no rows"
            raise context.error("there is nothing to sample: the pool is empty", self.span, hint=hint)
        plan = self.plan(relation, context)
        if top:
            context.plan = plan
        asked = relation.num_rows if asked is None else asked
        plan = _drawable(plan, asked, context)
        context.count("sample by", plan.num_draws)
        return relation.take(plan.stream().epoch(0)) if context.draws or not top else relation

    def plan(self, relation: Relation, context: Context) -> SamplingPlan:
        """Return strata of the rows with this step's weights."""
        if context.mode != "iid" or not self.replace:
            self._refuse_repeats(relation, context)
        strata = self.strata(relation, context)
        plan = strata.with_spec(self.spec(relation.num_rows, context))
        if not plan.total_weight > 0:
            raise self._nothing(relation, context)
        return plan

    def _refuse_repeats(self, relation: Relation, context: Context) -> None:
        if _repeating(relation.rows) is not None:
            way = "drawn without replacement" if context.mode == "once" or not self.replace else "drawn as a deck"
            hint = "sample with mode='iid', or use select distinct first"
            raise context.error(f"the pool contains rows more than once, so it cannot be {way}", self.span, hint=hint)

    def strata(self, relation: Relation, context: Context, *, by_row: bool = False) -> Strata:
        """Return the rows grouped by the clauses that match them, or by their weight."""
        frame = RelationFrame(relation, context)
        labels = self._labels(relation, context)
        rows = relation.rows
        if self.by_clauses and not by_row:
            if self._names_classes_of(labels):
                return self._by_classes(labels, frame, rows)
            masks = list(self._masks(frame))
            self._check_numbers(masks, frame)
            names = [pair.source for pair in self.pairs]
            if len(set(names)) == len(names):
                return Strata.from_masks(dict(zip(names, masks, strict=True)), labels=labels, rows=rows)
            return Strata.from_masks(masks, labels=labels, rows=rows)
        return Strata.from_weights(self.row_weights(frame), labels=labels, rows=rows)

    def _names_classes_of(self, labels: ClassCounts | None) -> TypeGuard[ClassCounts]:
        """Return whether the clauses are many, and each is a class of `labels` or every row: no masks are needed."""
        if labels is None or len(self.pairs) <= _MANY:
            return False
        return all(
            _is_every_row(pair) if pair.of_class is None else pair.of_class[0] == labels.tensor for pair in self.pairs
        )

    def _by_classes(self, labels: ClassCounts, frame: Frame, rows: NDArray[np.int64] | None) -> Strata:
        self._check_numbers([np.zeros(frame.num_rows, bool)] * len(self.pairs), frame)
        classes = [None if pair.of_class is None else pair.of_class[1] for pair in self.pairs]
        names = tuple(pair.source for pair in self.pairs)
        return Strata.from_classes(labels, classes, expressions=names, rows=rows)

    def _masks(self, frame: Frame) -> Iterator[NDArray[np.bool_]]:
        for pair in self.pairs:
            value = truth(pair.condition.value(frame))
            if value.constant and value.offsets is None:
                yield np.broadcast_to(value.data, (frame.num_rows,))
            else:
                yield expand_rows(value, frame.num_rows).data

    def row_weights(self, frame: Frame) -> Floats:
        """Return the weight of every row; refuse what is no weight, naming the first row."""
        if self.raw is not None:
            value = self.raw.full(frame)
            weights = value.data.astype(np.float64)
            if value.valid is not None:
                weights = np.where(value.valid, weights, np.nan)
            self._refuse(weights, np.ones(len(weights), bool), frame, self.text, self.span)
            return weights
        weights = np.full(frame.num_rows, _EMPTY[self.combine])
        for pair, mask in zip(self.pairs, self._masks(frame), strict=True):
            value = pair.weight.full(frame)
            given = value.data.astype(np.float64)
            if value.valid is not None:
                given = np.where(value.valid, given, np.nan)
            self._refuse(given, mask, frame, pair.source, pair.span)
            weights = self._combined(weights, np.where(mask, given, _EMPTY[self.combine]))
        return weights if self.cap is None else np.minimum(weights, self.cap)

    def _combined(self, weights: Floats, more: Floats) -> Floats:
        if self.combine == "product":
            return weights * more
        return weights + more if self.combine == "sum" else np.maximum(weights, more)

    def _check_numbers(self, masks: Masks, frame: Frame) -> None:
        for pair, mask in zip(self.pairs, masks, strict=True):
            number = pair.number
            if number is None or not np.isfinite(number) or number < 0:
                self._refuse(np.full(len(mask), number), mask, frame, pair.source, pair.span)
                raise _bad_weight(frame.context, number, pair.source, pair.span, None)

    def _refuse(
        self, weights: Floats, mask: NDArray[np.bool_], frame: Frame, source: str, span: tuple[int, int]
    ) -> None:
        bad = mask & ~(np.isfinite(weights) & (weights >= 0))
        if bad.any():
            first = int(np.argmax(bad))
            row = int(frame.source_rows()[first])
            raise _bad_weight(frame.context, weights[first], source, span, row)

    def _nothing(self, relation: Relation, context: Context) -> Exception:
        count = relation.num_rows
        if self.raw is not None:
            message = f"all weights are zero: {self.text} is 0 in each of the {count} rows"
            return context.error(message, self.span)
        frame = RelationFrame(relation, context)
        counts = [
            f"{pair.shown} matches {int(mask.sum())} of {count} rows"
            for pair, mask in zip(self.pairs, self._masks(frame), strict=True)
        ]
        message = f"all weights are zero, so nothing can be drawn: {'; '.join(counts) or self.text}"
        return context.error(message, self.span, hint="add True: 1 for everything else")

    def _labels(self, relation: Relation, context: Context) -> ClassCounts | None:
        if relation.table is None:
            return None
        tensor = counted_labels(relation.table, context.labels, self.conditions())
        return None if tensor is None else class_counts(relation.table, tensor, relation.rows)

    def conditions(self) -> list[Bound]:
        """Return the conditions, or what replaces them."""
        held = [pair.condition for pair in self.pairs]
        return held if self.raw is None else [self.raw]


def _is_every_row(pair: BoundPair) -> bool:
    held = pair.condition.constant
    return held is not None and held.valid is None and not pair.condition.type.rank and bool(held.data[0])


def _seed_at(seed: int, depth: int) -> int:
    """Return the seed of a draw below `depth` others: draws of draws with one seed would repeat its choices."""
    return seed if depth == 0 else (seed + depth * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128


def _repeating(rows: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """Return rows some of which stand there twice; None where each is its own."""
    if rows is None or len(rows) < 2 or bool((np.diff(rows) > 0).all()) or len(np.unique(rows)) == len(rows):
        return None
    return rows


def class_counts(table: Table, tensor: str, rows: NDArray[np.int64] | None) -> ClassCounts:
    """Return the labels of some rows (None: all) for the charts."""
    value = tensor_value(table, tensor) if rows is None else TensorColumn(table, tensor, rows).load()
    offsets = value.offsets
    assert offsets is not None
    data = value.data[: offsets[-1]]
    return ClassCounts(values=data, offsets=offsets, class_names=class_names_of(table, tensor), tensor=tensor)


def counted_labels(table: Table, asked: str | None, conditions: Sequence[Bound]) -> str | None:
    """Return the class label tensor for charts: the requested one, the first of the clauses, or the first."""
    if asked is None:
        labels = label_tensors(table.tensors)
        named = (field.tensor for bound in conditions for field in bound.fields if field.tensor in labels)
        asked = next(named, None)
    return label_tensor(table.tensors, asked)


def _drawable(plan: SamplingPlan, asked: int, context: Context) -> SamplingPlan:
    """Return the plan of as many draws as there can be."""
    if plan.num_draws < asked:
        context.warn(
            f"{asked} draws without replacement were requested, but only {plan.num_drawable} rows have a weight "
            f"above 0: {plan.num_draws} rows were drawn"
        )
        plan = plan.strata.with_spec(replace(plan.spec, size=plan.num_draws))
    return plan


def _bad_weight(
    context: Context, weight: float | None, source: str, span: tuple[int, int], row: int | None
) -> Exception:
    where = "" if row is None else f" in row {row}"
    shown = "not a number" if weight is None or np.isnan(weight) else f"{weight:g}"
    message = f"the weight of {source} is {shown}{where}. Expected a finite number >= 0"
    return context.error(message, span, hint="use weight 0 to leave rows out")
