"""Datasets and views to Hugging Face datasets."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset import Dataset, View
from penstock.errors import ExportError, MissingDependencyError
from penstock.exporters._edited_note import explains_edited_notes
from penstock.exporters._rows import ExportedRows
from penstock.exporters.tables._features import Wanted, wanted_features
from penstock.exporters.tables._restored import plain, restored
from penstock.tensors import TensorSpec, decimals

if TYPE_CHECKING:
    import datasets

__all__ = ["to_huggingface"]

_WRITTEN = "as_written"


@explains_edited_notes
def to_huggingface(source: Dataset | View, *, progress: bool = True) -> Any:
    """Return a Hugging Face dataset.

    A dataset that was imported with `from_huggingface` gives the same features and rows again; only what was edited
    differs. Of any other dataset, images become ``Image``, class labels ``ClassLabel`` or lists of them, objects a
    feature ``objects`` with ``bbox`` and ``category``, JSON its text, and masks PNG images. The rows are written to
    a file in the cache folder of the package ``datasets``, as it does itself.

    Parameters
    ----------
    source : Dataset or View
        What is exported, with edits that are not committed yet.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    datasets.Dataset or datasets.DatasetDict
        The rows; by split if the dataset has a tensor ``subset``.

    Raises
    ------
    ExportError
        If samples come more than once, or a value does not fit its feature.
    MissingDependencyError
        If the package ``datasets`` is not installed.

    Examples
    --------
    >>> import penstock
    >>> ds = penstock.demo()
    >>> penstock.to_huggingface(ds[:20], progress=False).column_names  # doctest: +SKIP
    ['images', 'objects']
    """
    rows = ExportedRows(source, progress=progress)
    try:
        import datasets
    except ImportError:
        hint = "pip install 'penstock[huggingface]'"
        raise MissingDependencyError("the package datasets is not installed", hint=hint) from None
    wanted = wanted_features(rows)
    if not wanted:
        raise ExportError("the dataset has no tensors. Expected at least one")
    features = datasets.Features({name: one.feature for name, one in wanted.items()})
    subsets = np.array([] if rows.source.get("format") == "huggingface" else rows.subsets())
    names = list(dict.fromkeys(subsets.tolist()))
    if not any(names):
        return _written(rows, wanted, features, np.arange(len(rows)))
    return datasets.DatasetDict(
        {_split(name): _written(rows, wanted, features, np.flatnonzero(subsets == name)) for name in names}
    )


def _split(name: str) -> str:
    """Return the name of a split; of samples without one, that of all."""
    return name or "all"


def _written(
    rows: ExportedRows, wanted: Mapping[str, Wanted], features: datasets.Features, chosen: NDArray[np.int64]
) -> datasets.Dataset:
    import datasets
    from datasets.arrow_writer import ArrowWriter

    folder = Path(datasets.config.HF_DATASETS_CACHE) / "penstock"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.arrow"
    note = rows.source if rows.source.get("format") == "huggingface" else {}
    tensors = dict.fromkeys(name for one in wanted.values() for name in (one.tensor, *one.fields.values()) if name)
    odd = [name for name in rows.table.tensors if name.endswith(_WRITTEN) and note]
    odd += [str(name) for name in note.get("paths", {}).values()]
    row = _RowWriter(rows, wanted, note)
    try:
        with ArrowWriter(path=str(path), features=features) as writer:
            for _, samples in rows.chunks([*dict.fromkeys([*tensors, *odd])], chosen):
                for at in range(len(next(iter(samples.values())))):
                    writer.write(row.values({name: values[at] for name, values in samples.items()}))
            writer.finalize()
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, ValueError | TypeError | OverflowError):
            raise ExportError(f"a value does not fit the features: {' '.join(str(error).split())[:200]}") from error
        raise
    if not len(chosen):
        path.unlink(missing_ok=True)
        return datasets.Dataset.from_dict({name: [] for name in features}, features=features)
    return datasets.Dataset.from_file(str(path))


class _RowWriter:
    """Turns samples into rows."""

    def __init__(self, rows: ExportedRows, wanted: Mapping[str, Wanted], note: Mapping[str, Any]) -> None:
        self._specs = rows.table.tensors
        self._wanted = wanted
        self._odd = str(note.get("as_written", ""))
        self._paths: Mapping[str, str] = note.get("paths", {})

    def values(self, sample: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of all features."""
        odd = sample.get(self._odd) or {}
        return {name: self._value(name, one, sample, odd) for name, one in self._wanted.items()}

    def _value(self, name: str, one: Wanted, sample: Mapping[str, Any], odd: Mapping[str, Any]) -> Any:
        if one.fields:
            return self._objects(name, one, sample, odd)
        spec, value = self._specs[one.tensor], sample[one.tensor]
        if isinstance(value, Exception):
            raise ExportError(f"{one.tensor!r} of a sample cannot be read: {value}") from value
        if spec.htype in ("image", "segment_mask", "binary_mask"):
            return _image(value, sample.get(self._paths.get(name, "")))
        if spec.htype == "class_label":
            labels = value.tolist()
            is_list = not hasattr(one.feature, "names") and hasattr(one.feature, "feature")
            found = labels if is_list else (labels[0] if labels else None)
            return odd[name] if name in odd and _shown(odd[name]) == labels else found
        if not one.was_imported and spec.htype == "json":
            return None if value is None else json.dumps(value, ensure_ascii=False)
        if spec.htype == "bbox":
            return self._boxes(name, one.tensor, value, sample)
        return restored(one.feature, value) if one.was_imported else plain(value)

    def _objects(self, name: str, one: Wanted, sample: Mapping[str, Any], odd: Mapping[str, Any]) -> Any:
        listed = {}
        for key, tensor in one.fields.items():
            spec, value = self._specs[tensor], sample[tensor]
            listed[key] = self._field(key, one, spec, value, sample)
        counts = {len(values) for values in listed.values()}
        if name in odd and counts <= {0}:
            return odd[name]
        if len(counts) > 1:
            shown = ", ".join(f"{len(values)} in {key!r}" for key, values in listed.items())
            raise ExportError(f"the objects of a sample differ in number: {shown}. Expected one value for each")
        if isinstance(one.feature, Mapping):
            return listed
        return [dict(zip(listed, values, strict=True)) for values in zip(*listed.values(), strict=True)]

    def _field(self, key: str, one: Wanted, spec: TensorSpec, value: Any, sample: Mapping[str, Any]) -> list[Any]:
        if value is None:
            return []
        if spec.htype == "bbox":
            return self._boxes(key, spec.name, value, sample)
        if spec.htype == "json" and not one.was_imported:
            return [None if entry is None else json.dumps(entry, ensure_ascii=False) for entry in value]
        if not one.was_imported:
            return list(plain(value))
        fields: Any = one.feature
        if not isinstance(fields, Mapping):
            fields = fields[0] if isinstance(fields, list) else fields.feature
        inner = getattr(fields[key], "feature", fields[key]) if isinstance(one.feature, Mapping) else fields[key]
        is_float = spec.htype == "generic" and spec.dtype.startswith("float")
        return [None if is_float and entry != entry else restored(inner, entry) for entry in plain(value)]  # noqa: PLR0124  NaN stands for None

    def _boxes(self, key: str, tensor: str, value: Any, sample: Mapping[str, Any]) -> list[Any]:
        """Return boxes, those that were repaired as they were unless they were edited."""
        boxes = decimals(value).tolist()
        notes = [name for name, spec in self._specs.items() if spec.aligned_with == tensor and name.endswith(_WRITTEN)]
        written = sample[notes[0]] if notes and notes[0] in sample else None
        for at, note in enumerate(written if isinstance(written, Sequence) and len(written) == len(boxes) else ()):
            pair = note.get(key) if isinstance(note, Mapping) else None
            if isinstance(pair, list) and pair[1] == boxes[at]:
                boxes[at] = pair[0]
        return list(boxes)


def _shown(value: Any) -> list[int]:
    """Return the labels that stand for a value."""
    return [one for one in (value if isinstance(value, list) else [value]) if one is not None and one >= 0]


def _image(value: Any, path: str | None) -> dict[str, Any] | None:
    if value is None:
        return None
    if isinstance(value, bytes | memoryview):
        return {"bytes": bytes(value), "path": path}
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(value).save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": path}
