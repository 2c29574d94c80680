"""Downloads: verified before they count, continued where they were cut."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from penstock.batchup.datasets.files._sources import SourceFile, sha256_of
from penstock.errors import DownloadError

if TYPE_CHECKING:
    import requests

__all__ = ["download"]

_CHUNK_BYTES = 1 << 18
_TIMEOUT_S = (10, 60)  # to connect, between two pieces
_MOST_PARTS = 20  # connections for one file, each of which brought something
_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE = 206, 416
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def download(file: SourceFile, folder: Path, *, progress: bool, also: tuple[str, ...] = ()) -> None:
    """Download a file into a folder from the first of its addresses that has it whole and unchanged.

    Parameters
    ----------
    file : SourceFile
    folder : Path
        What arrived of a download that was cut stays there as ``<name>.part`` and is continued by the next one.
    progress : bool
        Whether to show a progress bar.
    also : tuple of str
        Names of files that are missing as well, for the error's hint.

    Raises
    ------
    DownloadError
        If no address has it; the message has the reason for each.
    """
    failures = []
    for url in file.urls:
        try:
            _from_one(file, url, folder, progress=progress)
        except _FailedError as error:
            failures.append(f"{url}: {error}")
        else:
            return
    raise DownloadError(
        f"{file.name!r} could not be downloaded. {'; '.join(failures) or 'It has no address'}. Expected a file "
        f"with the SHA-256 checksum {file.sha256}",
        hint=f"place {' and '.join(map(repr, (file.name, *also)))} in {str(folder)!r} by hand",
    )


class _FailedError(Exception):
    """Why one address did not give the file, in words."""


def _from_one(file: SourceFile, url: str, folder: Path, *, progress: bool) -> None:
    part = folder / f"{file.name}.part"
    was_continued = part.exists()
    try:
        _retrieve(file, url, folder, part, progress=progress)
    except _FailedError:
        if not was_continued or part.exists():
            raise
        _retrieve(file, url, folder, part, progress=progress)  # the first half was of another file


def _retrieve(file: SourceFile, url: str, folder: Path, part: Path, *, progress: bool) -> None:
    import pooch

    def fetch(url: str, output_file: str, _: object) -> None:
        _Download(file=file, url=url, part=part, progress=progress).run()
        found = sha256_of(part)
        if found != file.sha256:
            part.unlink()
            raise _FailedError(f"the file has the SHA-256 checksum {found}")
        part.replace(output_file)

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # the progress bar says what is downloaded, and whether to show it is asked
    try:
        pooch.retrieve(url, f"sha256:{file.sha256}", fname=file.name, path=folder, downloader=fetch)
    except OSError as error:
        raise _FailedError(_reason(error)) from error
    finally:
        logger.setLevel(level)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Download:
    file: SourceFile
    url: str
    part: Path
    progress: bool

    def run(self) -> None:
        """Bring the partial file to its whole length; each connection that is cut is followed by another."""
        for _ in range(_MOST_PARTS):
            before = self._num_bytes()
            try:
                if self._connect(before):
                    return
            except _FailedError:
                if self._num_bytes() <= before:
                    raise
        raise _FailedError(f"the connection was interrupted {_MOST_PARTS} times")

    def _num_bytes(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _connect(self, start: int) -> bool:
        import requests

        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with _in_words(), requests.get(self.url, headers=headers, stream=True, timeout=_TIMEOUT_S) as response:
            if start and response.status_code == _RANGE_NOT_SATISFIABLE:
                return self._was_whole(response, start)
            response.raise_for_status()
            continued = response.status_code == _PARTIAL_CONTENT
            if continued and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                raise _FailedError("the server sent a different part of the file than was requested")
            with self.part.open("ab" if continued else "wb") as out:
                self._copy(response, out, start if continued else 0)
        return True

    def _was_whole(self, response: requests.Response, start: int) -> bool:
        """Return whether the partial file is already complete; otherwise it is removed."""
        whole = response.headers.get("Content-Range", "") == f"bytes */{start}"
        if not whole:
            self.part.unlink()
        return whole

    def _copy(self, response: requests.Response, out: BinaryIO, start: int) -> None:
        from tqdm.auto import tqdm

        length = int(response.headers.get("Content-Length", 0)) or None
        total = None if length is None else start + length
        with tqdm(
            total=total, initial=start, unit="B", unit_scale=True, desc=self.file.name, disable=not self.progress
        ) as bar:
            for piece in response.raw.stream(_CHUNK_BYTES, decode_content=False):
                out.write(piece)
                bar.update(len(piece))


class _in_words:  # noqa: N801  a context manager, used as a function
    """Turn what a connection raises into a reason in words."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        import requests
        import urllib3

        if isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError | OSError | ValueError):
            raise _FailedError(_reason(error)) from error


def _reason(error: BaseException) -> str:
    import requests
    import urllib3

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server returned {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "the server did not respond in time"
    if isinstance(error, requests.exceptions.SSLError):
        return f"the server's certificate was rejected ({_plain(error)})"
    if isinstance(error, requests.ConnectionError):
        return f"the connection failed ({_plain(error)})"
    if isinstance(error, urllib3.exceptions.HTTPError):
        return "the connection was interrupted"
    return _plain(error)


def _plain(error: BaseException) -> str:
    cause: BaseException = error
    while cause.args and isinstance(cause.args[0], BaseException):
        cause = cause.args[0]
    reason = getattr(cause, "reason", None)
    if isinstance(reason, BaseException):
        cause = reason
    text = getattr(cause, "strerror", None) or str(cause)
    return _ADDRESS.sub("", " ".join(str(text).split()))[-160:]
