"""Class labels as arrays and lists give them: names, indices, lists of either, matrices of 0 and 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock._wording import nearest
from penstock.errors import ImporterError
from penstock.importers.columns._cells import is_missing
from penstock.importers.columns._labels import (
    MISSING_LABEL,
    MOST_CLASSES,
    LabelColumn,
    check_number,
    checked_names,
    missing_note,
)
from penstock.table import Ragged

__all__ = ["array_labels"]

_MOST_INDEX = np.iinfo(np.int64).max


def array_labels(name: str, values: Any, class_names: Sequence[str] | None) -> LabelColumn:
    """Return the labels of an array or a list, one entry per sample.

    Parameters
    ----------
    name : str
        The tensor's name, for messages.
    values : ndarray or sequence
        Class indices, names, lists of them, or a matrix of shape (num_samples,
        num_classes) that is bool or, with `class_names`, 0 and 1. None and -1 are
        samples without label.
    class_names : sequence of str, optional
        The classes by index.

    Raises
    ------
    ImporterError
        If it is not clear what a matrix of 0 and 1, or labels of -1 and 1, mean.
    """
    names = checked_names(class_names, name)
    values = _as_numbers(values)
    if isinstance(values, np.ndarray) and values.ndim > 1 and values.shape[1:] != (1,):
        flags = _flags(name, values, names)
        if flags is not None:
            return _of_flags(flags, names)
    plain = _of_plain(name, values, names)
    if plain is not None:
        return plain
    given = values.tolist() if isinstance(values, np.ndarray) else values
    rows = [_listed(row) for row in given]
    if _is_matrix_of_bool(given, rows):
        flags = _stacked(name, rows)
        _flags(name, flags, names)
        return _of_flags(flags, names)
    _refuse_list_of_flags(name, rows, names)
    return _of_rows(name, rows, names)


def _of_plain(name: str, values: Any, names: tuple[str, ...] | None) -> LabelColumn | None:
    """Return the labels of samples that have one index or name each; None where one needs to be looked at by itself."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu" and values.size == len(values) > 0:
        return _of_indices(name, values.reshape(-1), names)
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "UT":
        values = values.tolist()
    if not isinstance(values, list) or not values:
        return None
    types = {*map(type, values)}
    if types == {str}:
        return _of_names(name, values, names)
    return _of_lists(name, values, names) if types <= {list, tuple, type(None)} else None


def _of_lists(name: str, values: list[Any], names: tuple[str, ...] | None) -> LabelColumn | None:
    """Return the labels of lists of names, or of lists of indices, that need no other look."""
    given = [[] if row is None else row for row in values]
    flat = [*chain.from_iterable(given)]
    offsets = np.zeros(len(given) + 1, np.int64)
    np.cumsum([len(row) for row in given], out=offsets[1:])
    types = {*map(type, flat)}
    if types == {str}:
        return _of_names(name, flat, names, offsets)
    may_be_flags = names is not None and bool((np.diff(offsets) == len(names)).all())
    if types != {int} or may_be_flags or min(flat) < 0 or max(flat) > _MOST_INDEX:
        return None
    found = _of_indices(name, np.array(flat, np.int64), names)
    return None if found is None else LabelColumn(labels=replace(found.labels, offsets=offsets))


def _of_indices(name: str, given: NDArray[Any], names: tuple[str, ...] | None) -> LabelColumn | None:
    least, greatest = int(given.min()), int(given.max())
    if least < MISSING_LABEL or greatest > _MOST_INDEX or (names and greatest >= len(names)):
        return None
    if least == MISSING_LABEL and greatest == 1 and not (given == 0).any():
        return None  # -1 and 1 may be two classes
    known = names if names is not None else _numbered(name, greatest + 1)
    has_label = given != MISSING_LABEL
    offsets = np.zeros(len(given) + 1, np.int64)
    np.cumsum(has_label, out=offsets[1:])
    check_number(known, name)
    values = (given if least >= 0 else given[has_label]).astype(np.int64, copy=False)
    return LabelColumn(
        labels=Ragged(values=values, offsets=offsets, class_names=known),
        notes=missing_note(len(given) - int(offsets[-1])),
    )


def _of_names(
    name: str, given: list[str], names: tuple[str, ...] | None, offsets: NDArray[np.int64] | None = None
) -> LabelColumn | None:
    import pandas as pd

    codes, met = pd.factorize(np.array(given, object))
    known = names if names is not None else tuple(met.tolist())
    ids = {text: index for index, text in enumerate(known)}
    if not all(text in ids for text in met):
        return None
    check_number(known, name)
    index = np.array([ids[text] for text in met], np.int64)
    offsets = np.arange(len(given) + 1, dtype=np.int64) if offsets is None else offsets
    return LabelColumn(labels=Ragged(values=index[codes], offsets=offsets, class_names=known))


def _as_numbers(values: Any) -> Any:
    """Return a matrix of objects as one of numbers if it is one."""
    if not isinstance(values, np.ndarray) or values.dtype.kind != "O" or values.ndim == 1:
        return values
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        return values


def _flags(name: str, values: NDArray[Any], names: tuple[str, ...] | None) -> NDArray[np.bool_] | None:
    """Return a matrix with a bool for each class, or None when the numbers are indices."""
    if values.dtype == np.bool_:
        if values.ndim != 2 or (names is not None and values.shape[1] != len(names)):  # rows by classes
            raise ImporterError(
                f"{name} is bool of shape {values.shape}. Expected (num_samples, num_classes)"
                + (f", {len(names)} classes" if names else ""),
            )
        return values
    if values.dtype.kind not in "iuf" or values.ndim != 2:  # rows by classes
        if values.dtype.kind in "iuf":
            raise ImporterError(
                f"{name} has shape {values.shape}. Expected (num_samples,) or (num_samples, num_classes)"
            )
        return None
    if not values.size or not np.isin(values, (0, 1)).all():
        return None
    if names is None or values.shape[1] != len(names):
        known = "class_names is not given" if names is None else f"there are {len(names)} class names"
        raise ImporterError(
            f"{name} is a matrix of 0 and 1 of shape {values.shape}, and {known}. Expected a number for each class",
            hint=f"pass class_names=[...] with {values.shape[1]} names, or {name}.tolist() if these are lists "
            "of class indices",
        )
    return values.astype(np.bool_)


def _is_matrix_of_bool(given: Sequence[Any], rows: Sequence[Sequence[Any]]) -> bool:
    """Return whether every sample is a list, or an array, of bool."""
    lists = bool(rows) and all(isinstance(row, list | tuple | np.ndarray) and len(row) for row in given)
    return lists and all(isinstance(label, bool) for row in rows for label in row)


def _stacked(name: str, rows: Sequence[Sequence[Any]]) -> NDArray[np.bool_]:
    if len({len(row) for row in rows}) > 1:
        raise ImporterError(f"{name} has lists of bool of different lengths. Expected one bool per class")
    return np.array(rows, np.bool_)


def _of_flags(flags: NDArray[np.bool_], names: tuple[str, ...] | None) -> LabelColumn:
    offsets = np.concatenate([[0], np.cumsum(flags.sum(axis=1))]).astype(np.int64)
    known = names if names is not None else tuple(str(number) for number in range(flags.shape[1]))
    return LabelColumn(labels=Ragged(values=np.nonzero(flags)[1].astype(np.int64), offsets=offsets, class_names=known))


def _listed(row: Any) -> list[Any]:
    """Return the labels of one sample as a list of plain values."""
    if not isinstance(row, str | bytes) and hasattr(row, "tolist"):
        row = row.tolist()
    if isinstance(row, list | tuple):
        return [entry for entry in row if not is_missing(entry)]
    if isinstance(row, set | frozenset):
        return sorted(row, key=str)
    return [] if is_missing(row) else [row]


def _refuse_list_of_flags(name: str, rows: Sequence[Sequence[Any]], names: tuple[str, ...] | None) -> None:
    width = len(names) if names is not None else 0
    labels = [label for row in rows for label in row]
    if width < 2 or not rows or any(len(row) != width for row in rows):  # one class, one number
        return
    if all(isinstance(label, int | float) and label in (0, 1) for label in labels):
        raise ImporterError(
            f"{name} has lists of {width} numbers, 0 and 1, for {width} classes. Expected names, or a matrix",
            hint=f"pass np.array({name}) if there is one number per class, otherwise names instead of indices",
        )


def _of_rows(name: str, rows: Sequence[Sequence[Any]], names: tuple[str, ...] | None) -> LabelColumn:
    met = dict.fromkeys(str(label) for row in rows for label in row if isinstance(label, str))
    known = names if names is not None else tuple(met)
    ids, limit = {text: index for index, text in enumerate(known)}, len(known) if known else None
    _refuse_signs(name, rows)
    read = [_indices(row, ids, limit, numbered=names is not None or not met) for row in rows]
    problems = {at: _wrong(name, one, names, met) for at, one in enumerate(read) if isinstance(one, _Wrong)}
    given = [[] if isinstance(one, _Wrong) else one for one in read]
    found = [[index for index in one if index != MISSING_LABEL] for one in given]
    values = np.array([index for one in found for index in one], np.int64)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in found], dtype=np.int64)]).astype(np.int64)
    if names is None and not met:
        known = _numbered(name, int(values.max(initial=-1)) + 1)
    check_number(known, name)
    return LabelColumn(
        labels=Ragged(values=values, offsets=offsets, class_names=known),
        problems=problems,
        notes=missing_note(sum(MISSING_LABEL in one for one in given)),
    )


@dataclass(frozen=True, slots=True)
class _Wrong:
    label: object


def _indices(row: Sequence[Any], ids: Mapping[str, int], limit: int | None, *, numbered: bool) -> list[int] | _Wrong:
    """Return the index of each label of a sample, -1 for no label, or the first invalid label."""
    indices = []
    for label in row:
        index = _index(label, ids, numbered=numbered)
        if index is None or (limit is not None and index >= limit):
            return _Wrong(label)
        indices.append(index)
    return indices


def _index(label: Any, ids: Mapping[str, int], *, numbered: bool) -> int | None:
    """Return the index of a label, -1 for no label; None if it is not valid."""
    if isinstance(label, str):
        return ids.get(label)
    if isinstance(label, float | np.floating) and float(label).is_integer():
        label = int(label)
    if isinstance(label, bool | np.bool_) or not isinstance(label, int | np.integer) or label < MISSING_LABEL:
        return None
    return int(label) if numbered or label == MISSING_LABEL else None


def _numbered(name: str, num_classes: int) -> tuple[str, ...]:
    if num_classes > MOST_CLASSES:
        raise ImporterError(
            f"{name} has label {num_classes - 1:,}. Expected class indices below {MOST_CLASSES:,}",
            hint="pass class_names=[...] to name the classes; store numbers that are not classes in another tensor",
        )
    return tuple(str(number) for number in range(num_classes))


def _refuse_signs(name: str, rows: Iterable[Sequence[Any]]) -> None:
    met = {label for row in rows for label in row if isinstance(label, int | float) and not isinstance(label, bool)}
    if met == {-1, 1}:
        raise ImporterError(
            f"{name} has labels -1 and 1, where -1 could mean a class or no label. Expected class indices from 0",
            hint="use (labels + 1) // 2 to get 0 and 1; use None for a sample without labels",
        )


def _wrong(name: str, wrong: _Wrong, names: tuple[str, ...] | None, met: Mapping[str, None]) -> ImporterError:
    if names is None:
        expected = "names, as in the other samples" if met else "integers from 0, or names"
        hint = f"pass htypes={{{name!r}: 'generic'}} for numbers that are not classes"
        number = isinstance(wrong.label, float) and not met
        return ImporterError(f"{name} has label {wrong.label!r}. Expected {expected}", hint=hint if number else None)
    like = nearest(wrong.label, names) if isinstance(wrong.label, str) else None
    expected = f"0 to {len(names) - 1}, or one of: {', '.join(names[:8])}"
    return ImporterError(
        f"{name} has label {wrong.label!r}. Expected {expected}", hint=f"did you mean {like!r}?" if like else None
    )
