"""The effect of a query in numbers: rows after every step, weights, expected draws."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from penstock._wording import escaped
from penstock.sampling import SamplingPlan
from penstock.table import Table
from penstock.tql.binding._binder import Parameters
from penstock.tql.pipeline._run import Cancel, run
from penstock.tql.pipeline._stages import Resolve

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """A query as a funnel of row counts.

    Parameters
    ----------
    text : str
        The query.
    funnel : tuple of (str, int)
        Step and rows left after it.
    weights : tuple of (float, int)
        Distinct weights of the sampling and how many rows of the pool have each, greatest weight first.
    expected : tuple of (str, float)
        Expected labels of each class in one epoch of draws.
    warnings : tuple of str
        Warnings for the user.
    """

    text: str
    funnel: tuple[tuple[str, int], ...]
    weights: tuple[tuple[float, int], ...]
    expected: tuple[tuple[str, float], ...]
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        """Return a table of the funnel, the weights and the expected draws."""
        steps = [(escaped(label), rows) for label, rows in self.funnel]
        width = max((len(label) for label, _ in steps), default=0)
        lines = [f"{label:<{width}}  {rows:>12,}" for label, rows in steps]
        lines += [f"weight {weight:g}: {rows:,} rows" for weight, rows in self.weights]
        lines += [f"expect {count:,.1f} {name}" for name, count in self.expected]
        return "\n".join(escaped(line) for line in (*lines, *self.warnings))

    def _repr_html_(self) -> str:
        """Return the same as an HTML table."""
        rows = "".join(f"<tr><td>{escape(label)}</td><td>{count:,}</td></tr>" for label, count in self.funnel)
        weights = "".join(
            f"<tr><td>weight {weight:g}</td><td>{count:,} rows</td></tr>" for weight, count in self.weights
        )
        expected = "".join(f"<tr><td>{escape(name)}</td><td>{count:,.1f}</td></tr>" for name, count in self.expected)
        heads = ("step", "rows left"), ("weights", ""), ("class", "expected per epoch")
        parts = zip(heads, (rows, weights, expected), strict=True)
        tables = (f"<tr><th>{one}</th><th>{two}</th></tr>{body}" for (one, two), body in parts if body)
        said = "".join(f"<p>{escape(warning)}</p>" for warning in self.warnings)
        return f"<table>{''.join(tables)}</table>{said}"


def explain(
    text: str,
    table: Table,
    *,
    seed: int = 0,
    mode: str = "iid",
    params: Parameters = None,
    resolve: Resolve | None = None,
    labels: str | None = None,
    cancel: Cancel = None,
    rows: NDArray[np.int64] | None = None,
) -> Explanation:
    """Run a query and tell how many rows each step leaves.

    Parameters
    ----------
    text : str
        A query.
    table : Table
        The dataset.
    seed, mode, params, resolve, labels, cancel, rows
        As in `run`.

    Returns
    -------
    Explanation

    Raises
    ------
    TQLError
        If the query is wrong.

    Examples
    --------
    >>> from penstock.table import ArrayTable
    >>> explain("select * where a > 1 limit 1", ArrayTable({"a": [1, 2, 3]})).funnel
    (('rows', 3), ('where a > 1', 2), ('limit', 1))
    """
    result = run(
        text, table, seed=seed, mode=mode, params=params, resolve=resolve, labels=labels, cancel=cancel, rows=rows
    )
    plan = result.plan
    return Explanation(
        text=text,
        funnel=result.funnel,
        weights=() if plan is None else _weights(plan),
        expected=() if plan is None or plan.strata.labels is None else _expected(plan),
        warnings=result.warnings,
    )


def _weights(plan: SamplingPlan) -> tuple[tuple[float, int], ...]:
    rows: dict[float, int] = {}
    for weight, size in zip(plan.weights.tolist(), plan.strata.sizes.tolist(), strict=True):
        rows[weight] = rows.get(weight, 0) + size
    return tuple(sorted(rows.items(), reverse=True))


def _expected(plan: SamplingPlan) -> tuple[tuple[str, float], ...]:
    histogram = plan.histogram()
    names = plan.strata.labels.class_names if plan.strata.labels is not None else ()
    return tuple(zip(names, histogram.expected.tolist(), strict=True))
