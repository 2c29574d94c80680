"""Operations that export annotations: which formats there are, and the export itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from penstock.errors import ExportError
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, operation
from penstock.widgets.session._annotations import (
    annotations_code,
    default_places,
    exported_view,
    place_of,
    write_annotations,
)
from penstock.widgets.session._formats import ExportFormat, export_formats, format_named
from penstock.widgets.session._query_run import QueryRun
from penstock.widgets.session._session import Session

__all__ = ["ExportOperations"]

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
