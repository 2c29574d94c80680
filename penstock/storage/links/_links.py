"""Bytes of linked files, from inside the allowed roots and schemes alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from penstock.errors import LinkError
from penstock.storage.caching._cache import Cache
from penstock.storage.links._credentials import Credentials
from penstock.storage.links._kept_links import Digests, KeptLinks
from penstock.storage.links._remote import Fetched, fetch_remote, is_refused, link_error
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
    cache : Cache, optional
        Keeps the content of remote links; by default nothing does.
    """

    def __init__(self, roots: Sequence[str], credentials: Credentials, cache: Cache | None = None) -> None:
        self._kept = None if cache is None else KeptLinks(cache)
        named = os.environ.get(_ROOTS_VARIABLE)
        self._roots = tuple(os.path.realpath(root) for root in (named.split(os.pathsep) if named else roots))
        self._credentials = credentials

    def fetch(self, links: Sequence[Link | None], digests: Digests | None = None) -> list[bytes | LinkError | None]:
        """Return each file's bytes; what cannot be read is its LinkError, None stays None.

        Parameters
        ----------
        links : sequence of Link or None
            Where the files are.
        digests : callable, optional
            Tells the recorded digests of some of them, by place; asked for remote ones if there is a cache.
        """
        remote = [place for place, link in enumerate(links) if link is not None and _is_remote(link)]
        if not remote:
            return [None if link is None else self._read(link) for link in links]
        far = dict(
            zip(
                remote,
                self._far(
                    [link for link in links if link is not None and _is_remote(link)],
                    lambda: [None] * len(remote) if digests is None else digests(remote),
                ),
                strict=True,
            )
        )
        return [
            far[place] if place in far else None if link is None else self._read(link)
            for place, link in enumerate(links)
        ]

    def _far(self, links: Sequence[Link], digests: Callable[[], Sequence[int | None]]) -> Sequence[bytes | LinkError]:
        """Return the bytes of remote files, from the cache where it has them."""
        if self._kept is not None:
            return self._kept.fetch(links, digests(), self._fetch_all)
        answers = self._fetch_all([(link, None) for link in links])
        return [answer if isinstance(answer, LinkError) else answer.content or b"" for answer in answers]

    def _fetch_all(self, asked: Sequence[tuple[Link, str | None]]) -> Sequence[Fetched | LinkError]:
        if len(asked) < 2:
            return [self._fetch(*one) for one in asked]
        with ThreadPoolExecutor(min(_THREADS, len(asked))) as pool:
            return list(pool.map(lambda one: self._fetch(*one), asked))

    def _fetch(self, link: Link, tag: str | None) -> Fetched | LinkError:
        try:
            found = self._remote(link, tag)
        except Exception as error:  # noqa: BLE001  object stores raise errors of their own; one sample fails, not the batch
            return link_error(link, error)
        return found if found.content is None else _checked(link, found.content) or found

    def _read(self, link: Link) -> bytes | LinkError:
        """Return the bytes of a local file."""
        try:
            path = local_path(link.url)
            content = b"" if path is None else self._local(path)
        except Exception as error:  # noqa: BLE001  one sample fails, not the batch
            return link_error(link, error)
        return _checked(link, content) or content

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

    def _remote(self, link: Link, tag: str | None) -> Fetched:
        if scheme_of(link.url) not in LINK_SCHEMES:
            raise LinkError(
                f"the link {shown_url(link.url)} has scheme {scheme_of(link.url)!r}. "
                f"Expected one of: {', '.join(LINK_SCHEMES)}"
            )
        creds = self._credentials.find(link.creds_key)
        try:
            return fetch_remote(link, creds, tag)
        except Exception as error:
            renewed = self._credentials.renewed(link.creds_key, creds) if is_refused(error) else None
            if renewed is None:
                raise
            return fetch_remote(link, renewed, tag)


def _is_remote(link: Link) -> bool:
    return scheme_of(link.url) not in {"", "file"}


def _checked(link: Link, content: bytes) -> LinkError | None:
    """Return the error of a file that is not an image."""
    if image_format(content) is not None:
        return None
    return LinkError(
        f"the linked file {shown_url(link.url)} is not an image. Expected JPEG, PNG or another image format"
    )
