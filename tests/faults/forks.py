"""Functions run in a child of a warm process, which has imported everything and opened nothing."""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
import traceback

LIMIT_SECONDS = 120


def forked(function, *arguments, limit=LIMIT_SECONDS):
    """Return ("done", result), ("raised", text), ("killed", None) or ("hung", None)."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _answer(writing, function, arguments)
    os.close(writing)
    answer = _heard(reading, limit)
    os.close(reading)
    if answer is None:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if answer is None:
        return "hung", None
    if os.WIFSIGNALED(status):
        return "killed", os.WTERMSIG(status)
    return pickle.loads(answer)


def _answer(writing, function, arguments):
    try:
        told = ("done", function(*arguments))
    except BaseException as error:  # noqa: BLE001  a panic of the engine is one
        told = ("raised", f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
    with os.fdopen(writing, "wb") as stream:
        stream.write(pickle.dumps(told))
    os._exit(0)


def _heard(reading, limit):
    end = time.monotonic() + limit
    parts = []
    while True:
        left = end - time.monotonic()
        if left <= 0:
            return None
        if select.select([reading], [], [], left)[0]:
            part = os.read(reading, 1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)
