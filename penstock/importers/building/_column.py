"""One tensor that an importer is to write."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.importers.building._report import ImportIssue

__all__ = ["Column"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """One tensor to be written.

    Parameters
    ----------
    name : str
        The tensor's name.
    htype : str
        Kind of tensor.
    sample : callable
        Row to value; a path as an image's value is read and checked.
    options : dict
        Further options of `Dataset.create_tensor`.
    issues : callable, optional
        Row to what was refused and repaired inside its value.
    notes : callable, optional
        How the values were understood; asked for when all are read.
    left_out : set of int, optional
        The rows whose value was left empty, which `notes` counts.
    whole : ndarray, list or Ragged, optional
        All samples at once, as `sample` gives them: numbers, vectors, class labels.
    wrong : collection of int
        Rows of which `whole` has no valid sample.
    """

    name: str
    htype: str
    sample: Callable[[int], Any]
    options: dict[str, Any] = field(default_factory=dict)
    issues: Callable[[int], Sequence[ImportIssue]] | None = None
    notes: Callable[[], Sequence[str]] | None = None
    left_out: set[int] | None = None
    whole: Any = None
    wrong: Collection[int] = ()
