"""What a dataset can be addressed by."""

from __future__ import annotations

import os
import re
from pathlib import Path

from penstock.errors import DatasetError, LinkError
from penstock.tensors import has_password, local_path, scheme_of, shown_url

__all__ = ["address_of"]

_SCHEMES = ("s3", "gs", "az", "abfss")
_ODD = re.compile(r"[?#\\\x00-\x1f\x7f]")


def address_of(path: str | os.PathLike[str]) -> tuple[str, bool]:
    """Return the absolute path or the URL of a dataset, and whether it is in an object store.

    Raises
    ------
    DatasetError
        If it is neither, or holds a password.
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else ""
    if not isinstance(text, str) or not text.strip():
        raise DatasetError(f"{path!r} is not a valid dataset path. Expected a path or an object-store URL")
    _check_address(text)
    scheme = re.match(r"(\w+)://", text)
    if scheme_of(text) == "file":
        text, scheme = str(local_path(text)), None
    if scheme and scheme[1] in {"hub", "al", "org"}:
        raise DatasetError(
            f"{text!r} is a Deep Lake path. Expected a local path or an object-store URL",
            hint="use penstock.from_deeplake(path, dest) to copy such a dataset",
        )
    if not scheme:
        return str(Path(text).expanduser().absolute()), False
    if scheme[1].lower() not in _SCHEMES:
        raise DatasetError(f"{text!r} has scheme {scheme[1]!r}. Expected a local path or one of: {', '.join(_SCHEMES)}")
    return _in_store(scheme[1].lower(), text[scheme.end() :]), True


def _in_store(scheme: str, rest: str) -> str:
    """Return the URL of a place in an object store; one that libraries would read in different ways is refused."""
    text, odd = f"{scheme}://{rest}", _ODD.search(rest)
    bucket, *folders = rest.rstrip("/").split("/")
    if not bucket:
        raise DatasetError(f"{text!r} does not name a bucket. Expected an address such as '{scheme}://bucket/folder'")
    if odd:
        raise DatasetError(f"{text!r} contains {odd[0]!r}. Expected a folder in a bucket without this character")
    wrong = next((folder for folder in folders if folder in {"", ".", ".."}), None)
    if wrong is not None:
        raise DatasetError(f"{text!r} has a folder named {wrong!r}. Expected names between single slashes")
    return text.rstrip("/")


def _check_address(text: str) -> None:
    """Refuse what no folder or store can be named by, and passwords, which every message would show."""
    if "\0" in text or not _is_utf8(text):
        raise DatasetError(f"{text!r} is not a valid dataset path. Expected valid UTF-8 text without NUL")
    try:
        secret = scheme_of(text) not in {"", "file"} and has_password(text)
    except LinkError as error:
        raise DatasetError(
            f"{shown_url(text)} is not a valid dataset path. Expected a path or an object-store URL"
        ) from error
    if secret:
        raise DatasetError(
            f"the dataset address {shown_url(text)} contains a password or key. "
            "Expected an address without credentials",
            hint="set credentials in the environment, for example with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
