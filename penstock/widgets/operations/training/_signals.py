"""Operations on what training reported of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.sampling import ClassCounts
from penstock.widgets.queries._query_run import QueryRun
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, operation
from penstock.widgets.session._session import Session

__all__ = ["SignalOperations", "means_by_class", "means_by_clause"]

_MAX_NAME = 200


class SignalOperations:
    """Means of a signal over the samples of the query.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @operation("signals.means", lane="read", name=check.text(_MAX_NAME))
    def means(self, _call: Call, *, name: str) -> dict[str, Any]:
        """Return the mean of what was reported of the samples of each class, and of each weight clause."""
        run = self._session.display.run
        if run.signals is None or name not in run.signals.names:
            raise check.BadRequestError(f"{check.in_few_words(name)} is not a signal of the newest run")
        values = run.signals.values(name)[run.pool]
        strata = run.strata
        labels = None if strata is None else strata.labels
        return {
            "classes": [] if labels is None else means_by_class(labels, values),
            "clauses": means_by_clause(run, values),
        }


def means_by_class(labels: ClassCounts, values: NDArray[np.float64]) -> list[float | None]:
    """Return the mean over the samples that have each class, each sample once; None where nothing was reported.

    Examples
    --------
    >>> labels = ClassCounts.from_lists([[0], [0, 1, 1], [1]], class_names=("cat", "dog", "emu"))
    >>> means_by_class(labels, np.array([1.0, 3.0, np.nan]))
    [2.0, 3.0, None]
    """
    rows = np.repeat(np.arange(len(values)), np.diff(labels.offsets))
    known = np.isfinite(values[rows])
    number = max(1, labels.num_classes)
    pairs = np.unique(rows[known] * number + labels.values[known])
    classes = pairs % number
    sums = np.bincount(classes, values[pairs // number], minlength=labels.num_classes)
    return _means(sums, np.bincount(classes, minlength=labels.num_classes))


def means_by_clause(run: QueryRun, values: NDArray[np.float64]) -> list[float | None]:
    """Return the mean over the samples that match each weight clause; None where nothing was reported."""
    strata = run.strata
    if strata is None or not run.has_sampling or strata.level == "bins":
        return []
    known = np.isfinite(values)
    ids = strata.ids[known]
    sums = np.bincount(ids, values[known], minlength=strata.num_strata)
    counts = np.bincount(ids, minlength=strata.num_strata)
    matches = np.asarray(strata.matches, float)
    return _means(matches @ sums, (matches @ counts).round().astype(np.int64))


def _means(sums: NDArray[Any], counts: NDArray[Any]) -> list[float | None]:
    pairs = zip(sums.tolist(), counts.tolist(), strict=True)
    return [float(f"{total / count:.6g}") if count else None for total, count in pairs]
