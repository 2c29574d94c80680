"""The history of a sample, to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, overload

from penstock.dataset.shown._show import html_table, text_table
from penstock.dataset.shown._words import Difference

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FieldChange", "SampleEdit", "SampleHistory"]

_HEADS = ("commit", "time", "author", "message", "change")
_UNCOMMITTED = "uncommitted"
_SHORT = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldChange:
    """A tensor's value before and after an edit.

    Parameters
    ----------
    tensor : str
        The tensor.
    before, after : object
        The values: class names for labels, lists for boxes and numbers, text; images and masks as their shape in
        words, links as their address. None for an empty sample, or where the tensor or the sample did not exist.
    """

    tensor: str
    before: Any
    after: Any

    def __repr__(self) -> str:
        return f"{self.tensor}: {self.before!r} → {self.after!r}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleEdit:
    """A commit that changed a sample, or what is not committed.

    Parameters
    ----------
    kind : {"added", "edited", "deleted", "restored"}
        What happened to the sample. It is restored by a merge that brings it back after it was deleted.
    commit : str or None
        The commit; None for what is not committed.
    branch : str
        The branch the commit was made on.
    time : datetime or None
        When, in UTC.
    author, message : str
        The commit's.
    changes : tuple of FieldChange
        What differs, tensor by tensor; empty for samples added and deleted.
    differences : tuple of dict
        The same in a few words, each with its sign: ``-`` removed, ``+`` added, ``=`` what the others come to, or
        none.
    """

    kind: Literal["added", "edited", "deleted", "restored"]
    commit: str | None
    branch: str
    time: datetime | None
    author: str
    message: str
    changes: tuple[FieldChange, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def words(self) -> str:
        """What happened, in one line."""
        parts = [f"{part['sign'].strip('=')} {part['text']}".strip() for part in self.differences]
        told = f"sample {self.kind}"
        if self.kind == "edited":
            return ", ".join(parts) or told
        return f"{told}: {', '.join(parts)}" if parts else told

    def __repr__(self) -> str:
        when = "" if self.time is None else f" {self.time.astimezone():%Y-%m-%d %H:%M:%S}"
        return f"{(self.commit or _UNCOMMITTED)[:_SHORT] if self.commit else _UNCOMMITTED}{when}: {self.words}"


class SampleHistory(Sequence[SampleEdit]):
    """The edits of one sample, the newest first.

    Parameters
    ----------
    edits : sequence of SampleEdit
        The edits in this order.
    uid : int
        Lasting identity of the sample.
    """

    def __init__(self, edits: Sequence[SampleEdit], uid: int) -> None:
        self._edits = tuple(edits)
        self.uid = uid

    def __len__(self) -> int:
        return len(self._edits)

    @overload
    def __getitem__(self, index: int) -> SampleEdit: ...
    @overload
    def __getitem__(self, index: slice) -> SampleHistory: ...
    def __getitem__(self, index: int | slice) -> SampleEdit | SampleHistory:
        return SampleHistory(self._edits[index], self.uid) if isinstance(index, slice) else self._edits[index]

    def __iter__(self) -> Iterator[SampleEdit]:
        return iter(self._edits)

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                edit.commit or _UNCOMMITTED,
                "" if edit.time is None else f"{edit.time.astimezone():%Y-%m-%d %H:%M:%S}",
                edit.author,
                edit.message,
                edit.words,
            )
            for edit in self._edits
        ]

    def to_pandas(self) -> pd.DataFrame:
        """Return the edits as a table of commit, time (UTC), author, message and change."""
        import pandas as pd

        rows = [(edit.commit, edit.time, edit.author, edit.message, edit.words) for edit in self._edits]
        return pd.DataFrame(rows, columns=list(_HEADS))

    def __repr__(self) -> str:
        return text_table(_HEADS, self._rows()) if self._edits else "no commits yet"

    def _repr_html_(self) -> str:
        return html_table(_HEADS, self._rows()) if self._edits else "<div>no commits yet</div>"
