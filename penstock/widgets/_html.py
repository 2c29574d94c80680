"""A widget as one file that needs no network and no kernel: what it shows now, with its sliders alive."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.widgets._runtime import Runtime, read_static_page

__all__ = ["page_of"]

_NUM_TILES = 48
_TILE_SIDE = 256

Ask = Callable[[str, Mapping[str, Any]], tuple[Any, Sequence[bytes]]]


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def page_of(name: str, state: Mapping[str, Any], runtime: Runtime, ask: Ask) -> str:
    """Return the page.

    Parameters
    ----------
    name : str
        Its title.
    state : mapping
        The widget's synced state.
    runtime : Runtime
        The browser's code.
    ask : callable
        Answers an operation of the contract: result and buffers.
    """
    hello, statistics = ask("hello", {})
    read_only = hello | {"dataset": hello["dataset"] | {"read_only": True}}
    tiles, token = _tiles(ask)
    content = {
        "state": {trait: state[trait] for trait in _TRAITS} | {"weights": _encoded(bytes(state["weights"]))},
        "code": _encoded(runtime.code),
        "replies": {
            "hello": _kept(read_only, statistics),
            "weights.set": _kept({}, []),
            "runtime.extra": _kept(*ask("runtime.extra", {})),
        },
        "tiles": tiles,
        "token": token,
    }
    data = json.dumps(content, ensure_ascii=True).translate(_ESCAPES)
    script = read_static_page()
    digest = _encoded(hashlib.sha256(script.encode()).digest())
    policy = f"default-src 'none'; img-src blob: data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}' blob:"
    style = runtime.get_state()["_css"]
    return _PAGE.format(policy=policy, title=html.escape(name), style=style, data=data, script=script)


_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}
_TRAITS = ("_kind", "query", "mode", "seed", "size", "unit", "labels", "theme", "selection", "snapshot", "height")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title><style>{style}</style></head>
<body><div id="penstock-root"></div>
<script type="application/json" id="penstock-page">{data}</script>
<script type="module">{script}</script></body></html>
"""


def _kept(result: Any, buffers: Sequence[bytes]) -> dict[str, Any]:
    return {"result": result, "buffers": [_encoded(buffer) for buffer in buffers]}


def _tiles(ask: Ask) -> tuple[list[dict[str, Any]], str]:
    result, buffers = ask("grid.page", {"start": 0, "stop": _NUM_TILES, "size": _TILE_SIDE})
    tiles = []
    for tile in result["tiles"]:
        jpeg, shapes = (_encoded(buffers[tile[name]]) if tile[name] >= 0 else "" for name in ("image", "shapes"))
        tiles.append({"reply": tile, "jpeg": jpeg, "shapes": shapes})
    return tiles, result["token"]
