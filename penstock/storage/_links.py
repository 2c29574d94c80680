"""Bytes of linked files, from inside the allowed roots and schemes alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from penstock.errors import LinkError, PenstockError
from penstock.storage._credentials import Credentials
from penstock.storage._fork import OBJECT_STORES
from penstock.storage._wrap import reason
from penstock.tensors import Link, image_format

__all__ = ["LinkReader", "link_root"]

_REMOTE = ("s3", "gs", "az", "abfss", "http", "https")
_THREADS = 16
_ROOTS_VARIABLE = "PENSTOCK_LINK_ROOTS"


def link_root(url: str) -> str | None:
    """Return the folder a local link lies in, None for a remote one."""
    path = _local_path(url)
    return None if path is None else str(path.parent)


def _local_path(url: str) -> Path | None:
    scheme = urlsplit(url).scheme if "://" in url else ""
    if scheme == "file":
        return Path(unquote(urlsplit(url).path))
    return None if scheme else Path(url)


class LinkReader:
    """Reads linked files.

    Parameters
    ----------
    roots : sequence of str
        Folders that local links may lie in; the environment variable
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
        remote = sum(link is not None and _local_path(link.url) is None for link in links)
        if remote > 1:
            with ThreadPoolExecutor(min(_THREADS, remote)) as pool:
                return list(pool.map(self._fetch, links))
        return [self._fetch(link) for link in links]

    def _fetch(self, link: Link | None) -> bytes | LinkError | None:
        if link is None:
            return None
        try:
            path = _local_path(link.url)
            content = self._remote(link) if path is None else self._local(path)
        except LinkError as error:
            return error
        except Exception as error:  # noqa: BLE001  object stores raise errors of their own; one sample fails, not the batch
            return LinkError(f"the linked file {link.url!r} {_why(error)}")
        if image_format(content) is None:
            return LinkError(f"the linked file {link.url!r} is no image; expected JPEG, PNG or another image format")
        return content

    def _local(self, path: Path) -> bytes:
        real = os.path.realpath(path)
        if not any(real.startswith(root.rstrip(os.sep) + os.sep) for root in self._roots):
            raise LinkError(
                f"the linked file {str(path)!r} lies outside the folders this dataset may read: "
                f"{', '.join(self._roots) or 'none'}",
                hint=f"{_ROOTS_VARIABLE} names the folders that are allowed",
            )
        with open(real, "rb") as stream:  # noqa: PTH123  real is a str already, and this is the hot path
            return stream.read()

    def _remote(self, link: Link) -> bytes:
        parts = urlsplit(link.url)
        if parts.scheme not in _REMOTE:
            raise LinkError(f"the link {link.url!r} has scheme {parts.scheme!r}; expected file, {', '.join(_REMOTE)}")
        OBJECT_STORES.check()
        creds = self._credentials.find(link.creds_key)
        store = _object_store(f"{parts.scheme}://{parts.netloc}", tuple(sorted(creds.items())))
        key = unquote(parts.path.lstrip("/")) if parts.scheme.startswith("http") else link.url.split("/", 3)[3]
        return bytes(store.get(key).bytes())


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "is missing"
    return f"cannot be read: {error if isinstance(error, PenstockError) else reason(error)}"


@lru_cache(maxsize=64)
def _object_store(root: str, creds: tuple[tuple[str, str], ...]) -> Any:  # noqa: ANN401  obstore ships no common base type
    from datetime import timedelta

    from obstore.store import from_url

    config = dict(creds)
    endpoint = config.pop("endpoint_url", None) or config.pop("aws_endpoint_url", None)
    if endpoint:
        config["endpoint"] = endpoint
    plain = (endpoint or root).startswith("http://") or os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"1", "true"}
    return from_url(
        root,
        **({"config": config} if config else {}),
        client_options={"timeout": timedelta(seconds=30), "connect_timeout": timedelta(seconds=5), "allow_http": plain},
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
    )
