"""What a merge found: conflicts, and what is worth a look."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.dataset.writing._conflicts import Conflict

__all__ = ["MergeReport"]

_SHOWN = 20


class MergeReport(list[Conflict]):
    """The conflicts of a merge, as a list; empty where everything was joined.

    Parameters
    ----------
    conflicts : iterable of Conflict
        Fields of objects, samples and classes that both branches changed, each in its own way.
    merged : bool
        Whether the merge was made: nothing was in conflict, or `prefer` said which side wins.
    notes : iterable of str
        What was joined in a way worth a look, such as an object drawn on both branches.

    Examples
    --------
    >>> MergeReport([], merged=True)
    merged without conflicts
    """

    def __init__(self, conflicts: Iterable[Conflict] = (), *, merged: bool = True, notes: Iterable[str] = ()) -> None:
        super().__init__(conflicts)
        self.merged = merged
        self.notes = tuple(notes)

    def __repr__(self) -> str:
        """Return the conflicts in words, one on each line."""
        many = f"{len(self):,} conflict{'' if len(self) == 1 else 's'}"
        if not self:
            title = "merged without conflicts"
        elif self.merged:
            title = f"merged; {many} decided by prefer"
        else:
            them = "it" if len(self) == 1 else "them"
            title = f"not merged: {many}. Pass prefer='ours' or prefer='theirs' to decide {them}; all else is joined"
        shown = [f"  {conflict}" for conflict in self[:_SHOWN]]
        more = [f"  and {len(self) - _SHOWN:,} more"] if len(self) > _SHOWN else []
        return "\n".join([title, *shown, *more, *(f"  note: {note}" for note in self.notes)])
