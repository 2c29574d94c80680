"""A widget as one file that needs no network and no kernel: what it shows now, most of it alive."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from penstock.widgets._page_draws import page_draws
from penstock.widgets._page_samples import MAX_SAMPLES, Ask, large_tiles, packed_samples
from penstock.widgets._page_table import page_columns
from penstock.widgets._runtime import Runtime, read_extra, read_static_page

if TYPE_CHECKING:
    from penstock.widgets.session._session import Session

__all__ = ["NUM_LARGE", "Page", "Thumbs", "checked_thumbnails", "page_of", "written_page"]

NUM_LARGE = 480

Thumbs = int | Literal["all", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that was written.

    Parameters
    ----------
    path : str
        Where it is.
    num_bytes : int
        How large it is.
    num_samples : int
        Samples that can be filtered, sorted and queried in it; 0 where there are too many of them.
    num_large : int
        Samples with a thumbnail of 160 pixels.
    num_small : int
        Samples with a thumbnail of 32 pixels.
    """

    path: str
    num_bytes: int
    num_samples: int
    num_large: int
    num_small: int

    def __repr__(self) -> str:
        """Return the size first: it decides where a page can be sent."""
        parts = [f"{self.num_large:,} thumbnails of 160 pixels", f"{self.num_small:,} of 32 pixels"]
        known = f"{self.num_samples:,} samples, " if self.num_samples else ""
        return f"Page({self.path!r}: {size_text(self.num_bytes)}, {known}{', '.join(parts)})"


def size_text(num_bytes: int) -> str:
    """Return a number of bytes as people say it.

    Examples
    --------
    >>> size_text(4_721_000), size_text(81_200)
    ('4.7 MB', '81 KB')
    """
    return f"{num_bytes / 1e6:.1f} MB" if num_bytes >= 1e6 else f"{num_bytes / 1e3:.0f} KB"


def written_page(text: str, path: str, counts: Mapping[str, int]) -> Page:
    """Return what is known of a page's text."""
    return Page(path=path, num_bytes=len(text.encode()), **counts)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def checked_thumbnails(thumbnails: object) -> int | None:
    """Return how many samples have large thumbnails, None for no image at all.

    Raises
    ------
    ValueError
        If it is neither a number of at least 0 nor "all" or "none".
    """
    if thumbnails == "all":
        return MAX_SAMPLES
    if thumbnails == "none":
        return None
    if isinstance(thumbnails, bool) or not isinstance(thumbnails, int) or thumbnails < 0:
        raise ValueError(
            f"thumbnails={thumbnails!r}. Expected how many samples have a thumbnail of 160 pixels, 'all' or 'none'"
        )
    return min(thumbnails, MAX_SAMPLES)


def page_of(
    session: Session, state: Mapping[str, Any], runtime: Runtime, ask: Ask, thumbnails: Thumbs = NUM_LARGE
) -> tuple[str, dict[str, int]]:
    """Return the page, and the counts of a `Page`.

    Parameters
    ----------
    session : Session
        What the widget shows; its name is the title.
    state : mapping
        The widget's synced state.
    runtime : Runtime
        The browser's code.
    ask : callable
        Answers an operation of the contract: result and buffers.
    thumbnails : int, "all" or "none"
        Samples of the grid, from the first, that have a thumbnail of 160 pixels.
    """
    wanted = checked_thumbnails(thumbnails)
    hello, statistics = ask("hello", {})
    fixed: dict[str, Any] = {"read_only": True, "classes_fixed": "this is a copy without a kernel"}
    labels = {tensor["name"] for tensor in hello["dataset"]["tensors"] if tensor["htype"] == "class_label"}
    fixed["scalar_tensors"] = [name for name in hello["dataset"]["scalar_tensors"] if name in labels]
    shown = hello | {"dataset": hello["dataset"] | fixed, "history": hello["history"][:1], "views": []}
    tiles, jpegs = large_tiles(ask, min(wanted or 0, hello["grid"]["size"]))
    samples, packed, lengths = None, b"", list[int]()
    if session.run.num_rows <= MAX_SAMPLES:
        samples, packed, lengths = packed_samples(session, images=wanted is not None)
    content = {
        "state": {trait: state[trait] for trait in _TRAITS} | {"weights": _encoded(bytes(state["weights"]))},
        "code": _encoded(runtime.code),
        "extra": _encoded(read_extra()),
        "hello": {"result": shown, "buffers": [_encoded(buffer) for buffer in statistics]},
        "tiles": tiles,
        "samples": samples,
        "columns": page_columns(ask),
        "draws": page_draws(session, ask),
    }
    script = read_static_page()
    digest = _encoded(hashlib.sha256(script.encode()).digest())
    text = _PAGE.format(
        policy=_POLICY.format(digest=digest),
        title=html.escape(session.name),
        style=runtime.get_state()["_css"],
        data=json.dumps(content, ensure_ascii=True).translate(_ESCAPES),
        tiles=_packed(jpegs),
        samples=_packed(packed),
        script=script,
    )
    num_samples = 0 if samples is None else samples["num_samples"]
    num_small = sum(length > 0 for length in lengths)
    return text, {
        "num_samples": num_samples,
        "num_large": sum(tile["image"] > 0 for tile in tiles),
        "num_small": num_small,
    }


def _packed(data: bytes) -> str:
    # one stream for all: the tables that each small JPEG begins with are kept once
    return _encoded(gzip.compress(data, 9, mtime=0))


_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}
_TRAITS = ("_kind", "query", "mode", "seed", "size", "unit", "labels", "theme", "selection", "snapshot", "height")
_POLICY = "default-src 'none'; img-src blob: data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}' blob:"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title><style>{style}</style></head>
<body><div id="penstock-root"></div>
<script type="application/json" id="penstock-page">{data}</script>
<script type="text/plain" id="penstock-tiles">{tiles}</script>
<script type="text/plain" id="penstock-samples">{samples}</script>
<script type="module">{script}</script></body></html>
"""
