"""How near the parts of a split are to what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import Content
from penstock.dataset.shown._show import html_table, text_table
from penstock.dataset.views.splits._split import Division
from penstock.dataset.views.splits._split_units import label_column, label_names, units_with

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SplitReport", "report_of"]

_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SplitReport:
    """What each part of a split has, and what it should have.

    Parameters
    ----------
    parts : tuple of str
        Names of the parts.
    shares : ndarray of float64, shape (num_parts,)
        The shares asked for.
    samples : ndarray of int64, shape (num_parts,)
        Samples of each part.
    num_samples : int
        Samples that were divided.
    groups : ndarray of int64, shape (num_parts,), optional
        Groups of each part.
    group, method : str, optional
        What was kept together, and how labels were spread.
    num_without_group : int
        Samples without a group; each is a group of its own.
    labels : tuple of str
        Names of the labels that were spread and occur.
    totals : ndarray of int64, shape (num_labels,)
        Samples with each label.
    counts : ndarray of int64, shape (num_labels, num_parts)
        Samples with each label in each part.
    """

    parts: tuple[str, ...]
    shares: NDArray[np.float64]
    samples: NDArray[np.int64]
    num_samples: int
    groups: NDArray[np.int64] | None
    group: str | None
    method: str | None
    num_without_group: int
    labels: tuple[str, ...]
    totals: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def deviations(self) -> NDArray[np.float64]:
        """Samples with each label above the share of each part, float64 of shape (num_labels, num_parts)."""
        return self.counts - np.outer(self.totals, self.shares)

    @property
    def largest_deviation(self) -> float:
        """The most samples by which a part has more or fewer with some label than its share."""
        return float(np.abs(self.deviations).max(initial=0.0))

    def _part_rows(self) -> list[tuple[str, ...]]:
        groups = () if self.groups is None else self.groups.tolist()
        return [
            (
                name,
                f"{count:,}",
                f"{share * self.num_samples:,.1f}",
                f"{count / max(self.num_samples, 1):.2%}",
                *(f"{groups[number]:,}" for _ in groups[:1]),
            )
            for number, (name, count, share) in enumerate(
                zip(self.parts, self.samples.tolist(), self.shares.tolist(), strict=True)
            )
        ]

    def _part_heads(self) -> tuple[str, ...]:
        return ("part", "samples", "wanted", "share", *(("groups",) if self.groups is not None else ()))

    def _label_rows(self) -> list[tuple[str, ...]]:
        worst = np.argsort(-np.abs(self.deviations).max(axis=1, initial=0.0), kind="stable")[:_SHOWN]
        return [
            (
                self.labels[number],
                f"{self.totals[number]:,}",
                *(
                    f"{count:,} ({off:+.1f})"
                    for count, off in zip(self.counts[number].tolist(), self.deviations[number].tolist(), strict=True)
                ),
            )
            for number in worst.tolist()
        ]

    def _sentences(self) -> list[str]:
        said = []
        if self.group is not None:
            said.append(f"No value of {self.group!r} is in two parts.")
        if self.num_without_group:
            said.append(f"{self.num_without_group:,} samples have no value; each is a group of its own.")
        if len(self.labels):
            number, part = np.unravel_index(int(np.abs(self.deviations).argmax()), self.deviations.shape)
            wanted = self.totals[number] * self.shares[part]
            said.append(
                f"Method: {self.method}. Farthest from its share of {len(self.labels):,} labels: "
                f"{self.labels[number]!r} in {self.parts[part]!r}, {self.counts[number, part]:,} samples of "
                f"{wanted:,.1f} wanted."
            )
        return said

    def to_pandas(self) -> pd.DataFrame:
        """Return the samples with each label by part, as columns `wanted` and `samples` of each part."""
        import pandas as pd

        names = ["(all)", *self.labels]
        totals = np.concatenate([[self.num_samples], self.totals])
        counts = np.vstack([self.samples, self.counts])
        columns = {"total": totals}
        for part, name in enumerate(self.parts):
            columns[name] = counts[:, part]
            columns[f"{name} wanted"] = totals * self.shares[part]
        return pd.DataFrame(columns, index=names)

    def __repr__(self) -> str:
        tables = [text_table(self._part_heads(), self._part_rows()), *self._sentences()]
        if len(self.labels):
            tables.append(text_table(("label", "samples", *self.parts), self._label_rows()))
        return "\n\n".join(tables)

    def _repr_html_(self) -> str:
        import html

        parts = [html_table(self._part_heads(), self._part_rows())]
        parts += [f"<div>{html.escape(said)}</div>" for said in self._sentences()]
        if len(self.labels):
            parts.append(html_table(("label", "samples", *self.parts), self._label_rows()))
        return "".join(parts)


def report_of(content: Content, division: Division) -> SplitReport:
    """Return what the parts of a division have."""
    part, num_parts = division.part.astype(np.int64), len(division.names)
    inside = part >= 0
    groups = None
    if division.number is not None:
        first = np.zeros(int(division.number.max(initial=-1)) + 1, np.int64)
        first[division.number] = part
        groups = np.bincount(first[first >= 0], minlength=num_parts)
    names: tuple[str, ...] = ()
    totals, counts = np.zeros(0, np.int64), np.zeros((0, num_parts), np.int64)
    if division.stratify:
        units = units_with(label_column(content, division.stratify), None, len(part))
        totals = np.bincount(units.labels, minlength=units.num_labels)
        counts = units.totals(part, num_parts)[1].astype(np.int64)
        all_names = label_names(content, division.stratify)
        there = np.flatnonzero(totals)
        names, totals, counts = tuple(all_names[number] for number in there), totals[there], counts[there]
    return SplitReport(
        parts=division.names,
        shares=division.shares,
        samples=np.bincount(part[inside], minlength=num_parts),
        num_samples=len(part),
        groups=groups,
        group=division.group,
        method=division.method,
        num_without_group=division.num_without_group,
        labels=names,
        totals=totals,
        counts=counts,
    )
