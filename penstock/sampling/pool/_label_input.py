"""Labels as a user has them: counts, a tensor of a dataset, an array, a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import SamplingError
from penstock.sampling.pool._labels import ClassCounts

__all__ = ["HasClassCounts", "Labels", "class_counts"]


@runtime_checkable
class HasClassCounts(Protocol):
    """What knows the classes of its samples: a class label tensor, a dataset, a view."""

    def __class_counts__(self) -> ClassCounts:
        """Return the labels of the samples."""
        ...


Labels = ClassCounts | HasClassCounts | ArrayLike | Sequence[Any]


def class_counts(labels: Labels) -> ClassCounts:
    """Return labels in any of their forms as counts.

    Parameters
    ----------
    labels : ClassCounts, Tensor, Dataset, View or array_like
        Of an array: one class index or name of each sample, shape (num_rows,) or (num_rows, 1);
        a bool matrix of shape (num_rows, num_classes); a list of lists where samples have
        several labels. Names get their indices by first appearance.

    Returns
    -------
    ClassCounts

    Raises
    ------
    SamplingError
        If these are not class labels.

    Examples
    --------
    >>> class_counts(["cat", "dog", "cat"]).instances.tolist(), class_counts([[0, 1], []]).num_rows
    ([2, 1], 2)
    """
    if isinstance(labels, ClassCounts):
        return labels
    if isinstance(labels, HasClassCounts):
        return labels.__class_counts__()
    if isinstance(labels, str | bytes | Mapping) or not (hasattr(labels, "__len__") or hasattr(labels, "__array__")):
        _refused(labels)
    array = _array(labels)
    if array.ndim == 2 and array.dtype == np.bool_:
        rows, classes = np.nonzero(array)
        offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(array)))])
        names = tuple(map(str, range(array.shape[1])))
        return ClassCounts(values=classes, offsets=offsets.astype(np.int64), class_names=names)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise SamplingError(
            f"labels are {array.dtype} of shape {array.shape}. Expected one class index per row",
            hint="0/1 matrices: labels.astype(bool); several class indices a row: ClassCounts.from_lists(labels)",
        )
    return _of_rows(array)


def _array(labels: Any) -> NDArray[Any]:
    if hasattr(labels, "detach"):
        labels = labels.detach().cpu()  # a torch tensor, perhaps on a device or with a gradient
    try:
        array = np.asarray(labels)
        if array.dtype.kind == "U" and isinstance(labels, list | tuple):  # perhaps texts beside numbers
            array = _objects(labels)
    except ValueError:  # rows of unequal length
        array = _objects(labels)
    except Exception:  # noqa: BLE001  an array library's own error, whatever it is
        _refused(labels)
    return array


def _objects(labels: Sequence[Any]) -> NDArray[Any]:
    array = np.empty(len(labels), object)
    for row, item in enumerate(labels):
        array[row] = item
    return array


def _of_rows(array: NDArray[Any]) -> ClassCounts:
    if array.dtype == np.bool_:
        return ClassCounts.from_labels(array.astype(np.int64))
    if array.dtype.kind in "iu":
        return ClassCounts.from_labels(array)
    if array.dtype.kind == "f":
        return ClassCounts.from_labels(_whole(array))
    items = array.tolist()
    nested = [isinstance(item, list | tuple | set | np.ndarray) for item in items]
    if any(nested):
        if not all(nested):
            row = nested.index(False)
            raise SamplingError(f"labels of sample {row} are {items[row]!r}. Expected a list, as in the others")
        return _of_lists([list(item) for item in items])
    return _of_lists([[item] for item in items])


def _whole(array: NDArray[Any]) -> NDArray[np.int64]:
    wrong = np.flatnonzero(~(np.isfinite(array) & (array == np.floor(array)) & (np.abs(array) < 2.0**53)))
    if len(wrong):
        raise SamplingError(
            f"label {float(array[wrong[0]])!r} of sample {int(wrong[0])} is not valid. Expected a class index"
        )
    return array.astype(np.int64)


def _of_lists(rows: list[list[Any]]) -> ClassCounts:
    flat = [(number, item) for number, row in enumerate(rows) for item in row]
    if all(isinstance(item, str) for _, item in flat):
        names = tuple(dict.fromkeys(item for _, item in flat))
        numbers = {name: number for number, name in enumerate(names)}
        return ClassCounts.from_lists(([numbers[item] for item in row] for row in rows), class_names=names)
    kinds: Any = str if isinstance(flat[0][1], str) else (int, np.integer, np.bool_)
    for number, item in flat:
        if not isinstance(item, kinds):
            raise SamplingError(
                f"label {item!r} of sample {number} is of another kind. Expected class indices, or names of all"
            )
    return ClassCounts.from_lists([[int(item) for item in row] for row in rows])


def _refused(labels: object) -> NoReturn:
    raise SamplingError(
        f"labels are a {type(labels).__name__}. Expected a class label tensor, ClassCounts "
        "or an array of class indices",
        hint="ds.labels, or ClassCounts.from_lists([[0], [0, 1], …])",
    )
