"""A widget of this process in a page without Jupyter: the page's model asks over HTTP."""

from __future__ import annotations

import contextlib
import gzip
import json
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import penstock

__all__ = ["MODEL", "served"]

MODEL = """
const connect = async (onAsk = () => {}) => {
  const state = await (await fetch("/state")).json();
  const listeners = [];
  return {
    get: (name) => name === "weights" ? new DataView(new ArrayBuffer(0)) : state[name],
    set(name, value) { state[name] = value; }, save_changes() {}, off() {},
    on: (name, listener) => { if (name === "msg:custom") listeners.push(listener); },
    async send(message) {
      if (message.op === "cancel") return;
      onAsk(message);
      const bytes = await (await fetch("/ask", { method: "POST", body: JSON.stringify(message) })).arrayBuffer();
      const view = new DataView(bytes);
      const lengths = Array.from({ length: view.getUint32(0, true) }, (_, i) => view.getUint32(4 + 4 * i, true));
      let at = 4 + 4 * lengths.length;
      const parts = lengths.map((length) => new DataView(bytes.slice(at, (at += length))));
      const reply = JSON.parse(new TextDecoder().decode(parts.shift()));
      for (const listener of listeners) listener(reply, parts);
    },
  };
};
"""


def _framed(parts: list[bytes]) -> bytes:
    return struct.pack(f"<{len(parts) + 1}I", len(parts), *map(len, parts)) + b"".join(parts)


@contextlib.contextmanager
def served(widget: Any, kind: str, page: str) -> Iterator[str]:
    """Serve a page whose script has `MODEL`; yield its address."""
    ask = widget._ask  # noqa: SLF001  what a static page is made with: an answer without a comm
    static = Path(penstock.__file__).parent / "widgets" / "static"
    state = {"_kind": kind, "query": widget.query, "height": 900 if kind == "browser" else 620}
    files = {
        "/runtime.js": ("text/javascript", gzip.decompress((static / "runtime.js.gz").read_bytes())),
        "/style.css": ("text/css", (static / "style.css").read_bytes()),
        "/state": ("application/json", json.dumps(state).encode()),
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else a body waits 40 ms for the browser to acknowledge its headers

        def do_GET(self) -> None:
            self._send(*files.get(self.path, ("text/html", page.encode())))

        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                result, buffers = ask(message["op"], message["args"])
                reply = {"v": 1, "id": message["id"], "ok": True, "result": result}
            except RuntimeError as error:
                buffers = []
                reply = {"v": 1, "id": message["id"], "ok": False, "error": {"code": "Error", "message": str(error)}}
            self._send("application/octet-stream", _framed([json.dumps(reply).encode(), *buffers]))

        def _send(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
