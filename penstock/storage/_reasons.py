"""What an engine's error means, in words of a user; its own text stays with the cause."""

from __future__ import annotations

import re

__all__ = ["plain_reason"]

_LONGEST = 240
_MOST_READ = 4000
_FILE = re.compile(r"([\w.-]{1,80}\.(?:lance|manifest|arrow|json|txn|idx|set))\b")
_TRIES = re.compile(r",? (in [\d.]+\w+, )?after \d+ retries|,? (max_retries|retry_timeout): ?\w+")
_SOURCE = re.compile(r",?\s*(?:\bat )?[^\s,]*/(?:rust|src)/\S+\.rs\b.*", re.DOTALL)
_PREFIX = re.compile(
    r"^(?:(?:Lance|Object|Arrow|DataFusion|Parquet|Generic|External|Execution|IO|Io|Internal|Encountered)\w*"
    r"(?:\([\w ]*\))?(?: \w+)? ?(?:error|Error)?: *)+"
)
_ENGINE = re.compile(
    r"::|\.rs\b|unwrap|panick|LanceError|ObjectStore|Arrow\w*Error|RecvError|[<>{}`]|https?://|\bSome\(|\bErr\("
)
_NO_CREDENTIALS = (
    r"169\.254\.\d|/latest/api/token|/latest/meta-data|computeMetadata|metadata/identity|NoCredential|MissingAccount"
)
_DENIED = (
    r"InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|InvalidToken|Unauthenticated|Unauthorized"
    r"|PermissionDenied|Forbidden|(code|response):? 40[13]\b"
)
_UNREACHABLE = r"dns error|error sending request|connection|connect error|broken pipe|network|unreachable"
_DAMAGED = (
    r"magic|corrupt|truncat|unexpected (eof|end)|fill whole buffer|out of (bounds|range)|checksum|decompress"
    r"|decod|protobuf|flatbuffer|malformed|invalid (footer|metadata|header|page|file|data)|does not contain"
)
_MEANINGS = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"no space left|quota exceeded|os error 28", "the disk is full"),
        (r"permission denied|os error 13|operation not permitted", "permission was denied"),
        (r"read-only file system|os error 30", "the disk is read-only"),
        (r"too many open files|os error 24", "too many files are open"),
        (r"out of memory|cannot allocate|memory allocation|os error 12\b", "there is not enough memory"),
        (_NO_CREDENTIALS, "no credentials were found"),
        (r"ExpiredToken|TokenRefreshRequired|RequestExpired", "the credentials have expired"),
        (_DENIED, "access was denied"),
        (r"NoSuchBucket|bucket does not exist", "the bucket does not exist"),
        (r"PermanentRedirect|AuthorizationHeaderMalformed|(code|response):? 301\b", "the bucket is in another region"),
        (r"not ?found|NoSuchKey|no such file|os error 2\b|(code|response):? 404\b", "a file of the dataset is missing"),
        (r"timed? ?out|deadline", "the storage does not respond"),
        (_UNREACHABLE, "the storage is not reachable"),
        (
            r"SlowDown|ServiceUnavailable|TooManyRequests|(code|response):? (429|5\d\d)\b",
            "the storage is not available now",
        ),
        (_DAMAGED, "a file of the dataset is damaged"),
    )
)
_OF_FILE = ("missing", "damaged")


def plain_reason(error: BaseException) -> str:
    """Return what went wrong on one line, without the engine's own words, paths or addresses.

    Examples
    --------
    >>> plain_reason(OSError("LanceError(IO): Generic S3 error: response: 503 SlowDown, /rust/src/a.rs:1:2"))
    'the storage is not available now'
    >>> plain_reason(OSError("LanceError(IO): Not found: set/data/ab12.lance, /x/rust/lance-io/src/a.rs:1:2"))
    'a file of the dataset is missing (ab12.lance)'
    """
    text = _SOURCE.sub("", _TRIES.sub("", str(error)[:_MOST_READ]))
    for pattern, words in _MEANINGS:
        if pattern.search(text):
            files = _FILE.findall(text) if words.endswith(_OF_FILE) else []
            return f"{words} ({files[-1]})" if files else words
    return _cleaned(text)


def _cleaned(text: str) -> str:
    line = " ".join(_PREFIX.sub("", text.partition("<?xml")[0].strip()).split())
    if not line or _ENGINE.search(line):
        return "the storage engine failed"
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"
