"""Operations on weight clauses: add and remove them, weigh by rules of the literature or by target shares."""

from __future__ import annotations

from typing import Any

from penstock import tql
from penstock.errors import SamplingError
from penstock.sampling import (
    REFERENCES,
    ClassCounts,
    Clause,
    SamplingPlan,
    SamplingSpec,
    effective_number,
    inverse_frequency,
    repeat_factor,
    square_root,
)
from penstock.sampling.spec._number_text import number_text
from penstock.tql.syntax import _ast as ast
from penstock.widgets.exporting._export import split_sampling, with_weights
from penstock.widgets.operations._arguments import CLASS, MAX_CLAUSES, QUERY
from penstock.widgets.queries._class_tables import ClassTable, pair_numbers
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, operation
from penstock.widgets.session._narrowing import class_condition
from penstock.widgets.session._session import Session

__all__ = ["ClauseOperations"]

_DIGITS = 6
_MOST_CLAUSES = 40  # a preset over more classes writes one table
_PRESETS = {
    "balanced": ("inverse_frequency", inverse_frequency),
    "square_root": ("square_root", square_root),
    "effective_number": ("effective_number", effective_number),
    "repeat_factor": ("repeat_factor", repeat_factor),
}
_TARGET = check.mapping(class_index=check.integer(0, 2**31 - 1), share=check.number(0, 1))


class ClauseOperations:
    """Answer with the text whose weight clauses do what is asked; nothing runs yet.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @operation("clause.add", lane="read", text=QUERY, class_index=CLASS, weight=check.number(0, 1e300))
    def add_clause(self, _call: Call, *, text: str, class_index: int, weight: float) -> dict[str, Any]:
        """Weigh one more class."""
        run = self._session.run
        if run.labels is None or class_index >= len(run.class_names):
            raise check.BadRequestError(
                f"class {class_index} does not exist; the dataset has {len(run.class_names)} classes"
            )
        condition = class_condition(run.labels, run.class_names[class_index])
        return {"text": tql.add_clause(text, condition, weight)}

    @operation("clause.remove", lane="read", text=QUERY, clause=check.integer(0, MAX_CLAUSES))
    def remove_clause(self, _call: Call, *, text: str, clause: int) -> dict[str, Any]:
        """Drop a clause; without clauses there is no SAMPLE BY. A class of a table weighs 1 instead."""
        clauses = self._clauses(text)
        if clause >= len(clauses):
            return {"text": tql.remove_clause(text, clause)}
        if clauses[clause].table is not None:
            raise check.BadRequestError(f"the weight of {clauses[clause].label!r} is in a table; set it to 1 instead")
        return {"text": tql.remove_clause(text, pair_numbers(clauses)[clause])}

    def _clauses(self, text: str) -> tuple[tql.WeightClause, ...]:
        return tql.clauses(text, self._session.run.table, tables=self._session.tables)

    @operation(
        "clause.preset",
        text=QUERY,
        preset=check.choice("raw", *_PRESETS),
        parameter=check.maybe(check.number(0, 1)),
    )
    def preset(self, call: Call, *, text: str, preset: str, parameter: float | None) -> dict[str, Any]:
        """Weigh all classes by a rule from the literature; raw: every weight 1."""
        labels = self._labels(self._pool_plan(call, text))
        if preset == "raw":
            written, reference = self._every_one(text, labels), "all samples have the same weight"
        else:
            name, rule = _PRESETS[preset]
            options = {} if parameter is None else {_PARAMETERS[preset]: parameter} if preset in _PARAMETERS else {}
            written, reference = self._weighed(text, labels, rule(labels, **options), preset), REFERENCES[name]
        self._session.presets.remember(preset, parameter, self._clauses(written))
        return {"text": written, "reference": reference}

    def _every_one(self, text: str, labels: ClassCounts) -> str:
        """Return the query with weight 1 wherever its text has a number, and for every class."""
        if tql.parse(text).sample is None:
            return text
        clauses = self._clauses(text)
        if any(clause.table is not None for clause in clauses):
            return self._weighed(text, labels, SamplingSpec(clauses=(Clause("True", 1.0),)), "raw")
        for number, clause in enumerate(clauses):
            if clause.start is not None:
                text = tql.rewrite_weight(text, number, 1)
        return text

    def _weighed(self, text: str, labels: ClassCounts, spec: SamplingSpec, stem: str) -> str:
        """Return the query with the weights of a spec: a clause for each class, or of many one table.

        Conditions that are no class stay; where no class weighs more than another and there was no SAMPLE BY, so does
        the whole text.
        """
        weights = {clause.expression: _rounded(clause.weight) for clause in spec.clauses}
        kept = self._conditions(text) if spec.combine == "max" else ()
        if not kept and tql.parse(text).sample is None and all(weight == 1 for weight in weights.values()):
            return text
        if len(weights) <= _MOST_CLAUSES:
            pairs = [f"{source}: {number_text(weight)}" for source, weight in weights.items()]
        else:
            pairs = self._in_one_table(labels, weights, stem)
        pairs = [*kept, *pairs, *([] if spec.cap is None else [f"cap => {number_text(spec.cap)}"])]
        return with_weights(text, f"{spec.combine}_weight({', '.join(pairs)})")

    def _in_one_table(self, labels: ClassCounts, weights: dict[str, float], stem: str) -> list[str]:
        of_class = {labels.condition(number): name for number, name in enumerate(labels.class_names)}
        values = {of_class[source]: weight for source, weight in weights.items() if source in of_class}
        name = self._session.add_table(stem, ClassTable(labels.tensor, values))
        others = [f"{source}: {number_text(weight)}" for source, weight in weights.items() if source not in of_class]
        return [f"classes({tql.quote_name(labels.tensor)}, ${name})", *others]

    def _conditions(self, text: str) -> tuple[str, ...]:
        """Return the clauses of a query that ask for no class and not for every sample, as they are written."""
        sample = tql.parse(text).sample
        if sample is None or not isinstance(sample.weight, ast.Weights) or sample.weight.combine != "max":
            return ()
        clauses = self._clauses(text)
        firsts = dict(zip(reversed(pair_numbers(clauses)), reversed(clauses), strict=True))
        kept = [
            pair
            for number, pair in enumerate(sample.weight.pairs)
            if number in firsts and firsts[number].class_name is None and not _is_every_row(pair.condition)
        ]
        return tuple(text[pair.start : pair.end] for pair in kept)

    @operation(
        "targets.solve",
        text=QUERY,
        targets=check.array(_TARGET, 4096),
        unit=check.choice("instances", "samples"),
        max_repeats=check.maybe(check.number(0, 1e12)),
    )
    def solve(
        self, call: Call, *, text: str, targets: list[dict[str, Any]], unit: Any, max_repeats: float | None
    ) -> dict[str, Any]:
        """Find the weights, nearest to equal ones, that give classes the wanted shares."""
        plan = self._pool_plan(call, text)
        names = self._labels(plan).class_names
        wrong = [target["class_index"] for target in targets if target["class_index"] >= len(names)]
        if wrong:
            raise check.BadRequestError(f"class {wrong[0]} does not exist; the dataset has {len(names)} classes")
        wanted = {names[target["class_index"]]: target["share"] for target in targets}
        call.check_cancelled()
        found = plan.solve_targets(wanted, unit=unit, max_repeats=max_repeats)
        return {
            "text": self._weighed(text, self._labels(plan), found.spec, "target_shares"),
            "max_repeats": found.max_repeats,
            "effective_sample_size": found.effective_sample_size,
            "moved": [{"class_index": m.class_index, "from": m.before, "to": m.after} for m in found.moved],
        }

    def _pool_plan(self, call: Call, text: str) -> SamplingPlan:
        session = self._session
        run = session.try_query(split_sampling(text)[0], cancelled=call.cancelled.is_set)
        if run.strata is None:
            raise SamplingError("the query returns a table, not samples; there is nothing to weigh")
        spec = SamplingSpec(clauses=(Clause("True", 1.0),), mode=session.mode, seed=session.seed)
        return run.strata.with_spec(spec)

    @staticmethod
    def _labels(plan: SamplingPlan) -> ClassCounts:
        labels = plan.strata.labels
        if labels is None:
            raise SamplingError("the dataset has no class labels to weigh by")
        return labels


_PARAMETERS = {"effective_number": "beta", "repeat_factor": "threshold"}


def _rounded(weight: float) -> float:
    """Return a weight with a few digits, as a person would write it."""
    return float(f"{weight:.{_DIGITS}g}")


def _is_every_row(condition: ast.Expression) -> bool:
    return isinstance(condition, ast.Literal) and condition.value is True
