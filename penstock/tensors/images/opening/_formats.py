"""Which image format some bytes are."""

from __future__ import annotations

__all__ = ["image_format"]

_SIGNATURES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"\x00\x00\x00\x0cjP  ", "jpeg2000"),
)


def image_format(encoded: bytes) -> str | None:
    """Return ``jpeg``, ``png``, ``webp``, ... by the first bytes, or None when they are no known image.

    Parameters
    ----------
    encoded : bytes
        A file's content, or at least its first 16 bytes.

    Returns
    -------
    str or None
        Name of the format.

    Examples
    --------
    >>> import numpy as np
    >>> from penstock.tensors import encode_image
    >>> image_format(encode_image(np.zeros((2, 3), np.uint8), "png"))
    'png'
    >>> image_format(b"root:x:0:0") is None
    True
    """
    head = bytes(encoded[:16])
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return "avif"
    return "pnm" if len(head) > 2 and head[:1] == b"P" and head[1:2] in b"1234567f" and head[2:3].isspace() else None
