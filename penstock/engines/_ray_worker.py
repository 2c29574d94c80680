"""What runs in a worker of Ray."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from penstock.engines._messages import from_parts, public_parts
from penstock.errors import EngineError

__all__ = ["run_task"]


class _Held:
    """The task this worker ran last; a worker runs tasks of one operation after another."""

    key = ""
    task: Callable[[Any], Any] | None = None


def run_task(key: str, parts: list[Any], item: Any, version: str) -> tuple[bool, list[Any]]:
    """Run a task for an item; return whether it was done, and its result or error in parts.

    Parameters
    ----------
    key : str
        The task's name: it is unpacked once.
    parts : list
        The task, from `public_parts`.
    item : object
        What it is run for.
    version : str
        That of penstock where the task comes from.
    """
    try:
        here = str(sys.modules["penstock"].__version__)
        if here != version:
            raise EngineError(  # noqa: TRY301  goes to the driver as what a task raises does
                f"penstock {here} is installed where Ray runs its tasks, and {version} here",
                hint="install the same version on every machine of the cluster",
            )
        if key != _Held.key:
            _Held.task, _Held.key = None, ""
            _Held.task, _Held.key = from_parts(parts), key
        assert _Held.task is not None
        return True, public_parts(_Held.task(item))
    except Exception as error:  # noqa: BLE001  raised again where the task came from
        return False, _told(error)


def _told(error: Exception) -> list[Any]:
    told = traceback.format_exc()
    error.add_note(f"in worker process {os.getpid()} of Ray:\n{told}")
    try:
        parts = public_parts(error)
        from_parts(parts)  # an error whose class takes other arguments than it keeps fails here
        return parts  # noqa: TRY300  nothing else is tried
    except Exception:  # noqa: BLE001  an error that cannot be pickled is sent as text
        return public_parts(RuntimeError(f"{type(error).__name__} in worker process {os.getpid()} of Ray:\n{told}"))
