"""What a widget draws where no kernel answers: the query, its bars and its coverage, in a few kilobytes."""

from __future__ import annotations

import contextlib
import json
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock.errors import SamplingError
from penstock.sampling import SamplingPlan

if TYPE_CHECKING:
    from penstock.widgets.session._session import Session

__all__ = ["snapshot"]

_MAX_BARS = 60
_NUM_EPOCHS = 20
_MAX_BYTES = 14_000
_MAX_NAME = 60


_taken: weakref.WeakKeyDictionary[Session, tuple[tuple[int, str], dict[str, Any]]] = weakref.WeakKeyDictionary()


def snapshot(session: Session) -> dict[str, Any]:
    """Return the `Snapshot` of the contract, at most 16 KB of JSON; taken once for all widgets of a session."""
    key = session.display.revision, session.unit
    known = _taken.get(session)
    if known is None or known[0] != key:
        known = key, _take(session)
        _taken[session] = known
    return known[1]


def _take(session: Session) -> dict[str, Any]:
    run = session.run
    plan = run.plan
    taken: dict[str, Any] = {
        "dataset": {
            "name": session.name[:_MAX_NAME],
            "version": session.table.stored.label[:7],
            "num_samples": run.num_rows,
        },
        "query": run.text if len(run.text) < _MAX_BYTES // 4 else run.text[: _MAX_BYTES // 4] + " …",
        "pool_size": len(run.pool),
        "draws": plan.num_draws if plan is not None else 0,
        "mode": session.mode,
        "seed": session.seed,
        "unit": session.unit,
        "bars": [],
        "coverage": [],
    }
    if plan is not None:
        with contextlib.suppress(SamplingError):  # nothing can be drawn: no bars to keep
            taken |= {"bars": _bars(plan, session), "coverage": _coverage(plan)}
    while len(json.dumps(taken)) > _MAX_BYTES and taken["bars"]:
        taken["bars"] = taken["bars"][: len(taken["bars"]) // 2]
    return taken


def _bars(plan: SamplingPlan, session: Session) -> list[dict[str, Any]]:
    if plan.strata.labels is None:
        return []
    counted = plan.histogram(unit=session.unit)
    names = session.class_names
    order = np.argsort(-np.asarray(counted.raw), kind="stable")[:_MAX_BARS]
    return [
        {
            "name": names[i][:_MAX_NAME],
            "class_index": int(i),
            "raw": float(counted.raw[i]),
            "expected": _short(counted.expected[i]),
            "low": _short(counted.low[i]),
            "high": _short(counted.high[i]),
        }
        for i in order
    ]


def _coverage(plan: SamplingPlan) -> list[dict[str, float]]:
    covered = plan.coverage(num_epochs=_NUM_EPOCHS)
    num_rows = max(covered.num_rows, 1)
    points = zip(covered.share, covered.low, covered.high, strict=True)
    return [{"share": 0.0, "low": 0.0, "high": 0.0}] + [
        {"share": _short(share), "low": _short(low / num_rows), "high": _short(high / num_rows)}
        for share, low, high in points
    ]


def _short(value: float) -> float:
    return float(f"{float(value):.6g}")
