"""Names of columns to names of tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable

from penstock.errors import DatasetError
from penstock.tensors import make_spec

__all__ = ["free_name", "tensor_names"]

_LONGEST = 150  # letters of a name that is made up: with a number behind it, it is still one of a tensor


def tensor_names(columns: Iterable[str]) -> dict[str, str]:
    """Return a tensor's name for each column: the column's own where a tensor may have it.

    Examples
    --------
    >>> tensor_names(["label", "1 + 1", "1 - 1"])
    {'label': 'label', '1 + 1': '1_1', '1 - 1': '1 - 1'}
    """
    names: dict[str, str] = {}
    for column in columns:
        names[column] = free_name(column, names.values())
    return names


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """Return the name a tensor gets that is wanted under some name: valid, and not taken."""
    plain = wanted if _is_valid(wanted) else re.sub(r"\W+", "_", wanted).strip("_")[:_LONGEST]
    if not _is_valid(plain):
        plain = f"column_{plain}".strip("_")
    known, name, number = set(taken), plain, 1
    while name in known:
        number += 1
        name = f"{plain}_{number}"
    return name


def _is_valid(name: str) -> bool:
    try:
        make_spec(name)
    except DatasetError:
        return False
    return True
