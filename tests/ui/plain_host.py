"""A page that shows one widget over a real session in this process: no Jupyter, so a second a test instead of ten.

It speaks ipywidgets' protocol over a WebSocket: state and messages with binary buffers, in both directions. What only
JupyterLab does (cells, keys of the notebook, trust) is tested there.
"""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import comm
import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket
from comm.base_comm import BaseComm

from penstock.widgets._runtime import runtime

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>penstock</title><link rel="icon" href="data:,">
<style>body { margin: 0; background: #fff } body.dark { background: #111418 }</style>
<style id="sheet"></style><main id="root"></main>
<script type="module">
const text = new TextDecoder(), bytes = new TextEncoder();
class Model {
  constructor(id, state) { Object.assign(this, { id, state, changed: {}, listeners: new Map() }); }
  get(key) { return this.state[key]; }
  set(key, value) { this.state[key] = value; this.changed[key] = value; this.emit(`change:${key}`); }
  save_changes() { const state = this.changed; this.changed = {}; post(this.id, { method: 'update', state, buffer_paths: [] }); }
  send(content) { if (!window.alive) throw new Error('Cannot send'); post(this.id, { method: 'custom', content }); }
  on(name, call) { if (!this.listeners.has(name)) this.listeners.set(name, new Set()); this.listeners.get(name).add(call); }
  off(name, call) { this.listeners.get(name)?.delete(call); }
  emit(name, ...args) { for (const call of this.listeners.get(name) ?? []) call(...args); }
}
const models = window.models = new Map();
const socket = new WebSocket(`ws://${location.host}/wire`);
socket.binaryType = 'arraybuffer';
window.alive = true;
function post(id, data) {
  if (!window.alive) return;
  const paths = [], buffers = [];
  for (const [key, value] of Object.entries(data.state ?? {}))
    if (ArrayBuffer.isView(value)) { paths.push([key]); buffers.push(value); delete data.state[key]; }
  if (data.method === 'update') data.buffer_paths = paths;
  const head = bytes.encode(JSON.stringify({ id, data, sizes: buffers.map(b => b.byteLength) }));
  const size = new DataView(new ArrayBuffer(4)); size.setUint32(0, head.length);
  socket.send(new Blob([size, head, ...buffers]));
}
socket.onmessage = async ({ data: packed }) => {
  const size = new DataView(packed).getUint32(0);
  const { id, data, sizes } = JSON.parse(text.decode(new Uint8Array(packed, 4, size)));
  let at = 4 + size;
  const buffers = sizes.map(n => { const view = new DataView(packed.slice(at, at + n)); at += n; return view; });
  (data.buffer_paths ?? []).forEach(([key], i) => { data.state[key] = buffers[i]; });
  if (data.method === 'open') { models.set(id, new Model(id, data.state)); if (data.show) await show(models.get(id)); }
  else if (!window.alive) return;
  else if (data.method === 'update' || data.method === 'echo_update')
    for (const [key, value] of Object.entries(data.state)) { models.get(id).state[key] = value; models.get(id).emit(`change:${key}`); }
  else models.get(id)?.emit('msg:custom', data.content, buffers);
};
async function show(model) {
  const host = { getModel: async (reference) => models.get(reference.replace('anywidget:', '')) };
  document.getElementById('sheet').textContent = (await host.getModel(model.get('_runtime'))).get('_css');
  const url = URL.createObjectURL(new Blob([model.get('_esm')], { type: 'text/javascript' }));
  (await import(url)).default.render({ model, el: document.getElementById('root'), host });
}
</script></html>"""


class SocketComm(BaseComm):
    """A comm whose other end is the page, once there is one."""

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        wire = getattr(self, "wire", None)
        if wire is not None and msg_type == "comm_msg":
            wire(self.comm_id, data or {}, [bytes(buffer) for buffer in buffers or []])


def packed(comm_id: str, data: dict[str, Any], buffers: list[bytes]) -> bytes:
    head = json.dumps({"id": comm_id, "data": data, "sizes": [len(one) for one in buffers]}).encode()
    return b"".join([struct.pack(">I", len(head)), head, *buffers])


def opened(widget, *, show: bool) -> bytes:
    """Return the message that makes the widget's model in the page."""
    state = widget.get_state()
    binary = {key: bytes(value) for key, value in state.items() if isinstance(value, bytes | memoryview)}
    plain = {key: value for key, value in state.items() if key not in binary and _is_plain(value)}
    data = {"method": "open", "state": plain, "buffer_paths": [[key] for key in binary], "show": show}
    return packed(widget.model_id, data, list(binary.values()))


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


class PlainHost:
    """Serves the page of one widget; make the widget after this, so that its comm is of this kind."""

    def __init__(self, monkeypatch) -> None:
        monkeypatch.setattr(comm, "create_comm", SocketComm)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.widget: Any = None
        self.port = 0
        self._thread = threading.Thread(target=self._serve, name="plain-host", daemon=True)
        self._thread.start()
        self._ready.wait()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        host = self

        class Page(tornado.web.RequestHandler):
            def get(self) -> None:
                self.write(PAGE)

        class Wire(tornado.websocket.WebSocketHandler):
            def open(self) -> None:
                host.widget.comm.wire = lambda *message: host._loop.call_soon_threadsafe(self._send, packed(*message))
                self.write_message(opened(runtime(), show=False), binary=True)
                self.write_message(opened(host.widget, show=True), binary=True)

            def _send(self, message: bytes) -> None:
                if self.ws_connection is not None and not self.ws_connection.is_closing():
                    self.write_message(message, binary=True)

            def on_message(self, message: bytes) -> None:
                size = struct.unpack(">I", message[:4])[0]
                head = json.loads(message[4 : 4 + size])
                at, buffers = 4 + size, []
                for length in head["sizes"]:
                    buffers.append(memoryview(message[at : at + length]))
                    at += length
                host.widget.comm.handle_msg({"content": {"data": head["data"]}, "buffers": buffers})

        application = tornado.web.Application(
            [("/", Page), ("/wire", Wire)], websocket_max_message_size=1 << 28, log_function=lambda _handler: None
        )
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        server = tornado.httpserver.HTTPServer(application)
        server.add_sockets(sockets)
        self._ready.set()
        self._loop.run_forever()
        server.stop()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Hear and say nothing meanwhile, as a kernel that runs a cell."""
        entered, done = threading.Event(), threading.Event()
        self._loop.call_soon_threadsafe(lambda: (entered.set(), done.wait()))
        entered.wait()
        try:
            yield
        finally:
            done.set()

    def stop(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
