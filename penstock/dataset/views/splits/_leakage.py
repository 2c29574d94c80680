"""Parts that must have nothing in common: checked, and saved together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import Content
from penstock.dataset.views._fixed_content import FixedContent, Home
from penstock.dataset.views._saved_views import save_views
from penstock.dataset.views.splits._group_values import group_values
from penstock.errors import DatasetError, LeakageError
from penstock.sampling.pool._sorting import Digits, digits_of_numbers, equal_rows
from penstock.tql.values._operations import as_text
from penstock.tql.values._values import Value
from penstock.tql.values.keys._digits import equal_digits
from penstock.tql.values.keys._keys import concatenated

__all__ = ["check_leakage", "saved_together"]

Ints = NDArray[np.int64]


def check_leakage(parts: Mapping[str, Any], *, group: str | None = None) -> None:
    """Raise if two parts have a sample in common, or a group: what is validated must not have been trained on.

    Parameters
    ----------
    parts : mapping of str to Dataset or View
        The parts by name, such as ``{"train": train, "val": val}``; of one dataset or of several.
    group : str, optional
        A tensor with one value a sample, such as a patient, or a TQL expression for one. Samples without a value
        belong to no group.

    Raises
    ------
    LeakageError
        If two parts have a sample or a group in common. Names the parts, how many, and an example.

    Examples
    --------
    >>> import penstock
    >>> ds = penstock.demo()
    >>> penstock.check_leakage({"train": ds[:400], "val": ds[400:]})
    >>> penstock.check_leakage({"train": ds[:400], "val": ds[399:]})
    Traceback (most recent call last):
    ...
    penstock.errors.LeakageError: 'train' and 'val' have 1 sample in common, such as sample 399 of the dataset
    """
    contents = _contents(parts)
    names = list(contents)
    states = [content.state() for content in contents.values()]
    owner = np.repeat(np.arange(len(names)), [len(rows) for _, rows in states])
    places = [_place(content) for content in contents.values()]
    known = {place: number for number, place in enumerate(dict.fromkeys(places))}
    identity = np.concatenate([np.zeros(0, np.int64), *(table.uids(rows) for table, rows in states)])
    place = np.repeat([known[place] for place in places], [len(rows) for _, rows in states])
    found = _shared([digits_of_numbers(identity), digits_of_numbers(place)], owner, None)
    if found is not None:
        first, second, count, at = found
        row = int(np.concatenate([rows for _, rows in states])[at])
        raise LeakageError(
            f"{names[first]!r} and {names[second]!r} have {_counted(count, 'sample')} in common, such as sample "
            f"{row:,} of the dataset",
            parts=(names[first], names[second]),
        )
    if group is not None:
        _check_groups(contents, group, owner)


def _check_groups(contents: Mapping[str, Content], group: str, owner: Ints) -> None:
    names = list(contents)
    values = [group_values(content, group) for content in contents.values()]
    if any(value.data.dtype.kind == "T" for value in values):
        values = [as_text(value) for value in values]
    whole = concatenated(*values) if values else Value(data=np.zeros(0))
    keys, missing = equal_digits(whole, len(owner))
    found = _shared(keys, owner, missing)
    if found is not None:
        first, second, count, at = found
        raise LeakageError(
            f"{names[first]!r} and {names[second]!r} have {_counted(count, 'value')} of {group!r} in common, such as "
            f"{whole.data[at].item() if hasattr(whole.data[at], 'item') else whole.data[at]!r}",
            parts=(names[first], names[second]),
            hint=f"divide the samples with ds.split(…, group={group!r})",
        )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _shared(keys: list[Digits], owner: Ints, missing: NDArray[np.bool_] | None) -> tuple[int, int, int, int] | None:
    """Return two parts with equal keys, how many different keys they share, and a row that has one."""
    order, starts = equal_rows(keys, len(owner))
    owners = owner[order]  # rows are ascending among equal ones, and so are their parts
    ends = np.append(starts[1:], len(order))[: len(starts)]
    low, high = owners[starts], owners[ends - 1]
    shared = low != high
    if missing is not None:
        shared &= ~missing[order[starts]]
    if not shared.any():
        return None
    runs = np.flatnonzero(shared)
    run = int(runs[order[starts[runs]].argmin()])  # that of the first sample
    first = int(low[run])
    later = owners[starts[run] : ends[run]]
    second = int(later[later != first][0])
    both = np.intersect1d(
        *(np.repeat(np.arange(len(starts)), ends - starts)[owners == part] for part in (first, second))
    )
    if missing is not None:
        both = both[~missing[order[starts[both]]]]
    return first, second, len(both), int(order[starts[run]])


def _contents(parts: Mapping[str, Any]) -> dict[str, Content]:
    if not isinstance(parts, Mapping):
        raise DatasetError(f"{parts!r} is not valid. Expected views by name, such as {{'train': train, 'val': val}}")
    found: dict[str, Content] = {}
    for name, part in parts.items():
        content = getattr(part, "_content", None)
        if content is None or not hasattr(content, "state"):
            raise DatasetError(f"part {name!r} is a {type(part).__name__}. Expected a dataset or a view")
        found[str(name)] = content
    return found


def _place(content: Content) -> str:
    origin = content.table.origin
    stored = getattr(origin, "stored", None)
    return f"table {id(origin)}" if stored is None else str(stored.snapshot.path)


def saved_together(
    home: Home | None, views: Mapping[str, Any], message: str | None, *, view_id: str | None, group: str | None
) -> dict[str, str]:
    """Save views under one id and their names, all or none; refuse views that share a sample or a group."""
    contents = _contents(views)
    if not contents:
        raise DatasetError("there are no views to save. Expected at least one, by name")
    check_leakage(views, group=group)
    if home is None:
        raise DatasetError("the views do not belong to a dataset. Expected views of samples of this dataset")
    fixed: dict[str, FixedContent] = {}
    for name, content in contents.items():
        if not isinstance(content, FixedContent) or content.home is not home:
            raise DatasetError(f"part {name!r} is not a view of samples of this dataset. Expected a view")
        if content.by_array:
            raise DatasetError(f"part {name!r} was drawn by an array of weights, which is not stored with the dataset")
        fixed[name] = content
    return save_views(home, fixed, view_id=view_id, message=message)
