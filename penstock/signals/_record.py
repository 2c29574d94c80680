"""What a run says of itself: the small file that names all others."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from penstock.errors import StorageError
from penstock.storage import Holder, RunFolder

__all__ = ["RunRecord", "now"]

_FORMAT = 1
_FILE = re.compile(r"[a-z]+-[0-9a-f]+(-[0-9]+)?\.(lance|json)")


def now() -> str:
    """Return the present time, in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """The record of a run.

    Parameters
    ----------
    attempt : str
        What tells a run from an earlier one of the same name.
    token : str
        The process that writes it.
    holder : dict
        That process, in words.
    started, updated : str
        When it was started and last written, in UTC, ISO 8601.
    closed : bool
        Whether it was closed and not only interrupted.
    epochs : int
        Epochs that were written to the end.
    versions : tuple of (int, dict)
        The versions of the dataset that were trained on, each with the position of its first record.
    signals : tuple of str
        Names.
    file : str, optional
        Where the numbers are; None before the first are written.
    schedule : str, optional
        The file of the schedule.
    """

    attempt: str
    token: str
    holder: Mapping[str, Any]
    started: str
    updated: str
    closed: bool = False
    epochs: int = 0
    versions: tuple[tuple[int, Mapping[str, Any]], ...] = ()
    signals: tuple[str, ...] = ()
    file: str | None = None
    schedule: str | None = None

    @classmethod
    def new(cls, token: str, version: Mapping[str, Any], started: str) -> RunRecord:
        """Return the record of a run that begins."""
        return cls(
            attempt=secrets.token_hex(4),
            token=token,
            holder=holder_here(),
            started=started,
            updated=started,
            versions=((0, version),),
        )

    @classmethod
    def read(cls, folder: RunFolder) -> RunRecord | None:
        """Return the record of a run; None if there is no such run.

        Raises
        ------
        StorageError
            If it is damaged, or written by a later penstock.
        """
        found = folder.record()
        return None if found is None else cls._of(folder, found)

    @classmethod
    def parse(cls, folder: RunFolder, content: bytes) -> RunRecord:
        """Return a record that was read.

        Raises
        ------
        StorageError
            If it is damaged, or written by a later penstock.
        """
        return cls._of(folder, folder.parsed(content))

    @classmethod
    def _of(cls, folder: RunFolder, found: Mapping[str, Any]) -> RunRecord:
        if found.get("format") != _FORMAT:
            raise StorageError(
                f"run {folder.name!r} has format {found.get('format')!r}. Expected {_FORMAT}",
                hint="use the release of penstock that wrote it, or a later one",
            )
        try:
            datetime.fromisoformat(str(found["started"])).timestamp()
            return cls(
                attempt=str(found["attempt"]), token=str(found["token"]), holder=dict(found["holder"]),
                started=str(found["started"]), updated=str(found["updated"]), closed=bool(found["closed"]),
                epochs=int(found["epochs"]), versions=tuple((int(at), _version(one)) for at, one in found["versions"]),
                signals=tuple(map(str, found["signals"])), file=_name(found["file"]), schedule=_name(found["schedule"]),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise StorageError(
                f"the record of run {folder.name!r} is damaged", hint=f"delete the run: ds.runs.delete({folder.name!r})"
            ) from error

    def write(self, folder: RunFolder) -> RunRecord:
        """Write the record, which makes the files it names part of the run; return it."""
        made = replace(self, updated=now())
        folder.write_record({"format": _FORMAT, **asdict(made)})
        return made

    def may_be_replaced(self) -> bool:
        """Return whether no other process goes on with this run, as far as can be known."""
        holder = _holder(self.holder)
        return self.closed or holder is None or holder.has_ended() or _is_here(holder)


def holder_here() -> dict[str, Any]:
    """Return this process, in words."""
    return asdict(Holder.here("", locked=False))


def _holder(found: Mapping[str, Any]) -> Holder | None:
    try:
        return Holder(**found)
    except TypeError:
        return None


def _version(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a version of the dataset; its number is one, where it has one."""
    made = dict(found)
    if "version" in made:
        made["version"] = int(made["version"])
    return made


def _name(found: object) -> str | None:
    """Return the name of a file of a run; one that leads out of its folder is none of ours."""
    if found is None or (isinstance(found, str) and _FILE.fullmatch(found)):
        return found
    raise ValueError(found)


def _is_here(holder: Holder) -> bool:
    here = Holder.here("", locked=False)
    return (holder.pid, holder.machine, holder.started) == (here.pid, here.machine, here.started)
