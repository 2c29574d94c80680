"""Operations on what training will draw, its code, and annotations as files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ExportError, SamplingError
from penstock.sampling import ClassCounts, IndexStream, ShuffledStream
from penstock.widgets.exporting._annotations import (
    annotations_code,
    default_places,
    exported_view,
    place_of,
    write_annotations,
)
from penstock.widgets.exporting._export import code_of
from penstock.widgets.exporting._formats import ExportFormat, export_formats, format_named
from penstock.widgets.operations._arguments import MODE, SEED, WEIGHTS
from penstock.widgets.queries._query_run import QueryRun
from penstock.widgets.queries._source import same_state
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, operation
from penstock.widgets.session._session import Session
from penstock.widgets.session._session_state import exported_run

__all__ = ["ExportOperations", "PlanOperations", "first_draws"]

_MAX_DRAWN_EPOCHS = 100
_MAX_BATCHES = 200
_MOST_PIXELS = 8192  # of a side
_BATCH_SIZE = check.integer(1, 2**20)


class PlanOperations:
    """Draw from the loader's own stream, and export the code that does.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @operation(
        "plan.drawn",
        lane="read",
        num_epochs=check.integer(1, _MAX_DRAWN_EPOCHS),
        weights=WEIGHTS,
        mode=MODE,
        seed=SEED,
    )
    def drawn(self, call: Call, *, num_epochs: int, weights: list[float], mode: str, seed: int) -> dict[str, Any]:
        """Draw epochs from the loader's own stream: rows seen after each, instances a class in the first."""
        run = self._session.run
        stream = _stream(run, weights, mode, seed)
        identity = None if run.strata is None else run.strata.identity
        seen = np.zeros(len(run.pool), bool)  # of distinct rows, where rows repeat
        unique, counts = [], np.empty(0, np.int64)
        for epoch in range(num_epochs):
            call.check_cancelled()
            positions = stream.epoch(epoch)
            if epoch == 0:
                counts = _instances(run, positions)
            seen[positions if identity is None else identity[positions]] = True
            unique.append(int(np.count_nonzero(seen)))
            call.progress(epoch + 1, num_epochs, "drawing epochs")
        return {"unique": unique, "counts": counts.tolist()}

    @operation(
        "plan.batches",
        lane="read",
        batch_size=_BATCH_SIZE,
        num_batches=check.integer(1, _MAX_BATCHES),
        weights=WEIGHTS,
        mode=MODE,
        seed=SEED,
    )
    def batches(
        self, call: Call, *, batch_size: int, num_batches: int, weights: list[float], mode: str, seed: int
    ) -> dict[str, Any]:
        """Count the instances of each class in the first batches the loader will give."""
        run = self._session.run
        stream = _stream(run, weights, mode, seed)
        call.check_cancelled()
        stop = min(batch_size * num_batches, stream.size)
        positions = stream.slice(0, stop)
        parts = [positions[start : start + batch_size] for start in range(0, stop, batch_size)]
        return {"counts": [_instances(run, part).tolist() for part in parts]}

    @operation(
        "export.code",
        batch_size=_BATCH_SIZE,
        framework=check.choice("pytorch", "numpy"),
        resize=check.maybe(check.integer(1, _MOST_PIXELS)),
        schedule=check.maybe(check.boolean()),
    )
    def export(
        self, _call: Call, *, batch_size: int, framework: str, resize: int | None = None, schedule: bool | None = None
    ) -> dict[str, Any]:
        """Return the code of a cell that makes the loader the charts describe, or with `schedule` that of the run."""
        session, before = self._session, self._session.table
        session.follow(store=True)
        run, recorded = exported_run(session, schedule=bool(schedule))
        code = code_of(
            session.source,
            run,
            run.spec.seed if recorded else session.seed,
            batch_size=batch_size,
            drop_last=False,
            framework=framework,
            resize=None if resize is None else (resize, resize),
            schedule=recorded,
        )
        note = session.behind.message if session.behind else None
        if note is None and not same_state(before, session.table):
            note = "the dataset had changed: charts and code are of it as it is now"
        return {"code": code, "note": note}


def first_draws(session: Session, number: int, *, weights: list[float], mode: str, seed: int) -> list[int]:
    """Return the positions in the pool of the first draws of the loader's own stream, at most those of an epoch."""
    stream = _stream(session.run, weights, mode, seed)
    return [int(position) for position in stream.slice(0, min(number, stream.size))]


def _stream(run: QueryRun, weights: list[float], mode: str, seed: int) -> IndexStream:
    if run.strata is None:
        raise SamplingError("the query returns a table, not samples; nothing is drawn from it")
    if not run.has_sampling:
        return ShuffledStream(len(run.pool), seed)
    if run.spec.expression is not None:
        return run.strata.with_spec(run.spec.with_options(mode=mode, seed=seed)).stream()
    if len(weights) != len(run.spec.clauses):
        raise SamplingError(f"{len(weights)} weights given; the query has {len(run.spec.clauses)} weight clauses")
    spec = run.spec.replace_weights(dict(enumerate(weights))).with_options(mode=mode, seed=seed)
    return run.strata.with_spec(spec).stream()


def _instances(run: QueryRun, positions: NDArray[np.int64]) -> NDArray[np.int64]:
    labels: ClassCounts | None = run.strata.labels if run.strata is not None else None
    if labels is None:
        return np.zeros(0, np.int64)
    return labels.take(positions).instances


_WANTED: dict[str, check.Check] = {
    "format": check.text(40),
    "path": check.text(4000),
    "query_only": check.boolean(),
    "images": check.maybe(check.choice("copy", "link")),
    "options": check.array(check.array(check.text(100), 2), 20),
}


class ExportOperations:
    """Export the annotations on show, edits that are not committed included.

    Parameters
    ----------
    session : Session
        What the widget shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @operation("export.formats", lane="read")
    def formats(self, _call: Call) -> dict[str, Any]:
        """Return the formats, and where each goes unless another path is given."""
        session = self._session
        tensors = session.table.tensors
        return {
            "folder": str(Path.cwd()),
            "formats": [
                {
                    "name": form.name,
                    "title": form.title,
                    "places": default_places(session.name, form),
                    "images": form.images(tensors),
                    "needs_images": form.needs_images,
                    "options": [{"name": name, "choices": choices} for name, choices in form.options.items()],
                    "why_not": form.why_not(tensors),
                }
                for form in export_formats()
            ],
        }

    @operation("export.annotations", lane="read", overwrite=check.boolean(), **_WANTED)
    def export(self, call: Call, *, overwrite: bool, **wanted: Any) -> dict[str, Any]:
        """Write annotations to a path of the kernel's file system; nothing is left of an export that is cancelled."""
        form = _format(wanted["format"])
        place = place_of(wanted["path"])
        if os.path.lexists(place) and not overwrite:
            return {"exists": "folder" if place.is_dir() else "file", "path": str(place), "report": None}

        def reached(done: int, total: int) -> None:
            call.check_cancelled()
            call.progress(done, total, "exporting")

        view = exported_view(self._session.source, self._run_now(), query_only=wanted["query_only"])
        reached(0, len(view))
        report = write_annotations(form, view, place, {**_options(form, wanted), "overwrite": overwrite}, reached)
        written = {
            "num_samples": report.num_samples,
            "num_objects": report.num_objects,
            "issues": list(report.issues[:_MAX_ISSUES]),
            "num_issues": len(report.issues),
        }
        return {"exists": None, "path": str(place), "report": written}

    @operation("export.annotations_code", lane="read", **_WANTED)
    def code(self, _call: Call, **wanted: Any) -> dict[str, Any]:
        """Return Python that exports the same."""
        session, form = self._session, _format(wanted["format"])
        code = annotations_code(
            form,
            session.source,
            self._run_now(),
            session.seed,
            path=wanted["path"].strip(),
            query_only=wanted["query_only"],
            options=_options(form, wanted),
        )
        return {"code": code}

    def _run_now(self) -> QueryRun:
        """Return the query on the dataset as it is now.

        Raises
        ------
        ExportError
            If what is shown is another state: it is not exported in place of this one.
        """
        session = self._session
        session.follow(store=True)
        behind = session.behind
        if behind is not None:
            raise ExportError(f"nothing was exported: {behind.message}", hint="run a query first")
        return session.run


_MAX_ISSUES = 50


def _format(name: str) -> ExportFormat:
    form = format_named(name)
    if form is None:
        known = ", ".join(known.name for known in export_formats())
        raise ExportError(f"{name!r} is not a format. Expected one of: {known}")
    return form


def _options(form: ExportFormat, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a format that are set, refused where it has no such."""
    given = {pair[0]: pair[1] for pair in wanted["options"] if len(pair) == 2}
    for name, value in given.items():
        if value not in form.options.get(name, ()):
            raise ExportError(f"{name}={value!r} is not an option of {form.title}")
    return {**({} if wanted["images"] is None else {"images": wanted["images"]}), **given}
