"""Rows a user hands in, checked whole before any of them is taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from penstock._wording import nearest
from penstock.dataset.writing._buffer import Buffer
from penstock.dataset.writing._groups import check_cells
from penstock.errors import CredentialsError, PenstockError, SampleError, TensorNotFoundError
from penstock.storage import Credentials, LinkReader, link_root
from penstock.tensors import (
    MAX_IMAGE_BYTES,
    Cell,
    Link,
    PackedCells,
    TensorSpec,
    class_ids,
    encode_sample,
    image_cell,
    shown_url,
    storable_text,
    with_type,
)

__all__ = ["check_creds", "checked_links", "ingest", "num_samples"]


def ingest(
    buffer: Buffer,
    columns: Mapping[str, Sequence[Any]],
    *,
    credentials: Credentials,
    creds_keys: Iterable[str],
    link_roots: Iterable[str],
    num_workers: int = 0,
    max_bytes: int | None = MAX_IMAGE_BYTES,
) -> None:
    """Check some rows and add them to the buffer; a refused value leaves it untouched."""
    _check_names(buffer.specs, columns)
    num_rows = num_samples(columns)
    specs = {name: _prepared(buffer, name, values) for name, values in columns.items()}
    cells = {name: _encoded(specs[name], values, num_workers, max_bytes) for name, values in columns.items()}
    roots: set[str] = set()
    for name, spec in specs.items():
        if spec.link:
            roots |= _roots(cells[name])
            check_creds(cells[name], set(creds_keys))
            reader = LinkReader([*link_roots, *buffer.link_roots, *roots], credentials)
            cells[name] = checked_links(spec, list(cells[name]), reader, num_workers, max_bytes)
    check_cells(specs, cells)
    buffer.add(specs, cells, num_rows)
    buffer.link_roots |= roots


def _check_names(specs: Mapping[str, TensorSpec], columns: Mapping[str, Any]) -> None:
    if not isinstance(columns, Mapping):
        raise SampleError(
            f"the sample is of type {type(columns).__name__}. Expected a dict with a value for each tensor"
        )
    for name in columns:
        if name not in specs:
            raise TensorNotFoundError(name, specs)
    missing = [name for name in specs if name not in columns]
    if missing or not columns:
        raise SampleError(
            f"the sample has no value for {', '.join(map(repr, missing)) or 'any tensor'}. "
            "Expected a value for each tensor",
            hint="use None to append an empty value" if missing else "create a tensor with ds.create_tensor",
        )


def num_samples(columns: Mapping[str, Any]) -> int:
    """Return how many samples each column has, refused where they differ."""
    lengths = {name: _length(name, values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise SampleError(f"the tensors have {lengths} samples. Expected equal numbers")
    return next(iter(lengths.values()), 0)


def _length(name: str, values: Any) -> int:
    try:
        return len(values)
    except Exception as error:
        raise SampleError(
            f"the samples of {name!r} are of type {type(values).__name__}. Expected a list with one value per sample"
        ) from error


def _prepared(buffer: Buffer, name: str, values: Sequence[Any]) -> TensorSpec:
    """Return the spec these values leave: class names grown, its type fixed by the first of them."""
    spec = buffer.specs[name]
    if isinstance(values, PackedCells):
        return values.fixed(spec)
    if spec.htype == "class_label":
        return _with_new_names(spec, values)
    return with_type(spec, values)


def _with_new_names(spec: TensorSpec, values: Sequence[Any]) -> TensorSpec:
    ids = class_ids(spec.class_names)
    known: dict[str, None] = {}
    for value in values:
        for entry in _named(value):
            if entry not in ids:
                known.setdefault(storable_text(str(entry), f"a class name for {spec.name!r}"))
    if not known:
        return spec
    if not spec.class_names and spec.length_max:
        added = next(iter(known))
        raise SampleError(
            f"the class name {added!r} was used for {spec.name!r}, whose classes have no names. Expected indices",
            hint=f"name the classes first: ds.{spec.name}.add_class(…) for each index from 0",
        )
    if "" in known:
        raise SampleError(f"a class name of {spec.name!r} is empty. Expected a name")
    return replace(spec, class_names=(*spec.class_names, *known))


def _named(value: Any) -> Iterable[str]:
    """Return the class names in a sample."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, np.ndarray) and value.dtype.kind in "OUT":
        value = value.reshape(-1).tolist()
    return (entry for entry in value if isinstance(entry, str)) if isinstance(value, (list, tuple)) else ()


def _encoded(spec: TensorSpec, values: Sequence[Any], num_workers: int, max_bytes: int | None) -> Sequence[Cell]:
    if isinstance(values, PackedCells):
        return values  # whoever packed them has checked them
    ids = class_ids(spec.class_names) if spec.htype == "class_label" else None

    def encode(numbered: tuple[int, Any]) -> Cell:
        try:
            return encode_sample(spec, numbered[1], ids=ids, max_bytes=max_bytes)
        except PenstockError as error:
            if len(values) > 1:
                error.message = f"sample {numbered[0]} of {spec.name!r}: {error.message}"
            raise

    if num_workers and spec.is_encoded:
        with ThreadPoolExecutor(num_workers) as pool:
            return list(pool.map(encode, enumerate(values)))
    return [encode(numbered) for numbered in enumerate(values)]


def _roots(cells: Sequence[Cell]) -> set[str]:
    roots = {link_root(str(cell.value)) for cell in cells if cell.value is not None}
    return {root for root in roots if root is not None}


def check_creds(cells: Sequence[Cell], known: set[str]) -> None:
    for cell in cells:
        if cell.creds_key is not None and cell.creds_key not in known:
            like = nearest(cell.creds_key, known)
            raise CredentialsError(
                f"{cell.creds_key!r} is not a credentials key of this dataset",
                hint=f"did you mean {like!r}?" if like else f"add it with ds.add_creds_key({cell.creds_key!r})",
            )


def checked_links(
    spec: TensorSpec,
    cells: list[Cell],
    reader: LinkReader,
    num_workers: int,
    max_bytes: int | None = MAX_IMAGE_BYTES,
) -> list[Cell]:
    """Read what the links point to, as far as the tensor asks for it."""
    if not (spec.verify or spec.create_shape_tensor or spec.create_sample_info_tensor):
        return cells

    def check(cell: Cell) -> Cell:
        if cell.value is None:
            return cell
        content = reader.fetch([Link(str(cell.value), cell.creds_key)])[0]
        if isinstance(content, PenstockError):
            raise content
        try:
            image = image_cell(spec, content or b"", verify=spec.verify, max_bytes=max_bytes)
        except PenstockError as error:
            error.message = f"the linked file {shown_url(str(cell.value))}: {error.message}"
            raise
        return replace(cell, shape=image.shape, digest=image.digest)

    if num_workers:
        with ThreadPoolExecutor(num_workers) as pool:
            return list(pool.map(check, cells))
    return [check(cell) for cell in cells]
