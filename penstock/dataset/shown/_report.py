"""The result of verifying a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.dataset.shown._show import html_table, text_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Problem", "Report"]

_HEADS = ("tensor", "sample", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A sample that cannot be read, or is not what was added.

    Parameters
    ----------
    tensor : str
        The tensor.
    row : int or None
        The sample; None if the whole tensor cannot be read.
    reason : str
        What is wrong.
    """

    tensor: str
    row: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of `verify`.

    Parameters
    ----------
    problems : tuple of Problem
        By tensor, then by sample.
    num_samples : int
        Samples read.
    """

    problems: tuple[Problem, ...]
    num_samples: int

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(found.tensor, "" if found.row is None else str(found.row), found.reason) for found in self.problems]

    def to_pandas(self) -> pd.DataFrame:
        """Return the problems as a table of tensor, sample and reason."""
        import pandas as pd

        return pd.DataFrame([(found.tensor, found.row, found.reason) for found in self.problems], columns=list(_HEADS))

    def __repr__(self) -> str:
        head = f"{self.num_samples:,} samples read, {len(self.problems):,} with problems"
        return f"{head}\n{text_table(_HEADS, self._rows())}" if self.problems else head

    def _repr_html_(self) -> str:
        head = f"<div>{self.num_samples:,} samples read, {len(self.problems):,} with problems</div>"
        return head + (html_table(_HEADS, self._rows()) if self.problems else "")
