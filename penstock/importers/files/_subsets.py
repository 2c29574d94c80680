"""Which names of folders and files say that they are a split."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["choose_subset", "subset_in"]

_FAMILIES = (("train", "training"), ("val", "valid", "validation", "dev"), ("test", "testing"))
_SUBSET = re.compile(rf"({'|'.join(name for family in _FAMILIES for name in family)})[-_ ]?\d*", re.IGNORECASE)
_WORD_END = re.compile(r"[^A-Za-z0-9]+")


def subset_in(parts: Iterable[str], *, words: bool = False) -> str:
    """Return the last name that is a split, such as ``train`` or ``val2017``; empty if there is none.

    Parameters
    ----------
    parts : iterable of str
        Names of folders or files.
    words : bool
        Whether a split may also be one word of a name, as in ``instances_train2017.json``.

    Examples
    --------
    >>> subset_in(["data", "train", "images"]), subset_in(["cats"])
    ('train', '')
    >>> subset_in(["instances_val2017.json"], words=True)
    'val2017'
    """
    names = [word for part in parts for word in (_WORD_END.split(part) if words else [part])]
    return next((name for name in reversed(names) if _SUBSET.fullmatch(name)), "")


def choose_subset(wanted: str, known: Sequence[str]) -> str | None:
    """Return the split that is meant: of this name, or the only one of its family (val, valid, validation).

    Examples
    --------
    >>> choose_subset("val", ["train", "valid"])
    'valid'
    """
    if wanted in known:
        return wanted
    family = next((family for family in _FAMILIES if wanted.lower() in family), ())
    alike = [name for name in known if name.lower() in family]
    return alike[0] if len(alike) == 1 else None
