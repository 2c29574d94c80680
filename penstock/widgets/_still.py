"""A widget as HTML without scripts, for where nothing runs: a notebook reopened, exported or looked at on a website."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from penstock.widgets._page_samples import Ask

__all__ = ["still_html", "still_thumbnails"]

_MOST_BARS = 24
_NUM_THUMBNAILS = 12
_SIDE = 96
_EPOCHS = (1, 2, 5, 10, 20)
_BAR = "display:inline-block;height:8px;vertical-align:middle;border-radius:2px;"
_RAW = "background:rgba(128,128,128,.45);"
_SAMPLED = "background:#0a7f79;"
_CELL = 'style="padding:1px 10px 1px 0;text-align:left"'
_NUMBER = 'style="padding:1px 10px 1px 0;text-align:right"'


def still_html(snapshot: Mapping[str, Any], thumbnails: Sequence[bytes] = ()) -> str:
    """Return the query, its bars and its coverage as HTML, colors of the page's own theme.

    Parameters
    ----------
    snapshot : mapping
        The `Snapshot` of the contract.
    thumbnails : sequence of bytes
        JPEGs of the first samples.

    Examples
    --------
    >>> known = {"name": "a<b", "version": "3f2a9c", "num_samples": 80}
    >>> empty = {"dataset": known, "query": "select *", "pool_size": 80, "draws": 80, "mode": "iid", "seed": 0}
    >>> page = still_html(empty | {"unit": "samples", "bars": [], "coverage": []})
    >>> "a&lt;b" in page, "<script" in page
    (True, False)
    """
    parts = [_head(snapshot), *_images(thumbnails), *_bars(snapshot), *_coverage(snapshot), _foot()]
    return f'<div class="penstock-still" style="font-size:13px;line-height:1.5">{"".join(parts)}</div>'


def still_thumbnails(ask: Ask) -> list[bytes]:
    """Return JPEGs of the first samples of the grid."""
    result, buffers = ask("grid.page", {"start": 0, "stop": _NUM_THUMBNAILS, "size": _SIDE})
    return [buffers[tile["image"]] for tile in result["tiles"] if tile["image"] >= 0]


def _head(snapshot: Mapping[str, Any]) -> str:
    known = snapshot["dataset"]
    counts = f"{snapshot['pool_size']:,} of {known['num_samples']:,} samples, {snapshot['draws']:,} draws per epoch"
    return (
        f"<p><b>{escape(known['name'])}</b> {escape(known['version'])}: {counts}, "
        f"{escape(snapshot['mode'])}, seed {snapshot['seed']}</p><p><code>{escape(snapshot['query'])}</code></p>"
    )


def _images(thumbnails: Sequence[bytes]) -> list[str]:
    found = [
        f'<img alt="" style="height:72px;margin:0 4px 4px 0;border-radius:3px" '
        f'src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode("ascii")}">'
        for jpeg in thumbnails
    ]
    return [f"<p>{''.join(found)}</p>"] if found else []


def _bars(snapshot: Mapping[str, Any]) -> list[str]:
    bars = snapshot["bars"][:_MOST_BARS]
    if not bars:
        return []
    most = max(max(bar["raw"], bar["expected"]) for bar in bars) or 1
    rows = "".join(
        f"<tr><td {_CELL}>{escape(bar['name'])}</td><td {_CELL}>{_pair(bar, most)}</td>"
        f"<td {_NUMBER}>{bar['raw']:,.0f}</td><td {_NUMBER}>{bar['expected']:,.0f}</td>"
        f"<td {_NUMBER}>{bar['low']:,.0f} to {bar['high']:,.0f}</td></tr>"
        for bar in bars
    )
    more = len(snapshot["bars"]) - len(bars)
    left = f'<tr><td colspan="5">{more:,} more classes</td></tr>' if more > 0 else ""
    heads = f"<th {_CELL}>class</th><th {_CELL}>{escape(snapshot['unit'])}</th>" + "".join(
        f"<th {_NUMBER}>{name}</th>" for name in ("in the data", "per epoch", "95 %")
    )
    return [f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}{left}</tbody></table>"]


def _pair(bar: Mapping[str, Any], most: float) -> str:
    widths = [(bar["raw"] / most, _RAW), (bar["expected"] / most, _SAMPLED)]
    return "<br>".join(
        f'<span style="{_BAR}{color}width:{max(1, round(160 * share))}px"></span>' for share, color in widths
    )


def _coverage(snapshot: Mapping[str, Any]) -> list[str]:
    points = snapshot["coverage"]
    shown = [(epoch, points[epoch]["share"]) for epoch in _EPOCHS if epoch < len(points)]
    if not shown:
        return []
    said = ", ".join(f"{_share(share)} after {epoch}" for epoch, share in shown)
    return [f"<p>Seen by training: {said} {'epochs' if len(shown) > 1 else 'epoch'}.</p>"]


def _share(value: float) -> str:
    return f"{100 * value:.0f} %" if value in {0, 1} or 0.005 <= value < 0.995 else f"{100 * value:.3g} %"


def _foot() -> str:
    return "<p><i>This is a still image: run the cell to open it.</i></p>"
