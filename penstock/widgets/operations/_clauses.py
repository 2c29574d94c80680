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
from penstock.widgets.operations._arguments import CLASS, MAX_CLAUSES, QUERY
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, operation
from penstock.widgets.session._export import split_sampling, with_weights
from penstock.widgets.session._narrowing import class_condition
from penstock.widgets.session._session import Session

__all__ = ["ClauseOperations"]

_DIGITS = 6
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
        """Drop a clause; without clauses there is no SAMPLE BY."""
        return {"text": tql.remove_clause(text, clause)}

    @operation(
        "clause.preset",
        text=QUERY,
        preset=check.choice("raw", *_PRESETS),
        parameter=check.maybe(check.number(0, 1)),
    )
    def preset(self, call: Call, *, text: str, preset: str, parameter: float | None) -> dict[str, Any]:
        """Weigh all classes by a rule from the literature; raw: every weight 1."""
        if preset == "raw":
            return {"text": _all_one(text), "reference": "all samples have the same weight"}
        name, rule = _PRESETS[preset]
        labels = self._labels(self._pool_plan(call, text))
        options = {} if parameter is None else {_PARAMETERS[preset]: parameter} if preset in _PARAMETERS else {}
        return {"text": with_weights(text, _short_text(rule(labels, **options))), "reference": REFERENCES[name]}

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
            "text": with_weights(text, _short_text(found.spec)),
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


def _short_text(spec: SamplingSpec) -> str:
    """Return the weight expression with weights of a few digits, as a person would write them."""
    short: dict[str | int, float] = {
        number: float(f"{weight:.{_DIGITS}g}") for number, weight in enumerate(spec.weights)
    }
    return spec.replace_weights(short).with_options(size=None, mode="iid").to_tql()


def _all_one(text: str) -> str:
    for number, clause in enumerate(tql.clauses(text)):
        if clause.start is not None:
            text = tql.rewrite_weight(text, number, 1)
    return text
