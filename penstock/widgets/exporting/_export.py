"""What a session hands to training: a view, a loader, or the code that makes the same loader elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock import tql
from penstock._wording import nearest
from penstock.errors import DatasetError, SamplingError, UncommittedChangesError
from penstock.sampling import SamplingSchedule
from penstock.table import OverlayTable
from penstock.tensors import first_tensor
from penstock.widgets.exporting._code_text import Name, call_text, comment_text, value_text
from penstock.widgets.exporting._schedule_code import schedule_code
from penstock.widgets.queries._query_run import QueryRun
from penstock.widgets.queries._source import Source

if TYPE_CHECKING:
    from penstock.dataset import View

__all__ = [
    "Step",
    "code_of",
    "loader_of",
    "self_contained",
    "split_sampling",
    "steps_of",
    "tables_of",
    "view_code",
    "view_of",
    "with_weights",
]

FRAMEWORKS = ("pytorch", "numpy")
_MAX_LITERAL_ROWS = 2000
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of the loader's chain; the loader and the code are both made of these."""

    method: str
    arguments: tuple[Any, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()

    def apply(self, target: Any) -> Any:
        """Make the call."""
        return getattr(target, self.method)(*self.arguments, **dict(self.options))

    def code(self, of: str = "") -> str:
        """Return the call as indented source; every value is a literal."""
        return call_text(f"{of}.{self.method}", self.arguments, self.options, indent=4)


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
    spec, tables = run.spec, tables_of(run)
    weights = spec.with_options(size=None, mode="iid").to_tql()
    options: tuple[tuple[str, Any], ...] = (("seed", seed), ("mode", spec.mode))
    if tables:
        weights, options = split_sampling(run.text)[1] or weights, (*options, ("params", tables))
    if spec.size is not None:
        options = (("size", spec.size), *options)
    if not spec.replace:
        options = (("replace", False), *options)
    return Step(method="sample_by", arguments=(weights,), options=options)


def tables_of(run: QueryRun) -> dict[str, dict[str, float]]:
    """Return the tables of class weights that the query names, with the weights of now."""
    names = run.table_names if run.has_sampling else ()
    found = run.tables.fitting(run.table)
    return {name: dict(found[name]) for name in names}


def self_contained(run: QueryRun) -> str:
    """Return the query with a clause in place of each entry of its tables of class weights."""
    if not run.has_sampling or not run.table_names:
        return run.text
    return with_weights(run.text, run.spec.with_options(size=None, mode="iid").to_tql())


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
    text = self_contained(run)
    if not run.has_sampling or run.spec == tql.parse_sampling(text, seed=seed):
        return reader.query(text, seed=seed)
    pool = reader.query(split_sampling(run.text)[0], seed=seed)
    sampled: View = _sampling_step(run, seed).apply(pool)
    return sampled


def loader_of(
    source: Source, run: QueryRun, seed: int, /, *, batch_size: int, drop_last: bool, framework: str, **options: Any
) -> Any:
    """Return the loader the charts describe, of the very state of the dataset they show."""
    made: Any = source.reader(run.table)
    for step in steps_of(run, seed, batch_size=batch_size, drop_last=drop_last, framework=framework):
        made = step.apply(made)
    return getattr(made, framework)(**options)


def code_of(
    source: Source,
    run: QueryRun,
    seed: int,
    *,
    batch_size: int,
    drop_last: bool,
    framework: str,
    resize: tuple[int, int] | None = None,
    schedule: SamplingSchedule | None = None,
) -> str:
    """Return source that makes the same loader in any process, and says what it will draw; it imports only penstock.

    With a schedule it draws by that, in place of the weights of now.

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
    lines = ["import penstock", "", call_text("dataset = penstock.load", [str(dataset.path)], [("version", version)])]
    opened = "dataset"
    if source.view is not None:
        lines.append(view_code(run.table, source, source.view))
        opened = "view"
    if schedule is not None:
        lines += ["", *schedule_code(schedule)]
        steps[2] = Step(method="sample_by", arguments=(Name("schedule"),))
    sized = _resizing(run, resize)
    steps.append(Step(method=framework, options=sized))
    chain = [steps[0].code(of=opened), *(step.code() for step in steps[1:])]
    expected = expected_notes(run, batch_size=batch_size, drop_last=drop_last)
    notes = [comment_text(note) for note in (expected if schedule is None else [*expected[:1], _of_run(schedule)])]
    if not sized and _image_tensor(run) is not None:
        notes.append(comment_text(f"Images of one size: .{framework}(resize={{{_image_tensor(run)!r}: (224, 224)}})"))
    return "\n".join([*lines, "loader = (", *chain, ")", *notes, ""])


def _of_run(schedule: SamplingSchedule) -> str:
    changes = len(schedule.entries) - 1
    last = schedule.entries[-1]
    return (
        f"The weights of a run: {changes:,} change{'' if changes == 1 else 's'}, the last at position {last.start:,}; "
        "its epochs from the first on draw what the run drew."
    )


def _image_tensor(run: QueryRun) -> str | None:
    return first_tensor(run.table.tensors, "image")


def _resizing(run: QueryRun, size: tuple[int, int] | None) -> tuple[tuple[str, Any], ...]:
    """Return the options that give every image one size, with the boxes scaled along."""
    image = _image_tensor(run)
    if size is None or image is None:
        return ()
    boxed = first_tensor(run.table.tensors, "bbox") is not None
    return (("resize", {image: size}), *((("scale_boxes", True),) if boxed else ()))


def expected_notes(run: QueryRun, *, batch_size: int, drop_last: bool) -> list[str]:
    """Return what an epoch will draw, in sentences: the draws and batches, then the counts of the classes."""
    plan = run.plan
    if plan is None:
        return []
    rows, draws = len(run.pool), plan.num_draws if run.has_sampling else len(run.pool)
    batches = draws // batch_size if drop_last else -(-draws // batch_size)
    times = "" if run.has_sampling else ", each once"
    notes = [f"Each epoch: {draws:,} draws from {rows:,} samples{times}, in {batches:,} batches."]
    if run.has_sampling and plan.strata.labels is not None:
        notes.append(f"Expected counts, pool → epoch: {plan.histogram().summary(_MOST_NAMED)}.")
    return notes


def view_code(table: OverlayTable, source: Source, view: View) -> str:
    """Return a statement that gives the view's rows again; checked before it is handed out."""
    rows, text = source.reader(table).indices, view.query_string
    if text and np.array_equal(source.whole(table).query(text, seed=view.seed).indices, rows):
        return call_text("view = dataset.query", [text], [("seed", view.seed)])
    if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
        return f"view = dataset[{int(rows[0])}:{int(rows[0]) + len(rows)}]"
    if len(rows) <= _MAX_LITERAL_ROWS:
        return value_text("view = dataset[", [int(row) for row in rows]) + "]"
    raise DatasetError(
        f"the view of {len(rows)} samples has no query, and it has too many rows to write into code",
        hint="save it: id = view.save_view(); then explore ds.load_view(id)",
    )
