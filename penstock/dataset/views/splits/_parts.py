"""The parts of a split and the folds of a cross-validation, as views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Generic, NamedTuple, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from penstock.dataset.samples._content import Content
from penstock.dataset.views.splits._split import Division
from penstock.dataset.views.splits._split_report import SplitReport, report_of

__all__ = ["Fold", "Folds", "Split"]

_V = TypeVar("_V")
_V_co = TypeVar("_V_co", covariant=True)


class _Chooser(Protocol[_V_co]):
    def __call__(self, positions: NDArray[np.int64], /) -> _V_co: ...


class _Saver(Protocol):
    def __call__(
        self, views: Mapping[str, object], message: str | None, *, view_id: str | None, group: str | None
    ) -> dict[str, str]: ...


class _Divided(Generic[_V]):
    """Samples that were divided, and how views of their parts are made and saved."""

    def __init__(self, content: Content, division: Division, choose: _Chooser[_V], save: _Saver) -> None:
        self._content = content
        self._division = division
        self._choose = choose
        self._save = save

    @cached_property
    def report(self) -> SplitReport:
        """What each part, or the `valid` of each fold, has of samples, groups and labels, and what it should have."""
        return report_of(self._content, self._division)


class Split(dict[str, _V], _Divided[_V]):
    """The parts of a split by name, each a view.

    A dictionary that also says how near the parts are to what was asked for, and saves them together.

    Parameters
    ----------
    content : Content
        The samples that were divided.
    division : Division
        The part of each.
    choose : callable
        Makes a view of positions.
    save : callable
        Saves views together.
    """

    def __init__(self, content: Content, division: Division, choose: _Chooser[_V], save: _Saver) -> None:
        parts = enumerate(division.names)
        dict.__init__(self, {name: choose(np.flatnonzero(division.part == number)) for number, name in parts})
        _Divided.__init__(self, content, division, choose, save)

    def save_views(self, message: str | None = None, *, id: str | None = None) -> dict[str, str]:  # noqa: A002  as in `save_view`
        """Save all parts as views of one commit, in a single step: all of them or none.

        Parameters
        ----------
        message : str, optional
            What the split is for.
        id : str, optional
            The part called *name* is saved as ``id-name``; by default the id is 24 hexadecimal digits.

        Returns
        -------
        dict of str to str
            The id of each part's view, for ``ds.load_view``.

        Raises
        ------
        UncommittedChangesError
            If the version is not a commit.
        DatasetError
            If an id is taken, or a name cannot be part of one.
        """
        return self._save(self, message, view_id=id, group=self._division.group)


class Fold(NamedTuple, Generic[_V]):
    """One round of a cross-validation.

    Parameters
    ----------
    train : View
        The samples to train on: those of all other folds.
    valid : View
        The samples to validate on.
    """

    train: _V
    valid: _V


class Folds(Sequence[Fold[_V]], _Divided[_V]):
    """The folds of a cross-validation; each sample is in `valid` of one of them, and in `train` of all others.

    Views are made when a fold is asked for, so that k folds take a byte or two a sample until then.

    Parameters
    ----------
    content : Content
        The samples that were divided.
    division : Division
        The fold of each, by number.
    choose : callable
        Makes a view of positions.
    save : callable
        Saves views together.
    """

    def __len__(self) -> int:
        return len(self._division.names)

    @overload
    def __getitem__(self, index: int) -> Fold[_V]: ...
    @overload
    def __getitem__(self, index: slice) -> list[Fold[_V]]: ...
    def __getitem__(self, index: int | slice) -> Fold[_V] | list[Fold[_V]]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        valid = self._division.part == number
        return Fold(train=self._choose(np.flatnonzero(~valid)), valid=self._choose(np.flatnonzero(valid)))

    def __iter__(self) -> Iterator[Fold[_V]]:
        return (self[number] for number in range(len(self)))

    def save_views(self, message: str | None = None, *, id: str | None = None) -> dict[str, str]:  # noqa: A002  as in `save_view`
        """Save the `valid` of each fold as a view of one commit, all of them or none.

        Parameters
        ----------
        message : str, optional
            What the folds are for.
        id : str, optional
            Fold *i* is saved as ``id-i``, i from 0; by default the id is 24 hexadecimal digits.

        Returns
        -------
        dict of str to str
            The id of the view of each fold, by number as text. A fold's `train` is the views of all others.
        """
        views = {str(number): fold.valid for number, fold in enumerate(self)}
        return self._save(views, message, view_id=id, group=self._division.group)

    def __repr__(self) -> str:
        return f"Folds({len(self)} folds of {len(self._division.part):,} samples)"
