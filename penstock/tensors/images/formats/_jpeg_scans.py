"""The memory of a progressive JPEG: a file with several scans is kept whole as coefficients."""

from __future__ import annotations

import struct

from penstock.errors import ImageDecodeError
from penstock.tensors.images.opening._memory import shown_bytes

__all__ = ["coefficient_bytes"]

_SEGMENT = struct.Struct(">HH")
_START_OF_SCAN, _FILL = 0xFFDA, 0xFFFF
_PROGRESSIVE = frozenset({0xFFC2, 0xFFC6, 0xFFCA, 0xFFCE})
_START_OF_FRAME = frozenset(range(0xFFC0, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}
_BYTES_PER_COEFFICIENT = 2
_MAX_SCANNED = 2**33  # bytes of coefficients processed in all scans, about 10 s


def coefficient_bytes(encoded: bytes, max_bytes: int | None) -> int:
    """Return the bytes of coefficients that are held while decoding, 0 where rows are decoded as they come.

    Raises
    ------
    ImageDecodeError
        If they are more than `max_bytes`, or the scans go over them for ever.
    """
    frame, progressive, scan_components = _frame(encoded)
    components = len(frame)
    if not frame or (not progressive and scan_components >= components):
        return 0
    held = _BYTES_PER_COEFFICIENT * sum(frame)
    if max_bytes is None:
        return held
    if held > max_bytes:
        raise ImageDecodeError(
            f"the progressive JPEG takes {shown_bytes(held)} while it is decoded. Expected at most "
            f"{shown_bytes(max_bytes)} (it could be a decompression bomb)",
            hint="pass max_image_bytes to penstock.load to allow larger images",
        )
    num_scans = bytes(encoded).count(b"\xff\xda")
    if num_scans * held > _MAX_SCANNED:
        raise ImageDecodeError(
            f"the progressive JPEG has {num_scans:,} scans over {shown_bytes(held)}. Expected at most "
            f"{_MAX_SCANNED // held:,} scans (it could be a decompression bomb)"
        )
    return held


def _frame(encoded: bytes) -> tuple[list[int], bool, int]:
    """Return the number of coefficients of each component, whether it is progressive, and components of the first scan.

    Nothing is returned where the segments lead nowhere: the decoder will say why.
    """
    position, last = 2, len(encoded) - 20
    sizes: list[int] = []
    progressive = False
    while position <= last:
        marker, length = _SEGMENT.unpack_from(encoded, position)
        if marker == _START_OF_SCAN:
            return sizes, progressive, encoded[position + 4]
        if marker < 0xFF00:  # not a marker
            break
        if marker == _FILL:
            position += 1
            continue
        if marker in _START_OF_FRAME:
            progressive = marker in _PROGRESSIVE
            sizes = _sizes(encoded, position)
        position += 2 + length
    return sizes, progressive, len(sizes)


def _sizes(encoded: bytes, position: int) -> list[int]:
    height, width = _SEGMENT.unpack_from(encoded, position + 5)
    count = encoded[position + 9]
    factors = [divmod(factor, 16) for factor in bytes(encoded[position + 11 : position + 11 + 3 * count : 3])]
    widest = max((across for across, _ in factors), default=1) or 1
    tallest = max((down for _, down in factors), default=1) or 1
    return [(width * across // widest + 8) * (height * down // tallest + 8) for across, down in factors]
