"""Rows for a dataset that other processes check and write to files of their own; one step appends them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.writing import _head as head
from penstock.dataset.writing._buffer import Buffer
from penstock.dataset.writing._description import with_buffer
from penstock.dataset.writing._ingest import ingest
from penstock.storage import Credentials
from penstock.tensors import Cell, TensorSpec, is_open

__all__ = ["ChangedSpecsError", "RowsApart", "append_files", "rows_apart", "settle_specs"]


class ChangedSpecsError(Exception):
    """Rows change the tensors, by a new class or a type, so that they have to be added in their order."""


@dataclass(slots=True, eq=False, kw_only=True)
class RowsApart:
    """Takes rows as a dataset does, and keeps them.

    Parameters
    ----------
    specs : dict of str to TensorSpec
        The tensors.
    keys : dict of str to tuple of str
        The keys of their classes.
    creds_keys : tuple of str
        Names of credentials that links may use.
    link_roots : tuple of str
        Folders that may contain local links.
    credentials : Credentials
        Where credentials are looked up.
    max_image_bytes : int, optional
        Most bytes of a decoded image; None allows any size.
    """

    specs: dict[str, TensorSpec]
    keys: dict[str, tuple[str, ...]]
    creds_keys: tuple[str, ...]
    link_roots: tuple[str, ...]
    credentials: Credentials
    max_image_bytes: int | None
    buffer: Buffer = field(init=False)

    def __post_init__(self) -> None:
        self.buffer = Buffer.over(self.specs, self.keys)

    def renewed(self, specs: Mapping[str, TensorSpec] | None = None) -> RowsApart:
        """Return an empty one, of other specs if there are any."""
        return replace(self, specs=dict(self.specs if specs is None else specs))

    def append(self, sample: Mapping[str, Any]) -> None:
        """Take one row."""
        self.extend({name: [value] for name, value in sample.items()})

    def extend(self, samples: Mapping[str, Sequence[Any]], num_workers: int = 0) -> None:
        """Take rows, all or none."""
        ingest(
            self.buffer,
            samples,
            credentials=self.credentials,
            creds_keys=self.creds_keys,
            link_roots=self.link_roots,
            num_workers=num_workers,
            max_bytes=self.max_image_bytes,
        )

    @property
    def is_open(self) -> bool:
        """Whether the rows so far leave the type of a tensor open."""
        return any(is_open(spec) for spec in self.buffer.specs.values())

    def taken(self) -> dict[TensorSpec, Sequence[Cell]]:
        """Return the rows taken since the last call, by the specs they are written with.

        Raises
        ------
        ChangedSpecsError
            If the rows need other specs.
        """
        for name, spec in self.buffer.specs.items():
            if replace(spec, length_min=None, length_max=None) != replace(
                self.specs[name], length_min=None, length_max=None
            ):
                raise ChangedSpecsError(name)
        columns = {spec: self.buffer.cells.get(name, []) for name, spec in self.specs.items()}
        self.buffer.cells, self.buffer.num_rows, self.buffer.num_bytes = {}, 0, 0
        return columns


def rows_apart(opened: OpenDataset) -> RowsApart:
    """Return what takes rows for an open dataset, in any process."""
    working = opened.working
    buffer = working.new_buffer()
    return RowsApart(
        specs=buffer.specs,
        keys=buffer.keys,
        creds_keys=tuple(working.meta.get("creds_keys", {})),
        link_roots=tuple(working.meta.get("link_roots", [])),
        credentials=working.credentials,
        max_image_bytes=opened.max_image_bytes,
    )


def settle_specs(opened: OpenDataset, specs: Mapping[str, TensorSpec]) -> None:
    """Give the tensors of a dataset without rows the types and classes of some specs, and their columns."""
    with opened.lock:
        head.change_specs(
            opened.working,
            lambda newest: {
                name: replace(specs[name], length_min=spec.length_min, length_max=spec.length_max)
                for name, spec in newest.items()
            },
        )
        opened.working.store.add_columns(list(opened.working.specs.values()))
        opened.working.refresh()
        opened.renew_buffer()


def append_files(opened: OpenDataset, files: Sequence[str], parts: Sequence[Buffer]) -> None:
    """Append the rows of files written apart, and what they widen: lengths of label lists, folders of links."""
    with opened.lock:
        opened.settle()
        working = opened.working
        working.store.append_files(files)
        working.store.sweep_files()
        head.change_meta(working, lambda meta: reduce(with_buffer, parts, meta))
        working.refresh()
        opened.renew_buffer()
