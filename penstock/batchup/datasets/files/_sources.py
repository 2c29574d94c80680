"""The files a standard dataset is published as."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import DownloadError, ImporterError

__all__ = ["SourceFile", "sha256_of"]

_NAME = re.compile(r"(?!\.+$)[^/\\\0]+")
_SHA256 = re.compile("[0-9a-fA-F]{64}")


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

    Raises
    ------
    ImporterError
        If one of these is something else.

    Examples
    --------
    >>> file = SourceFile("usps.h5", "00" * 32, ("https://example.org/usps.h5",))
    >>> file.name
    'usps.h5'
    """

    name: str
    sha256: str
    urls: tuple[str, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ImporterError(f"the file name {self.name!r} is not valid. Expected a name without folders")
        if not isinstance(self.sha256, str) or not _SHA256.fullmatch(self.sha256):
            raise ImporterError(f"the checksum of {self.name!r} is {self.sha256!r}. Expected 64 hexadecimal digits")
        urls = self.urls
        if not isinstance(urls, tuple | list) or not all(isinstance(url, str) for url in urls):
            raise ImporterError(f"urls of {self.name!r} are {urls!r}. Expected a tuple of addresses", hint="(url,)")
        object.__setattr__(self, "sha256", self.sha256.lower())
        object.__setattr__(self, "urls", tuple(urls))


def sha256_of(path: Path) -> str:
    """Return the checksum of a file, as hexadecimal digits."""
    import pooch

    if path.exists() and not path.is_file():  # to open a pipe would wait for whoever writes to it
        raise DownloadError(f"{str(path)!r} cannot be read (it is not a file). Expected a file")
    try:
        return str(pooch.file_hash(str(path), alg="sha256"))
    except OSError as error:
        raise DownloadError(f"{str(path)!r} cannot be read ({error.strerror or error}). Expected a file") from error
