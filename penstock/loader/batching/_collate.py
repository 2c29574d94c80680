"""Samples to batches: stacked where shapes allow, lists or padded where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import LoaderError
from penstock.loader.batching._batch import Batch
from penstock.loader.batching._transform import SeededCollate
from penstock.loader.settings._settings import Padding

__all__ = ["Collation", "pad_samples"]

_LABEL_PADDING = -1


class Collation:
    """How the samples of a batch become one; travels to worker processes.

    Parameters
    ----------
    ragged : mapping of str to str
        Tensors whose samples differ in shape, and their htype.
    padding : {"list", "pad"}
        What becomes of them.
    return_index : bool
        Whether ``index`` is added to samples that are dicts.
    collate_fn : SeededCollate, optional
        Of a list of samples; does everything itself.
    as_samples : bool
        Give the list of samples itself.
    single : bool
        Give the only sample.
    of_one : bool
        Batches hold one sample by their setting: it is stacked to (1, ...), ragged or not.
    """

    def __init__(
        self,
        *,
        ragged: Mapping[str, str],
        padding: Padding,
        return_index: bool,
        collate_fn: SeededCollate | None,
        as_samples: bool,
        single: bool,
        of_one: bool,
    ) -> None:
        self._ragged = dict(ragged)
        self._padding = padding
        self._return_index = return_index
        self._collate_fn = collate_fn
        self._as_samples = as_samples
        self._single = single
        self._of_one = of_one

    @property
    def of_columns(self) -> bool:
        """Whether untransformed batches need no sample dicts."""
        return self._collate_fn is None and not self._as_samples and not self._single

    def columns(self, batch: Batch) -> dict[str, Any]:
        """Return the batch of untransformed samples."""
        result = {name: self._column(name, column) for name, column in batch.columns.items()}
        return self._with_marks(result, batch)

    def _column(self, name: str, column: Any) -> Any:
        if not isinstance(column, list):
            return column
        if self._of_one:
            stacked = stack_samples(column)
            return column if stacked is None else stacked
        return self._padded(name, column) if self._padding == "pad" else column

    def _padded(self, name: str, samples: list[Any]) -> Any:
        return pad_samples(samples, _LABEL_PADDING if self._ragged.get(name) == "class_label" else 0)

    def _with_marks(self, result: dict[str, Any], batch: Batch) -> dict[str, Any]:
        if self._return_index:
            result.setdefault("index", batch.draw.rows)
        if batch.draw.valid is not None:
            result.setdefault("valid", batch.draw.valid)
        return result

    def samples(
        self, samples: list[Any], batch: Batch, *, transformed: bool, dropping: bool, keep_state: bool = True
    ) -> Any:
        """Return the batch of samples.

        Parameters
        ----------
        samples : list
            One entry a draw.
        batch : Batch
            What they were made of.
        transformed : bool
            Whether a transform has seen them.
        dropping : bool
            Whether it was a dict, which drops ``index`` with everything it does not name.
        keep_state : bool
            Whether the global generators get back the state they had.
        """
        if self._return_index and not dropping:
            for sample, row in zip(samples, batch.draw.rows.tolist(), strict=True):
                if isinstance(sample, dict):
                    sample.setdefault("index", row)
        if self._single:
            return samples[0]
        if self._as_samples:
            return samples
        if self._collate_fn is not None:
            return self._collate_fn(samples, batch.draw, keep_state=keep_state)
        result = self._merged(samples, batch, transformed=transformed)
        if isinstance(result, dict) and batch.draw.valid is not None and not dropping:
            result.setdefault("valid", batch.draw.valid)
        return result

    def _merged(self, samples: list[Any], batch: Batch, *, transformed: bool) -> Any:
        first = samples[0]
        _check_alike(samples, batch)
        if isinstance(first, Mapping):
            columns = {name: [sample[name] for sample in samples] for name in first}
            return {
                name: self._merged_values(str(name), column, batch, transformed=transformed)
                for name, column in columns.items()
            }
        if isinstance(first, tuple | list):
            parts = [
                self._merged_values("", list(values), batch, transformed=transformed)
                for values in zip(*samples, strict=True)
            ]
            return type(first)(parts) if type(first) in {tuple, list} else type(first)(*parts)
        return self._merged_values("", samples, batch, transformed=transformed)

    def _merged_values(self, name: str, values: list[Any], batch: Batch, *, transformed: bool) -> Any:
        if isinstance(values[0], Mapping | tuple):
            return self._merged(values, batch, transformed=transformed) if isinstance(values[0], Mapping) else values
        if (
            not self._of_one
            and name in self._ragged
            and (not transformed or _only_length_differs(values, batch.columns.get(name)))
        ):
            return self._padded(name, values) if self._padding == "pad" else values
        stacked = stack_samples(values)
        if stacked is None:
            return self._padded(name, values) if self._padding == "pad" else values
        return stacked


def _check_alike(samples: list[Any], batch: Batch) -> None:
    """Refuse samples of one batch that do not have the same parts."""
    first = _parts(samples[0])
    for place, sample in enumerate(samples):
        if _parts(sample) != first:
            rows = batch.draw.rows
            raise LoaderError(
                f"the transform gives {_parts(sample)} for row {rows[place]} and {first} for row {rows[0]}. "
                "Expected the same parts for every sample of a batch",
                hint="a custom collate_fn can merge different parts",
            )


def _parts(sample: Any) -> str:
    if isinstance(sample, Mapping):
        return f"a dict of {', '.join(map(str, sample)) or 'nothing'}"
    if isinstance(sample, tuple | list):
        return f"a {type(sample).__name__} of {len(sample)}"
    return "None" if sample is None else "a single value"


def _only_length_differs(values: list[Any], result: Any) -> bool:
    """Tell whether a transform left samples what they were but for the number of their entries.

    Boxes that were filtered stay boxes; labels made into one vector a sample do not stay labels.
    """
    if result is None:
        return False
    for after, before in zip(values, result, strict=True):
        old, new = np.shape(before), tuple(getattr(after, "shape", ()))
        boxes = len(old) == len(new) == 2 and old[1:] == new[1:]
        if not (boxes or old == new):
            return False
    return True


def stack_samples(values: Sequence[Any]) -> Any:
    """Stack arrays, tensors or numbers of one shape; None where that cannot be."""
    first = values[0]
    if isinstance(first, bool | int | float | np.generic):
        return (
            np.asarray(values) if all(isinstance(value, bool | int | float | np.generic) for value in values) else None
        )
    shape = getattr(first, "shape", None)
    if shape is None or any(getattr(value, "shape", None) != shape for value in values):
        return None
    if isinstance(first, np.ndarray):
        return np.stack(values)
    if type(first).__module__.startswith("torch"):
        import torch

        return torch.stack(list(values))
    return None


def pad_samples(samples: list[Any], value: int) -> Any:
    """Pad arrays at their ends to the largest of them; other samples are returned as they are.

    Parameters
    ----------
    samples : list of ndarray
        Arrays of one rank and type.
    value : int
        Fills up the end.

    Returns
    -------
    ndarray or list

    Examples
    --------
    >>> pad_samples([np.array([3]), np.array([5, 6])], -1).tolist()
    [[3, -1], [5, 6]]
    """
    known: list[NDArray[Any]] = [np.asarray(sample) for sample in samples if hasattr(sample, "__array__")]
    if len(known) < len(samples) or len({array.ndim for array in known}) != 1:
        return samples
    largest = tuple(np.array([array.shape for array in known]).max(axis=0).tolist())
    padded = np.full((len(known), *largest), value, np.result_type(*known))
    for place, array in enumerate(known):
        inside: tuple[int | slice, ...] = (place, *map(slice, array.shape))
        padded[inside] = array
    return padded
