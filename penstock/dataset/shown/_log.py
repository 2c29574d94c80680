"""The history of a dataset, to look at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from penstock.dataset.shown._show import html_table, text_table
from penstock.storage import Commit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Log"]

_HEADS = ("id", "time", "author", "message")


class Log(Sequence[Commit]):
    """Commits, the newest first.

    Parameters
    ----------
    commits : sequence of Commit
        The commits in this order.
    """

    def __init__(self, commits: Sequence[Commit]) -> None:
        self._commits = tuple(commits)

    def __len__(self) -> int:
        return len(self._commits)

    @overload
    def __getitem__(self, index: int) -> Commit: ...
    @overload
    def __getitem__(self, index: slice) -> Log: ...
    def __getitem__(self, index: int | slice) -> Commit | Log:
        return Log(self._commits[index]) if isinstance(index, slice) else self._commits[index]

    def __iter__(self) -> Iterator[Commit]:
        return iter(self._commits)

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (commit.id, f"{commit.time.astimezone():%Y-%m-%d %H:%M:%S}", commit.author, commit.message)
            for commit in self._commits
        ]

    def to_pandas(self) -> pd.DataFrame:
        """Return the commits as a table of id, time (UTC), author and message."""
        import pandas as pd

        rows = [(commit.id, commit.time, commit.author, commit.message) for commit in self._commits]
        return pd.DataFrame(rows, columns=list(_HEADS))

    def __repr__(self) -> str:
        return text_table(_HEADS, self._rows()) if self._commits else "no commits yet"

    def _repr_html_(self) -> str:
        return html_table(_HEADS, self._rows()) if self._commits else "<div>no commits yet</div>"
