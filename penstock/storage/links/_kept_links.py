"""Remote files in a local cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.errors import LinkError
from penstock.storage.caching._cache import Cache, keep_entries, kept_entries
from penstock.storage.caching._keys import key_of
from penstock.storage.links._remote import Fetched
from penstock.tensors import Link, image_digest

__all__ = ["Digests", "KeptLinks"]

Digests = Callable[[Sequence[int]], Sequence[int | None]]
"""Places in a list of links to the recorded digests of their files."""
_Fetch = Callable[[Sequence[tuple[Link, str | None]]], Sequence[Fetched | LinkError]]
_TAG = 4  # bytes that say how long a tag is


class KeptLinks:
    """Files behind links, read from a cache where that has them.

    A file whose digest was recorded when it was linked is its entry's name, and read from the cache alone; one that
    has changed since is not kept. Of others, the server is asked whether they still are what was read, by their tag.

    Parameters
    ----------
    cache : Cache
        The cache.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def fetch(self, links: Sequence[Link], digests: Sequence[int | None], fetch: _Fetch) -> list[bytes | LinkError]:
        """Return the content of each link; `fetch` reads those that have to be asked for.

        Parameters
        ----------
        links : sequence of Link
            Remote ones.
        digests : sequence of int or None
            The recorded digest of each; None or 0 where there is none.
        fetch : callable
            Links, each with the tag of what is known of it, to files.
        """
        keys = [key_of("link", link.url, digest or "") for link, digest in zip(links, digests, strict=True)]
        kept = [_parsed(entry) for entry in kept_entries(self._cache, keys)]
        found: list[bytes | LinkError] = [bytes(content) for _, content in kept]
        asked = [place for place, (tag, _) in enumerate(kept) if tag is None or not digests[place]]
        new = []
        for place, answer in zip(asked, fetch([(links[place], kept[place][0]) for place in asked]), strict=True):
            if isinstance(answer, LinkError):
                found[place] = answer
            elif answer.content is not None:
                found[place] = answer.content
                entry = _entry(answer, digests[place])
                if entry is not None:
                    new.append((keys[place], entry))
        keep_entries(self._cache, new)
        return found


def _entry(answer: Fetched, digest: int | None) -> bytes | None:
    """Return what is kept of a file: its tag and its bytes; None where neither tag nor digest says what it is."""
    content = answer.content or b""
    if digest and image_digest(content) != digest:
        return None
    tag = b"" if digest else (answer.tag or "").encode()
    return None if not digest and not tag else len(tag).to_bytes(_TAG, "little") + tag + content


def _parsed(entry: memoryview | None) -> tuple[str | None, memoryview]:
    """Return the tag and the bytes of a file; None and nothing where it is not kept."""
    if entry is None:
        return None, memoryview(b"")
    end = _TAG + int.from_bytes(entry[:_TAG], "little")
    return str(bytes(entry[_TAG:end]), "utf-8"), entry[end:]
