"""The process that holds the uncommitted edits of a branch, as others find it recorded beside them."""

from __future__ import annotations

import json
import os
import platform
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["Holder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that holds a draft.

    Parameters
    ----------
    pid : int
        Its number on its host.
    host : str
        Its host.
    program : str
        What runs in it: a notebook, a script.
    since : str
        When it made the first of the edits it holds, in UTC, ISO 8601.
    token : str
        What tells it from every other process.
    started : str
        When the process was started, in the system's own units; empty if unknown.
    machine : str
        Its host, that host's present boot and the process numbers' name space: where `pid` means something.
    locked : bool
        Whether the system frees what it holds when it ends; else it has to renew it.
    """

    pid: int
    host: str
    program: str
    since: str
    token: str = ""
    started: str = ""
    machine: str = ""
    locked: bool = True

    @classmethod
    def here(cls, token: str, *, locked: bool) -> Holder:
        """Return this process."""
        return cls(
            pid=os.getpid(),
            host=platform.node() or "this computer",
            program=_program(),
            since=datetime.now(UTC).isoformat(timespec="seconds"),
            token=token,
            started=_started(os.getpid()) or "",
            machine=_machine(),
            locked=locked,
        )

    @classmethod
    def from_bytes(cls, content: bytes | None) -> Holder | None:
        """Return the process that a record names; None if there is no record, or a damaged one."""
        if content is None:
            return None
        with suppress(ValueError, TypeError):
            return cls(**json.loads(content))
        return None

    def to_bytes(self) -> bytes:
        """Return the record of this process."""
        return json.dumps(asdict(self)).encode()

    def has_ended(self) -> bool:
        """Return whether this is known: only of a process of the same computer."""
        if self.machine != _machine():
            return False
        started = _started(self.pid)
        return started is None or bool(started and self.started and started != self.started)

    def __str__(self) -> str:
        """Return who this is, and since when."""
        place = f"process {self.pid} on {self.host}"
        when = self.since.replace("T", " ").replace("+00:00", " UTC")
        return f"{self.program} ({place}, since {when})" if self.program else f"{place}, since {when}"


def _program() -> str:
    notebook = os.environ.get("JPY_SESSION_NAME")
    if notebook and "ipykernel" in sys.modules:
        return f"the notebook {Path(notebook).name}"
    name = Path(sys.argv[0] if sys.argv else "").name
    return "" if name in {"", "-", "-c", "-m"} else name


def _started(pid: int) -> str | None:
    """Return when a process was started, an empty text if only that it runs is known; None if it does not."""
    if os.name != "posix":
        return ""
    with suppress(OSError, IndexError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if state in {"Z", "X"} else fields[18]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return ""
    return ""


def _machine() -> str:
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return "/".join(parts)
