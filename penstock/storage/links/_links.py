"""Bytes of linked files, from inside the allowed roots and schemes alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from penstock.errors import LinkError
from penstock.storage.links._credentials import Credentials
from penstock.storage.links._remote import fetch_remote, link_error
from penstock.tensors import LINK_SCHEMES, Link, image_format, local_path, scheme_of, shown_url

__all__ = ["LinkReader", "link_root"]

_THREADS = 16
_ROOTS_VARIABLE = "PENSTOCK_LINK_ROOTS"


def link_root(url: str) -> str | None:
    """Return the folder a local link lies in, None for a remote one."""
    path = local_path(url)
    return None if path is None else str(path.parent)


class LinkReader:
    """Reads linked files.

    Parameters
    ----------
    roots : sequence of str
        Folders that may contain local links; the environment variable
        ``PENSTOCK_LINK_ROOTS`` (separated as PATH is) takes their place where it is set.
    credentials : Credentials
        Where credentials are looked up.
    """

    def __init__(self, roots: Sequence[str], credentials: Credentials) -> None:
        named = os.environ.get(_ROOTS_VARIABLE)
        self._roots = tuple(os.path.realpath(root) for root in (named.split(os.pathsep) if named else roots))
        self._credentials = credentials

    def fetch(self, links: Sequence[Link | None]) -> list[bytes | LinkError | None]:
        """Return each file's bytes; what cannot be read is its LinkError, None stays None."""
        remote = sum(link is not None and scheme_of(link.url) not in {"", "file"} for link in links)
        if remote > 1:
            with ThreadPoolExecutor(min(_THREADS, remote)) as pool:
                return list(pool.map(self._fetch, links))
        return [self._fetch(link) for link in links]

    def _fetch(self, link: Link | None) -> bytes | LinkError | None:
        if link is None:
            return None
        try:
            path = local_path(link.url)
            content = self._remote(link) if path is None else self._local(path)
        except Exception as error:  # noqa: BLE001  object stores raise errors of their own; one sample fails, not the batch
            return link_error(link, error)
        if image_format(content) is None:
            return LinkError(
                f"the linked file {shown_url(link.url)} is not an image. Expected JPEG, PNG or another image format"
            )
        return content

    def _local(self, path: Path) -> bytes:
        real = os.path.realpath(path)
        if not any(real.startswith(root.rstrip(os.sep) + os.sep) for root in self._roots):
            raise LinkError(
                f"the linked file {str(path)!r} is outside the folders that this dataset may read: "
                f"{', '.join(map(repr, self._roots)) or 'none'}",
                hint=f"set {_ROOTS_VARIABLE} to allow more folders",
            )
        if not stat.S_ISREG(os.stat(real).st_mode):  # noqa: PTH116  a pipe would be waited for without end
            raise LinkError(f"the linked file {str(path)!r} is a folder or a device. Expected a file")
        with open(real, "rb") as stream:  # noqa: PTH123  real is a str already, and this is the hot path
            return stream.read()

    def _remote(self, link: Link) -> bytes:
        if scheme_of(link.url) not in LINK_SCHEMES:
            raise LinkError(
                f"the link {shown_url(link.url)} has scheme {scheme_of(link.url)!r}. "
                f"Expected one of: {', '.join(LINK_SCHEMES)}"
            )
        return fetch_remote(link, self._credentials.find(link.creds_key))
