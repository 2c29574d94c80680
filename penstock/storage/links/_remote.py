"""Remote files: their bytes, and why they cannot be had in words of a user."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from penstock.errors import CredentialsError, LinkError, StorageError
from penstock.storage._fork import OBJECT_STORES
from penstock.storage._transfer import Transfer
from penstock.tensors import Link, scheme_of, shown_url, split_url

__all__ = ["Fetched", "fetch_remote", "is_refused", "link_error"]

_MOST_BYTES = 2**31
_PIECE = 2**20
_BUSY = (429, 500, 502, 503, 504)
_PROVIDERS = ("AWS_", "GOOGLE_", "AZURE_")
_WEB_KEYS = frozenset({"username", "password", "token", "bearer_token"})
_STATUS = re.compile(r"status code: (\d{3})")
_NO_CREDENTIALS = re.compile(
    r"169\.254\.\d|/latest/api/token|/latest/meta-data|/computeMetadata/|/metadata/identity|token request"
    r"|MissingAccount|Account must be|NoCredential"
)
_DENIED = re.compile(r"InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|InvalidToken")
_EXPIRED = re.compile(r"ExpiredToken|TokenRefreshRequired|RequestExpired|token (?:has|is) expired", re.IGNORECASE)
_REGION = re.compile(r"PermanentRedirect|AuthorizationHeaderMalformed|status code: 301")
_UNREACHABLE = re.compile(r"error sending request|dns error|connect|timed? ?out", re.IGNORECASE)


class _StatusError(Exception):
    """A web server answered with an error."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status code: {status}")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A remote file.

    Parameters
    ----------
    content : bytes or None
        Its bytes; None where it is still what its tag was given for.
    tag : str or None
        What its server calls this content.
    """

    content: bytes | None
    tag: str | None


def fetch_remote(link: Link, creds: Mapping[str, str], tag: str | None = None) -> Fetched:
    """Return a file on the web or in an object store, without its bytes if it still has a tag."""
    split_url(link.url)
    limits = Transfer.from_environment()
    if scheme_of(link.url).startswith("http") and (not creds or _WEB_KEYS & set(creds)):
        return _from_web(link.url, creds, tag, limits)
    OBJECT_STORES.check()
    root, key = _place(link.url)
    chosen = {name: value for name, value in os.environ.items() if name.startswith(_PROVIDERS)}
    store = _object_store(root, tuple(sorted(creds.items())), tuple(sorted(chosen.items())), limits)
    try:
        found = store.get(key, options={"if_none_match": tag} if tag else None)
    except Exception as error:
        if tag and type(error).__name__ == "NotModifiedError":
            return Fetched(None, tag)
        raise
    return Fetched(bytes(found.bytes()), found.meta.get("e_tag"))


def _place(url: str) -> tuple[str, str]:
    """Return the root of an object store, and the key of a file in it."""
    parts = split_url(url)
    if not scheme_of(url).startswith("http"):
        return f"{scheme_of(url)}://{parts.netloc}", url.split("/", 3)[3]
    root, key = f"{scheme_of(url)}://{parts.netloc}", unquote(parts.path.lstrip("/"))
    if parts.netloc.startswith(("s3.", "s3-")):  # the bucket is the first part of the path
        bucket, _, key = key.partition("/")
        return f"{root}/{bucket}", key
    return root, key


@lru_cache(maxsize=64)
def _object_store(
    root: str, creds: tuple[tuple[str, str], ...], environment: tuple[tuple[str, str], ...], limits: Transfer
) -> Any:
    """Return a store; what the environment says is part of its identity, since the store reads it once."""
    from obstore.store import from_url

    config = dict(creds)
    endpoint = config.pop("endpoint_url", None) or config.pop("aws_endpoint_url", None)
    if endpoint:
        config["endpoint"] = endpoint
    allowed = dict(environment).get("AWS_ALLOW_HTTP", "").lower() in {"1", "true"}
    plain = (endpoint or root).startswith("http://") or allowed
    return from_url(
        root,
        **({"config": config} if config else {}),
        client_options=limits.client_options(allow_http=plain),
        retry_config=limits.retry_config(),
    )


@lru_cache(maxsize=1)
def _session(process: int, retries: int) -> Any:  # noqa: ARG001  connections are not shared with forked processes
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    session = requests.Session()
    again = Retry(total=retries, backoff_factor=0.1, status_forcelist=_BUSY, raise_on_status=False, redirect=False)
    adapter = HTTPAdapter(pool_connections=64, pool_maxsize=16, max_retries=again)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.headers["Accept-Encoding"] = "identity"
    return session


def _from_web(url: str, creds: Mapping[str, str], tag: str | None, limits: Transfer) -> Fetched:
    token = creds.get("token") or creds.get("bearer_token")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with _session(os.getpid(), limits.retries).get(
        url,
        auth=(creds.get("username", ""), creds.get("password", "")) if not token and creds else None,
        headers={**headers, "If-None-Match": tag} if tag else headers,
        timeout=(limits.connect, limits.read),
        stream=True,
    ) as answer:
        if tag and answer.status_code == 304:
            return Fetched(None, tag)
        if answer.status_code != 200:
            raise _StatusError(answer.status_code)
        content = bytearray()
        for piece in answer.iter_content(_PIECE):
            content += piece
            if len(content) > _MOST_BYTES:
                raise LinkError(f"the linked file {shown_url(url)} is larger than 2 GiB. Expected an image")
        return Fetched(bytes(content), answer.headers.get("ETag"))


def is_expired(error: Exception) -> bool:
    """Return whether a store refused credentials that were good before."""
    return bool(_EXPIRED.search(str(error)))


def is_refused(error: Exception) -> bool:
    """Return whether a store refused credentials, so that others may help."""
    kinds = {"PermissionDeniedError", "UnauthenticatedError"}
    refused = type(error).__name__ in kinds or _status(error) in {401, 403}
    return refused or is_expired(error) or bool(_DENIED.search(str(error)))


def link_error(link: Link, error: Exception) -> LinkError:
    """Return the error of a file that cannot be had; what the engine says stays with the engine."""
    if isinstance(error, LinkError):
        return error
    if isinstance(error, CredentialsError | StorageError):
        return _unreadable(link, error.message, error.hint)
    lacking = _NO_CREDENTIALS.search(str(error)) and not isinstance(error, _StatusError)
    if lacking:
        named = f" under the key {link.creds_key!r}" if link.creds_key else ""
        return _unreadable(link, f"no credentials were found{named}", _hint(link))
    if isinstance(error, (FileNotFoundError, NotADirectoryError)) or _status(error) in {404, 410}:
        return LinkError(f"the linked file {shown_url(link.url)} does not exist")
    return _unreadable(link, *_reason(link, error))


def _unreadable(link: Link, reason: str, hint: str | None) -> LinkError:
    return LinkError(f"the linked file {shown_url(link.url)} cannot be read: {reason}", hint=hint)


def _status(error: Exception) -> int:
    found = _STATUS.search(str(error))
    return int(found[1]) if found else 0


def _reason(link: Link, error: Exception) -> tuple[str, str | None]:
    text, kind = str(error), type(error).__name__
    if is_expired(error):
        whose = f"of {link.creds_key!r} " if link.creds_key else ""
        return f"the credentials {whose}have expired", _hint(link)
    if _REGION.search(text) and not isinstance(error, _StatusError):
        return "the bucket is in another region", "set 'region' in the credentials, or AWS_REGION"
    if (
        kind in {"PermissionDeniedError", "UnauthenticatedError"}
        or _DENIED.search(text)
        or _status(error) in {401, 403}
    ):
        whose = f" with the credentials of {link.creds_key!r}" if link.creds_key else ""
        return f"access was denied{whose}", _hint(link)
    if kind == "UnknownConfigurationKeyError":
        return f"the credentials of {link.creds_key!r} have an unknown entry ({text.partition(chr(10))[0]})", None
    if _status(error):
        return f"the server returned status {_status(error)}", None
    return _of_connection(link, error), None


def _hint(link: Link) -> str:
    key = link.creds_key
    if key:
        return (
            f"set them for this session with ds.populate_creds({key!r}, {{…}}), or for all in the environment variable "
            f"PENSTOCK_CREDS_{key}, as a JSON object"
        )
    return (
        "name the credentials with ds.add_creds_key('my_key') and penstock.link(url, creds_key='my_key'), and set them "
        "with ds.populate_creds or in the environment variable PENSTOCK_CREDS_my_key"
    )


def _of_connection(link: Link, error: Exception) -> str:  # noqa: PLR0911  a fault a line
    """Return what is wrong with the connection to a file."""
    text, kind = str(error), type(error).__name__
    host = split_url(link.url).netloc.rpartition("@")[2]
    if kind in {"InvalidURL", "LocationParseError", "InvalidSchema", "MissingSchema"} or isinstance(
        error, UnicodeError
    ):
        return "it is not a valid URL"
    if kind == "TooManyRedirects" or "following redirect" in text:
        return "its server redirects endlessly"
    if kind == "SSLError":
        return f"the certificate of {host!r} is not valid, or the server does not support https"
    if re.search(r"NameResolution|getaddrinfo|Name or service|dns error", text):
        return f"the host {host!r} does not exist"
    if "Timeout" in kind or re.search(r"timed? ?out", text, re.IGNORECASE):
        return f"{host!r} does not respond"
    if kind == "ConnectionError" or _UNREACHABLE.search(text):
        return f"no server is reachable at {host!r}"
    if kind in {"ChunkedEncodingError", "ContentDecodingError", "RetryError"}:
        return "the connection was interrupted"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "the store could not return it"
