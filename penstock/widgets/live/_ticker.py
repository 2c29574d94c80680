"""Looks at something a few times a second from a thread of its own, for as long as there is somebody to tell."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["PERIOD_S", "start_ticker"]

PERIOD_S = 0.25


def start_ticker(look: Callable[[], bool], period_s: float = PERIOD_S) -> threading.Event:
    """Call `look` every `period_s` seconds until it returns False; return an event that ends it when it is set."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(period_s):
            if not look():
                return

    threading.Thread(target=run, name="penstock-live", daemon=True).start()
    return ended
