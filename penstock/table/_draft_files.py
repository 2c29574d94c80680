"""Draft edits beside the dataset: every edit a small file, so that a crash loses none."""

from __future__ import annotations

import io
import secrets
import time
import zipfile
from collections.abc import Mapping, Sequence

import numpy as np

from penstock.errors import StorageError
from penstock.storage import UID, Location, column_names, encoded, received_table, table_of
from penstock.table._draft import Draft
from penstock.table._stored import cells_of_columns
from penstock.tensors import TensorSpec

__all__ = ["discard_draft", "load_draft", "save_edits"]

_MANY = 64


def _folder(branch: str | None) -> str:
    return f"drafts/{branch or encoded('main')}"


def save_edits(
    location: Location,
    branch: str | None,
    specs: Mapping[str, TensorSpec],
    draft: Draft,
    *,
    instead_of: Sequence[str] | None = None,
) -> str:
    """Write edits to a new file and return its name; `instead_of` names the files that it replaces, all there are."""
    kind = "set" if instead_of is None else "base"
    with location.lock():
        name = f"{_folder(branch)}/{time.time_ns():020d}-{secrets.token_hex(3)}.{kind}"
        location.write(name, _packed(specs, draft))
        location.delete(list(instead_of or ()))
    return name


def load_draft(
    location: Location, branch: str | None, specs: Mapping[str, TensorSpec], *, tidy: bool = False
) -> tuple[Draft, list[str]]:
    """Return the draft beside a dataset, and the names of its files; `tidy` makes one file of many."""
    names = location.names(_folder(branch))
    if tidy and len(names) > _MANY:
        with location.lock():
            draft, names = load_draft(location, branch, specs)
            return draft, [save_edits(location, branch, specs, draft, instead_of=names)]
    bases = [index for index, name in enumerate(names) if name.endswith(".base")]
    draft = Draft()
    for name in names[bases[-1] if bases else 0 :]:
        content = location.read(name)
        if content is not None:
            draft = _unpacked(specs, draft, content, name)
    return draft, names


def discard_draft(location: Location, names: list[str]) -> None:
    """Delete the files of a draft that is committed or dropped."""
    location.delete(names)


def _packed(specs: Mapping[str, TensorSpec], draft: Draft) -> bytes:
    import pyarrow as pa

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for tensor, edits in draft.edits.items():
            table = table_of(np.fromiter(edits, np.int64, len(edits)), {specs[tensor]: list(edits.values())})
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            archive.writestr(tensor, sink.getvalue().to_pybytes())
    return buffer.getvalue()


def _unpacked(specs: Mapping[str, TensorSpec], draft: Draft, content: bytes, name: str) -> Draft:
    import pyarrow as pa

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                if entry.filename not in specs:
                    continue
                spec = specs[entry.filename]
                table = received_table(_content(archive, entry), spec)
                known = [column for column in column_names(spec) if column in table.column_names]
                cells = cells_of_columns(spec, {column: table[column] for column in known}, len(table))
                draft = draft.with_edits(spec.name, dict(zip(table[UID].to_pylist(), cells, strict=True)))
    except (zipfile.BadZipFile, pa.ArrowException, LookupError, ValueError) as error:
        raise StorageError(
            f"the draft edits in {name!r} are damaged ({error})",
            hint="delete that file to open the dataset without them",
        ) from error
    return draft


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Read one entry; ours are stored as they are, so that a file unpacks to no more than its own size."""
    if entry.compress_type != zipfile.ZIP_STORED:
        raise zipfile.BadZipFile(f"{entry.filename!r} is compressed")
    return archive.read(entry)
