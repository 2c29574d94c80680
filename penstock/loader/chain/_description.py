"""What a loader will draw, in words: one line for a console, a table for a notebook."""

from __future__ import annotations

from html import escape

from penstock.loader.settings._settings import Settings
from penstock.loader.sources._pool import Pool
from penstock.sampling import Histogram, SamplingPlan

__all__ = ["describe", "describe_html"]

_NUM_NAMED = 3
_MOST_ROWS = 20


def describe(pool: Pool, settings: Settings) -> str:
    """Return what an epoch is, and the classes that the weights change most."""
    line = _epoch(pool, settings)
    expected = _expected(pool)
    if expected is None:
        return f"Loader({line})"
    return f"Loader({line}; expected counts: {expected.summary(_NUM_NAMED)})"


def describe_html(pool: Pool, settings: Settings) -> str:
    """Return the same as a table: counts of each class in the pool and expected in an epoch, with a 95 % band."""
    head = f"<div>Loader: {escape(_epoch(pool, settings))}</div>"
    expected = _expected(pool)
    if expected is None:
        return head
    order = expected.by_change
    shown = expected.to_pandas().iloc[order[:_MOST_ROWS]].round(1).rename(columns={"raw": "in the pool"})
    left = len(order) - len(shown)
    more = f"<div>{left:,} more classes, which the weights change less</div>" if left else ""
    return head + str(shown.rename_axis(index=None).to_html(border=0)) + more


def _epoch(pool: Pool, settings: Settings) -> str:
    plan, rows = pool.plan, len(pool.rows)
    if plan is None:
        order = "shuffled" if settings.shuffle else "in order"
        drawn, what = rows, f"each of {_counted(rows, 'sample')} once an epoch, {order}, seed={settings.seed}"
    else:
        drawn = plan.num_draws
        what = f"{_counted(drawn, 'draw')} an epoch from {_counted(rows, 'sample')}"
        what += f", mode={plan.spec.mode!r}, seed={plan.spec.seed}"
    return f"{what}, {_batches(drawn, settings)}"


def _batches(drawn: int, settings: Settings) -> str:
    kind = "" if settings.framework == "samples" else f" for {settings.framework}"
    if settings.single or settings.batch_size is None:
        return f"one sample at a time{kind}"
    size = settings.batch_size
    if settings.distributed:
        return f"batches of {size:,}{kind} on each process"
    count = drawn // size if settings.drop_last else -(-drawn // size)
    return f"{_counted(count, 'batch')} of {size:,}{kind}"


def _expected(pool: Pool) -> Histogram | None:
    """Return the counts where weights draw classes; None where every sample comes once, or nothing can come."""
    plan = pool.at_first.plan
    if not isinstance(plan, SamplingPlan) or plan.strata.labels is None or plan.total_weight <= 0:
        return None
    return plan.histogram()


def _counted(count: int, noun: str) -> str:
    plural = f"{noun}es" if noun.endswith("h") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
