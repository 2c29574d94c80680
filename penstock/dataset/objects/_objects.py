"""The objects of a sample, from the tensors of their group and back."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.tensors import Cell, TensorSpec, decode_json, encode_sample

__all__ = ["ID", "Objects", "blank_of", "cell_of", "has_blank", "ids_of_cell", "is_blank", "objects_of"]

ID = "annotation_id"
_NAN = "NaN"
_encode = json.JSONEncoder(separators=(",", ":")).encode
_NO_ID = (None, 0, "0", "null", '""')
_BLANK = frozenset({"null", '""', "[]", "{}", _NAN})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Objects:
    """The objects of one sample.

    Parameters
    ----------
    count : int
        How many there are.
    entries : dict of str to sequence
        For each tensor, the entry of each object: a number, a row of an array, a JSON value.
    tokens : dict of str to tuple
        The same in a form that is equal where the entries are.
    """

    count: int
    entries: dict[str, Sequence[Any]]
    tokens: dict[str, tuple[Hashable, ...]]

    def key(self, place: int, names: Sequence[str]) -> tuple[Hashable, ...]:
        """Return some fields of an object in a form that is equal where they are."""
        return tuple(self.tokens[name][place] for name in names)

    def are(self, name: str, entries: Sequence[Any]) -> bool:
        """Return whether some entries of a tensor are the very ones of these objects."""
        known = self.entries[name]
        return len(known) == len(entries) and all(one is two for one, two in zip(known, entries, strict=True))

    @property
    def ids(self) -> list[Hashable]:
        """The `annotation_id` of each object; None where it has none yet."""
        known = self.tokens.get(ID, (None,) * self.count)
        return [None if one in _NO_ID else one for one in known]

    def shown_id(self, place: int) -> int | str | None:
        """Return the `annotation_id` of an object as a person would write it; None where it has none yet."""
        if self.ids[place] is None:
            return None
        entry = self.entries[ID][place]
        value: int | str = entry.item() if isinstance(entry, np.generic) else entry
        return value


def is_blank(token: Hashable) -> bool:
    """Return whether an entry says nothing: NaN, None, an empty list."""
    return token in _BLANK


def objects_of(specs: Mapping[str, TensorSpec], cells: Mapping[str, Cell]) -> Objects | None:
    """Return the objects of a sample; None where its tensors differ in length or are not lists.

    Parameters
    ----------
    specs : mapping of str to TensorSpec
        Tensors of one object group.
    cells : mapping of str to Cell
        The sample of each.
    """
    entries = {name: _entries(specs[name], cell) for name, cell in cells.items()}
    counts = {-1 if found is None else len(found) for found in entries.values()}
    if len(counts) != 1 or -1 in counts:
        return None
    known = {name: found for name, found in entries.items() if found is not None}
    tokens = {name: _tokens(specs[name], found) for name, found in known.items()}
    return Objects(count=counts.pop(), entries=known, tokens=tokens)


def _entries(spec: TensorSpec, cell: Cell) -> Sequence[Any] | None:
    if cell.value is None:
        return ()
    if spec.htype == "json":
        value = decode_json(spec, str(cell.value))
        return value if isinstance(value, list) else None
    flat = np.asarray(cell.value)
    if spec.htype == "bbox":
        return [*flat.reshape(-1, 4)]
    if spec.htype == "generic" and cell.shape is not None:
        return [*flat.reshape(cell.shape)] if cell.shape else None
    return [*flat]


def _tokens(spec: TensorSpec, entries: Sequence[Any]) -> tuple[Hashable, ...]:
    if spec.htype == "json":
        return tuple(map(_encode, entries))
    array = np.array(entries)
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.nan, array + 0)  # one NaN, one zero
    if array.ndim > 1:
        return tuple((row.shape, row.tobytes()) for row in array)
    return tuple(_NAN if one != one else one for one in array.tolist())  # noqa: PLR0124  NaN


def ids_of_cell(spec: TensorSpec, cell: Cell) -> list[Any]:
    """Return the ids of a sample's objects as numbers or text."""
    return [entry.item() if isinstance(entry, np.generic) else entry for entry in _entries(spec, cell) or ()]


def cell_of(spec: TensorSpec, entries: Sequence[Any], like: Cell) -> Cell:
    """Return the sample with some entries; `like` is another sample of the tensor, for the shape of an empty one."""
    if spec.htype == "json":
        return encode_sample(spec, list(entries))
    if spec.htype == "class_label":
        return Cell(value=np.array(entries, np.int64))
    rest = np.shape(entries[0]) if len(entries) else (4,) if spec.htype == "bbox" else (like.shape or (0,))[1:]
    array = np.array(entries, spec.dtype).reshape(len(entries), *rest)
    return Cell(value=array.reshape(-1), shape=array.shape)


def has_blank(spec: TensorSpec) -> bool:
    """Return whether an object can go without an entry of a tensor: it needs a box and a class."""
    return spec.htype in {"json", "generic"}


def blank_of(spec: TensorSpec, like: Cell | None) -> Any:
    """Return the entry of an object that nobody gave one: None, NaN or 0."""
    if spec.htype == "json":
        return None
    kind = np.dtype(spec.dtype)
    shape = (0,) * ((spec.ndim or 1) - 1)
    if like is not None and like.shape is not None:
        shape = like.shape[1:]
    return np.full(shape, np.nan if kind.kind == "f" else 0, kind)
