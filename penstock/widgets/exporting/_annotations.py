"""Annotations on show exported to other formats, and the code that does the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penstock.errors import ExportError
from penstock.exporters import ExportReport
from penstock.widgets.exporting._code_text import Name, call_text
from penstock.widgets.exporting._export import split_sampling, view_code
from penstock.widgets.exporting._formats import ExportFormat
from penstock.widgets.queries._query_run import QueryRun
from penstock.widgets.queries._source import Source

if TYPE_CHECKING:
    from penstock.dataset import View

__all__ = ["annotations_code", "default_places", "exported_view", "place_of", "write_annotations"]

_MAX_NUMBER = 1000


def place_of(path: str) -> Path:
    """Return where a path in the kernel's file system leads.

    Raises
    ------
    ExportError
        If it is empty, or names a user who is not known.
    """
    if not path.strip():
        raise ExportError("the destination is empty. Expected a path")
    try:
        return Path(path.strip()).expanduser().absolute()
    except RuntimeError as error:
        raise ExportError(f"the destination {path!r} is not valid: its user is not known. Expected a path") from error


def default_places(name: str, form: ExportFormat) -> dict[str, str]:
    """Return free paths in the kernel's folder, of a file and of a folder, as far as the format has them."""
    found = {}
    if form.suffix is not None:
        found["file"] = _free(name, form.suffix)
    if form.folder:
        found["folder"] = _free(f"{name}-{form.name}", "")
    return found


def _free(stem: str, suffix: str) -> str:
    safe = "".join("_" if character in '/\\\0:*?"<>|' else character for character in stem) or "annotations"
    names = (f"{safe}{'' if number == 1 else f'-{number}'}{suffix}" for number in range(1, _MAX_NUMBER))
    return next((name for name in names if not os.path.lexists(name)), f"{safe}{suffix}")


def exported_view(source: Source, run: QueryRun, *, query_only: bool) -> View:
    """Return the samples to export, each once: what the query returns before it draws, or all that is open.

    Raises
    ------
    ExportError
        If the query returns a table, or no sample.
    """
    rows = source.rows(run.table)
    chosen = np.arange(run.table.num_rows, dtype=np.int64) if rows is None else rows
    if query_only:
        if not run.result.is_rows:
            raise ExportError("the query returns a table, not samples. Expected a query for samples, or all samples")
        chosen = run.pool
    if not len(chosen):
        raise ExportError("there is no sample to export. Expected at least one")
    first = np.sort(np.unique(chosen, return_index=True)[1])
    return source.whole(run.table)[chosen[first]]


def write_annotations(
    form: ExportFormat, view: View, place: Path, options: Mapping[str, Any], reached: Callable[[int, int], None]
) -> ExportReport:
    """Write annotations; `reached` is called between chunks, and stops the export by raising."""
    return form.function(view, place, progress=reached, **options)


def annotations_code(
    form: ExportFormat,
    source: Source,
    run: QueryRun,
    seed: int,
    *,
    path: str,
    query_only: bool,
    options: Mapping[str, Any],
) -> str:
    """Return source that exports the same in any process; edits that are not committed are read from the draft."""
    version = run.table.stored.label
    dirty = bool(run.table.draft) or "+" in version
    pinned = [] if dirty else [("version", version)]
    lines = ["import penstock", "", call_text("dataset = penstock.load", [str(source.dataset.path)], pinned)]
    opened = "dataset"
    if source.view is not None:
        lines.append(view_code(run.table, source, source.view))
        opened = "view"
    if query_only:
        lines.append(call_text(f"view = {opened}.query", [split_sampling(run.text)[0]], [("seed", seed)]))
        opened = "view"
    rows = source.rows(run.table) if not query_only else run.pool
    if rows is not None and len(np.unique(rows)) < len(rows):
        lines.append("view = dataset[list(dict.fromkeys(view.indices.tolist()))]  # each sample once")
    chosen = [(name, value) for name, value in options.items() if value is not None]
    return "\n".join(
        [*lines, call_text(f"report = penstock.to_{form.name}", [Name(opened), path], chosen), "print(report)", ""]
    )
