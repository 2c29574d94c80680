"""The report of what an importer rejected, repaired, ignored or noted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from penstock._wording import escaped
from penstock.errors import ImporterError
from penstock.importers.building._text import printable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ImportIssue", "ImportReport", "IssueLog", "OnError"]

Action = Literal["rejected", "repaired", "ignored", "noted"]
OnError = Literal["raise", "skip"]
_NUM_SHOWN = 5
_WEIGHT: dict[str, int] = {"rejected": 0, "repaired": 0, "noted": 1, "ignored": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportIssue:
    """One part of the source that was not imported unchanged, or that a user should know about.

    Parameters
    ----------
    source : str
        File, row or annotation it is about.
    problem : str
        What is wrong with it, and what was done.
    action : {"rejected", "repaired", "ignored", "noted"}
        Rejected parts are not in the dataset; repaired ones are, as `problem` says.
        Ignored files do not belong to the dataset; what is noted is in the dataset
        as the source has it.
    """

    source: str
    problem: str
    action: Action

    def __str__(self) -> str:
        return f"{self.action}: {self.source}: {self.problem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import included, rejected, repaired and ignored.

    Parameters
    ----------
    source : str
        What was imported.
    num_samples : int
        Samples in the dataset.
    issues : tuple of ImportIssue
        In the order they were met.

    Examples
    --------
    >>> print(ImportReport(source="shapes", num_samples=3, issues=()))
    3 samples from shapes, nothing rejected or repaired
    """

    source: str
    num_samples: int
    issues: tuple[ImportIssue, ...] = ()

    @property
    def rejected(self) -> tuple[ImportIssue, ...]:
        """Parts that are not in the dataset."""
        return self._of("rejected")

    @property
    def repaired(self) -> tuple[ImportIssue, ...]:
        """Parts that were changed when they were imported."""
        return self._of("repaired")

    @property
    def ignored(self) -> tuple[ImportIssue, ...]:
        """Files below the source that do not belong to the dataset."""
        return self._of("ignored")

    @property
    def noted(self) -> tuple[ImportIssue, ...]:
        """Parts that were imported unchanged but may need attention."""
        return self._of("noted")

    def _of(self, action: Action) -> tuple[ImportIssue, ...]:
        return tuple(issue for issue in self.issues if issue.action == action)

    def to_json(self) -> str:
        """Return the report as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ImportReport:
        """Return the report that `to_json` wrote."""
        data = json.loads(text)
        issues = tuple(ImportIssue(**issue) for issue in data.pop("issues"))
        return cls(**data, issues=issues)

    def to_pandas(self) -> pd.DataFrame:
        """Return a table with one row an issue: action, source, problem."""
        import pandas as pd

        return pd.DataFrame([asdict(issue) for issue in self.issues], columns=["action", "source", "problem"])

    def summary(self) -> str:
        """Return the counts in one line."""
        head = escaped(f"{self.num_samples:,} samples from {self.source}")
        counts = f"{len(self.rejected):,} rejected, {len(self.repaired):,} repaired"
        parts = [head, counts if self.rejected or self.repaired else "nothing rejected or repaired"]
        parts += [f"{len(self.ignored):,} ignored"] if self.ignored else []
        parts += [f"{len(self.noted):,} noted"] if self.noted else []
        return ", ".join(parts)

    def __str__(self) -> str:
        by_weight = sorted(self.issues, key=lambda issue: _WEIGHT[issue.action])
        shown = [self.summary(), *(escaped(f"  {issue}") for issue in by_weight[:_NUM_SHOWN])]
        left = len(self.issues) - _NUM_SHOWN
        return "\n".join([*shown, *([f"  … and {left:,} more"] if left > 0 else [])])


class IssueLog:
    """Collects issues; raises at the first rejection unless `on_error` is "skip".

    Parameters
    ----------
    on_error : {"raise", "skip"}
        Whether to raise an error for parts that cannot be read or repaired, or to leave them out.
    """

    def __init__(self, on_error: OnError) -> None:
        if on_error not in ("raise", "skip"):
            raise ImporterError(f"on_error={on_error!r} is not valid. Expected 'raise' or 'skip'")
        self._raises = on_error == "raise"
        self.issues: list[ImportIssue] = []

    def refuse(self, source: str, problem: str, *, hint: str | None = None) -> None:
        """Record that `source` is left out, or raise when errors are to be raised."""
        if self._raises:
            raise ImporterError(
                printable(f"{source}: {problem}"), hint=hint or "pass on_error='skip' to leave it out and report it"
            )
        self._add(source, problem, "rejected")

    def repair(self, source: str, problem: str) -> None:
        """Record that `source` was changed when it was imported."""
        self._add(source, problem, "repaired")

    def ignore(self, source: str, problem: str) -> None:
        """Record a file that does not belong to the dataset."""
        self._add(source, problem, "ignored")

    def note(self, source: str, problem: str) -> None:
        """Record a part that was imported unchanged but may need attention."""
        self._add(source, problem, "noted")

    def _add(self, source: str, problem: str, action: Action) -> None:
        self.issues.append(ImportIssue(source=printable(source), problem=printable(problem), action=action))
