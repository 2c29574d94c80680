"""The one model per kernel that holds the browser's code, and the stub that every widget carries.

Five widgets with the whole bundle each put 1.5 MB into a notebook; with one
runtime model and a stub each it is 0.3 MB, and the code is evaluated once.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import anywidget
import traitlets

__all__ = ["MISSING_ASSETS", "Runtime", "read_extra", "read_static_page", "read_stub", "runtime"]

_STATIC = Path(__file__).parent / "static"
_lock = threading.Lock()
_EMPTY_MODULE = "export default { render() {} };"

MISSING_ASSETS = (
    "the browser part of the widgets is missing from this installation of penstock "
    "(penstock/widgets/static/runtime.js.gz). Hint: in a clone run `make widgets`; otherwise reinstall penstock"
)
_MISSING_STUB = f"export default {{ render({{ el }}) {{ el.textContent = {json.dumps(MISSING_ASSETS)}; }} }};"


def _read_style() -> str:
    path = _STATIC / "style.css"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


class Runtime(anywidget.AnyWidget):
    """Holds the gzip of the browser's code for the first paint; every widget of the kernel refers to it.

    What is needed later is no trait, so that no notebook saves it: a view asks for it (`read_extra`).

    Attributes
    ----------
    code : bytes
        gzip of one ES module (Python to browser).
    sha : str
        sha256 of `code`, hex; the browser imports a code once per value (Python to browser).
    """

    _esm = _EMPTY_MODULE
    _css = _read_style()
    code = traitlets.Bytes().tag(sync=True)
    sha = traitlets.Unicode().tag(sync=True)

    def __repr__(self) -> str:
        """Return the same text in every run."""
        return f"Runtime(sha={self.sha[:8]!r})"

    def close(self) -> None:
        """Stay open: other widgets of the kernel use it."""


@functools.cache
def _read_code() -> tuple[bytes, bytes]:
    """Return both files of the browser's code, read at one time: each fits only the other of its own build."""
    paths = (_STATIC / "runtime.js.gz", _STATIC / "runtime-extra.js.gz")
    first, extra = (path.read_bytes() if path.is_file() else b"" for path in paths)
    return first, extra


def read_extra() -> bytes:
    """Return the gzip of what the browser loads after the first paint, of the build that `runtime` holds.

    Raises
    ------
    RuntimeError
        If this installation lacks the browser part.
    """
    _, extra = _read_code()
    if not extra:
        raise RuntimeError(MISSING_ASSETS)
    return extra


@functools.cache
def read_stub() -> str:
    """Return the few lines every widget carries, or lines that say what is missing."""
    path = _STATIC / "stub.js"
    complete = path.is_file() and (_STATIC / "runtime.js.gz").is_file()
    return path.read_text(encoding="utf-8") if complete else _MISSING_STUB


@functools.cache
def read_static_page() -> str:
    """Return the script of a page without a kernel.

    Raises
    ------
    RuntimeError
        If this installation lacks the browser part.
    """
    path = _STATIC / "static-page.js"
    if not path.is_file():
        raise RuntimeError(MISSING_ASSETS)
    return path.read_text(encoding="utf-8")


@functools.cache
def _make() -> Runtime:
    code, _ = _read_code()
    return Runtime(code=code, sha=hashlib.sha256(code).hexdigest())


def runtime() -> Any:
    """Return the kernel's runtime model, made on first use."""
    with _lock:
        return _make()
