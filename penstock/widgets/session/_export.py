"""What a session hands to training: a view, a loader, or the code that makes the same loader elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock import tql
from penstock._wording import nearest
from penstock.errors import DatasetError, SamplingError, UncommittedChangesError
from penstock.table import OverlayTable
from penstock.widgets.session._query_run import QueryRun
from penstock.widgets.session._source import Source

if TYPE_CHECKING:
    from penstock.dataset import View

__all__ = ["Step", "code_of", "loader_of", "split_sampling", "steps_of", "view_code", "view_of", "with_weights"]

FRAMEWORKS = ("pytorch", "numpy")
_MAX_LITERAL_ROWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of the loader's chain; the loader and the code are both made of these."""

    method: str
    arguments: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()

    def apply(self, target: Any) -> Any:
        """Make the call."""
        return getattr(target, self.method)(*self.arguments, **dict(self.options))

    def code(self) -> str:
        """Return the call as source; every value is a literal."""
        shown = [repr(value) for value in self.arguments]
        shown += [f"{name}={value!r}" for name, value in self.options]
        return f".{self.method}({', '.join(shown)})"


def split_sampling(text: str) -> tuple[str, str | None]:
    """Return the query without SAMPLE BY, and the weight expression after it.

    Examples
    --------
    >>> split_sampling("select * where score > 1 sample by max_weight(True: 2) limit 10")
    ('select * where score > 1', 'max_weight(True: 2)')
    >>> split_sampling("select *")
    ('select *', None)
    """
    sample = tql.parse(text).sample
    if sample is None:
        return text, None
    return text[: sample.start].rstrip(), text[sample.weight.start : sample.weight.end]


def with_weights(text: str, weights: str) -> str:
    """Return the query with another weight expression; REPLACE and LIMIT after it stay.

    Examples
    --------
    >>> with_weights("select * sample by max_weight(True: 2) limit 10", "max_weight(True: 1)")
    'select * sample by max_weight(True: 1) limit 10'
    >>> with_weights("select *", "max_weight(True: 1)")
    'select * sample by max_weight(True: 1)'
    """
    sample = tql.parse(text).sample
    if sample is None:
        return f"{text.rstrip().rstrip(';').rstrip()} sample by {weights}"
    return text[: sample.weight.start] + weights + text[sample.weight.end :]


def _sampling_step(run: QueryRun, seed: int) -> Step:
    spec = run.spec
    weights = spec.with_options(size=None, mode="iid").to_tql()
    options = (("replace", spec.replace), ("size", spec.size), ("seed", seed), ("mode", spec.mode))
    return Step(method="sample_by", arguments=(weights,), options=options)


def steps_of(run: QueryRun, seed: int, *, batch_size: int, drop_last: bool, framework: str) -> list[Step]:
    """Return the calls that make the loader the charts describe.

    Raises
    ------
    SamplingError
        If nothing can be drawn, or the query gives no samples of the dataset.
    ValueError
        If `framework` is none of pytorch and numpy.
    """
    _check(run, framework)
    return [
        Step(method="dataloader", options=(("seed", seed),)),
        Step(method="query", arguments=(split_sampling(run.text)[0],)),
        _sampling_step(run, seed) if run.has_sampling else Step(method="shuffle"),
        Step(method="batch", arguments=(batch_size,), options=(("drop_last", True),) if drop_last else ()),
    ]


def _check(run: QueryRun, framework: str) -> None:
    if framework not in FRAMEWORKS:
        like = nearest(str(framework), FRAMEWORKS)
        raise ValueError(f"framework is {framework!r}. Expected pytorch or numpy. Hint: {like or 'pytorch'}")
    plan = run.plan
    if plan is None:
        raise SamplingError(
            "the query returns a table, not samples of the dataset; a loader needs samples",
            hint="remove GROUP BY, JOIN or the concatenating UNION from the query",
        )
    if len(run.pool) == 0:
        raise SamplingError("no sample matches the query; a loader needs at least one")
    plan.probabilities  # noqa: B018  raises when all weights are zero


def view_of(source: Source, run: QueryRun, seed: int) -> View:
    """Return what the query gives, sampled where it has SAMPLE BY."""
    reader = source.reader(run.table)
    if not run.has_sampling or run.spec == tql.parse_sampling(run.text, seed=seed):
        return reader.query(run.text, seed=seed)
    pool = reader.query(split_sampling(run.text)[0], seed=seed)
    sampled: View = _sampling_step(run, seed).apply(pool)
    return sampled


def loader_of(
    source: Source, run: QueryRun, seed: int, *, batch_size: int, drop_last: bool, framework: str, **options: Any
) -> Any:
    """Return the loader the charts describe, of the very state of the dataset they show."""
    made: Any = source.reader(run.table)
    for step in steps_of(run, seed, batch_size=batch_size, drop_last=drop_last, framework=framework):
        made = step.apply(made)
    return getattr(made, framework)(**options)


def code_of(source: Source, run: QueryRun, seed: int, *, batch_size: int, drop_last: bool, framework: str) -> str:
    """Return source that makes the same loader in any process; it imports only penstock.

    Raises
    ------
    UncommittedChangesError
        If the dataset has edits that no version holds.
    """
    dataset, version = source.dataset, run.table.stored.label
    steps = steps_of(run, seed, batch_size=batch_size, drop_last=drop_last, framework=framework)
    if run.table.draft or "+" in version:
        raise UncommittedChangesError(
            "the dataset has changes that are not committed; code can only name a committed version",
            hint="commit first: ds.commit('message')",
        )
    lines = ["import penstock", "", f"dataset = penstock.load({str(dataset.path)!r}, version={version!r})"]
    opened = "dataset"
    if source.view is not None:
        lines.append(f"view = {view_code(run.table, source, source.view)}")
        opened = "view"
    chain = [*(step.code() for step in steps), f".{framework}()"]
    return "\n".join([*lines, "loader = (", f"    {opened}{chain[0]}", *(f"    {call}" for call in chain[1:]), ")", ""])


def view_code(table: OverlayTable, source: Source, view: View) -> str:
    """Return an expression that gives the view's rows again; checked before it is handed out."""
    rows, text = source.reader(table).indices, view.query_string
    if text and np.array_equal(source.whole(table).query(text, seed=view.seed).indices, rows):
        return f"dataset.query({text!r}, seed={view.seed!r})"
    if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return f"dataset[{int(rows[0])}:{int(rows[0]) + len(rows)}]"
    if len(rows) <= _MAX_LITERAL_ROWS:
        return f"dataset[{[int(row) for row in rows]!r}]"
    raise DatasetError(
        f"the view of {len(rows)} samples has no query, and it has too many rows to write into code",
        hint="save it: id = view.save_view(); then explore ds.load_view(id)",
    )
