"""Check Arrow streams that came with a dataset and may have been written by others."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from penstock.storage.reading._columns import UID, fields_of
from penstock.tensors import TensorSpec

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["received_table"]

_HEADER_FIELD, _COMPRESSION_FIELD = 2, 3  # of the flatbuffer tables Message and RecordBatch


def received_table(content: bytes, spec: TensorSpec) -> pa.Table:
    """Read a stream of uids and one tensor's samples, which takes no more memory than its own bytes.

    Parameters
    ----------
    content : bytes
        The stream.
    spec : TensorSpec
        The tensor.

    Raises
    ------
    ValueError
        If it is compressed, has other columns than the tensor, or a wrong sample count.
    """
    import pyarrow as pa

    with pa.ipc.open_stream(content) as reader:
        expected = {UID: pa.int64(), **{field.name: field.type for field in fields_of(spec)}}
        for field in reader.schema:
            if expected.get(field.name) != field.type:
                raise ValueError(f"it has a column {field.name!r} of type {field.type}")
    messages = pa.ipc.MessageReader.open_stream(content)
    for message in _messages(messages):
        if message.type == "dictionary batch" or _is_compressed(message.metadata.to_pybytes()):
            raise ValueError("it is compressed")
    table = pa.ipc.open_stream(content).read_all()
    table.validate(full=True)
    if table.nbytes > 2 * len(content):
        raise ValueError("its sample count is larger than the number of samples")
    return table


def _messages(reader: pa.MessageReader) -> list[pa.Message]:
    found = []
    while True:
        try:
            found.append(reader.read_next_message())
        except StopIteration:
            return found


def _is_compressed(metadata: bytes) -> bool:
    """Return whether a message's flatbuffer has the field for compressed buffers."""
    try:
        message = struct.unpack_from("<I", metadata)[0]
        header = _field(metadata, message, _HEADER_FIELD)
        if header is None:
            return False
        batch = header + struct.unpack_from("<I", metadata, header)[0]
        return _field(metadata, batch, _COMPRESSION_FIELD) is not None
    except struct.error as error:
        raise ValueError("its messages are damaged") from error


def _field(buffer: bytes, table: int, number: int) -> int | None:
    """Return where a field of a flatbuffer table is, None where it has its default."""
    described = table - struct.unpack_from("<i", buffer, table)[0]
    place = 4 + 2 * number
    if place >= struct.unpack_from("<H", buffer, described)[0]:
        return None
    offset = struct.unpack_from("<H", buffer, described + place)[0]
    return table + offset if offset else None
