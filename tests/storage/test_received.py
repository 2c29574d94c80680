from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import penstock
from penstock.errors import StorageError
from penstock.storage import received_table, table_of
from penstock.tensors import encode_image, encode_sample, make_spec

TEXT = make_spec("notes", "text")


def _stream(table: pa.Table, **options) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("htype", "value"),
    [
        ("text", "x" * 1000),
        ("class_label", [0, 1]),
        ("bbox", [[0, 0, 1, 1]]),
        ("segment_mask", np.ones((4, 4), np.uint8)),
        ("image", encode_image(np.zeros((3, 3, 3), np.uint8))),
    ],
)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_what_we_write_is_received_as_it_was(htype, value, count):
    spec = make_spec("values", htype)
    table = table_of(np.arange(count), {spec: [encode_sample(spec, value)] * count})
    assert received_table(_stream(table), spec).equals(table)


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_a_compressed_stream_is_refused_before_it_is_unpacked(codec):
    table = pa.table({"uid": pa.array([1]), "notes": pa.array(["x" * 10_000_000])})
    content = _stream(table, compression=codec)
    assert len(content) < 100_000
    before = pa.total_allocated_bytes()
    with pytest.raises(ValueError, match="compressed"):
        received_table(content, TEXT)
    assert pa.total_allocated_bytes() - before < 1_000_000


@pytest.mark.parametrize(
    "column",
    [pa.nulls(5), pa.array(["a"] * 5).dictionary_encode(), pa.array([1] * 5), pa.array([["a"]] * 5)],
    ids=["null", "dictionary", "number", "list"],
)
def test_a_column_of_another_type_is_refused(column):
    table = pa.table({"uid": pa.array(range(5)), "notes": column})
    with pytest.raises(ValueError, match="it has a column 'notes' of type"):
        received_table(_stream(table), TEXT)


def test_a_draft_archive_that_unpacks_is_refused_by_name(tmp_path):
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("notes", htype="text")
    ds.append({"notes": "a"})
    ds.commit("one")
    ds.notes[0] = "b"
    path = next(Path(ds.path, "drafts").rglob("*.set"))
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    with pytest.raises(StorageError, match="compressed"):
        penstock.load(ds.path)
