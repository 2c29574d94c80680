"""What an import noted of its source, where a user has edited it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

from penstock.dataset import Dataset, View, load
from penstock.errors import ExportError, PenstockError
from penstock.exporters._rows import ExportedRows

__all__ = ["explains_edited_notes"]

_RAW = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
_NOTE = "source"

Export = TypeVar("Export", bound=Callable[..., Any])


def explains_edited_notes(export: Export) -> Export:
    """Return an export that says so if ``ds.info["source"]`` was edited and cannot be read any more.

    It is JSON of many layouts, written by imports alone: what an export cannot read is compared with what the
    import wrote.
    """

    @wraps(export)
    def explained(source: Any, *args: Any, **options: Any) -> Any:
        try:
            return export(source, *args, **options)
        except _RAW as error:
            if isinstance(error, PenstockError) or not _is_edited(source):
                raise
            raise ExportError(
                "ds.info['source'] was edited and cannot be read. Expected what the import wrote",
                hint="del ds.info['source'] exports without it, as a dataset that was not imported",
            ) from error

    return cast("Export", explained)


def _is_edited(source: Dataset | View) -> bool:
    rows = ExportedRows(source)
    home = rows.dataset
    first = list(home.log())[-1:]
    written = load(home.path, version=first[0].id).info.get(_NOTE) if first else None
    return bool(rows.source) and (not isinstance(written, Mapping) or dict(written) != dict(rows.source))
