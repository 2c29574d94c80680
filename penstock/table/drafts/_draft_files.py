"""Draft edits next to the dataset: every edit is a small file, so that a crash loses none."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from penstock.errors import StorageError
from penstock.storage import UID, Location, column_names, encoded, received_table, table_of
from penstock.table._stored import cells_of_columns
from penstock.table.drafts._draft import Draft, Edits
from penstock.tensors import TensorSpec

__all__ = [
    "DraftFile",
    "DraftNote",
    "DraftPart",
    "delete_drafts",
    "draft_bases",
    "draft_files",
    "draft_folder",
    "read_drafts",
    "write_draft",
]

_NOTE = ".draft.json"  # no tensor's name begins with a dot
_DAMAGED = (zipfile.BadZipFile, LookupError, ValueError, TypeError, AttributeError)
_NAME = re.compile(r"(\d+)-([0-9a-f]+)\.(set|base)")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class DraftFile:
    """The name of a file of edits.

    Parameters
    ----------
    counter : int
        Its place in the order of edits, larger than that of every file its session has seen; never a time.
    session : str
        The session that made it.
    name : str
        Its name below the dataset.
    """

    counter: int
    session: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftNote:
    """The header of a file of edits.

    Parameters
    ----------
    dataset : str
        Identity of the dataset the edits belong to.
    version : int
        Version of the branch they were made over; -1 if not recorded.
    keys : mapping of str to sequence of str
        For each class label tensor, the keys of the classes its indices count.
    replaces : mapping of str to int
        The files this one stands for: session and largest counter.
    """

    dataset: str = ""
    version: int = -1
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    replaces: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPart:
    """The edits of one file, and its header."""

    file: DraftFile
    edits: Mapping[str, Edits]
    note: DraftNote


def draft_folder(branch: str | None) -> str:
    """Return the folder of the edits of a branch."""
    return f"drafts/{branch or encoded('main')}"


def draft_files(location: Location, branch: str | None) -> list[DraftFile]:
    """Return the files of edits of a branch, in the order they were created."""
    found = []
    for name in location.names(draft_folder(branch)):
        parsed = _NAME.fullmatch(name.rpartition("/")[2])
        if parsed:
            found.append(DraftFile(counter=int(parsed[1]), session=parsed[2], name=name))
    return sorted(found)


def draft_bases(location: Location, branch: str | None) -> set[int]:
    """Return the versions of a branch that edits were made over, of every session; conflicts are found by them."""
    found = set()
    for file in draft_files(location, branch):
        content = io.BytesIO(location.read(file.name) or b"")
        with suppress(*_DAMAGED), zipfile.ZipFile(content) as archive:
            found.add(_note(json.loads(archive.read(_NOTE))).version)
    return found - {-1}


def write_draft(
    location: Location,
    branch: str | None,
    specs: Mapping[str, TensorSpec],
    draft: Draft,
    note: DraftNote,
    *,
    session: str,
    counter: int,
) -> DraftFile:
    """Write edits to a new file."""
    kind = "base" if note.replaces else "set"
    name = f"{draft_folder(branch)}/{counter:020d}-{session}.{kind}"
    location.write(name, _packed(specs, draft, note))
    return DraftFile(counter=counter, session=session, name=name)


def read_drafts(
    location: Location,
    branch: str | None,
    specs: Mapping[str, TensorSpec],
    *,
    dataset: str,
    committed: Mapping[str, int],
    wanted: Callable[[DraftFile], bool] = lambda _: True,
) -> tuple[list[DraftPart], list[DraftFile]]:
    """Return the edits that count, in their order, and the files that no longer do.

    Parameters
    ----------
    location, branch, specs
        Where, and of which tensors.
    dataset : str
        Identity of the dataset.
    committed : mapping of str to int
        The files whose edits are part of the version: session and largest counter.
    wanted : callable
        Returns whether the edits of a file are read; of others only the header is.
    """
    parts, stale = [], []
    for file in draft_files(location, branch):
        if file.counter <= committed.get(file.session, -1):
            stale.append(file)
            continue
        content = location.read(file.name)
        if content is not None:
            parts.append(_unpacked(specs if wanted(file) else {}, content, file))
    gone = _replaced(parts)
    live = [part for part in parts if part.file not in gone and part.note.dataset in {"", dataset}]
    kept = {part.file for part in live}
    return live, [*stale, *(part.file for part in parts if part.file not in kept)]


def _replaced(parts: Sequence[DraftPart]) -> set[DraftFile]:
    """Return the files that later ones stand for."""
    gone: set[DraftFile] = set()
    for base in parts:
        for part in parts:
            before = part.file < base.file and base.file.name.endswith(".base")
            covered = part.file.counter <= base.note.replaces.get(part.file.session, -1)
            if part is not base and before and (covered or not base.note.replaces):
                gone.add(part.file)
    return gone


def delete_drafts(location: Location, files: Sequence[DraftFile]) -> list[DraftFile]:
    """Delete obsolete files of edits, those that replace others last; return the remaining ones.

    A disk that refuses is no error: what is left counts no more either, as long as what stands for it is left too.
    """
    order = sorted(files)
    with suppress(StorageError):
        while order:
            location.delete([order[0].name])
            del order[0]
    return order


def _packed(specs: Mapping[str, TensorSpec], draft: Draft, note: DraftNote) -> bytes:
    import pyarrow as pa

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo(_NOTE),  # without a time: the clock decides nothing here
            json.dumps(
                {
                    "dataset": note.dataset,
                    "version": note.version,
                    "keys": {tensor: list(keys) for tensor, keys in note.keys.items()},
                    "replaces": dict(note.replaces),
                }
            ),
        )
        for tensor, edits in draft.edits.items():
            table = table_of(np.fromiter(edits, np.int64, len(edits)), {specs[tensor]: list(edits.values())})
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            archive.writestr(zipfile.ZipInfo(tensor), sink.getvalue().to_pybytes())
    return buffer.getvalue()


def _unpacked(specs: Mapping[str, TensorSpec], content: bytes, file: DraftFile) -> DraftPart:
    import pyarrow as pa

    edits: dict[str, Edits] = {}
    note = DraftNote()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                if entry.filename == _NOTE:
                    note = _note(json.loads(_content(archive, entry)))
                elif entry.filename in specs:
                    edits[entry.filename] = _edits(specs[entry.filename], _content(archive, entry))
    except (zipfile.BadZipFile, pa.ArrowException, LookupError, ValueError, TypeError, AttributeError) as error:
        raise StorageError(
            f"the draft edits in {file.name!r} are damaged ({error})",
            hint="delete this file to open the dataset without these edits",
        ) from error
    return DraftPart(file=file, edits=edits, note=note)


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Read one entry; ours are stored as they are, so that a file unpacks to no more than its own size."""
    if entry.compress_type != zipfile.ZIP_STORED:
        raise zipfile.BadZipFile(f"{entry.filename!r} is compressed")
    return archive.read(entry)


def _note(stored: Mapping[str, Any]) -> DraftNote:
    return DraftNote(
        dataset=str(stored["dataset"]),
        version=int(stored["version"]),
        keys={tensor: tuple(map(str, keys)) for tensor, keys in stored["keys"].items()},
        replaces={session: int(counter) for session, counter in stored["replaces"].items()},
    )


def _edits(spec: TensorSpec, content: bytes) -> Edits:
    table = received_table(content, spec)
    known = [column for column in column_names(spec) if column in table.column_names]
    cells = cells_of_columns(spec, {column: table[column] for column in known}, len(table))
    return dict(zip(table[UID].to_pylist(), cells, strict=True))
