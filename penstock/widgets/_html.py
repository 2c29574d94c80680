"""A widget as one file that needs no network and no kernel: what it shows now, with its sliders alive."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.widgets._runtime import Runtime

__all__ = ["page_of"]

_NUM_TILES = 48
_TILE_SIDE = 256
_NOT_HERE = "this page is a copy without a kernel; run the notebook for this"

# Answers the widget's requests from what was written into the page; everything else is refused with a sentence.
_SHIM = """
const page = JSON.parse(document.getElementById("penstock-page").textContent);
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const views = (list) => list.map((text) => new DataView(bytes(text).buffer));
const listeners = new Map();
const state = { ...page.state, weights: new DataView(bytes(page.state.weights).buffer) };
const emit = (name, ...args) => (listeners.get(name) ?? []).slice().forEach((f) => f(...args));
const answer = ({ op, args }) => {
  if (op === "grid.page") {
    const known = page.tiles.slice(args.start, args.stop);
    const tiles = known.map((tile, i) => ({ ...tile.reply, image: tile.reply.image < 0 ? -1 : i }));
    return { result: { tiles, pool_size: page.tiles.length }, buffers: views(known.map((tile) => tile.jpeg)) };
  }
  if (op === "sample.get") {
    const tile = page.tiles.find((t) => t.reply.position === args.position || t.reply.uid === args.uid);
    return tile && { result: { sample: { ...tile.reply, fields: [], before: null } }, buffers: views([tile.jpeg]) };
  }
  const kept = page.replies[op];
  return kept && { result: kept.result, buffers: views(kept.buffers) };
};
const model = {
  get: (name) => state[name],
  set(name, value) {
    Object.assign(state, typeof name === "object" ? name : { [name]: value });
    if (typeof name === "string") emit("change:" + name);
  },
  on: (name, f) => listeners.set(name, [...(listeners.get(name) ?? []), f]),
  off: (name, f) => listeners.set(name, (listeners.get(name) ?? []).filter((g) => g !== f)),
  save_changes() {},
  send(message) {
    if (message.op === "cancel") return;
    const found = answer(message);
    const reply = found
      ? { v: 1, id: message.id, ok: true, result: found.result }
      : { v: 1, id: message.id, ok: false, error: { code: "StaticPage", message: page.notHere } };
    queueMicrotask(() => emit("msg:custom", reply, found ? found.buffers : []));
  },
};
const stream = new Blob([bytes(page.code)]).stream().pipeThrough(new DecompressionStream("gzip"));
const source = await new Response(stream).text();
const bundle = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
const el = document.getElementById("penstock-root");
bundle.views[state._kind]({ model, el, signal: new AbortController().signal });
"""


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
    content = {
        "state": {trait: state[trait] for trait in _TRAITS} | {"weights": _encoded(bytes(state["weights"]))},
        "code": _encoded(runtime.code),
        "replies": {"hello": _kept(read_only, statistics), "weights.set": _kept({}, [])},
        "tiles": _tiles(ask),
        "notHere": _NOT_HERE,
    }
    data = json.dumps(content, ensure_ascii=True).translate(_ESCAPES)
    digest = _encoded(hashlib.sha256(_SHIM.encode()).digest())
    policy = f"default-src 'none'; img-src blob: data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}' blob:"
    style = runtime.get_state()["_css"]
    return _PAGE.format(policy=policy, title=html.escape(name), style=style, data=data, shim=_SHIM)


_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}
_TRAITS = ("_kind", "query", "mode", "seed", "size", "unit", "labels", "theme", "selection", "snapshot", "height")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title><style>{style}</style></head>
<body><div id="penstock-root"></div>
<script type="application/json" id="penstock-page">{data}</script>
<script type="module">{shim}</script></body></html>
"""


def _kept(result: Any, buffers: Sequence[bytes]) -> dict[str, Any]:
    return {"result": result, "buffers": [_encoded(buffer) for buffer in buffers]}


def _tiles(ask: Ask) -> list[dict[str, Any]]:
    result, buffers = ask("grid.page", {"start": 0, "stop": _NUM_TILES, "size": _TILE_SIDE})
    tiles = []
    for tile in result["tiles"]:
        shown = tile["image"] >= 0
        jpeg = _encoded(buffers[tile["image"]]) if shown else ""
        tiles.append({"reply": {**tile, "image": 0 if shown else -1}, "jpeg": jpeg})
    return tiles
