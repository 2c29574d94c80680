"""Where the content of each key is."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RECORD", "Found", "Index", "checksum_of", "key_of", "record_of"]

RECORD = np.dtype([("key", "<u8", 2), ("offset", "<u8"), ("length", "<u8"), ("checksum", "<u8")])
_RECENT = 4096  # own entries that are looked up one by one before they are sorted in


def key_of(*parts: object) -> bytes:
    """Return the key of 16 bytes of what some parts name."""
    return hashlib.blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def checksum_of(content: bytes | memoryview) -> int:
    """Return the checksum of a content, the function of the digests that are stored with images."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a content is."""

    pack: str
    offset: int
    length: int
    checksum: int


class Index:
    """The records of all packs, sorted by key; 44 bytes each.

    Parameters
    ----------
    packs : sequence of str
        Names of the packs.
    records : ndarray of RECORD, shape (num_entries,)
        Sorted by the first half of the key.
    owners : ndarray of int32, shape (num_entries,)
        For each record, the number of its pack.
    """

    def __init__(
        self,
        packs: Sequence[str] = (),
        records: NDArray[Any] | None = None,
        owners: NDArray[np.int32] | None = None,
    ) -> None:
        self._packs = tuple(packs)
        self._records = np.empty(0, RECORD) if records is None else records
        self._owners = np.empty(0, np.int32) if owners is None else owners
        self._heads = np.ascontiguousarray(self._records["key"][:, 0])
        self._recent: dict[bytes, Found] = {}

    def find(self, keys: Sequence[bytes]) -> list[Found | None]:
        """Return where the content of each key is, None where it is unknown."""
        asked = np.frombuffer(b"".join(keys), "<u8").reshape(-1, 2)
        places = np.searchsorted(self._heads, asked[:, 0], side="right") - 1  # the last that was written
        known = (places >= 0) & (len(self._records) > 0)
        if known.any():
            known[known] = (self._records["key"][places[known]] == asked[known]).all(axis=1)
        recent = self._recent
        return [
            recent.get(key) or (self._at(place) if there else None)
            for key, place, there in zip(keys, places.tolist(), known.tolist(), strict=True)
        ]

    def _at(self, place: int) -> Found:
        record = self._records[place]
        return Found(
            self._packs[self._owners[place]], int(record["offset"]), int(record["length"]), int(record["checksum"])
        )

    def add(self, key: bytes, found: Found) -> None:
        """Note one more entry."""
        self._recent[key] = found

    @property
    def is_long(self) -> bool:
        """Whether so many entries were added that they should be sorted in."""
        return len(self._recent) > max(_RECENT, len(self._records) // 16)

    def sorted_in(self) -> Index:
        """Return the same index with all entries sorted."""
        return self.with_packs([], self._names())

    def _names(self) -> set[str]:
        return {*self._packs, *(found.pack for found in self._recent.values())}

    def with_packs(self, parts: Sequence[tuple[str, NDArray[Any]]], there: Container[str]) -> Index:
        """Return an index with the records of more packs, and without those of packs that are gone."""
        kept = np.array([pack in there for pack in self._packs], bool)
        live = kept[self._owners] if len(self._packs) else np.empty(0, bool)
        names = [pack for pack in self._packs if pack in there]
        number = {name: place for place, name in enumerate(names)}
        recent: dict[str, list[tuple[bytes, Found]]] = {}
        for key, found in self._recent.items():
            if found.pack in there:
                recent.setdefault(found.pack, []).append((key, found))
        fresh = [*((name, _records_of(entries)) for name, entries in recent.items()), *parts]
        for name, _ in fresh:
            number.setdefault(name, len(number))
        renamed = np.array([number.get(pack, -1) for pack in self._packs], np.int32)
        records = np.concatenate([self._records[live], *(part for _, part in fresh)])
        owners = np.concatenate(
            [
                renamed[self._owners[live]] if len(self._packs) else np.empty(0, np.int32),
                *(np.full(len(part), number[name], np.int32) for name, part in fresh),
            ]
        )
        order = np.argsort(records["key"][:, 0], kind="stable")
        return Index(tuple(number), records[order], owners[order].astype(np.int32))

    def without(self, pack: str) -> Index:
        """Return an index without the records of a pack."""
        return self.with_packs([], self._names() - {pack})


def record_of(key: bytes, found: Found) -> bytes:
    """Return one record as it is stored."""
    return _records_of([(key, found)]).tobytes()


def _records_of(entries: Sequence[tuple[bytes, Found]]) -> NDArray[Any]:
    records = np.zeros(len(entries), RECORD)
    records["key"] = np.frombuffer(b"".join(key for key, _ in entries), "<u8").reshape(-1, 2)
    for name in ("offset", "length", "checksum"):
        records[name] = np.array([getattr(found, name) for _, found in entries], np.uint64)
    return records
