"""The files a standard dataset is published as."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock.errors import DownloadError

__all__ = ["SourceFile", "sha256_of"]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One published file.

    Parameters
    ----------
    name : str
        Its name in the cache folder.
    sha256 : str
        Checksum, 64 hexadecimal digits.
    urls : tuple of str
        Where it can be downloaded; tried in order.

    Examples
    --------
    >>> file = SourceFile("usps.h5", "00" * 32, ("https://example.org/usps.h5",))
    >>> file.name
    'usps.h5'
    """

    name: str
    sha256: str
    urls: tuple[str, ...]


def sha256_of(path: Path) -> str:
    """Return the checksum of a file, as hexadecimal digits."""
    import pooch

    try:
        return str(pooch.file_hash(str(path), alg="sha256"))
    except OSError as error:
        raise DownloadError(f"{str(path)!r} cannot be read ({error.strerror or error}). Expected a file") from error
