"""A schedule as literals of Python: a position and a weight expression a line."""

from __future__ import annotations

from typing import Any

from penstock import tql
from penstock.errors import PenstockError
from penstock.sampling import SamplingSchedule, SamplingSpec, ScheduleEntry
from penstock.widgets.exporting._code_text import Name, call_text, value_text

__all__ = ["schedule_code"]

_SCHEDULE = "penstock.sampling.SamplingSchedule"


def schedule_code(schedule: SamplingSchedule) -> list[str]:
    """Return statements that make the schedule, under the name ``schedule``; checked before they are handed out.

    Examples
    --------
    >>> from penstock.sampling import Clause
    >>> one, other = (SamplingSpec(clauses=(Clause("True", weight),)) for weight in (1, 2))
    >>> print(*schedule_code(SamplingSchedule([(0, one), (64, other)])), sep=chr(10))
    weights = [(0, 'max_weight(True: 1)'), (64, 'max_weight(True: 2)')]
    schedule = penstock.sampling.SamplingSchedule(
        [(start, penstock.parse_sampling(text, seed=0, mode='iid')) for start, text in weights],
    )
    """
    texts = _texts(schedule)
    if texts is None:
        return [call_text(f"schedule = {_SCHEDULE}.from_json", [schedule.to_json()])]
    options = ", ".join(f"{name}={value!r}" for name, value in _options(schedule.spec).items())
    made = Name(f"[(start, penstock.parse_sampling(text, {options})) for start, text in weights]")
    return [value_text("weights = ", texts), call_text(f"schedule = {_SCHEDULE}", [made])]


def _options(spec: SamplingSpec) -> dict[str, Any]:
    sized = {} if spec.size is None else {"size": spec.size}
    return {"seed": spec.seed, "mode": spec.mode, **sized}


def _texts(schedule: SamplingSchedule) -> list[tuple[int, str]] | None:
    """Return the weight expression of each entry; None where they do not say all."""
    texts = [
        (entry.start, entry.spec.with_options(size=None, mode="iid").to_tql())
        for entry in schedule.entries
        if entry.weights_sha256 is None and entry.spec.clauses
    ]
    options = _options(schedule.spec)
    try:
        again = SamplingSchedule(
            tuple(ScheduleEntry(start, tql.parse_sampling(text, **options)) for start, text in texts)
        )
    except PenstockError:
        return None
    return texts if again == schedule else None
