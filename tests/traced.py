"""A plugin for pytest (`-p tests.traced`): coverage sees the threads that the loader starts by `_thread`, too.

coverage.py follows the threads of `threading`; the loader's start by `_thread.start_new_thread`, which Ctrl-C cannot
interrupt midway. Nothing is changed where coverage does not run.
"""

from __future__ import annotations

import _thread
import sys
import threading

_start = _thread.start_new_thread
_trace = threading.gettrace()


def _traced(function, *rest):
    def run(*args, **keywords):
        sys.settrace(_trace)
        return function(*args, **keywords)

    return _start(run, *rest)


if _trace is not None:
    _thread.start_new_thread = _traced
