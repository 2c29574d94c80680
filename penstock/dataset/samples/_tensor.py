"""One tensor of a dataset or view, or some of its samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import Content, first_label_tensor
from penstock.dataset.samples._decode import as_array, stacked
from penstock.dataset.samples._rows import row_of, rows_of
from penstock.errors import DatasetError, SampleError, SampleIndexError, SamplingError
from penstock.sampling import ClassCounts, class_counts
from penstock.table import OverlayTable, Table, class_colors_of, class_names_of
from penstock.tensors import Link, TensorSpec

__all__ = ["Tensor", "TensorInfo"]

_CHUNK = 256


class TensorInfo:
    """The properties of a tensor apart from its samples.

    Parameters
    ----------
    spec : TensorSpec
        The tensor.
    class_colors : mapping of str to str, optional
        Colors of its classes, by name.
    """

    def __init__(self, spec: TensorSpec, class_colors: Mapping[str, str] | None = None) -> None:
        self._spec = spec
        self._class_colors = class_colors or {}

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, by index; empty where the tensor is no class label."""
        return list(self._spec.class_names)

    @property
    def class_colors(self) -> dict[str, str]:
        """Color of each class that was given one with `Tensor.set_class_color`, ``#rrggbb`` by name."""
        return dict(self._class_colors)

    @property
    def coords(self) -> str:
        """Form of boxes: ``xywh`` or ``xyxy``, in pixels."""
        return self._spec.coords

    def __repr__(self) -> str:
        if self._spec.htype == "class_label":
            return f"TensorInfo(class_names={self.class_names!r})"
        return f"TensorInfo(coords={self.coords!r})" if self._spec.htype == "bbox" else "TensorInfo()"


class Tensor:
    """Samples of one tensor, read on demand.

    Parameters
    ----------
    content : Content
        The samples of a dataset or view.
    name : str
        The tensor's name.
    rows : ndarray of int64, optional
        Positions among the samples; by default all.
    single : bool
        Whether it is a single sample rather than a list of one.
    """

    def __init__(
        self, content: Content, name: str, rows: NDArray[np.int64] | None = None, *, single: bool = False
    ) -> None:
        self._content = content
        self._name = name
        self._rows = rows
        self._single = single

    @property
    def _spec(self) -> TensorSpec:
        return self._content.spec(self._name)

    @property
    def name(self) -> str:
        """Name of the tensor."""
        return self._name

    @property
    def htype(self) -> str:
        """Kind of the tensor, ``link[image]`` for linked images."""
        return self._spec.shown_htype

    @property
    def dtype(self) -> str:
        """Type of the elements, as numpy names it."""
        return self._spec.dtype

    @property
    def info(self) -> TensorInfo:
        """Class names and colors of labels, form of boxes."""
        spec = self._spec
        colors = class_colors_of(self._content.table, self._name) if spec.htype == "class_label" else None
        return TensorInfo(spec, colors)

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Number of samples and the sides all share, None where they differ; one sample's own, as `numpy` gives it."""
        table, rows = self._now()
        shapes = table.shapes(self._name)[rows]
        if self._single:
            told = shapes.shape[1] and (shapes[0] >= 0).all()  # a scalar may be NULL, which reads as (0,)
            return tuple(shapes[0].tolist()) if told else np.shape(self.numpy())
        sides = [int(column[0]) if len(column) and (column == column[0]).all() else None for column in shapes.T]
        return (len(shapes), *(None if side == -1 else side for side in sides))

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._content) if self._rows is None else len(self._rows)

    def __iter__(self) -> Iterator[Tensor]:
        """Go through the samples."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: Any) -> Tensor:
        if self._single:
            raise DatasetError(
                f"a single sample of {self._name!r} cannot be indexed by {index!r}. Expected .numpy() first"
            )
        row = row_of(index, len(self))
        chosen = rows_of(index, len(self)) if row is None else np.array([row], np.int64)
        return Tensor(
            self._content, self._name, chosen if self._rows is None else self._rows[chosen], single=row is not None
        )

    def __setitem__(self, index: Any, value: Any) -> None:
        if self._single:
            raise DatasetError(f"cannot assign to part of a sample of {self._name!r}. Expected ds.{self._name}[i] = …")
        row = row_of(index, len(self))
        chosen = rows_of(index, len(self)) if row is None else np.array([row], np.int64)
        rows = chosen if self._rows is None else self._rows[chosen]
        values = [value] if row is not None else self._listed(value)
        self._content.edits.assign(
            self._name, rows, [entry.numpy() if isinstance(entry, Tensor) else entry for entry in values]
        )

    def _listed(self, values: Any) -> list[Any]:
        try:
            return list(values)
        except Exception as error:
            raise SampleError(
                f"cannot assign a {type(values).__name__} to several samples of {self._name!r}. "
                "Expected a list with one value per "
                "sample"
            ) from error

    def _now(self) -> tuple[Table, NDArray[np.int64]]:
        """Return the table and the rows in it, of one moment: another thread may append or delete meanwhile."""
        table, rows = self._content.state()
        if self._rows is None:
            return table, rows
        if len(self._rows) and self._rows.max() >= len(rows):
            raise SampleIndexError(
                f"sample {self._rows.max()} of {self._name!r} no longer exists. There are {len(rows)} samples now"
            )
        return table, rows[self._rows]

    def _raw(self) -> Iterator[Any]:
        table, rows = self._now()
        for start in range(0, len(rows), _CHUNK):
            yield from table.take(rows[start : start + _CHUNK], [self._name])[self._name]

    def _arrays(self) -> tuple[TensorSpec, list[NDArray[Any]]]:
        """Return the spec and the samples of one moment."""
        table, rows = self._now()
        spec = table.tensors.get(self._name) or self._spec
        allowed = table.max_image_bytes
        raw = (
            sample
            for start in range(0, len(rows), _CHUNK)
            for sample in table.take(rows[start : start + _CHUNK], [self._name])[self._name]
        )
        return spec, [as_array(spec, sample, allowed) for sample in raw]

    def numpy(self, aslist: bool = False) -> NDArray[Any] | list[NDArray[Any]]:
        """Read the samples.

        Parameters
        ----------
        aslist : bool
            Give a list with one array for each sample, whatever their shapes.

        Returns
        -------
        ndarray or list of ndarray
            One sample's array; of several samples the stack, or the list.

        Raises
        ------
        SampleError
            If the samples differ in shape and `aslist` is False.
        """
        spec, arrays = self._arrays()
        if self._single:
            return arrays if aslist else arrays[0]
        return arrays if aslist else stacked(spec, arrays)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return `numpy()`, for numpy's own functions."""
        return np.asarray(self.numpy(), dtype=dtype)

    def __class_counts__(self) -> ClassCounts:
        """Return the labels of the samples, for the helpers of `penstock.sampling`."""
        spec = self._spec
        if spec.is_encoded or spec.htype in {"text", "json"}:
            labels = first_label_tensor(self._content)
            raise SamplingError(
                f"tensor {self._name!r} ({self.htype}) cannot be used as labels. Expected a class_label tensor",
                hint=None if labels is None else f"ds[{labels!r}] is one",
            )
        table, rows = self._now()
        column = table.column(self._name).take(rows)
        if spec.htype == "class_label":
            names = class_names_of(table, self._name)
            return ClassCounts(
                values=column.values, offsets=column.offsets, class_names=names, tensor=self._name, row_numbers=rows
            )
        if not (column.lengths == 1).all():
            raise SamplingError(f"tensor {self._name!r} has samples without exactly one number. Expected class labels")
        return replace(class_counts(column.values), tensor=self._name, row_numbers=rows)

    def data(self) -> dict[str, Any]:
        """Read the samples with what belongs to them.

        Returns
        -------
        dict
            ``value``; for class labels also ``text``, the names (None where a class has none).
        """
        spec = self._spec
        if spec.htype in {"text", "json"}:
            values = list(self._raw())
            return {"value": values[0] if self._single else values}
        spec, arrays = self._arrays()
        found: dict[str, Any] = {"value": arrays[0] if self._single else arrays}
        if spec.htype == "class_label":
            names = spec.class_names
            texts = [[names[label] if label < len(names) else None for label in labels] for labels in arrays]
            found["text"] = texts[0] if self._single else texts
        return found

    def tobytes(self) -> bytes | list[bytes | None]:
        """Read images as they are stored or linked: encoded bytes, one sample's or a list."""
        if self._spec.htype != "image":
            raise DatasetError(f"{self._name!r} ({self.htype}) has no encoded bytes. Expected an image tensor")
        raw = list(self._raw())
        for content in raw:
            if isinstance(content, Exception):
                raise content
        return raw[0] if self._single else raw

    def links(self) -> list[Link | None]:
        """Return where the samples' linked files are, without reading them."""
        if not self._spec.link:
            raise DatasetError(f"{self._name!r} ({self.htype}) has no links. Expected a link tensor")
        table, rows = self._now()
        origin = table.origin
        if not isinstance(origin, OverlayTable):
            raise DatasetError(f"{self._name!r} has no links. Expected a tensor of a stored dataset")
        return origin.links(rows, self._name)

    def add_class(self, name: str) -> int:
        """Add a class name at the end and return its index; it is kept at once."""
        return self._content.edits.change_classes(self._name, "add", name)

    def rename_class(self, old: str, new: str) -> None:
        """Rename a class; its index and all samples stay the same."""
        self._content.edits.change_classes(self._name, "rename", old, new)

    def merge_classes(self, names: list[str] | tuple[str, ...], into: str) -> None:
        """Merge several classes into `into`, which can be a new name; the other names are removed."""
        self._content.edits.merge_classes(self._name, names, into)

    def remove_class(self, name: str) -> None:
        """Remove a class that no label has; the classes after it move up.

        Raises
        ------
        UnknownClassError
            If there is no such class.
        DatasetError
            If a label has it: `merge_classes` gives its labels to another class.
        """
        self._content.edits.remove_classes(self._name, [name])

    def set_class_color(self, name: str, color: str | None) -> None:
        """Give a class a color, kept with the dataset and used by the Explorer; None gives it its usual color again.

        Parameters
        ----------
        name : str
            The class.
        color : str or None
            ``#rrggbb``.
        """
        self._content.edits.set_class_color(self._name, name, color)

    def __repr__(self) -> str:
        what = "sample" if self._single else f"{len(self)} samples"
        return f"Tensor({self._name!r}, {self.htype}, {what})"
