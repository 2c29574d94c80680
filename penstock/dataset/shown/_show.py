"""Datasets and views as text, HTML and pandas."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock._wording import escaped
from penstock.dataset.samples._content import Content
from penstock.dataset.samples._frame_columns import column_for_frame
from penstock.tensors import TensorSpec

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["headline", "html_table", "summary_html", "summary_text", "text_table", "to_frame"]


def headline(kind: str, samples: Content) -> str:
    """Return the one line that names a dataset or view."""
    names = ", ".join(samples.names()) or "no tensors"
    return escaped(f"{kind}({len(samples):,} samples of {names}; version {samples.table.version})")


def _described(samples: Content) -> list[tuple[str, ...]]:
    return [
        (spec.name, spec.shown_htype, _shown_shape(samples, spec.name), spec.dtype, _remarks(spec))
        for spec in map(samples.spec, samples.names())
    ]


def _shown_shape(samples: Content, name: str) -> str:
    """Return the shape, ranges where samples differ; nothing is decoded for it."""
    spec = samples.spec(name)
    count = len(samples)
    if spec.htype == "image" and not spec.create_shape_tensor:
        return f"({count:,}, …)"
    shapes = samples.table.shapes(name)[samples.rows]
    known = shapes[(shapes >= 0).all(axis=1)]
    sides = []
    for side in known.T:
        low, high = (int(side.min()), int(side.max())) if len(side) else (0, 0)
        sides.append(str(low) if low == high else f"{low}–{high}")
    return f"({', '.join([f'{count:,}', *sides])})"


def _remarks(spec: TensorSpec) -> str:
    classes = [f"{len(spec.class_names)} classes"] if spec.htype == "class_label" else []
    return ", ".join([*classes, *([f"aligned with {spec.aligned_with}"] if spec.aligned_with else [])])


_HEADS = ("tensor", "htype", "shape", "dtype", "")


def summary_text(kind: str, samples: Content) -> str:
    """Return headline and table of tensors as text."""
    rows = _described(samples)
    return "\n".join([headline(kind, samples), "", text_table(_HEADS, rows)]) if rows else headline(kind, samples)


def summary_html(kind: str, samples: Content) -> str:
    """Return headline and table of tensors as HTML."""
    return f"<div>{html.escape(headline(kind, samples))}</div>" + html_table(_HEADS, _described(samples))


def text_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an aligned table; cells are data, and nothing in them reaches a terminal as a command."""
    heads, rows = _printable(heads), [_printable(row) for row in rows]
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (heads, ["─" * width for width in widths], *rows)
    ]
    return "\n".join(lines)


def _printable(cells: Sequence[str]) -> list[str]:
    return [escaped(cell) for cell in cells]


def html_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose cells are data, never markup."""
    heads, rows = _printable(heads), [_printable(row) for row in rows]
    head = "".join(f"<th style='text-align:left'>{html.escape(name)}</th>" for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def to_frame(samples: Content, tensors: Sequence[str] | None) -> pd.DataFrame:
    """Return samples as a pandas table."""
    import pandas as pd

    names = (
        [name for name in samples.names() if not samples.spec(name).is_encoded] if tensors is None else list(tensors)
    )
    columns = {name: column_for_frame(samples, name) for name in names}
    return pd.DataFrame(columns, index=pd.Index(samples.rows, name="index"))
