"""Addresses of linked files: what they may be, and how they stand in a message."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote_to_bytes, urlsplit

from penstock.errors import LinkError

__all__ = ["LINK_SCHEMES", "checked_url", "has_password", "local_path", "scheme_of", "shown_url", "split_url"]

LINK_SCHEMES = ("file", "s3", "gs", "az", "abfss", "http", "https")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_ONE_SLASH = re.compile(r"file:/(?!/)", re.IGNORECASE)
_WITH_USER = ("az", "abfss")  # container@account
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = 8192
_MOST_SHOWN = 200
_PASSWORDS = frozenset(
    [
        "password",
        "passwd",
        "pwd",
        "secret",
        "client_secret",
        "aws_secret_access_key",
        "access_token",
        "auth_token",
        "private_token",
        "api_key",
        "apikey",
    ]
)
_SIGNATURES = frozenset(
    [
        "sig",
        "signature",
        "token",
        "x-amz-signature",
        "x-amz-security-token",
        "x-amz-credential",
        "x-goog-signature",
        "x-goog-credential",
        "awsaccesskeyid",
    ]
)
_HIDDEN = re.compile(
    rf"(?P<before>[?&;](?:{'|'.join(sorted(_PASSWORDS | _SIGNATURES))})=)[^&;#]*|(?P<start>://)[^/?#@]*@",
    re.IGNORECASE,
)
HINT = (
    "name credentials with ds.add_creds_key('my_key'), set them with ds.populate_creds('my_key', {…}), and use them "
    "with penstock.link(url, creds_key='my_key')"
)


def scheme_of(url: str) -> str:
    """Return the scheme in small letters, empty for a local path."""
    found = _SCHEME.match(url)
    if found:
        return found[1].lower()
    return "file" if _ONE_SLASH.match(url) else ""


def shown_url(url: str) -> str:
    """Return an address in quotes without passwords and signatures, shortened."""
    plain = _HIDDEN.sub(lambda found: f"{found['before']}…" if found["before"] else "://…@", url)
    return repr(plain if len(plain) <= _MOST_SHOWN else f"{plain[:_MOST_SHOWN]}…")


def split_url(url: str) -> SplitResult:
    """Split an address; raise if it is not valid."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # a number that is no port is found when it is asked for
    except ValueError as error:
        raise LinkError(f"the link {shown_url(url)} is not a valid URL. Expected scheme://host/path") from error
    return parts


def has_password(url: str) -> bool:
    """Return whether an address contains a password or key that would be stored and shown with it."""
    parts = split_url(url)
    user, at, _ = parts.netloc.rpartition("@")
    if at and (":" in user or parts.scheme.lower() not in _WITH_USER):
        return True
    return any(name.lower() in _PASSWORDS and value for name, value in parse_qsl(parts.query))


def local_path(url: str) -> Path | None:
    """Return the path of a local link, None for a remote one."""
    scheme = scheme_of(url)
    if not scheme:
        return Path(url)
    if scheme != "file":
        return None
    return Path(os.fsdecode(unquote_to_bytes(split_url(url).path)))


def checked_url(url: str) -> str:
    """Return an address as it is stored: local paths are made absolute, and everything is checked offline.

    Raises
    ------
    LinkError
        If it is not valid, does not name a file, or contains a password.
    """
    if "\0" in url or len(url) > _LONGEST:
        what = "a NUL" if "\0" in url else f"{len(url):,} characters, more than {_LONGEST:,}"
        raise LinkError(f"the link {shown_url(url)} has {what}. Expected a path or URL")
    scheme = scheme_of(url)
    if not scheme:
        return _as_text(Path(url).expanduser().absolute())
    if scheme not in LINK_SCHEMES:
        raise LinkError(f"the link {shown_url(url)} has scheme {scheme!r}. Expected one of: {', '.join(LINK_SCHEMES)}")
    _check_text(url)
    parts = split_url(url)
    if has_password(url):
        raise LinkError(
            f"the link {shown_url(url)} contains a password or key, which would be stored and shown with it. "
            "Expected an address without credentials",
            hint=HINT,
        )
    if scheme == "file":
        _check_file(url, parts)
    elif not parts.hostname or (not scheme.startswith("http") and len(parts.path) <= 1):
        raise LinkError(f"the link {shown_url(url)} does not name a file. Expected {_example(scheme)}")
    return url


def _example(scheme: str) -> str:
    return f"{scheme}://host/path" if scheme.startswith("http") else f"{scheme}://bucket/path"


def _check_file(url: str, parts: SplitResult) -> None:
    if parts.netloc not in {"", "localhost"}:
        raise LinkError(
            f"the link {shown_url(url)} names the host {parts.netloc!r}. Expected file:///path, a file on this machine"
        )
    if b"\0" in unquote_to_bytes(parts.path) or len(parts.path) <= 1:
        raise LinkError(f"the link {shown_url(url)} does not name a file. Expected file:///path")


def _check_text(url: str) -> None:
    try:
        url.encode()
    except UnicodeEncodeError as error:
        raise LinkError(
            f"the link {shown_url(url)} has a lone surrogate. Expected text that UTF-8 can store"
        ) from error
    if _CONTROL.search(url):
        raise LinkError(f"the link {shown_url(url)} has a control character. Expected a URL")


def _as_text(path: Path) -> str:
    """Return a path as text; a name that is not UTF-8 becomes a file URL, which can store any bytes."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        try:
            return f"file://{quote(os.fsencode(path))}"
        except UnicodeEncodeError as error:
            raise LinkError(
                f"the link {shown_url(text)} has a lone surrogate. Expected a path that the file system can store"
            ) from error
    return text
